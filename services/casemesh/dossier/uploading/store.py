"""Uploads in PostgreSQL: leases, packs, and what batches add.

Every change under a lease names its epoch and holds the lease's row while it runs, so that a writer who was overtaken
changes nothing and a later one sees all that was committed before it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.core.clock import Clock
from casemesh.dossier.id_series import new_ids
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.policy import UPLOAD_FINISHED
from casemesh.dossier.uploading.batch import Batch, DocumentProgress
from casemesh.dossier.uploading.quota import room_of
from casemesh.dossier.uploading.recovery import HeldDocument
from casemesh.dossier.uploading.session import (
    DocumentHead,
    DocumentState,
    StatedTotals,
    UploadTotals,
    finished_totals,
    name_duplicate,
)
from casemesh.errors import CaseMeshError, Conflict, FailedPrecondition, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Row, Transaction

LEASE_SECONDS = 30.0

_LOCK_DRAFT = """
SELECT state, revision FROM dossier
WHERE dossier_id = $1 AND agency = $2 AND state <> 'abandoned' FOR UPDATE
"""
_LOCK_DOSSIER = "SELECT FROM dossier WHERE dossier_id = $1 FOR NO KEY UPDATE"
_LEASE = """
SELECT upload_id::text AS upload_id, attempt_id::text AS attempt_id, epoch,
       extract(epoch FROM expires_at - now())::float8 AS seconds_left
FROM upload_lease WHERE dossier_id = $1 FOR UPDATE
"""
_TAKE_LEASE = """
INSERT INTO upload_lease (dossier_id, upload_id, epoch, expires_at, attempt_id)
VALUES ($1, $2, 1, now() + make_interval(secs => $3), $4)
ON CONFLICT (dossier_id) DO UPDATE
SET upload_id = excluded.upload_id, epoch = upload_lease.epoch + 1, expires_at = excluded.expires_at,
    attempt_id = excluded.attempt_id, streams = 1
RETURNING epoch
"""
_JOIN_LEASE = """
UPDATE upload_lease SET streams = streams + 1, expires_at = now() + make_interval(secs => $2) WHERE dossier_id = $1
"""
_RENEW_LEASE = """
UPDATE upload_lease SET expires_at = now() + make_interval(secs => $3) WHERE dossier_id = $1 AND epoch = $2
"""
_END_LEASE = """
UPDATE upload_lease SET streams = streams - 1, expires_at = CASE WHEN streams > 1 THEN expires_at ELSE now() END
WHERE dossier_id = $1 AND epoch = $2
"""
_OPEN_PACKS = """
SELECT pack_id, end_bytes, records FROM pack
WHERE dossier_id = $1 AND epoch < $2 AND NOT closed ORDER BY epoch, created_at
"""
_ADD_PACK = """
INSERT INTO pack (pack_id, case_name, dossier_id, epoch, end_bytes, records) VALUES ($1, $2, $3, $4, $5, 0)
"""
_MOVE_PACK = "UPDATE pack SET end_bytes = $2, records = $3 WHERE pack_id = $1 AND NOT closed AND end_bytes <= $2"
_CLOSE_PACK = "UPDATE pack SET closed = true WHERE pack_id = $1"
_HELD = """
SELECT document.document_index, document.volume, document.file_name, document.media_type, document.page_count,
       blob.blob_id, blob.size_bytes, blob.received_bytes, blob.chunks, blob.sha256
FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 ORDER BY document.document_index
"""
_EXTENTS_OF_BROKEN = """
SELECT extent.blob_id, extent.pack_id, extent.position_bytes, extent.stored_bytes, extent.record_number,
       extent.chunk_index, extent.offset_bytes, extent.length_bytes
FROM document JOIN blob USING (blob_id) JOIN extent USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND blob.sha256 IS NULL
ORDER BY extent.blob_id, extent.chunk_index
"""
_MOVE_BLOBS = """
UPDATE blob
SET received_bytes = moved.received_bytes, chunks = moved.chunks, sha256 = coalesce(moved.sha256, blob.sha256)
FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::bytea[], $5::bigint[], $6::integer[])
    AS moved (blob_id, received_bytes, chunks, sha256, from_bytes, from_chunks)
WHERE blob.blob_id = moved.blob_id AND blob.received_bytes = moved.from_bytes AND blob.chunks = moved.from_chunks
RETURNING blob.blob_id
"""
# Two joins, for one with OR would compare every document held with every one wanted.
_WRITTEN_ELSEWHERE = """
WITH wanted AS (
    SELECT * FROM unnest($3::integer[], $4::text[], $5::text[]) AS wanted (document_index, volume, file_name))
(SELECT held.document_index, wanted.document_index AS wanted_index
 FROM wanted JOIN document AS held
 ON held.dossier_id = $1 AND held.revision = $2 AND held.document_index = wanted.document_index LIMIT 1)
UNION ALL
(SELECT held.document_index, wanted.document_index AS wanted_index
 FROM wanted JOIN document AS held
 ON held.dossier_id = $1 AND held.revision = $2 AND held.volume = wanted.volume AND held.file_name = wanted.file_name
 LIMIT 1)
"""
# Not where another stream has brought the document further meanwhile.
_DROPPED = """
SELECT blob.blob_id FROM unnest($1::uuid[], $2::bigint[], $3::integer[]) AS dropped (blob_id, from_bytes, from_chunks)
JOIN blob USING (blob_id)
WHERE blob.received_bytes = dropped.from_bytes AND blob.chunks = dropped.from_chunks AND blob.sha256 IS NULL
"""
_DROP = (
    "DELETE FROM document WHERE blob_id = ANY($1::uuid[])",
    "DELETE FROM extent WHERE blob_id = ANY($1::uuid[])",
    "DELETE FROM blob WHERE blob_id = ANY($1::uuid[])",
)
_SET_FINISHED = "UPDATE dossier SET upload_finished = $2 WHERE dossier_id = $1 AND upload_finished <> $2"
_FINISHED = "SELECT upload_finished FROM dossier WHERE dossier_id = $1"
_BLOB_COLUMNS = ("blob_id", "case_name", "size_bytes", "received_bytes", "chunks", "sha256")
DOCUMENT_COLUMNS = (
    "dossier_id", "revision", "document_index", "document_id", "volume", "file_name", "media_type", "page_count",
    "blob_id",
)  # fmt: skip
_EXTENT_COLUMNS = (
    "blob_id", "chunk_index", "pack_id", "position_bytes", "stored_bytes", "record_number", "offset_bytes",
    "length_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a draft until someone else takes it. ``epoch`` is its fencing number."""

    dossier_id: str
    revision: int
    case: str
    upload_id: str
    epoch: int
    attempt_id: str | None = None
    joined: bool = False
    """Whether an earlier stream of the attempt took it, and adopts what was left."""


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

    async def take_lease(
        self, dossier_id: str, case: str, agency: str, upload_id: str, attempt_id: str | None = None
    ) -> Lease:
        """Take the lease of a draft, also from an earlier attempt of the same upload; join it within one attempt.

        The upload is not finished from here on, until its finish comes again.

        Raises NotFound where the agency has no such dossier, FailedPrecondition (DOSSIER_FINAL), Conflict
        (UPLOAD_LEASE_HELD) while another upload's lease lives.
        """
        async with self._database.transaction() as transaction:
            draft = await lock_draft(transaction, dossier_id, agency)
            held = await transaction.fetchrow(_LEASE, dossier_id)
            alive = held is not None and held["seconds_left"] > 0
            if held is not None and alive and held["upload_id"] != upload_id:
                raise _lease_held(held["seconds_left"])
            if held is not None and alive and attempt_id is not None and held["attempt_id"] == attempt_id:
                await transaction.execute(_JOIN_LEASE, dossier_id, LEASE_SECONDS)
                return Lease(dossier_id, draft["revision"], case, upload_id, held["epoch"], attempt_id, True)
            epoch = await transaction.fetchval(_TAKE_LEASE, dossier_id, upload_id, LEASE_SECONDS, attempt_id)
            await transaction.execute(_SET_FINISHED, dossier_id, False)
        return Lease(dossier_id, draft["revision"], case, upload_id, epoch, attempt_id)

    async def renew(self, lease: Lease) -> None:
        """Keep the lease for another term."""
        async with self._database.connection() as connection:
            await _renew(connection, lease)

    async def end_lease(self, lease: Lease) -> None:
        """Say that a stream has ended; after the attempt's last one the next upload may begin at once."""
        await self._database.execute(_END_LEASE, lease.dossier_id, lease.epoch)

    async def held(self, lease: Lease) -> list[HeldDocument]:
        """What is held of each document, by index. Extents are there for those that are not whole."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_HELD, lease.dossier_id, lease.revision)
            extents: dict[bytes, list[Extent]] = {}
            for row in await connection.fetch(_EXTENTS_OF_BROKEN, lease.dossier_id, lease.revision):
                extents.setdefault(row["blob_id"].bytes, []).append(extent_of(row))
        return [_held_document(row, extents.get(row["blob_id"].bytes, [])) for row in rows]

    async def open_packs(self, lease: Lease) -> list[OpenPack]:
        """The packs that earlier attempts left open, oldest first."""
        rows = await self._database.fetch(_OPEN_PACKS, lease.dossier_id, lease.epoch)
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

    async def room(self, agency: str, quota: int | None) -> int | None:
        """What `quota.room_of` says."""
        return await room_of(self._database, agency, quota)

    async def commit(self, lease: Lease, batch: Batch) -> None:
        """Make a batch, whose bytes must be durable, part of the dossier; leave its finish to `finish`.

        Raises Conflict (DOCUMENT_WRITTEN_ELSEWHERE) where a document is no longer as the batch began with it, and
        AlreadyExists (DOCUMENT_NAME_DUPLICATE) where its name was taken meanwhile; nothing of the batch counts then.
        """
        try:
            await self._commit(lease, batch)
        except CaseMeshError:
            raise
        except Exception:
            # Rows of the new documents may be there: looked for only now, since for every batch it would cost too much.
            heads = [entry.head for entry in batch.documents.values() if entry.head is not None]
            async with self._database.connection() as connection:
                await require_unwritten(connection, lease.dossier_id, lease.revision, heads)
            raise

    async def _commit(self, lease: Lease, batch: Batch) -> None:
        async with self._database.transaction() as transaction:
            await _hold(transaction, lease)
            if (batch.documents or batch.dropped) and await transaction.fetchval(_FINISHED, lease.dossier_id):
                # By another stream of the attempt: what is finished was counted, and may be final at any moment.
                raise _lease_lost()
            if batch.dropped:
                await _drop(transaction, batch)
            await _add_documents(transaction, lease, list(batch.documents.values()))
            moved = await transaction.execute(
                _MOVE_PACK, uuid.UUID(bytes=batch.pack_id), batch.end, batch.records
            )  # fmt: skip
            if moved != 1:
                raise RuntimeError("a pack's rows may only move forward while it is open")

    async def finish(self, lease: Lease, stated: StatedTotals, call: Call) -> UploadTotals:
        """Say that the upload is finished, if what is committed is what was stated.

        Raises what `finished_totals` raises.
        """
        async with self._database.transaction() as transaction:
            await _hold(transaction, lease)
            rows = await transaction.fetch(_HELD, lease.dossier_id, lease.revision)
            totals = await asyncio.to_thread(finished_totals, [_state(row) for row in rows], stated)
            if await transaction.execute(_SET_FINISHED, lease.dossier_id, True):
                event = event_of(
                    call, self._clock, UPLOAD_FINISHED, f"dossiers/{lease.dossier_id}", case=lease.case,
                    details={
                        "document_count": str(totals.document_count),
                        "page_count": str(totals.page_count),
                        "size_bytes": str(totals.size_bytes),
                        "tree_hash": totals.tree_hash.hex(),
                    },
                )  # fmt: skip
                await record(transaction, call, event)
        return totals


async def lock_draft(transaction: Transaction, dossier_id: str, agency: str) -> Row:
    """The draft's row, locked. Raises NotFound, FailedPrecondition (DOSSIER_FINAL)."""
    draft = await transaction.fetchrow(_LOCK_DRAFT, dossier_id, agency)
    if draft is None:
        raise not_found()
    if draft["state"] != "draft":
        raise FailedPrecondition("DOSSIER_FINAL", "the dossier is final and takes no more documents")
    return draft


async def require_no_other_upload(transaction: Transaction, dossier_id: str, upload_id: str) -> None:
    """Lock the lease, if there is one. Raises Conflict (UPLOAD_LEASE_HELD) where another upload's lives."""
    held = await transaction.fetchrow(_LEASE, dossier_id)
    if held is not None and held["seconds_left"] > 0 and held["upload_id"] != upload_id:
        raise _lease_held(held["seconds_left"])


def extent_of(row: Row) -> Extent:
    """The extent in a row that has its columns."""
    return Extent(
        row["pack_id"].bytes, row["position_bytes"], row["stored_bytes"], row["record_number"], row["chunk_index"],
        row["offset_bytes"], row["length_bytes"],
    )  # fmt: skip


async def _hold(transaction: Transaction, lease: Lease) -> None:
    # In the order in which everyone takes the two, or a new stream and an old one's commit wait for each other.
    await transaction.execute(_LOCK_DOSSIER, lease.dossier_id)
    await _renew(transaction, lease)


async def _renew(transaction: Transaction, lease: Lease) -> None:
    if not await transaction.execute(_RENEW_LEASE, lease.dossier_id, lease.epoch, LEASE_SECONDS):
        raise _lease_lost()


def _lease_lost() -> Conflict:
    return Conflict("UPLOAD_LEASE_LOST", "the upload was taken over by a later stream")


def _lease_held(seconds_left: float) -> Conflict:
    return Conflict(
        "UPLOAD_LEASE_HELD",
        "another upload writes to this dossier; wait for its end or its lease's",
        {"retry_after_seconds": max(1, round(seconds_left))},
    )


async def _drop(transaction: Transaction, batch: Batch) -> None:
    ids = [uuid.UUID(bytes=blob_id) for blob_id in batch.dropped]
    rows = await transaction.fetch(
        _DROPPED, ids, [held[0] for held in batch.dropped.values()], [held[1] for held in batch.dropped.values()]
    )
    for statement in _DROP:
        await transaction.execute(statement, [row["blob_id"] for row in rows])


async def _add_documents(transaction: Transaction, lease: Lease, entries: Sequence[DocumentProgress]) -> None:
    new = [(entry, entry.head) for entry in entries if entry.head is not None]
    if new:
        await transaction.copy("blob", _BLOB_COLUMNS, [_blob_row(lease, *item) for item in new])
        ids = new_ids()
        await transaction.copy("document", DOCUMENT_COLUMNS, [_document_row(lease, next(ids), *item) for item in new])
    await _move(transaction, [entry for entry in entries if entry.head is None])
    extents = [(uuid.UUID(bytes=entry.blob_id), extent) for entry in entries for extent in entry.extents]
    if extents:
        await transaction.copy("extent", _EXTENT_COLUMNS, [_extent_row(*item) for item in extents])


async def _move(transaction: Transaction, entries: Sequence[DocumentProgress]) -> None:
    if not entries:
        return
    rows = await transaction.fetch(
        _MOVE_BLOBS,
        [uuid.UUID(bytes=entry.blob_id) for entry in entries],
        [entry.received_bytes for entry in entries],
        [entry.chunks for entry in entries],
        [entry.sha256 for entry in entries],
        [entry.begun_from[0] for entry in entries],
        [entry.begun_from[1] for entry in entries],
    )
    moved = {row["blob_id"].bytes for row in rows}
    for entry in entries:
        if entry.blob_id not in moved:
            raise _written_elsewhere(entry.index)


async def require_unwritten(
    transaction: Transaction, dossier_id: str, revision: int, heads: Sequence[DocumentHead]
) -> None:
    """Return if none of these documents is there, nor another of one of their names.

    Raises Conflict (DOCUMENT_WRITTEN_ELSEWHERE), AlreadyExists (DOCUMENT_NAME_DUPLICATE).
    """
    row = await transaction.fetchrow(
        _WRITTEN_ELSEWHERE, dossier_id, revision, [head.index for head in heads], [head.volume for head in heads],
        [head.file_name for head in heads],
    )  # fmt: skip
    if row is None:
        return
    if row["document_index"] == row["wanted_index"]:
        raise _written_elsewhere(row["wanted_index"])
    raise name_duplicate(row["wanted_index"], row["document_index"])


def _written_elsewhere(index: int) -> Conflict:
    return Conflict(
        "DOCUMENT_WRITTEN_ELSEWHERE",
        f"document {index} was written by another stream meanwhile; ask what is held",
        {"document_index": index},
    )


def _blob_row(lease: Lease, entry: DocumentProgress, head: DocumentHead) -> tuple[object, ...]:
    blob_id = uuid.UUID(bytes=entry.blob_id)
    return blob_id, lease.case, head.size_bytes, entry.received_bytes, entry.chunks, entry.sha256


def _document_row(lease: Lease, document_id: bytes, entry: DocumentProgress, head: DocumentHead) -> tuple[object, ...]:
    return (
        lease.dossier_id, lease.revision, head.index, uuid.UUID(bytes=document_id), head.volume, head.file_name,
        head.media_type, head.page_count, uuid.UUID(bytes=entry.blob_id),
    )  # fmt: skip


def _extent_row(blob_id: uuid.UUID, extent: Extent) -> tuple[object, ...]:
    return (
        blob_id, extent.chunk_index, uuid.UUID(bytes=extent.pack_id), extent.position, extent.stored_length,
        extent.number, extent.offset, extent.length,
    )  # fmt: skip


def _held_document(row: Row, extents: list[Extent]) -> HeldDocument:
    return HeldDocument(row["blob_id"].bytes, _state(row), tuple(extents))


def _state(row: Row) -> DocumentState:
    head = DocumentHead(
        row["document_index"], row["volume"], row["file_name"], row["media_type"], row["page_count"], row["size_bytes"]
    )
    return DocumentState(head, row["received_bytes"], row["chunks"], row["sha256"])
