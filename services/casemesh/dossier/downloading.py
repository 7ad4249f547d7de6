"""Sending a version's documents from any point: the read is in the log before the first byte leaves."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from casemesh.audit.v1.audit_append_service_pb2 import AppendEventsRequest
from casemesh.client.read_ahead import ReadAhead
from casemesh.core.clock import Clock
from casemesh.core.names import CASE
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES, PackDamaged
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.policy import MANIFEST_READ, VERSION_READ, VERSION_SENT
from casemesh.dossier.store import Content, DossierStore, StoredVersion
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import CaseMeshError, DataLoss, OutOfRange, Unavailable
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceAsyncStub

log = structlog.get_logger(__name__)

_APPEND_SECONDS: Final = 10.0
_MESSAGES_AHEAD: Final = 4
_MAX_FRAMES: Final = 1000


@dataclass
class _Sent:
    documents: int = 0
    size_bytes: int = 0


class Downloading:
    """Carries out the streams of DossierReadService."""

    def __init__(
        self, root: Path, database: Database, store: DossierStore, append: AuditAppendServiceAsyncStub, clock: Clock
    ) -> None:
        self._root = root
        self._database = database
        self._store = store
        self._append = append
        self._clock = clock

    async def manifest(self, version: StoredVersion, call: Call) -> AsyncGenerator[pb.DownloadManifestResponse, None]:
        """The signed manifest in pieces of at most 1 MiB."""
        await self._log_read(call, MANIFEST_READ, version, {})
        for start in range(0, version.manifest_bytes, MAX_CHUNK_BYTES):
            data = await self._store.manifest_slice(version.version_id, start, MAX_CHUNK_BYTES)
            yield pb.DownloadManifestResponse(data=data)

    async def documents(
        self, version: StoredVersion, first_index: int, first_offset: int, call: Call
    ) -> AsyncGenerator[pb.DownloadDocumentsResponse, None]:
        """Frames from byte ``first_offset`` of document ``first_index`` to the end.

        Raises OutOfRange; DataLoss where stored bytes do not verify, after everything before them was sent; Unavailable
        when the log does not take the read event, with nothing sent.
        """
        pages = self._store.contents(version.dossier_id, first_index)
        page = await anext(pages, None)
        _require_position(page, first_index, first_offset)
        position = {"first_document_index": str(first_index), "first_offset_bytes": str(first_offset)}
        case_key = await self._store.case_key(version.case_name)
        await self._log_read(call, VERSION_READ, version, position)
        sent, complete = _Sent(), False
        try:
            while page is not None:
                reading = _Reading(self._root, version.case_name, case_key, page, first_offset, sent)
                async with contextlib.aclosing(ReadAhead(reading.messages, _MESSAGES_AHEAD).items()) as messages:
                    async for message in messages:
                        yield message
                first_offset = 0
                page = await anext(pages, None)
            finish = pb.DownloadFinish(document_count=sent.documents, size_bytes=sent.size_bytes)
            yield pb.DownloadDocumentsResponse(frames=[pb.DownloadFrame(finish=finish)])
            complete = True
        finally:
            await pages.aclose()
            # What was read ahead counts as sent: how much of it the recipient got is not known here.
            await asyncio.shield(asyncio.ensure_future(self._log_sent(call, version, sent, complete, position)))

    async def _log_read(self, call: Call, action: str, version: StoredVersion, details: dict[str, str]) -> None:
        event = event_of(call, self._clock, action, version.name, case=version.case_name, details=details)
        try:
            await self._append.AppendEvents(AppendEventsRequest(events=[event]), timeout=_APPEND_SECONDS)
        except CaseMeshError as error:
            raise Unavailable(
                "DEPENDENCY_UNAVAILABLE",
                "the audit log does not take the read event, so nothing is sent; try again",
                {"dependency": "audit"},
            ) from error

    async def _log_sent(
        self, call: Call, version: StoredVersion, sent: _Sent, complete: bool, position: dict[str, str]
    ) -> None:
        details = {
            **position,
            "document_count": str(sent.documents),
            "size_bytes": str(sent.size_bytes),
            "complete": "true" if complete else "false",
        }
        event = event_of(call, self._clock, VERSION_SENT, version.name, case=version.case_name, details=details)
        try:
            async with self._database.transaction() as transaction:
                await record(transaction, call, event)
        except CaseMeshError as error:
            # The read itself is in the log; only how far it came is lost, and that is no reason to fail it.
            log.warning("download.end_not_recorded", version=version.name, reason=error.reason)


class _Reading:
    """Reads, decrypts and packs into messages the documents of one page, in the thread of a ReadAhead."""

    def __init__(
        self, root: Path, case: str, case_key: bytes, page: Sequence[Content], first_offset: int, sent: _Sent
    ) -> None:
        self._root = root
        self._case_id = uuid.UUID(CASE.parse(case)["case"]).bytes
        self._case_key = case_key
        self._page = page
        self._first_offset = first_offset
        self._sent = sent

    def messages(self) -> Iterator[pb.DownloadDocumentsResponse]:
        """Messages with at most 1 MiB of chunk bytes each, as full as they get."""
        message, filled = pb.DownloadDocumentsResponse(), 0
        pieces = self._pieces()
        try:
            for piece in pieces:
                size = len(piece) if isinstance(piece, bytes) else 0
                if filled + size > MAX_CHUNK_BYTES or len(message.frames) >= _MAX_FRAMES:
                    yield message
                    message, filled = pb.DownloadDocumentsResponse(), 0
                # Filled in place: a frame made elsewhere would be copied with all its bytes.
                if isinstance(piece, bytes):
                    message.frames.add().chunk.data = piece
                else:
                    index, start, whole = piece
                    header = message.frames.add().header
                    header.document_index, header.offset_bytes, header.size_bytes = index, start, whole
                filled += size
        except DataLoss:
            # What verified before the damage still goes out.
            if message.frames:
                yield message
            raise
        if message.frames:
            yield message

    def _pieces(self) -> Iterator[bytes | tuple[int, int, int]]:
        """For each document its index, the offset it begins at and its size, then its bytes."""
        with contextlib.ExitStack() as open_pack:
            reader: PackReader | None = None
            for number, content in enumerate(self._page):
                start = self._first_offset if number == 0 else 0
                yield content.index, start, content.size_bytes
                self._sent.documents += 1
                for extent in content.extents:
                    if extent.offset + extent.length <= start:
                        continue
                    try:
                        if reader is None or reader.pack_id != extent.pack_id:
                            open_pack.close()
                            reader = open_pack.enter_context(
                                PackReader(self._root, self._case_id, extent.pack_id, self._case_key)
                            )
                        for found in reader.read_extent(content.blob_id, extent, start):
                            data = found.plain[max(0, start - found.header.offset) :]
                            yield data
                            self._sent.size_bytes += len(data)
                    except (PackDamaged, OSError) as damage:
                        raise _corrupt(content.index) from damage


def _require_position(page: Sequence[Content] | None, index: int, offset: int) -> None:
    if not page or page[0].index != index:
        raise OutOfRange(
            "POSITION_OUT_OF_RANGE", "the version has no such document", {"field": "first_document_index"}
        )  # fmt: skip
    if offset > page[0].size_bytes:
        raise OutOfRange(
            "POSITION_OUT_OF_RANGE", "the document ends before this byte", {"field": "first_offset_bytes"}
        )  # fmt: skip


def _corrupt(index: int) -> DataLoss:
    return DataLoss(
        "CONTENT_CORRUPT",
        f"stored bytes of document {index} do not verify; none of them were sent",
        {"document_index": index},
    )
