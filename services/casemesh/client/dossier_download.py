"""Receives a dossier version into a folder: only what is missing there, each document checked against the manifest.

Whole documents are known by their digests, those that broke off are gone on with. What arrives is made durable while
more arrives, so that a crash costs little and the end need not wait for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio
from cryptography import x509

from casemesh.client import root_statement
from casemesh.client.document_receiver import DocumentReceiver
from casemesh.client.dossier_folder import DossierFolder
from casemesh.client.dossier_upload import TransferProgress
from casemesh.client.download_frames import frames_of
from casemesh.client.durable_files import replace_file
from casemesh.client.held_documents import FileState, HeldDocuments, Missing
from casemesh.client.manifest import MANIFEST_SIGNER, Manifest, ManifestDocument, ManifestError
from casemesh.client.statements import StatementError
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import CaseMeshError, Unavailable, from_rpc_error

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub

MAX_STREAMS: Final = 8
_CALL_SECONDS: Final = 30.0
_LONGEST_PAUSE_SECONDS: Final = 5.0
_SYNC_BYTES: Final = 256 << 20
_LOOK_SECONDS: Final = 0.5
_MAX_SELECTIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class DownloadedDossier:
    """A dossier version that is on this machine whole, every document with the digest its manifest states.

    ``received_bytes`` are document bytes that arrived in this call, over all attempts. ``files`` are what the
    documents' files looked like when they were found right.
    """

    folder: DossierFolder
    manifest: Manifest
    received_bytes: int
    attempts: int
    files: dict[int, FileState]


async def download_dossier(
    dossier_read: DossierReadServiceAsyncStub,
    version: str,
    target: Path,
    trusted_roots: Sequence[x509.Certificate],
    *,
    progress: Callable[[TransferProgress], None] | None = None,
    patience_seconds: float = 120.0,
    streams: int = 1,
) -> DownloadedDossier:
    """Fetch a version into ``target``, durably. Call it again with the same arguments after a crash: it goes on.

    Verifies the manifest's signature, which must be the dossier service's under ``trusted_roots``, and each document's
    digest, not each page: `DossierFolder.verify` does that, with no connection. Breaks are repaired for as long as no
    ``patience_seconds`` pass without a byte. ``dossier_read`` is a session's stub, or another made by
    `download_frames.read_stub`; ``streams`` run side by side, at most 8.

    Raises CaseMeshError (NOT_FOUND, DATA_LOSS and so on), StatementError, ManifestError, OSError.
    """
    if not 1 <= streams <= MAX_STREAMS:
        raise ValueError(f"streams is 1 to {MAX_STREAMS}, not {streams}")
    download = _Download(dossier_read, version, DossierFolder(target), trusted_roots, streams, progress)
    pause, deadline, best = 0.2, time.monotonic() + patience_seconds, -1
    while True:
        try:
            return await download.attempt()
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


@dataclass
class _Download:
    """The state of a download over its attempts."""

    dossier_read: DossierReadServiceAsyncStub
    version: str
    folder: DossierFolder
    trusted_roots: Sequence[x509.Certificate]
    streams: int
    progress: Callable[[TransferProgress], None] | None
    held: HeldDocuments | None = None
    receivers: list[DocumentReceiver] = field(default_factory=list)
    kept_bytes: int = 0
    attempts: int = 0

    @property
    def received_bytes(self) -> int:
        return sum(receiver.received_bytes for receiver in self.receivers)

    async def attempt(self) -> DownloadedDossier:
        """Fetch what is missing, on as many streams as it takes; one that breaks ends the attempt."""
        self.attempts += 1
        held = self.held
        if held is None:
            manifest = await self._manifest()
            held = HeldDocuments(self.folder, manifest)
            await asyncio.to_thread(held.look)
            self.held = held
        await self._keep_root_statement(held.manifest)
        try:
            while missing := held.missing():
                self.folder.partial_folder.mkdir(exist_ok=True)
                self.kept_bytes = held.size_bytes + sum(item.offset for item in missing) - self.received_bytes
                await self._receive(held, missing)
        finally:
            await asyncio.to_thread(held.make_durable)
        with contextlib.suppress(OSError):
            self.folder.partial_folder.rmdir()
        return DownloadedDossier(self.folder, held.manifest, self.received_bytes, self.attempts, held.files)

    async def _receive(self, held: HeldDocuments, missing: Sequence[Missing]) -> None:
        started = [
            asyncio.create_task(self._receive_stream(held, share)) for share in shares(missing, self.streams) if share
        ]
        syncing = asyncio.create_task(self._keep_durable(held))
        try:
            await asyncio.gather(*started)
        finally:
            for task in (*started, syncing):
                task.cancel()
            await asyncio.gather(*started, syncing, return_exceptions=True)

    async def _receive_stream(self, held: HeldDocuments, share: Sequence[Missing]) -> None:
        selections, wanted = selections_of(share)

        def keep(document: ManifestDocument, state: FileState) -> None:
            held.files[document.document_index] = state

        receiver = DocumentReceiver(self.folder, wanted, keep)
        self.receivers.append(receiver)
        stream = self.dossier_read.DownloadDocuments(
            pb.DownloadDocumentsRequest(version=self.version, selections=selections)
        )
        writing: asyncio.Future[None] | None = None
        try:
            # One message is written while the next arrives.
            async for message in stream:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(asyncio.to_thread(receiver.take, frames_of(message)))
                self._tell(held.manifest)
            if writing is not None:
                await writing
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            stream.cancel()
            if writing is not None:
                await asyncio.wait([writing])
            receiver.close()
        if not receiver.finished:
            raise Unavailable("UNKNOWN", "the stream ended before the download was finished")
        self._tell(held.manifest)

    def _tell(self, manifest: Manifest) -> None:
        if self.progress is not None:
            done = self.kept_bytes + self.received_bytes
            self.progress(TransferProgress(manifest.size_bytes, done, done))

    async def _keep_durable(self, held: HeldDocuments) -> None:
        """Make durable what has arrived every now and then, so that the disk works while the stream does."""
        synced = self.received_bytes
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.received_bytes - synced >= _SYNC_BYTES:
                synced = self.received_bytes
                await asyncio.to_thread(held.make_durable)

    async def _manifest(self) -> Manifest:
        """The manifest in the folder, which never changes, or else the service's."""
        with contextlib.suppress(FileNotFoundError, ManifestError, StatementError):
            return await asyncio.to_thread(lambda: self._verified(self.folder.manifest_path.read_bytes()))
        envelope = await fetch_manifest(self.dossier_read, self.version)
        manifest = await asyncio.to_thread(self._verified, envelope)
        await asyncio.to_thread(self._keep, self.folder.manifest_path, envelope)
        return manifest

    def _verified(self, envelope: bytes) -> Manifest:
        manifest = Manifest.verify(envelope, self.trusted_roots, signer=MANIFEST_SIGNER)
        if manifest.facts.version != self.version:
            raise ManifestError("the manifest is that of another version")
        self.folder.check_names(manifest)
        return manifest

    async def _keep_root_statement(self, manifest: Manifest) -> None:
        """Keep what proofs of single pages rest on, where the version has it."""
        path = self.folder.root_statement_path
        if path.exists():
            return
        request = pb.GetDossierVersionRequest(name=self.version)
        try:
            answer = await self.dossier_read.GetDossierVersion(request, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        envelope = answer.version.root_statement
        if envelope:
            stated = root_statement.verify(envelope, self.trusted_roots)
            if (stated.version, stated.root_hash) != (self.version, manifest.root_hash):
                raise ManifestError("the root statement is not that of the manifest")
            await asyncio.to_thread(self._keep, path, envelope)

    def _keep(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)


def shares(missing: Sequence[Missing], count: int) -> list[list[Missing]]:
    """What is missing as at most ``count`` runs of about the same number of bytes, in order."""
    total = sum(item.document.size_bytes - item.offset for item in missing)
    found: list[list[Missing]] = [[] for _ in range(count)]
    before = 0
    for item in missing:
        size = item.document.size_bytes - item.offset
        found[min(count - 1, (before + size // 2) * count // total) if total else 0].append(item)
        before += size
    return found


def selections_of(missing: Sequence[Missing]) -> tuple[list[pb.DocumentSelection], Sequence[Missing]]:
    """How to ask for these documents, and which of them, from the first on, the answer will be."""
    selections: list[pb.DocumentSelection] = []
    for number, (document, offset) in enumerate(missing):
        index = document.document_index
        if selections and not offset and selections[-1].last_document_index == index - 1:
            selections[-1].last_document_index = index
            continue
        if len(selections) == _MAX_SELECTIONS:
            return selections, missing[:number]
        selections.append(
            pb.DocumentSelection(first_document_index=index, last_document_index=index, first_offset_bytes=offset)
        )
    return selections, missing


def _transient(error: CaseMeshError) -> bool:
    # A stream cut by a restart, or at the gateway, may reach the recipient as INTERNAL or CANCELLED without a reason.
    return isinstance(error, Unavailable) or (type(error) is CaseMeshError and error.reason == "UNKNOWN")
