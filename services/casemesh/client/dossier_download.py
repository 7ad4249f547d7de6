"""Receives a dossier version into a folder: from where it broke off, each document checked against the signed manifest.

Documents arrive in the manifest's order. One that is whole and right is moved to its name; the one that was under way
stays in `partial` and is gone on with.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import queue
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

import grpc
import grpc.aio
from cryptography import x509

from casemesh.client.dossier_folder import DossierFolder, file_digest, sync_names
from casemesh.client.dossier_upload import TransferProgress
from casemesh.client.manifest import MANIFEST_SIGNER, Manifest, ManifestDocument, ManifestError
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import CaseMeshError, DataLoss, Unavailable, from_rpc_error

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub

_MESSAGES_WAITING: Final = 8
_WRITER_BEHIND_SECONDS: Final = 0.005
_LONGEST_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class DownloadedDossier:
    """A dossier version that is on this machine whole, every document with the digest its manifest states.

    ``received_bytes`` are document bytes that arrived in this call, over all attempts.
    """

    folder: DossierFolder
    manifest: Manifest
    received_bytes: int
    attempts: int


async def download_dossier(
    dossier_read: DossierReadServiceAsyncStub,
    version: str,
    target: Path,
    trusted_roots: Sequence[x509.Certificate],
    *,
    progress: Callable[[TransferProgress], None] | None = None,
    patience_seconds: float = 120.0,
) -> DownloadedDossier:
    """Fetch a version into ``target``, durably. Call it again with the same arguments after a crash: it goes on.

    Verifies the manifest's signature, which must be the dossier service's under ``trusted_roots``, and each document's
    digest, not each page: `DossierFolder.verify` does that, with no connection. Breaks are repaired for as long as no
    ``patience_seconds`` pass without a byte.

    Raises CaseMeshError (NOT_FOUND, DATA_LOSS and so on), StatementError, ManifestError, OSError.
    """
    folder = DossierFolder(target)
    download = _Download(dossier_read, version, folder, progress)
    pause, deadline, best = 0.2, time.monotonic() + patience_seconds, -1
    while True:
        try:
            await download.attempt(trusted_roots)
            return DownloadedDossier(folder, download.require_manifest(), download.received_bytes, download.attempts)
        except CaseMeshError as error:
            if download.received_bytes > best:
                pause, deadline, best = 0.2, time.monotonic() + patience_seconds, download.received_bytes
            if not _transient(error) or time.monotonic() + pause > deadline:
                raise
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads load, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


async def fetch_manifest(dossier_read: DossierReadServiceAsyncStub, version: str) -> bytes:
    """The signed manifest of a version as bytes, not yet verified. Raises CaseMeshError."""
    stream = dossier_read.DownloadManifest(pb.DownloadManifestRequest(version=version))
    try:
        return b"".join([piece.data async for piece in stream])
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    finally:
        stream.cancel()


class _Download:
    """The state of a download over its attempts."""

    def __init__(
        self,
        dossier_read: DossierReadServiceAsyncStub,
        version: str,
        folder: DossierFolder,
        progress: Callable[[TransferProgress], None] | None,
    ) -> None:
        self._dossier_read = dossier_read
        self._version = version
        self._folder = folder
        self._progress = progress
        self._manifest: Manifest | None = None
        self._writer: _Writer | None = None
        self.received_bytes = 0
        self.attempts = 0

    def require_manifest(self) -> Manifest:
        """The verified manifest, once there is one."""
        assert self._manifest is not None
        return self._manifest

    async def attempt(self, trusted_roots: Sequence[x509.Certificate]) -> None:
        """Receive what is missing on one stream."""
        self.attempts += 1
        if self._manifest is None:
            self._manifest = await self._fetch_and_verify(trusted_roots)
        if self._writer is None:
            self._writer = _Writer(self._folder, self._manifest)
            await asyncio.to_thread(self._writer.look_at_folder)
        if not self._writer.complete:
            await self._receive(self._writer)
        await asyncio.to_thread(self._writer.make_durable)

    async def _fetch_and_verify(self, trusted_roots: Sequence[x509.Certificate]) -> Manifest:
        envelope = await fetch_manifest(self._dossier_read, self._version)
        manifest = await asyncio.to_thread(Manifest.verify, envelope, trusted_roots, signer=MANIFEST_SIGNER)
        if manifest.facts.version != self._version:
            raise ManifestError("the manifest is that of another version")
        self._folder.check_names(manifest)
        await asyncio.to_thread(self._keep, envelope)
        return manifest

    def _keep(self, envelope: bytes) -> None:
        self._folder.root.mkdir(parents=True, exist_ok=True)
        temporary = self._folder.manifest_path.with_suffix(".new")
        with open(temporary, "wb") as file:
            file.write(envelope)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._folder.manifest_path)
        sync_names(self._folder.root)

    async def _receive(self, writer: _Writer) -> None:
        index, offset = writer.position
        total = self.require_manifest().size_bytes
        request = pb.DownloadDocumentsRequest(
            version=self._version, first_document_index=index, first_offset_bytes=offset
        )  # fmt: skip
        stream = self._dossier_read.DownloadDocuments(request)
        messages: queue.Queue[pb.DownloadDocumentsResponse | None] = queue.Queue(_MESSAGES_WAITING)
        writing = asyncio.create_task(asyncio.to_thread(writer.write_all, messages))
        try:
            async for message in stream:
                if not await _put(messages, message, writing):
                    break
                self.received_bytes = writer.received_bytes
                if self._progress is not None:
                    self._progress(TransferProgress(total, writer.held_bytes, writer.held_bytes))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            stream.cancel()
            await _put(messages, None, writing)
            await writing
            self.received_bytes = writer.received_bytes
        if not writer.complete:
            raise Unavailable("UNKNOWN", "the stream ended before the download was finished")


async def _put(
    messages: queue.Queue[pb.DownloadDocumentsResponse | None],
    message: pb.DownloadDocumentsResponse | None,
    writing: asyncio.Task[None],
) -> bool:
    """Hand a message to the writer, waiting while it is behind; False when it has ended."""
    while not writing.done():
        try:
            messages.put_nowait(message)
        except queue.Full:
            await asyncio.wait([writing], timeout=_WRITER_BEHIND_SECONDS)
        else:
            return True
    return False


class _Writer:
    """Writes documents into the folder, in a thread of its own, in order."""

    def __init__(self, folder: DossierFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._documents = manifest.documents
        self._index = 0
        self._offset = 0
        self._digest = hashlib.sha256()
        self._resumed = False
        self._file: BinaryIO | None = None
        self._volumes: set[Path] = set()
        self.held_bytes = 0
        self.received_bytes = 0

    @property
    def complete(self) -> bool:
        return self._index == len(self._documents)

    @property
    def position(self) -> tuple[int, int]:
        """The document to go on with, and from which byte."""
        return self._index, self._offset

    def look_at_folder(self) -> None:
        """Find what is there already: whole documents with the right digest, then the start of one more."""
        while not self.complete:
            document = self._documents[self._index]
            path = self._folder.document_path(document)
            if not path.is_file() or file_digest(path, document.document_index) != document.sha256:
                break
            self.held_bytes += document.size_bytes
            self._index += 1
        if not self.complete:
            self._resume(self._documents[self._index])

    def _resume(self, document: ManifestDocument) -> None:
        try:
            with open(self._folder.partial_path(document), "rb") as file:
                while self._offset < document.size_bytes and (
                    data := file.read(min(1 << 20, document.size_bytes - self._offset))
                ):
                    self._digest.update(data)
                    self._offset += len(data)
        except FileNotFoundError:
            return
        self._resumed = self._offset > 0
        self.held_bytes += self._offset

    def write_all(self, messages: queue.Queue[pb.DownloadDocumentsResponse | None]) -> None:
        """Take messages until None. Raises DataLoss, ManifestError, OSError."""
        try:
            while (message := messages.get()) is not None:
                for frame in message.frames:
                    match frame.WhichOneof("frame"):
                        case "header":
                            self._begin(frame.header)
                        case "chunk":
                            self._write(frame.chunk.data)
                        case _:
                            self._finish_whole_ones()
        finally:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _begin(self, header: pb.DownloadHeader) -> None:
        self._finish_whole_ones()
        document = self._documents[self._index] if not self.complete else None
        if document is None or (header.document_index, header.offset_bytes, header.size_bytes) != (
            self._index, self._offset, document.size_bytes,
        ):  # fmt: skip
            raise ManifestError("the service sends another document than the manifest has next")
        partial = self._folder.partial_path(document)
        partial.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(partial, "r+b" if self._offset else "wb", buffering=0)  # noqa: SIM115 - closed when whole
        self._file.seek(self._offset)
        self._file.truncate()

    def _write(self, data: bytes) -> None:
        if self._file is None or self._offset + len(data) > self._documents[self._index].size_bytes:
            raise ManifestError("the service sends more than the manifest has")
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._digest.update(data)
        self._offset += len(data)
        self.held_bytes += len(data)
        self.received_bytes += len(data)
        self._finish_whole_ones()

    def _finish_whole_ones(self) -> None:
        if self._file is None or self._offset < self._documents[self._index].size_bytes:
            return
        document = self._documents[self._index]
        self._file.close()
        self._file = None
        partial = self._folder.partial_path(document)
        if self._digest.digest() != document.sha256:
            partial.unlink()
            self._start_anew(document)
        path = self._folder.document_path(document)
        if path.parent not in self._volumes:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._volumes.add(path.parent)
        os.replace(partial, path)
        self._index, self._offset, self._digest, self._resumed = self._index + 1, 0, hashlib.sha256(), False

    def _start_anew(self, document: ManifestDocument) -> NoReturn:
        index, resumed = document.document_index, self._resumed
        self.held_bytes -= self._offset
        self._offset, self._digest, self._resumed = 0, hashlib.sha256(), False
        if resumed:
            # What was kept from an earlier run may be what is damaged: a machine that lost power.
            raise Unavailable("UNKNOWN", f"what was kept of document {index} is damaged; it is fetched anew")
        raise DataLoss(
            "CONTENT_CORRUPT", f"document {index} arrived with another digest", {"document_index": index}
        )  # fmt: skip

    def make_durable(self) -> None:
        """Make files and names durable: one sync of the system for all, instead of one a file."""
        os.sync()
        with contextlib.suppress(OSError):
            (self._folder.root / "partial").rmdir()


def _transient(error: CaseMeshError) -> bool:
    # A stream cut by a restart, or at the gateway, may reach the recipient as INTERNAL or CANCELLED without a reason.
    return isinstance(error, Unavailable) or (type(error) is CaseMeshError and error.reason == "UNKNOWN")
