"""What care reads and changes in PostgreSQL: contents and packs that nothing needs, drafts that nobody goes on with."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from casemesh.core.names import CASE
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.packs.stores import PackKey
from casemesh.dossier.uploading.store import extent_of
from casemesh.runtime.postgres import Database, Row, Transaction

CARE_LOCK: Final = 7_221_990_010
"""The advisory lock of whoever takes packs away; a backup shares it, so that none goes while it copies."""

_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
_UNLOCK = "SELECT pg_advisory_unlock($1)"
_UNREFERENCED = """
SELECT blob_id FROM blob
WHERE NOT EXISTS (SELECT FROM document WHERE document.blob_id = blob.blob_id)
AND made_at(blob_id) < now() - make_interval(secs => $2)
LIMIT $1
"""
_LOCK_CONTENTS = "SELECT blob_id FROM blob WHERE blob_id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED"
# Asked again under the lock, against which no document can take the content up.
_STILL_UNREFERENCED = """
SELECT blob_id FROM blob WHERE blob_id = ANY($1::uuid[])
AND NOT EXISTS (SELECT FROM document WHERE document.blob_id = blob.blob_id)
"""
_REMOVE_CONTENTS = (
    "DELETE FROM extent WHERE blob_id = ANY($1::uuid[])",
    "DELETE FROM blob WHERE blob_id = ANY($1::uuid[])",
)
# A day after its upload's last sign of life nobody adopts what a pack may hold beyond its committed end. The epoch
# goes on, so that a writer who wakes after all finds that it has lost its lease.
_LEFT_OPEN = """
SELECT DISTINCT dossier_id FROM pack LEFT JOIN upload_lease USING (dossier_id)
WHERE NOT closed AND coalesce(expires_at, pack.created_at) < now() - interval '1 day'
"""
_END_UPLOAD = """
UPDATE upload_lease SET epoch = epoch + 1 WHERE dossier_id = $1 AND expires_at < now() - interval '1 day'
"""
_CLOSE_PACKS = """
UPDATE pack SET closed = true WHERE dossier_id = $1 AND NOT closed AND NOT EXISTS (
    SELECT FROM upload_lease
    WHERE upload_lease.dossier_id = pack.dossier_id AND expires_at >= now() - interval '1 day')
"""
_RETIRE_EMPTY = """
UPDATE pack SET retired_at = now()
WHERE closed AND retired_at IS NULL AND created_at < now() - make_interval(secs => $1)
AND NOT EXISTS (SELECT FROM extent WHERE extent.pack_id = pack.pack_id)
"""
_RETIRED = """
SELECT pack_id, case_name, end_bytes FROM pack WHERE retired_at < now() - make_interval(secs => $1) ORDER BY pack_id
"""
_REMOVE_PACK = "DELETE FROM pack WHERE pack_id = $1 AND retired_at IS NOT NULL"
_SPARSE = """
SELECT pack_id, pack.case_name, pack.end_bytes FROM pack JOIN extent USING (pack_id) JOIN case_key USING (case_name)
WHERE pack.closed AND pack.created_at < now() - make_interval(secs => $1) AND case_key.wrapped_key IS NOT NULL
GROUP BY pack_id HAVING sum(extent.stored_bytes) * 2 < pack.end_bytes ORDER BY pack_id
"""
_EXTENTS = """
SELECT blob_id, chunk_index, pack_id, position_bytes, stored_bytes, record_number, offset_bytes, length_bytes
FROM extent WHERE pack_id = $1 ORDER BY position_bytes
"""
_ADD_PACK = """
INSERT INTO pack (pack_id, case_name, dossier_id, epoch, end_bytes, records, closed)
VALUES ($1, $2, NULL, 0, $3, 0, true)
"""
_END_PACK = "UPDATE pack SET end_bytes = $2, records = $3 WHERE pack_id = $1"
_LEAVE_PACK = "DELETE FROM extent WHERE pack_id = $1 RETURNING blob_id, chunk_index"
_RETIRE = "UPDATE pack SET retired_at = now() WHERE pack_id = $1"
_EXTENT_COLUMNS = (
    "blob_id", "chunk_index", "pack_id", "position_bytes", "stored_bytes", "record_number", "offset_bytes",
    "length_bytes",
)  # fmt: skip
_IDLE_DRAFTS = """
SELECT dossier_id::text AS dossier_id, agency FROM dossier
WHERE state = 'draft' AND ($2::uuid IS NULL OR dossier_id = $2)
AND created_at < now() - make_interval(secs => $1) AND draft_active_at(dossier) < now() - make_interval(secs => $1)
"""


@dataclass(frozen=True, slots=True)
class KnownPack:
    """A pack of a case, of which ``end_bytes`` bytes are known."""

    case: str
    key: PackKey
    end_bytes: int


class CareStore:
    """Changes that take nothing away that anything leads to.

    A pack or content younger than ``least_age_seconds`` is left alone: whoever makes it may not have said so yet.
    """

    def __init__(self, database: Database, least_age_seconds: float = 3600.0) -> None:
        self._database = database
        self._least_age = least_age_seconds

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Whether the body may take packs away: no other process does, and no backup runs."""
        async with self._database.connection() as connection:
            taken: bool = await connection.fetchval(_TRY_LOCK, CARE_LOCK)
            try:
                yield taken
            finally:
                if taken:
                    await connection.fetchval(_UNLOCK, CARE_LOCK)

    async def remove_unreferenced_contents(self, limit: int) -> int:
        """Remove rows of contents that belong to no document, at most ``limit``; returns how many went."""
        candidates = [row["blob_id"] for row in await self._database.fetch(_UNREFERENCED, limit, self._least_age)]
        if not candidates:
            return 0
        async with self._database.transaction() as transaction:
            locked = [row["blob_id"] for row in await transaction.fetch(_LOCK_CONTENTS, candidates)]
            gone = [row["blob_id"] for row in await transaction.fetch(_STILL_UNREFERENCED, locked)]
            for statement in _REMOVE_CONTENTS:
                await transaction.execute(statement, gone)
        return len(gone)

    async def close_packs_left_open(self) -> int:
        """Close packs whose upload showed no sign of life for a day; returns how many."""
        closed = 0
        for row in await self._database.fetch(_LEFT_OPEN):
            async with self._database.transaction() as transaction:
                await transaction.execute(_END_UPLOAD, row["dossier_id"])
                closed += await transaction.execute(_CLOSE_PACKS, row["dossier_id"])
        return closed

    async def retire_empty_packs(self) -> int:
        """Retire closed packs that nothing leads into; returns how many."""
        return await self._database.execute(_RETIRE_EMPTY, self._least_age)

    async def retired_packs(self, older_than_seconds: float) -> list[KnownPack]:
        """Packs retired so long ago that no stream still reads them."""
        return [_pack(row) for row in await self._database.fetch(_RETIRED, older_than_seconds)]

    async def remove_pack(self, key: PackKey) -> None:
        """Forget a retired pack whose bytes are gone."""
        await self._database.execute(_REMOVE_PACK, uuid.UUID(bytes=key.pack_id))

    async def sparse_packs(self) -> list[KnownPack]:
        """Closed packs of which less than half is needed."""
        return [_pack(row) for row in await self._database.fetch(_SPARSE, self._least_age)]

    async def extents_of(self, key: PackKey) -> list[tuple[bytes, Extent]]:
        """What is needed of a pack, as contents and their extents, in the order of their positions."""
        rows = await self._database.fetch(_EXTENTS, uuid.UUID(bytes=key.pack_id))
        return [(row["blob_id"].bytes, extent_of(row)) for row in rows]

    async def add_pack(self, pack: KnownPack) -> None:
        """Make a pack of nobody's known before its bytes are, closed from the first."""
        await self._database.execute(_ADD_PACK, uuid.UUID(bytes=pack.key.pack_id), pack.case, pack.end_bytes)

    async def replace_pack(
        self, old: PackKey, new: PackKey, end: int, records: int, moved: Sequence[tuple[bytes, int, Sequence[Extent]]]
    ) -> None:
        """Let contents be read from ``new`` instead of ``old``, and retire that.

        ``moved`` are contents, the chunk index of an extent in the old pack, and what became of it in the new. Contents
        that were dropped since they were read stay dropped.
        """
        async with self._database.transaction() as transaction:
            await transaction.execute(_END_PACK, uuid.UUID(bytes=new.pack_id), end, records)
            left = await transaction.fetch(_LEAVE_PACK, uuid.UUID(bytes=old.pack_id))
            still = {(row["blob_id"].bytes, row["chunk_index"]) for row in left}
            rows = [
                _extent_row(blob_id, extent)
                for blob_id, index, extents in moved
                if (blob_id, index) in still
                for extent in extents
            ]
            await transaction.copy("extent", _EXTENT_COLUMNS, rows)
            await transaction.execute(_RETIRE, uuid.UUID(bytes=old.pack_id))

    async def idle_drafts(self, seconds: float) -> list[tuple[str, str]]:
        """Drafts that nothing was added to for so long, and their agencies."""
        rows = await self._database.fetch(_IDLE_DRAFTS, seconds, None)
        return [(row["dossier_id"], row["agency"]) for row in rows]

    async def is_idle(self, transaction: Transaction, dossier_id: str, seconds: float) -> bool:
        """Whether a draft is idle still."""
        return bool(await transaction.fetch(_IDLE_DRAFTS, seconds, dossier_id))


def _pack(row: Row) -> KnownPack:
    case_id = uuid.UUID(CASE.parse(row["case_name"])["case"])
    return KnownPack(row["case_name"], PackKey(case_id.bytes, row["pack_id"].bytes), row["end_bytes"])


def _extent_row(blob_id: bytes, extent: Extent) -> tuple[object, ...]:
    return (
        uuid.UUID(bytes=blob_id), extent.chunk_index, uuid.UUID(bytes=extent.pack_id), extent.position,
        extent.stored_length, extent.number, extent.offset, extent.length,
    )  # fmt: skip
