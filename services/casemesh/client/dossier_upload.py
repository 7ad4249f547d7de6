"""Sends the documents of a dossier: one stream, many documents, gone on with after any break.

Reading, hashing and building messages run in a thread of their own, a few messages ahead. No more than the window that
the service states is ever on its way without having been received, so a break costs at most that much again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import grpc
import grpc.aio

from casemesh.client import manifest
from casemesh.client.manifest import ManifestDocument
from casemesh.client.read_ahead import ReadAhead
from casemesh.core import merkle
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Unavailable, from_rpc_error, from_status

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub

MESSAGE_BYTES: Final = 1 << 20
_MAX_FRAMES: Final = 4000
_MESSAGES_AHEAD: Final = 4
_CALL_SECONDS: Final = 30.0
_LONGEST_PAUSE_SECONDS: Final = 5.0
# What a later attempt may cure: the service restarted, the gateway is gone, the lease of a stream that died still runs.
_TRANSIENT_REASONS: Final = frozenset({"UPLOAD_LEASE_HELD", "CHUNK_OFFSET_MISMATCH"})


class LocalFileChanged(Exception):
    """A file is not what it was when the upload began; nothing of it counts as sent."""


@dataclass(frozen=True, slots=True)
class LocalDocument:
    """A file to send. Its place in the sequence of documents is its index in the dossier."""

    path: Path
    volume: str
    file_name: str
    media_type: str
    page_count: int


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How far a transfer is, in bytes of documents. ``received`` is written, ``committed`` durable at the service."""

    total_bytes: int
    received_bytes: int
    committed_bytes: int


@dataclass(frozen=True, slots=True)
class UploadedDossier:
    """A finished upload: what the service holds, with the digests this side computed.

    ``sent_bytes`` are document bytes that left here in this call, over all attempts.
    """

    dossier: str
    documents: tuple[ManifestDocument, ...]
    sent_bytes: int
    attempts: int

    @property
    def page_count(self) -> int:
        return sum(document.page_count for document in self.documents)

    @property
    def size_bytes(self) -> int:
        return sum(document.size_bytes for document in self.documents)


async def upload_documents(
    dossiers: DossierServiceAsyncStub,
    dossier: str,
    documents: Sequence[LocalDocument],
    *,
    upload_id: str,
    progress: Callable[[TransferProgress], None] | None = None,
    patience_seconds: float = 120.0,
) -> UploadedDossier:
    """Send what the service does not hold yet, until it has confirmed that everything is durable and verified.

    Call it again with the same arguments after a crash: it goes on where the service is. ``upload_id`` is a UUID of the
    caller's, kept across its restarts; with another one the upload may have to wait 30 seconds for the old lease.
    Breaks are repaired for as long as no ``patience_seconds`` pass without a byte received.

    Raises CaseMeshError (the reasons of UploadDocuments), LocalFileChanged, OSError for a file that cannot be read.
    """
    upload = _Upload(dossiers, dossier, documents, upload_id, progress)
    pause, deadline, best = 0.2, time.monotonic() + patience_seconds, -1
    while True:
        try:
            await upload.attempt()
            return upload.result()
        except CaseMeshError as error:
            if upload.best_received > best:
                pause, deadline, best = 0.2, time.monotonic() + patience_seconds, upload.best_received
            if not _transient(error) or time.monotonic() + pause > deadline:
                raise
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads load, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


async def finalize_dossier(
    dossiers: DossierServiceAsyncStub, uploaded: UploadedDossier, *, request_id: str
) -> dossier_pb2.DossierVersion:
    """Fix an uploaded dossier as a version, stating count, pages, size and root as this side has them.

    Raises CaseMeshError, among them the mismatches of FinalizeDossier.
    """
    root = await asyncio.to_thread(manifest.root_hash, uploaded.documents)
    request = pb.FinalizeDossierRequest(
        request_id=request_id,
        dossier=uploaded.dossier,
        document_count=len(uploaded.documents),
        page_count=uploaded.page_count,
        size_bytes=uploaded.size_bytes,
        root_hash=root,
    )
    return (await dossiers.FinalizeDossier(request, timeout=_CALL_SECONDS)).version


class _Upload:
    """The state of an upload over its attempts."""

    def __init__(
        self,
        dossiers: DossierServiceAsyncStub,
        dossier: str,
        documents: Sequence[LocalDocument],
        upload_id: str,
        progress: Callable[[TransferProgress], None] | None,
    ) -> None:
        self._dossiers = dossiers
        self._dossier = dossier
        self._documents = documents
        self._upload_id = upload_id
        self._progress = progress
        self._sizes = [os.stat(document.path).st_size for document in documents]
        self._digests: dict[int, bytes] = {}
        self._sent_bytes = 0
        self._attempts = 0
        self.best_received = -1

    async def attempt(self) -> None:
        """Send what is missing on one stream. Returns once the service has confirmed the whole."""
        self._attempts += 1
        flow = _Flow()
        stream = self._dossiers.UploadDocuments(self._requests(flow))
        start = 0
        try:
            async for response in stream:
                match response.WhichOneof("notice"):
                    case "opened":
                        held = await self._held()
                        start = sum(item.committed_bytes for item in held.values())
                        flow.begin(response.opened.window_bytes, held)
                    case "progress":
                        flow.received(response.progress.received_bytes)
                        self._tell(start, response.progress)
                    case "finished":
                        return
                    case "error":
                        raise from_status(response.error)
                    case _:
                        pass
            raise flow.failure or Unavailable("UNKNOWN", "the stream ended before the upload was finished")
        except grpc.aio.AioRpcError as error:
            raise flow.failure or from_rpc_error(error) from error
        except CaseMeshError:
            if flow.failure is not None:
                raise flow.failure from None
            raise
        finally:
            flow.stop()
            stream.cancel()

    def result(self) -> UploadedDossier:
        """What was sent, once `attempt` has returned."""
        documents = tuple(
            ManifestDocument(
                index, item.volume, item.file_name, item.media_type, item.page_count, self._sizes[index],
                self._digests[index],
            )
            for index, item in enumerate(self._documents)
        )  # fmt: skip
        return UploadedDossier(self._dossier, documents, self._sent_bytes, self._attempts)

    async def _held(self) -> dict[int, dossier_pb2.Document]:
        """What the service holds of each document, asked after it has opened the stream: it adopts before that."""
        held: dict[int, dossier_pb2.Document] = {}
        token = ""
        while True:
            request = pb.QueryUploadRequest(dossier=self._dossier, page_token=token)
            page = await self._dossiers.QueryUpload(request, timeout=_CALL_SECONDS)
            held.update((document.document_index, document) for document in page.documents)
            token = page.next_page_token
            if not token:
                return held

    async def _requests(self, flow: _Flow) -> AsyncIterator[pb.UploadDocumentsRequest]:
        yield pb.UploadDocumentsRequest(open=pb.UploadOpen(dossier=self._dossier, upload_id=self._upload_id))
        held = await flow.begun()
        if held is None:
            return
        messages = _Messages(self._documents, self._sizes, held, self._digests)
        try:
            async with contextlib.aclosing(ReadAhead(messages.build, _MESSAGES_AHEAD).items()) as ahead:
                async for message, size in ahead:
                    if not await flow.may_send(size):
                        return
                    self._sent_bytes += size
                    yield message
        except (LocalFileChanged, OSError) as error:
            # Raised in here it would reach the caller as a cancelled call.
            flow.failure = error

    def _tell(self, start: int, progress: pb.UploadProgress) -> None:
        self.best_received = max(self.best_received, start + progress.received_bytes)
        if self._progress is not None:
            received, committed = start + progress.received_bytes, start + progress.committed_bytes
            self._progress(TransferProgress(sum(self._sizes), received, committed))


class _Flow:
    """Keeps the sender within the window: bytes sent beyond those received."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._held: asyncio.Future[Mapping[int, dossier_pb2.Document] | None] = asyncio.Future()
        self._window = 0
        self._sent = 0
        self._received = 0
        self._stopped = False
        self._changed = asyncio.Event()

    def begin(self, window_bytes: int, held: Mapping[int, dossier_pb2.Document]) -> None:
        """Let the sender begin."""
        self._window = max(window_bytes, MESSAGE_BYTES)
        if not self._held.done():
            self._held.set_result(held)

    async def begun(self) -> Mapping[int, dossier_pb2.Document] | None:
        """Wait for `begin`; None when the stream ended first."""
        return await self._held

    def received(self, received_bytes: int) -> None:
        self._received = received_bytes
        self._changed.set()

    async def may_send(self, size: int) -> bool:
        """Wait until ``size`` more bytes fit, and count them as sent; False when the stream has ended."""
        while self._sent + size - self._received > self._window and not self._stopped:
            self._changed.clear()
            await self._changed.wait()
        self._sent += size
        return not self._stopped

    def stop(self) -> None:
        self._stopped = True
        self._changed.set()
        if not self._held.done():
            self._held.set_result(None)


class _Messages:
    """Builds the messages of one attempt: what the service lacks, then the finish that names the whole."""

    def __init__(
        self,
        documents: Sequence[LocalDocument],
        sizes: Sequence[int],
        held: Mapping[int, dossier_pb2.Document],
        digests: dict[int, bytes],
    ) -> None:
        self._documents = documents
        self._sizes = sizes
        self._held = held
        self._digests = digests
        self._message = pb.UploadDocumentsRequest()
        self._filled = 0

    def build(self) -> Iterator[tuple[pb.UploadDocumentsRequest, int]]:
        """Messages with the number of document bytes in each."""
        for index, document in enumerate(self._documents):
            known = self._held.get(index)
            if known is not None and known.sha256:
                self._require_same(index, document, known.sha256)
                continue
            offset = known.committed_bytes if known is not None else 0
            header = self._message.frames.add().header
            header.document_index, header.volume, header.file_name = index, document.volume, document.file_name
            header.media_type, header.page_count = document.media_type, document.page_count
            header.size_bytes, header.offset_bytes = self._sizes[index], offset
            yield from self._bytes_of(index, document, offset)
            finish = self._message.frames.add().document_finish
            finish.document_index, finish.size_bytes, finish.sha256 = index, self._sizes[index], self._digests[index]
            if len(self._message.frames) >= _MAX_FRAMES:
                yield self._take()
        finish_all = self._message.frames.add().upload_finish
        finish_all.document_count, finish_all.size_bytes = len(self._documents), sum(self._sizes)
        digests = (self._digests[index] for index in range(len(self._documents)))
        finish_all.tree_hash = merkle.root_of(merkle.leaf_hash(digest) for digest in digests)
        yield self._take()

    def _bytes_of(
        self, index: int, document: LocalDocument, offset: int
    ) -> Iterator[tuple[pb.UploadDocumentsRequest, int]]:
        size, digest = self._sizes[index], hashlib.sha256()
        with open(document.path, "rb", buffering=0) as file:
            _hash(file, digest, offset, document.path)
            while offset < size:
                data = file.read(min(size - offset, MESSAGE_BYTES - self._filled))
                if not data:
                    raise LocalFileChanged(f"{document.path} has become shorter")
                digest.update(data)
                chunk = self._message.frames.add().chunk
                chunk.document_index, chunk.offset_bytes, chunk.data = index, offset, data
                offset += len(data)
                self._filled += len(data)
                if self._filled >= MESSAGE_BYTES or len(self._message.frames) >= _MAX_FRAMES:
                    yield self._take()
            if os.fstat(file.fileno()).st_size != size:
                raise LocalFileChanged(f"{document.path} has become longer")
        self._digests[index] = digest.digest()

    def _take(self) -> tuple[pb.UploadDocumentsRequest, int]:
        taken = self._message, self._filled
        self._message, self._filled = pb.UploadDocumentsRequest(), 0
        return taken

    def _require_same(self, index: int, document: LocalDocument, sha256: bytes) -> None:
        if self._digests.get(index) != sha256:
            digest = hashlib.sha256()
            with open(document.path, "rb", buffering=0) as file:
                _hash(file, digest, self._sizes[index], document.path)
            if digest.digest() != sha256:
                raise LocalFileChanged(f"{document.path} is not what was sent of it before")
            self._digests[index] = sha256


def _hash(file: BinaryIO, digest: hashlib._Hash, length: int, path: Path) -> None:
    buffer = memoryview(bytearray(min(length, MESSAGE_BYTES)))
    while length:
        read = file.readinto(buffer[:length])  # type: ignore[attr-defined]
        if not read:
            raise LocalFileChanged(f"{path} has become shorter")
        digest.update(buffer[:read])
        length -= read


def _transient(error: CaseMeshError) -> bool:
    # A stream cut by a restart, or at the gateway, may reach the sender as INTERNAL or CANCELLED without a reason.
    cut = type(error) is CaseMeshError and error.reason == "UNKNOWN"
    return cut or isinstance(error, Unavailable) or error.reason in _TRANSIENT_REASONS
