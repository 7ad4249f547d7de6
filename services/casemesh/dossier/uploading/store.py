"""Uploads in PostgreSQL: leases, packs, and what batches add.

Every change under a lease names its epoch and holds the lease's row while it runs, so that a writer who was overtaken
changes nothing and a later one sees all that was committed before it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.core.clock import Clock
from casemesh.dossier.id_series import new_ids
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.policy import UPLOAD_FINISHED
from casemesh.dossier.uploading.batch import Batch, DocumentProgress
from casemesh.dossier.uploading.recovery import HeldDocument
from casemesh.dossier.uploading.session import DocumentHead, DocumentState
from casemesh.errors import Conflict, FailedPrecondition, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Row, Transaction

LEASE_SECONDS = 30.0

_LOCK_DRAFT = "SELECT state FROM dossier WHERE dossier_id = $1 AND agency = $2 FOR UPDATE"
_LEASE = """
SELECT upload_id::text AS upload_id, epoch, extract(epoch FROM expires_at - now())::float8 AS seconds_left
FROM upload_lease WHERE dossier_id = $1 FOR UPDATE
"""
_TAKE_LEASE = """
INSERT INTO upload_lease (dossier_id, upload_id, epoch, expires_at)
VALUES ($1, $2, 1, now() + make_interval(secs => $3))
ON CONFLICT (dossier_id) DO UPDATE
SET upload_id = excluded.upload_id, epoch = upload_lease.epoch + 1, expires_at = excluded.expires_at
RETURNING epoch
"""
_RENEW_LEASE = """
UPDATE upload_lease SET expires_at = now() + make_interval(secs => $3) WHERE dossier_id = $1 AND epoch = $2
"""
_END_LEASE = "UPDATE upload_lease SET expires_at = now() WHERE dossier_id = $1 AND epoch = $2"
_OPEN_PACKS = """
SELECT pack_id, end_bytes, records FROM pack WHERE dossier_id = $1 AND NOT closed ORDER BY epoch
"""
_ADD_PACK = """
INSERT INTO pack (pack_id, case_name, dossier_id, epoch, end_bytes, records) VALUES ($1, $2, $3, $4, $5, 0)
"""
_MOVE_PACK = "UPDATE pack SET end_bytes = $2, records = $3 WHERE pack_id = $1 AND NOT closed AND end_bytes <= $2"
_CLOSE_PACK = "UPDATE pack SET closed = true WHERE pack_id = $1"
_HELD = """
SELECT document.document_index, document.volume, document.file_name, document.media_type, document.page_count,
       blob.blob_id, blob.size_bytes, blob.received_bytes, blob.chunks, blob.sha256
FROM document JOIN blob USING (blob_id) WHERE document.dossier_id = $1 ORDER BY document.document_index
"""
_EXTENTS_OF_BROKEN = """
SELECT extent.blob_id, extent.pack_id, extent.position_bytes, extent.stored_bytes, extent.record_number,
       extent.chunk_index, extent.offset_bytes, extent.length_bytes
FROM document JOIN blob USING (blob_id) JOIN extent USING (blob_id)
WHERE document.dossier_id = $1 AND blob.sha256 IS NULL ORDER BY extent.blob_id, extent.chunk_index
"""
_MOVE_BLOB = "UPDATE blob SET received_bytes = $2, chunks = $3, sha256 = $4 WHERE blob_id = $1"
_DROP = (
    "DELETE FROM document WHERE blob_id = ANY($1::uuid[])",
    "DELETE FROM extent WHERE blob_id = ANY($1::uuid[])",
    "DELETE FROM blob WHERE blob_id = ANY($1::uuid[])",
)
_SET_FINISHED = "UPDATE dossier SET upload_finished = $2 WHERE dossier_id = $1 AND upload_finished <> $2"
_BLOB_COLUMNS = ("blob_id", "case_name", "size_bytes", "received_bytes", "chunks", "sha256")
_DOCUMENT_COLUMNS = (
    "dossier_id", "document_index", "document_id", "volume", "file_name", "media_type", "page_count", "blob_id",
)  # fmt: skip
_EXTENT_COLUMNS = (
    "blob_id", "chunk_index", "pack_id", "position_bytes", "stored_bytes", "record_number", "offset_bytes",
    "length_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a draft until someone else takes it. ``epoch`` is its fencing number."""

    dossier_id: str
    case: str
    upload_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class OpenPack:
    """A pack that may hold more than the database knows: ``end`` bytes and ``records`` are known."""

    pack_id: bytes
    end: int
    records: int


class UploadStore:
    """What an upload reads and changes. Methods that take a lease raise Conflict (UPLOAD_LEASE_LOST) without it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take_lease(self, dossier_id: str, case: str, agency: str, upload_id: str) -> Lease:
        """Take the lease of a draft, also from an earlier stream of the same upload.

        Raises NotFound where the agency has no such dossier, FailedPrecondition (DOSSIER_FINAL), Conflict
        (UPLOAD_LEASE_HELD) while another upload's lease lives.
        """
        async with self._database.transaction() as transaction:
            state = await transaction.fetchval(_LOCK_DRAFT, dossier_id, agency)
            if state is None:
                raise not_found()
            if state != "draft":
                raise FailedPrecondition("DOSSIER_FINAL", "the dossier is final and takes no more documents")
            held = await transaction.fetchrow(_LEASE, dossier_id)
            if held is not None and held["upload_id"] != upload_id and held["seconds_left"] > 0:
                raise Conflict(
                    "UPLOAD_LEASE_HELD",
                    "another upload writes to this dossier; wait for its end or its lease's",
                    {"retry_after_seconds": max(1, round(held["seconds_left"]))},
                )
            epoch = await transaction.fetchval(_TAKE_LEASE, dossier_id, upload_id, LEASE_SECONDS)
        return Lease(dossier_id, case, upload_id, epoch)

    async def renew(self, lease: Lease) -> None:
        """Keep the lease for another term."""
        async with self._database.connection() as connection:
            await _hold(connection, lease)

    async def end_lease(self, lease: Lease) -> None:
        """Let the next upload begin at once. Does nothing without the lease."""
        await self._database.execute(_END_LEASE, lease.dossier_id, lease.epoch)

    async def held(self, dossier_id: str) -> list[HeldDocument]:
        """What is held of each document, by index. Extents are there for those that are not whole."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_HELD, dossier_id)
            extents: dict[bytes, list[Extent]] = {}
            for row in await connection.fetch(_EXTENTS_OF_BROKEN, dossier_id):
                extents.setdefault(row["blob_id"].bytes, []).append(extent_of(row))
        return [_held_document(row, extents.get(row["blob_id"].bytes, [])) for row in rows]

    async def open_packs(self, lease: Lease) -> list[OpenPack]:
        """The packs that earlier streams left open, oldest first."""
        rows = await self._database.fetch(_OPEN_PACKS, lease.dossier_id)
        return [OpenPack(row["pack_id"].bytes, row["end_bytes"], row["records"]) for row in rows]

    async def add_pack(self, lease: Lease, pack_id: bytes) -> None:
        """Make a pack known before its file is made, so that no file is ever unknown."""
        async with self._database.transaction() as transaction:
            await _hold(transaction, lease)
            await transaction.execute(
                _ADD_PACK, uuid.UUID(bytes=pack_id), lease.case, lease.dossier_id, lease.epoch, PACK_HEADER_BYTES
            )

    async def close_pack(self, lease: Lease, pack_id: bytes) -> None:
        """Say that nothing more of the pack will count."""
        async with self._database.transaction() as transaction:
            await _hold(transaction, lease)
            await transaction.execute(_CLOSE_PACK, uuid.UUID(bytes=pack_id))

    async def commit(self, lease: Lease, batch: Batch, call: Call) -> None:
        """Make a batch, whose bytes must be durable, part of the dossier; it may say that the upload is finished."""
        async with self._database.transaction() as transaction:
            await _hold(transaction, lease)
            if batch.dropped:
                for statement in _DROP:
                    await transaction.execute(statement, [uuid.UUID(bytes=blob_id) for blob_id in batch.dropped])
            await _add_documents(transaction, lease, list(batch.documents.values()))
            moved = await transaction.execute(
                _MOVE_PACK, uuid.UUID(bytes=batch.pack_id), batch.end, batch.records
            )  # fmt: skip
            if moved != 1:
                raise RuntimeError("a pack's rows may only move forward while it is open")
            changed = await transaction.execute(_SET_FINISHED, lease.dossier_id, batch.totals is not None)
            if batch.totals is not None and changed:
                event = event_of(
                    call, self._clock, UPLOAD_FINISHED, f"dossiers/{lease.dossier_id}", case=lease.case,
                    details={
                        "document_count": str(batch.totals.document_count),
                        "page_count": str(batch.totals.page_count),
                        "size_bytes": str(batch.totals.size_bytes),
                        "tree_hash": batch.totals.tree_hash.hex(),
                    },
                )  # fmt: skip
                await record(transaction, call, event)


def extent_of(row: Row) -> Extent:
    """The extent in a row that has its columns."""
    return Extent(
        row["pack_id"].bytes, row["position_bytes"], row["stored_bytes"], row["record_number"], row["chunk_index"],
        row["offset_bytes"], row["length_bytes"],
    )  # fmt: skip


async def _hold(transaction: Transaction, lease: Lease) -> None:
    if not await transaction.execute(_RENEW_LEASE, lease.dossier_id, lease.epoch, LEASE_SECONDS):
        raise Conflict("UPLOAD_LEASE_LOST", "the upload was taken over by a later stream")


async def _add_documents(transaction: Transaction, lease: Lease, entries: Sequence[DocumentProgress]) -> None:
    new = [(entry, entry.head) for entry in entries if entry.head is not None]
    if new:
        await transaction.copy("blob", _BLOB_COLUMNS, [_blob_row(lease, *item) for item in new])
        ids = new_ids()
        await transaction.copy("document", _DOCUMENT_COLUMNS, [_document_row(lease, next(ids), *item) for item in new])
    moved = [
        (uuid.UUID(bytes=entry.blob_id), entry.received_bytes, entry.chunks, entry.sha256)
        for entry in entries
        if entry.head is None
    ]
    if moved:
        await transaction.executemany(_MOVE_BLOB, moved)
    extents = [(uuid.UUID(bytes=entry.blob_id), extent) for entry in entries for extent in entry.extents]
    if extents:
        await transaction.copy("extent", _EXTENT_COLUMNS, [_extent_row(*item) for item in extents])


def _blob_row(lease: Lease, entry: DocumentProgress, head: DocumentHead) -> tuple[object, ...]:
    blob_id = uuid.UUID(bytes=entry.blob_id)
    return blob_id, lease.case, head.size_bytes, entry.received_bytes, entry.chunks, entry.sha256


def _document_row(lease: Lease, document_id: bytes, entry: DocumentProgress, head: DocumentHead) -> tuple[object, ...]:
    return (
        lease.dossier_id, head.index, uuid.UUID(bytes=document_id), head.volume, head.file_name, head.media_type,
        head.page_count, uuid.UUID(bytes=entry.blob_id),
    )  # fmt: skip


def _extent_row(blob_id: uuid.UUID, extent: Extent) -> tuple[object, ...]:
    return (
        blob_id, extent.chunk_index, uuid.UUID(bytes=extent.pack_id), extent.position, extent.stored_length,
        extent.number, extent.offset, extent.length,
    )  # fmt: skip


def _held_document(row: Row, extents: list[Extent]) -> HeldDocument:
    head = DocumentHead(
        row["document_index"], row["volume"], row["file_name"], row["media_type"], row["page_count"], row["size_bytes"]
    )
    state = DocumentState(head, row["received_bytes"], row["chunks"], row["sha256"])
    return HeldDocument(row["blob_id"].bytes, state, tuple(extents))
