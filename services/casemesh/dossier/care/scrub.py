"""scrub: every committed byte is read from its store again, opened, and its digest computed.

Packs are taken in the order of their ids. The place is kept in the database after each, so that a run that broke off
goes on there; a pass that came to its end begins anew next time.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from casemesh.core.clock import Clock
from casemesh.core.names import CASE
from casemesh.dossier.care.operator import BY_OPERATOR, PACK_DAMAGED, PACK_REPAIRED, record_care
from casemesh.dossier.care.pace import Pace
from casemesh.dossier.care.reading import digest_of, read_pack
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.packs.format import PackDamaged
from casemesh.dossier.packs.mirrored import MirroredPacks
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.dossier.uploading.store import extent_of
from casemesh.runtime.postgres import Database, Row

_TASK: Final = "scrub"
_PAGE: Final = 200
# Packs of erased cases are noise by intent, and what nothing leads to is nobody's.
_TO_READ = """
FROM pack JOIN case_key USING (case_name)
WHERE case_key.wrapped_key IS NOT NULL AND pack.retired_at IS NULL
AND EXISTS (SELECT FROM extent WHERE extent.pack_id = pack.pack_id)
"""
_PACKS = f"""
SELECT pack_id, case_name, end_bytes, closed {_TO_READ} AND pack_id > $1 ORDER BY pack_id LIMIT $2
"""
_TOTAL = f"SELECT coalesce(sum(end_bytes), 0)::bigint {_TO_READ}"
_STILL_THERE = "SELECT EXISTS (SELECT FROM extent WHERE pack_id = $1)"
_EXTENTS = """
SELECT blob_id, chunk_index, pack_id, position_bytes, stored_bytes, record_number, offset_bytes, length_bytes
FROM extent WHERE pack_id = $1 ORDER BY position_bytes
"""
_DIGESTS = """
SELECT DISTINCT blob_id, sha256, size_bytes, min(chunk_index) OVER (PARTITION BY blob_id) = 0 AS begins_here
FROM blob JOIN extent USING (blob_id) WHERE extent.pack_id = $1 AND blob.sha256 IS NOT NULL
"""
_EXTENTS_OF = """
SELECT blob_id, chunk_index, pack_id, position_bytes, stored_bytes, record_number, offset_bytes, length_bytes
FROM extent WHERE blob_id = $1 ORDER BY chunk_index
"""
_PROGRESS = "SELECT after_id, done_bytes FROM care_progress WHERE task = $1"
_KEEP_PROGRESS = """
INSERT INTO care_progress (task, after_id, done_bytes, began_at) VALUES ($1, $2, $3, now())
ON CONFLICT (task) DO UPDATE SET after_id = excluded.after_id, done_bytes = excluded.done_bytes
"""
_END_PROGRESS = "DELETE FROM care_progress WHERE task = $1"


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a pack: ``contents`` of it, by id, do not read. ``repaired`` where a copy made up for it."""

    case: str
    pack: str
    why: str
    contents: tuple[str, ...]
    repaired: bool


@dataclass(slots=True)
class ScrubReport:
    """What a run has read, which begins where the last one broke off."""

    packs: int = 0
    contents: int = 0
    bytes_read: int = 0
    damages: list[Damage] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything reads, if only since it was repaired."""
        return all(damage.repaired for damage in self.damages)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        damages = [
            {
                "case": item.case, "pack": item.pack, "why": item.why, "contents": list(item.contents),
                "repaired": item.repaired,
            }
            for item in self.damages
        ]  # fmt: skip
        return {
            "sound": self.sound, "packs": self.packs, "contents": self.contents, "bytes_read": self.bytes_read,
            "damages": damages,
        }  # fmt: skip


@dataclass
class Scrub:
    """One run over one store. With MirroredPacks each copy is read by itself, and a damaged one replaced."""

    database: Database
    packs: PackStore
    keys: CaseKeys
    clock: Clock
    pace: Pace
    report: ScrubReport = field(default_factory=ScrubReport)

    async def total_bytes(self) -> int:
        """Bytes of the packs that a whole pass reads, of each copy."""
        total: int = await self.database.fetchval(_TOTAL)
        return total

    async def run(self, progress: Callable[[int], None]) -> ScrubReport:
        """Go on with the pass to its end; ``progress`` is told the bytes done of `total_bytes`.

        Raises OSError where the store does not answer, and what CaseKeys raises.
        """
        row = await self.database.fetchrow(_PROGRESS, _TASK)
        after, done = (uuid.UUID(int=0), 0) if row is None else (row["after_id"], row["done_bytes"])
        while rows := await self.database.fetch(_PACKS, after, _PAGE):
            for row in rows:
                await self._pack(row)
                after, done = row["pack_id"], done + row["end_bytes"]
                await self.database.execute(_KEEP_PROGRESS, _TASK, after, done)
                progress(done)
        await self.database.execute(_END_PROGRESS, _TASK)
        return self.report

    async def _pack(self, row: Row) -> None:
        pack = _Pack(row["case_name"], row["pack_id"], await self.keys.of(row["case_name"]))
        pack.extents = [
            (item["blob_id"].bytes, extent_of(item)) for item in await self.database.fetch(_EXTENTS, pack.pack_id)
        ]
        self.report.packs += 1
        damage = await self._damage(pack, closed=row["closed"])
        # What was deleted meanwhile did not break.
        if damage is None or not await self.database.fetchval(_STILL_THERE, pack.pack_id):
            return
        self.report.damages.append(damage)
        details = {"why": damage.why, "content_count": str(len(damage.contents))}
        action = PACK_REPAIRED if damage.repaired else PACK_DAMAGED
        async with self.database.transaction() as transaction:
            await record_care(
                transaction, self.clock, BY_OPERATOR, action, f"packs/{damage.pack}", damage.case, details
            )  # fmt: skip

    async def _damage(self, pack: _Pack, *, closed: bool) -> Damage | None:
        if not isinstance(self.packs, MirroredPacks):
            return await self._read(self.packs, pack)
        primary = await self._read(self.packs.primary, pack)
        copy = await self._read(self.packs.copy, pack)
        damage = primary or copy
        # An open pack grows, and can only be replaced once it no longer does.
        if damage is None or (primary is not None and copy is not None) or not closed:
            return damage
        mend = self.packs.repair if primary is not None else self.packs.repair_copy
        try:
            await asyncio.to_thread(mend, pack.key)
        except PackDamaged:
            return damage
        mended = await self._read(self.packs.primary if primary is not None else self.packs.copy, pack)
        return replace(damage, repaired=mended is None)

    async def _read(self, packs: PackStore, pack: _Pack) -> Damage | None:
        read = await asyncio.to_thread(read_pack, packs, pack.key, pack.case_key, pack.extents, self.pace)
        self.report.bytes_read += read.bytes_read
        bad, why = read.bad, read.why
        for row in await self.database.fetch(_DIGESTS, pack.pack_id):
            blob_id = row["blob_id"].bytes
            if blob_id in bad:
                continue
            size, whole = read.digests.get(blob_id, (0, b""))
            digest: bytes | None = whole
            if size != row["size_bytes"]:
                if not row["begins_here"]:
                    continue
                digest = await self._digest_across(packs, pack, blob_id)
            self.report.contents += 1
            if digest not in (row["sha256"], None):
                bad.add(blob_id)
                why = why or "a content's digest is not the one that was sent"
        if not bad:
            return None
        contents = tuple(str(uuid.UUID(bytes=blob_id)) for blob_id in sorted(bad))
        return Damage(pack.case, str(pack.pack_id), why, contents, repaired=False)

    async def _digest_across(self, packs: PackStore, pack: _Pack, blob_id: bytes) -> bytes | None:
        """The digest of a content in several packs; None where another of them is damaged, which its turn shows."""
        extents = [extent_of(row) for row in await self.database.fetch(_EXTENTS_OF, uuid.UUID(bytes=blob_id))]
        try:
            return await asyncio.to_thread(
                digest_of, packs, pack.key.case_id, pack.case_key, blob_id, extents, self.pace
            )  # fmt: skip
        except PackDamaged:
            return None


@dataclass(slots=True)
class _Pack:
    case: str
    pack_id: uuid.UUID
    case_key: bytes = field(repr=False)
    extents: list[tuple[bytes, Extent]] = field(default_factory=list)

    @property
    def key(self) -> PackKey:
        return PackKey(uuid.UUID(CASE.parse(self.case)["case"]).bytes, self.pack_id.bytes)
