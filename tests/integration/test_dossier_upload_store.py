"""Leases and batches on a real PostgreSQL: who was overtaken changes nothing, and rows only move forward."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.dossier.keys.local import LocalKeyProvider, wrapping_key_from_file
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.store import DossierStore, StoredVersion
from casemesh.dossier.uploading.batch import Batch, DocumentProgress
from casemesh.dossier.uploading.session import DocumentHead, StatedTotals, tree_hash
from casemesh.dossier.uploading.store import Lease, UploadStore
from casemesh.errors import CaseMeshError, Conflict, FailedPrecondition, NotFound
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.call import Call
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.postgres import clone_database

CASE, AGENCY = f"cases/{new_id()}", f"agencies/{new_id()}"
CALL = Call("casemesh.dossier.v1.DossierService/UploadDocuments", case=CASE)


@dataclass
class Scene:
    store: UploadStore
    database: Database
    owner_dsn: str

    async def draft(self) -> str:
        dossier_id = new_id()
        await self.database.execute(
            "INSERT INTO dossier (dossier_id, case_name, agency, title, created_at) VALUES ($1, $2, $3, 't', $4)",
            dossier_id, CASE, AGENCY, datetime.now(UTC),
        )  # fmt: skip
        return dossier_id

    async def lease(self, dossier_id: str, upload_id: str | None = None, attempt_id: str | None = None) -> Lease:
        return await self.store.take_lease(dossier_id, CASE, AGENCY, upload_id or new_id(), attempt_id)

    async def attempt(self, streams: int) -> list[Lease]:
        """The leases of an attempt's streams, on a new draft."""
        dossier_id, upload_id, attempt_id = await self.draft(), new_id(), new_id()
        return [await self.lease(dossier_id, upload_id, attempt_id) for _ in range(streams)]

    async def finished(self) -> bool:
        return bool(await self.database.fetchval("SELECT upload_finished FROM dossier"))

    async def lapse(self, dossier_id: str) -> None:
        """Let the lease's time pass."""
        await self.database.execute(
            "UPDATE upload_lease SET expires_at = now() - interval '1 second' WHERE dossier_id = $1", dossier_id
        )

    async def pack(self, lease: Lease) -> bytes:
        pack_id = uuid.UUID(new_id()).bytes
        await self.store.add_pack(lease, pack_id)
        return pack_id


@pytest.fixture
async def scene(embedded_postgres: EmbeddedPostgres) -> AsyncIterator[Scene]:
    async with clone_database(
        embedded_postgres, "dossier", lambda dsn: migrate(dsn, "dossier", "casemesh_dossier_runtime")
    ) as made:
        database = Database(made.runtime_dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=4))
        await database.open()
        yield Scene(UploadStore(database, SystemClock()), database, made.owner_dsn)
        await database.close()


def batch(pack_id: bytes, index: int = 0, *, received: int = 10, size: int = 10, end: int = 8192) -> Batch:
    """A batch with one new document, whole where everything was received."""
    made = Batch(pack_id, end, 3, received)
    entry = made.document(index, uuid.UUID(new_id()).bytes, (0, 0))
    entry.head = DocumentHead(index, "证据卷一", f"{index}.pdf", "application/pdf", 1, size)
    entry.received_bytes, entry.chunks = received, 1
    entry.extents.append(Extent(pack_id, PACK_HEADER_BYTES, received + 64, 1, 0, 0, received))
    entry.sha256 = hashlib.sha256(b"x").digest() if received == size else None
    return made


def stated(made: Batch) -> StatedTotals:
    """What a sender of the batch's documents would state."""
    entries = made.documents.values()
    sizes = sum(entry.head.size_bytes for entry in entries if entry.head is not None)
    return StatedTotals(len(entries), sizes, tree_hash(entry.sha256 or b"" for entry in entries))


async def test_another_upload_waits_for_the_lease_and_the_same_one_takes_it_over(scene: Scene) -> None:
    dossier_id, upload_id = await scene.draft(), new_id()
    first = await scene.lease(dossier_id, upload_id)
    with pytest.raises(Conflict) as caught:
        await scene.lease(dossier_id)
    assert caught.value.reason == "UPLOAD_LEASE_HELD"
    assert 25 <= int(caught.value.metadata["retry_after_seconds"]) <= 30
    second = await scene.lease(dossier_id, upload_id)
    await scene.store.end_lease(first)
    with pytest.raises(Conflict):
        await scene.lease(dossier_id)
    await scene.store.end_lease(second)
    third = await scene.lease(dossier_id)
    assert [first.epoch, second.epoch, third.epoch] == [1, 2, 3]


async def test_a_lease_that_ran_out_can_be_taken_and_a_renewed_one_cannot(scene: Scene) -> None:
    dossier_id = await scene.draft()
    lease = await scene.lease(dossier_id)
    await scene.lapse(dossier_id)
    await scene.store.renew(lease)
    with pytest.raises(Conflict):
        await scene.lease(dossier_id)
    await scene.lapse(dossier_id)
    await scene.lease(dossier_id)
    with pytest.raises(Conflict) as caught:
        await scene.store.renew(lease)
    assert caught.value.reason == "UPLOAD_LEASE_LOST"


async def test_a_writer_who_was_overtaken_changes_nothing_however_late_it_wakes(scene: Scene) -> None:
    dossier_id = await scene.draft()
    old = await scene.lease(dossier_id)
    pack_id = await scene.pack(old)
    await scene.lapse(dossier_id)
    await scene.lease(dossier_id)
    for attempt in (
        scene.store.commit(old, batch(pack_id)),
        scene.store.add_pack(old, uuid.UUID(new_id()).bytes),
        scene.store.close_pack(old, pack_id),
        scene.store.renew(old),
    ):
        with pytest.raises(Conflict) as caught:
            await attempt
        assert caught.value.reason == "UPLOAD_LEASE_LOST"
    assert await scene.store.held(old) == []
    assert await scene.database.fetchval("SELECT count(*) FROM blob") == 0


async def test_batches_add_up_to_the_document(scene: Scene) -> None:
    lease = await scene.lease(await scene.draft())
    pack_id = await scene.pack(lease)
    first = batch(pack_id, received=4)
    await scene.store.commit(lease, first)
    (blob_id,) = first.documents
    (held,) = await scene.store.held(lease)
    assert (held.state.received_bytes, held.state.chunks, held.state.sha256) == (4, 1, None)
    assert held.extents == (Extent(pack_id, PACK_HEADER_BYTES, 68, 1, 0, 0, 4),)
    later = Batch(pack_id, 12_288, 6)
    extent = Extent(pack_id, 8192, 70, 4, 1, 4, 6)
    later.documents[blob_id] = DocumentProgress(0, blob_id, (4, 1), None, 10, 2, [extent], bytes(32))
    await scene.store.commit(lease, later)
    (held,) = await scene.store.held(lease)
    assert (held.state.received_bytes, held.state.chunks, held.state.sha256) == (10, 2, bytes(32))
    after = await scene.lease(lease.dossier_id, lease.upload_id)
    packs = await scene.store.open_packs(after)
    assert [(pack_id, 12_288, 6)] == [(pack.pack_id, pack.end, pack.records) for pack in packs]


async def test_a_dropped_document_leaves_no_row(scene: Scene) -> None:
    lease = await scene.lease(await scene.draft())
    pack_id = await scene.pack(lease)
    made = batch(pack_id, received=4)
    await scene.store.commit(lease, made)
    await scene.store.commit(lease, Batch(pack_id, 8192, 3, dropped=dict.fromkeys(made.documents, (4, 1))))
    for table in ("document", "blob", "extent"):
        assert await scene.database.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_packs_rows_never_move_back_nor_after_it_is_closed(scene: Scene) -> None:
    lease = await scene.lease(await scene.draft())
    pack_id = await scene.pack(lease)
    await scene.store.commit(lease, batch(pack_id, 0, end=12_288))
    with pytest.raises(RuntimeError, match="forward"):
        await scene.store.commit(lease, batch(pack_id, 1, end=8192))
    await scene.store.close_pack(lease, pack_id)
    with pytest.raises(RuntimeError, match="forward"):
        await scene.store.commit(lease, batch(pack_id, 2, end=16_384))
    assert len(await scene.store.held(lease)) == 1
    assert await scene.store.open_packs(await scene.lease(lease.dossier_id, lease.upload_id)) == []


async def test_the_finish_is_told_once_and_undone_by_another_upload(scene: Scene) -> None:
    dossier_id, upload_id = await scene.draft(), new_id()
    lease = await scene.lease(dossier_id, upload_id)
    made = batch(await scene.pack(lease))
    await scene.store.commit(lease, made)
    totals = await scene.store.finish(lease, stated(made), CALL)
    assert (totals.document_count, totals.page_count, totals.size_bytes) == (1, 1, 10)
    assert await scene.finished()
    await scene.store.finish(lease, stated(made), CALL)
    assert await scene.database.fetchval("SELECT count(*) FROM outbox") == 1
    later = await scene.lease(dossier_id, upload_id)
    assert not await scene.finished()
    await scene.store.commit(later, batch(await scene.pack(later), 1))
    with pytest.raises(FailedPrecondition) as caught:
        await scene.store.finish(later, stated(made), CALL)
    assert caught.value.reason == "DOCUMENT_COUNT_MISMATCH"
    assert not await scene.finished()


async def test_after_the_finish_no_other_stream_of_the_attempt_adds_anything(scene: Scene) -> None:
    first, second = await scene.attempt(2)
    made = batch(await scene.pack(first))
    await scene.store.commit(first, made)
    late = batch(await scene.pack(second), 1)
    await scene.store.finish(first, stated(made), CALL)
    with pytest.raises(Conflict) as caught:
        await scene.store.commit(second, late)
    assert caught.value.reason == "UPLOAD_LEASE_LOST"
    assert len(await scene.store.held(first)) == 1


async def test_streams_of_one_attempt_share_its_epoch_until_the_last_has_ended(scene: Scene) -> None:
    first, second, third = await scene.attempt(3)
    assert [(lease.epoch, lease.joined) for lease in (first, second, third)] == [(1, False), (1, True), (1, True)]
    for lease in (first, third):
        await scene.store.end_lease(lease)
        with pytest.raises(Conflict):
            await scene.lease(first.dossier_id)
    await scene.store.renew(second)
    await scene.store.end_lease(second)
    assert (await scene.lease(first.dossier_id)).epoch == 2


async def test_another_attempt_of_the_upload_ends_all_streams_of_the_one_before(scene: Scene) -> None:
    streams = await scene.attempt(2)
    later = await scene.lease(streams[0].dossier_id, streams[0].upload_id, new_id())
    assert (later.epoch, later.joined) == (2, False)
    for lease in streams:
        with pytest.raises(Conflict) as caught:
            await scene.store.renew(lease)
        assert caught.value.reason == "UPLOAD_LEASE_LOST"


async def test_a_stream_that_joins_is_not_given_its_siblings_packs_to_adopt(scene: Scene) -> None:
    before = await scene.lease(await scene.draft())
    left = await scene.pack(before)
    attempt_id = new_id()
    first = await scene.lease(before.dossier_id, before.upload_id, attempt_id)
    await scene.pack(first)
    second = await scene.lease(before.dossier_id, before.upload_id, attempt_id)
    assert [pack.pack_id for pack in await scene.store.open_packs(second)] == [left]


async def test_of_two_streams_that_write_one_document_one_succeeds(scene: Scene) -> None:
    first, second = await scene.attempt(2)
    packs = await scene.pack(first), await scene.pack(second)
    await scene.store.commit(first, batch(packs[0], received=4))
    with pytest.raises(Conflict) as caught:
        await scene.store.commit(second, batch(packs[1], received=10))
    assert (caught.value.reason, caught.value.metadata) == ("DOCUMENT_WRITTEN_ELSEWHERE", {"document_index": "0"})
    (held,) = await scene.store.held(first)
    begun = 4, 1
    for lease, pack_id, expected in ((second, packs[1], None), (first, packs[0], "DOCUMENT_WRITTEN_ELSEWHERE")):
        extent = Extent(pack_id, 8192, 70, 4, 1, 4, 6)
        more = DocumentProgress(0, held.blob_id, begun, None, 10, 2, [extent], bytes(32))
        wanted = Batch(pack_id, 12_288, 6, documents={held.blob_id: more})
        if expected is None:
            await scene.store.commit(lease, wanted)
        else:
            with pytest.raises(Conflict) as caught:
                await scene.store.commit(lease, wanted)
            assert caught.value.reason == expected
    (held,) = await scene.store.held(first)
    assert held.state.sha256 == bytes(32)


async def test_a_name_taken_by_another_stream_is_refused(scene: Scene) -> None:
    first, second = await scene.attempt(2)
    await scene.store.commit(first, batch(await scene.pack(first), 0))
    other = batch(await scene.pack(second), 1)
    (entry,) = other.documents.values()
    assert entry.head is not None
    entry.head = dataclasses.replace(entry.head, file_name="0.pdf")
    with pytest.raises(CaseMeshError) as caught:
        await scene.store.commit(second, other)
    assert (caught.value.reason, caught.value.metadata) == ("DOCUMENT_NAME_DUPLICATE", {"document_index": "1"})


async def test_what_another_stream_has_brought_further_is_not_dropped(scene: Scene) -> None:
    first, second = await scene.attempt(2)
    made = batch(await scene.pack(first), received=4)
    await scene.store.commit(first, made)
    stale = Batch(await scene.pack(second), 8192, 1, dropped=dict.fromkeys(made.documents, (0, 0)))
    await scene.store.commit(second, stale)
    (held,) = await scene.store.held(first)
    assert held.state.received_bytes == 4


async def test_room_is_what_quota_or_the_agencys_own_limit_leaves_with_each_content_counted_once(scene: Scene) -> None:
    assert await scene.store.room(AGENCY, None) is None
    lease = await scene.lease(await scene.draft())
    made = batch(await scene.pack(lease))
    await scene.store.commit(lease, made)
    (blob_id,) = made.documents
    again = await scene.draft()
    await scene.database.execute(
        "INSERT INTO document (dossier_id, revision, document_index, document_id, volume, file_name, media_type, "
        "page_count, blob_id) VALUES ($1, 1, 0, $2, 'v', 'f', '', 1, $3)",
        again, new_id(), uuid.UUID(bytes=blob_id),
    )  # fmt: skip
    assert await scene.store.room(AGENCY, 100) == 90
    assert await scene.store.room(f"agencies/{new_id()}", 100) == 100
    owner = await asyncpg.connect(scene.owner_dsn)
    await owner.execute("INSERT INTO agency_quota (agency, limit_bytes) VALUES ($1, 15)", AGENCY)
    await owner.close()
    assert await scene.store.room(AGENCY, 100) == 5


async def test_a_dossier_that_an_upload_has_touched_since_is_not_made_final(scene: Scene, tmp_path: Path) -> None:
    key = tmp_path / "wrapping.key"
    key.touch(mode=0o600)
    key.write_bytes(bytes(32))
    dossiers = DossierStore(scene.database, LocalKeyProvider(wrapping_key_from_file(key)))
    dossier_id = await scene.draft()
    lease = await scene.lease(dossier_id)
    made = batch(await scene.pack(lease))
    await scene.store.commit(lease, made)
    await scene.store.finish(lease, stated(made), CALL)
    content = await dossiers.draft_content(dossier_id, AGENCY)
    version = StoredVersion(new_id(), dossier_id, CASE, AGENCY, 1, 1, 10, bytes(32), datetime.now(UTC))
    later = await scene.lease(dossier_id, lease.upload_id)
    await scene.store.finish(later, stated(made), CALL)
    async with scene.database.transaction() as transaction:
        assert not await dossiers.finalize(transaction, content, version, b"{}")
    content = await dossiers.draft_content(dossier_id, AGENCY)
    async with scene.database.transaction() as transaction:
        assert await dossiers.finalize(transaction, content, version, b"{}")
    with pytest.raises(Conflict):
        await scene.store.renew(later)


async def test_only_the_agencys_own_draft_can_be_leased(scene: Scene) -> None:
    dossier_id = await scene.draft()
    for agency, wanted in ((f"agencies/{new_id()}", dossier_id), (AGENCY, new_id())):
        with pytest.raises(NotFound):
            await scene.store.take_lease(wanted, CASE, agency, new_id())
    await scene.database.execute("UPDATE dossier SET state = 'final' WHERE dossier_id = $1", dossier_id)
    with pytest.raises(FailedPrecondition) as caught:
        await scene.lease(dossier_id)
    assert caught.value.reason == "DOSSIER_FINAL"


async def test_rows_that_cannot_be_true_are_refused_by_the_database_itself(scene: Scene) -> None:
    lease = await scene.lease(await scene.draft())
    pack_id = await scene.pack(lease)
    too_many = batch(pack_id, received=11)
    whole_too_soon = batch(pack_id, received=4)
    (entry,) = whole_too_soon.documents.values()
    entry.sha256 = bytes(32)
    for impossible in (too_many, whole_too_soon):
        with pytest.raises((asyncpg.CheckViolationError, CaseMeshError)):
            await scene.store.commit(lease, impossible)
    assert await scene.store.held(lease) == []
