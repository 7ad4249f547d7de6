"""Compaction: bytes that nothing leads to any more give their place back.

Contents without a document go first, then packs without contents; a pack of which less than half is needed is written
anew. A pack that is no longer needed stays for as long as a stream can live that looked up its records before.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.dossier.care.operator import DRAFT_EXPIRED, record_care
from casemesh.dossier.care.store import CareStore, KnownPack
from casemesh.dossier.drafting.store import DraftStore
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.packs.format import PACK_HEADER_BYTES, Kind, PackDamaged
from casemesh.dossier.packs.reader import Extent, PackReader
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.dossier.packs.suites import Suite
from casemesh.dossier.packs.writer import PackWriter
from casemesh.dossier.uploading.batch import append_record
from casemesh.errors import FailedPrecondition
from casemesh.runtime.call import Call
from casemesh.runtime.postgres import Database

log = structlog.get_logger(__name__)

_CONTENTS_AT_ONCE: Final = 1000

Moved = list[tuple[bytes, int, Sequence[Extent]]]


@dataclass(slots=True)
class CareReport:
    """What a run has done. ``alone`` is False where another run or a backup was at work: then nothing was."""

    alone: bool = True
    expired_drafts: list[str] = field(default_factory=list)
    removed_contents: int = 0
    closed_packs: int = 0
    retired_packs: int = 0
    rewritten_packs: int = 0
    damaged_packs: int = 0
    deleted_packs: int = 0
    freed_bytes: int = 0


@dataclass(frozen=True)
class Care:
    """What is done about once an hour, by one process at a time. ``by`` is who its events name.

    ``keep_seconds`` is how long a retired pack stays, longer than any stream lives.
    """

    database: Database
    store: CareStore
    packs: PackStore
    keys: CaseKeys
    suite: Suite
    clock: Clock
    by: Call
    draft_expiry_seconds: float
    keep_seconds: float

    async def run_every(self, seconds: float) -> None:
        """Run until cancelled. A run that fails is logged, and repeated when its time comes again."""
        while True:
            await asyncio.sleep(seconds)
            try:
                report = await self.run()
            except Exception:
                # Whatever it is, serving goes on: care leaves nothing half.
                log.exception("care.failed")
            else:
                log.info("care.done", **{**asdict(report), "expired_drafts": len(report.expired_drafts)})

    async def run(self) -> CareReport:
        """Expire drafts, then compact. Broken off at any point, it leaves nothing half, and goes on next time.

        Raises OSError where the store does not answer, Unavailable.
        """
        report = CareReport()
        async with self.store.alone() as alone:
            if not alone:
                report.alone = False
                return report
            await self._expire_drafts(report)
            while count := await self.store.remove_unreferenced_contents(_CONTENTS_AT_ONCE):
                report.removed_contents += count
            report.closed_packs = await self.store.close_packs_left_open()
            report.retired_packs = await self.store.retire_empty_packs()
            for pack in await self.store.sparse_packs():
                await self._rewrite(pack, report)
            for pack in await self.store.retired_packs(self.keep_seconds):
                # Bytes before row: a row without bytes is met again next time, bytes without a row by fsck alone.
                await asyncio.to_thread(self.packs.delete, pack.key)
                await self.store.remove_pack(pack.key)
                report.deleted_packs += 1
                report.freed_bytes += pack.end_bytes
        return report

    async def _expire_drafts(self, report: CareReport) -> None:
        drafts = DraftStore()
        for dossier_id, agency in await self.store.idle_drafts(self.draft_expiry_seconds):
            async with self.database.transaction() as transaction:
                try:
                    draft = await drafts.lock(transaction, dossier_id, agency)
                except FailedPrecondition:
                    continue
                if not await self.store.is_idle(transaction, dossier_id, self.draft_expiry_seconds):
                    continue
                count = await drafts.abandon(transaction, draft)
                name, details = (
                    f"dossiers/{dossier_id}",
                    {"revision": str(draft.revision), "document_count": str(count)},
                )
                await record_care(transaction, self.clock, self.by, DRAFT_EXPIRED, name, draft.case_name, details)
            report.expired_drafts.append(name)

    async def _rewrite(self, old: KnownPack, report: CareReport) -> None:
        case_key = await self.keys.of(old.case)
        new = KnownPack(old.case, PackKey(old.key.case_id, uuid.UUID(new_id()).bytes), PACK_HEADER_BYTES)
        extents = await self.store.extents_of(old.key)
        await self.store.add_pack(new)
        try:
            end, records, moved = await asyncio.to_thread(self._copy, old.key, new.key, case_key, extents)
        except PackDamaged as damage:
            # Scrub says so to everyone; here it is left as it is, and the new one is retired as an empty pack.
            log.warning("care.pack_damaged", pack=damage.pack_id, why=damage.why)
            report.damaged_packs += 1
            return
        await self.store.replace_pack(old.key, new.key, end, records, moved)
        report.rewritten_packs += 1

    def _copy(
        self, old: PackKey, new: PackKey, case_key: bytes, extents: Sequence[tuple[bytes, Extent]]
    ) -> tuple[int, int, Moved]:
        """Seal what is needed of the old pack into the new one, durably."""
        moved: Moved = []
        writer = PackWriter.create(self.packs, new, case_key, suite=self.suite)
        try:
            with PackReader.open(self.packs, old, case_key) as reader:
                for blob_id, extent in extents:
                    placed: list[Extent] = []
                    for found in reader.read_extent(blob_id, extent):
                        header = found.header
                        at = writer.append(
                            Kind.DATA, blob_id, found.plain,
                            index=header.index, offset=header.offset, last=header.last,
                        )  # fmt: skip
                        append_record(
                            placed,
                            Extent(
                                new.pack_id, at.position, at.stored_length, at.number,
                                header.index, header.offset, header.length,
                            ),
                        )  # fmt: skip
                    moved.append((blob_id, extent.chunk_index, placed))
            writer.flush()
            writer.sync()
            return writer.position, writer.records, moved
        finally:
            writer.close()
