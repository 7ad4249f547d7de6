"""The operator's side of the store: what is whole is called so, what is not is named, and nothing that counts goes."""

from __future__ import annotations

import asyncio
import errno
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import asyncpg
import grpc
import pytest

from casemesh.audit.v1 import event_pb2
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.dossier.care.erasing import erase_case
from casemesh.dossier.care.fsck import Fsck
from casemesh.dossier.care.quarantine import quarantine
from casemesh.dossier.care.rotating import rotate_keys
from casemesh.dossier.care.store import CARE_LOCK
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.keys.local import LocalKeyProvider
from casemesh.dossier.packs.copying import copy_pack
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.mirrored import MirroredPacks
from casemesh.dossier.packs.stores import PackKey, PackSink
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, from_rpc_error
from casemesh.runtime.postgres import Database
from casemesh.runtime.table_copy import shared_lock
from tests.support.dossier_care import Operator, casemeshd, operator_of
from tests.support.dossiers import DossierDesk, documents_of

SIZES = [100_000, 400_000, 1_500_000, 0, 30_000]


@pytest.fixture
async def operator(dossier_desk: DossierDesk) -> AsyncIterator[Operator]:
    async with operator_of(dossier_desk) as operator:
        yield operator


def key_of(pack: Path) -> PackKey:
    return PackKey(bytes.fromhex(pack.parent.name), bytes.fromhex(pack.stem))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


async def read(desk: DossierDesk, version: str) -> tuple[bytes, CaseMeshError | None]:
    data = b""
    try:
        async for message in desk.reading.DownloadDocuments(read_pb.DownloadDocumentsRequest(version=version)):
            data += b"".join(frame.chunk.data for frame in message.frames)
    except grpc.aio.AioRpcError as failure:
        return data, from_rpc_error(failure)
    return data, None


async def test_rotation_rewraps_every_key_without_touching_a_pack(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    key = await operator.case_keys.of(operator.desk.case)
    packs = [path.read_bytes() for path in operator.pack_files()]
    new = secrets.token_bytes(32)
    old_key = (operator.desk.mesh.directory / "keys" / "dossier-wrapping.key").read_bytes()
    ring = LocalKeyProvider(new, [old_key])
    rotation = await rotate_keys(operator.owner, ring, SystemClock(), operator.progress.append)
    assert (rotation.rewrapped, rotation.current, rotation.failed) == (1, 0, [])
    assert await CaseKeys(operator.database, LocalKeyProvider(new)).of(operator.desk.case) == key
    assert packs == [path.read_bytes() for path in operator.pack_files()]
    again = await rotate_keys(operator.owner, ring, SystemClock(), operator.progress.append)
    assert (again.rewrapped, again.current) == (0, 1)
    (event,) = await operator.events("dossier.case_key.rewrapped")
    assert (event.case, event.actor.peer) == (operator.desk.case, "operator")


async def test_a_key_that_does_not_unwrap_is_named_and_the_others_are_rotated(
    operator: Operator, tmp_path: Path
) -> None:
    await operator.desk.version(documents_of(tmp_path, [1000]))
    broken = f"cases/{new_id()}"
    await operator.owner.execute("INSERT INTO case_key (case_name, wrapped_key) VALUES ($1, $2)", broken, bytes(69))
    machine = operator.desk.mesh.directory
    new = machine / "keys" / "new.key"
    new.touch(mode=0o600)
    new.write_bytes(secrets.token_bytes(32))
    text = (machine / "config" / "dossier.toml").read_text().replace("dossier-wrapping.key", "new.key")
    rotating = machine / "config" / "rotating.toml"
    rotating.write_text(f'retired_wrapping_keys = ["../keys/dossier-wrapping.key"]\n{text}')
    code, value, _ = await casemeshd(operator.desk, "rotate-keys", owner=True, config_file=rotating)
    assert (code, value["rewrapped"], value["failed"]) == (6, 1, [broken])
    assert (await operator.fsck()).sound is False


async def test_an_erased_case_is_never_read_again_and_gets_no_other_key(operator: Operator, tmp_path: Path) -> None:
    desk = operator.desk
    version = (await desk.version(documents_of(tmp_path, SIZES))).name
    await operator.owner.execute("INSERT INTO recognition (blob_id) SELECT blob_id FROM blob ON CONFLICT DO NOTHING")
    await operator.owner.execute("UPDATE recognition SET title = 'a line of text', examined_at = now()")
    order = ("erase-case", desk.case, "--reason", "order 7", "--by", "Beihu court", "--yes")
    code, value, _ = await casemeshd(desk, *order, owner=True)
    assert (code, value["contents"], value["size_bytes"]) == (0, len(SIZES), sum(SIZES))
    data, error = await read(desk, version)
    assert error is not None
    assert (data, error.reason) == (b"", "CASE_ERASED")
    with pytest.raises(CaseMeshError) as caught:
        await desk.send(documents_of(tmp_path, [10]))
    assert caught.value.reason == "CASE_ERASED"
    assert await operator.owner.fetchval("SELECT count(*) FROM recognition WHERE title <> ''") == 0
    row = await operator.owner.fetchrow("SELECT * FROM case_key WHERE case_name = $1", desk.case)
    assert row is not None
    assert (row["wrapped_key"], row["erased_by"], row["erase_reason"]) == (None, "Beihu court", "order 7")
    (event,) = await operator.events("dossier.case.erased")
    assert dict(event.details) == {"ordered_by": "Beihu court", "reason": "order 7", "size_bytes": str(sum(SIZES))}
    code, _, said = await casemeshd(desk, *order, owner=True)
    assert (code, "CASE_ERASED" in said) == (4, True)
    # What cannot be read by intent is no damage.
    assert (await operator.fsck()).sound
    assert (await operator.scrub()).packs == 0


async def test_the_database_itself_refuses_to_revive_an_erased_case(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, [10]))
    await erase_case(operator.owner, SystemClock(), operator.desk.case, by="y", reason="x")
    for statement in (
        "UPDATE case_key SET wrapped_key = '\\x01', erased_at = NULL, erased_by = NULL, erase_reason = NULL",
        "DELETE FROM case_key",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="written once"):
            await operator.owner.execute(statement)


async def test_a_case_that_nothing_is_held_of_is_not_erased(operator: Operator) -> None:
    order = ("erase-case", f"cases/{new_id()}", "--reason", "x", "--yes")
    code, _, said = await casemeshd(operator.desk, *order, owner=True)
    assert (code, "NOT_FOUND" in said) == (3, True)


async def test_a_store_in_use_is_sound(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path / "a", SIZES))
    await operator.desk.send(documents_of(tmp_path / "b", [5_000, 0, 70_000], seed=2))
    report = await operator.fsck()
    assert (report.findings, report.versions, report.cases) == ([], 1, 1)
    code, value, _ = await casemeshd(operator.desk, "fsck")
    assert (code, value["sound"], value["findings"]) == (0, True, [])


CONTRADICTIONS = [
    ("extent_gap", "UPDATE extent SET offset_bytes = offset_bytes + 1 WHERE chunk_index = 0"),
    ("blob_short", "DELETE FROM extent WHERE length_bytes = 30000"),
    ("extent_beyond_pack", "UPDATE pack SET end_bytes = 4096"),
    ("extent_beyond_pack", "UPDATE extent SET record_number = 1000 WHERE length_bytes = 30000"),
    ("extent_overlap", "UPDATE extent SET position_bytes = position_bytes - 5000 WHERE length_bytes = 30000"),
    ("content_misfiled", "UPDATE blob SET case_name = 'cases/01890000-0000-7000-8000-000000000001'"),
    ("version_not_whole", "DELETE FROM document WHERE document_index = 3"),
    ("version_altered", "UPDATE document SET file_name = 'another.pdf' WHERE document_index = 1"),
    ("version_altered", "UPDATE document SET page_count = 2 WHERE document_index = 1"),
    ("version_altered", "UPDATE blob SET sha256 = sha256(sha256) WHERE size_bytes = 30000"),
    ("version_without_event", "DELETE FROM outbox"),
    ("case_without_key", "DELETE FROM case_key"),
    ("key_unusable", "UPDATE case_key SET wrapped_key = sha256(wrapped_key)"),
]


async def test_fsck_names_rows_that_contradict_each_other(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    for kind, statement in CONTRADICTIONS:
        async with operator.owner.connection() as connection:
            await connection.execute("BEGIN")
            await connection.execute(statement)
            # A connection answers what a database does, as far as fsck asks.
            check = Fsck(cast(Database, connection), operator.packs, operator.keys)
            report = await check.run(operator.progress.append)
            await connection.execute("ROLLBACK")
        assert kind in {finding.kind for finding in report.findings}, statement
        assert not report.sound
    assert await operator.kinds() == set()


async def test_fsck_names_a_version_that_is_gone_though_the_log_knows_it(operator: Operator, tmp_path: Path) -> None:
    version = await operator.desk.version(documents_of(tmp_path, [1000]))
    await operator.owner.execute("ALTER TABLE dossier_version DISABLE TRIGGER dossier_version_written_once")
    await operator.owner.execute("DELETE FROM dossier_version")
    report = await operator.fsck()
    assert [("version_lost", version.name)] == [
        (item.kind, item.subject) for item in report.findings if item.kind.startswith("version")
    ]


async def test_fsck_asks_the_log_for_every_event_that_was_sent(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
    async with asyncio.timeout(20):
        while await operator.owner.fetchval(unsent):
            await asyncio.sleep(0.05)
    code, value, _ = await casemeshd(operator.desk, "fsck", "--log")
    assert (code, value["findings"]) == (0, [])
    # One that the log never got, though the outbox says so, and one that says something else there.
    lost, altered = await operator.owner.fetch("SELECT id, event FROM outbox ORDER BY id LIMIT 2")
    for row, changes in ((lost, {"event_id": new_id()}), (altered, {"resource": "dossiers/another"})):
        event = event_pb2.Event.FromString(row["event"])
        for name, value in changes.items():
            setattr(event, name, value)
        await operator.owner.execute("UPDATE outbox SET event = $2 WHERE id = $1", row["id"], event.SerializeToString())
    code, value, _ = await casemeshd(operator.desk, "fsck", "--log")
    assert (code, [item["kind"] for item in value["findings"]]) == (6, ["event_missing", "event_altered"])
    code, value, _ = await casemeshd(operator.desk, "fsck", "--log")
    assert [item["kind"] for item in value["findings"]] == ["event_altered"]


async def test_fsck_names_packs_that_are_missing_or_cut_off(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    (pack,) = operator.pack_files()
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-8192])
    assert await operator.kinds() == {"pack_short"}
    pack.unlink()
    assert await operator.kinds() == {"row_without_pack"}
    pack.write_bytes(whole)
    assert await operator.kinds() == set()


async def test_a_pack_that_no_row_knows_is_put_aside_once_it_is_a_day_old(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    (pack,) = operator.pack_files()
    old = PackKey(key_of(pack).case_id, bytes(6) + secrets.token_bytes(10))
    young = PackKey(key_of(pack).case_id, uuid.UUID(new_id()).bytes)
    for orphan in (old, young):
        pack.with_name(f"{orphan.pack_id.hex()}.pack").write_bytes(pack.read_bytes())
    check = Fsck(operator.database, operator.packs, operator.keys)
    report = await check.run(operator.progress.append)
    assert {old, young} == set(check.orphans)
    assert (report.sound, {item.kind for item in report.findings}) == (True, {"pack_without_row"})
    moved = await quarantine(operator.database, operator.packs, SystemClock(), check.orphans, tmp_path / "aside")
    assert [old] == moved
    assert [old] == list(DiskPacks(tmp_path / "aside").keys())
    assert {key_of(pack), young} == set(operator.packs.keys())
    assert len(await operator.events("dossier.pack.quarantined")) == 1


async def test_scrub_reads_everything_and_computes_every_digest(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    report = await operator.scrub()
    assert (report.sound, report.packs, report.contents) == (True, 1, sum(size > 0 for size in SIZES))
    assert report.bytes_read >= sum(SIZES)


async def test_scrub_names_the_contents_that_damage_has_hit_and_only_those(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    (pack,) = operator.pack_files()
    row = await operator.owner.fetchrow("SELECT blob_id, position_bytes FROM extent WHERE length_bytes = 400000")
    assert row is not None
    flip(pack, row["position_bytes"] + 5000)
    code, value, _ = await casemeshd(operator.desk, "scrub")
    assert (code, value["sound"]) == (6, False)
    (damage,) = value["damages"]
    assert ([str(row["blob_id"])], False) == (damage["contents"], damage["repaired"])
    (event,) = await operator.events("dossier.pack.damaged")
    assert (event.case, event.details["content_count"]) == (operator.desk.case, "1")


async def test_scrub_notices_a_digest_that_is_not_that_of_the_bytes(operator: Operator, tmp_path: Path) -> None:
    await operator.desk.version(documents_of(tmp_path, SIZES))
    await operator.owner.execute("UPDATE blob SET sha256 = sha256(sha256) WHERE size_bytes = 30000")
    (damage,) = (await operator.scrub()).damages
    assert "digest" in damage.why


@pytest.mark.parametrize("damaged", ["primary", "copy"])
async def test_scrub_repairs_either_copy_from_the_other(operator: Operator, tmp_path: Path, damaged: str) -> None:
    await operator.desk.version(documents_of(tmp_path / "documents", SIZES))
    (pack,) = operator.pack_files()
    (tmp_path / "copy").mkdir()
    copy = DiskPacks(tmp_path / "copy")
    copy_pack(key_of(pack), operator.packs, copy)
    whole = pack.read_bytes()
    other = tmp_path / "copy" / pack.parent.name / pack.name
    flip(pack if damaged == "primary" else other, len(whole) // 2)
    report = await operator.scrub(MirroredPacks(operator.packs, copy))
    assert [True] == [damage.repaired for damage in report.damages]
    assert (whole, whole) == (pack.read_bytes(), other.read_bytes())
    assert len(await operator.events("dossier.pack.repaired")) == 1
    assert (await operator.scrub(MirroredPacks(operator.packs, copy))).damages == []


async def test_a_scrub_that_broke_off_goes_on_where_it_was(operator: Operator, tmp_path: Path) -> None:
    for number in range(3):
        await operator.desk.version(documents_of(tmp_path / str(number), [50_000], seed=number))

    class Broken(Exception):
        pass

    def break_off(done: int) -> None:
        raise Broken

    first = operator.scrubbing()
    with pytest.raises(Broken):
        await first.run(break_off)
    second = await operator.scrub()
    assert (1, 2) == (first.report.packs, second.packs)
    assert (await operator.scrub()).packs == 3


async def test_what_an_abandoned_draft_held_is_deleted_once_no_stream_can_read_it(
    operator: Operator, tmp_path: Path
) -> None:
    desk = operator.desk
    version = (await desk.version(documents_of(tmp_path / "kept", SIZES))).name
    expected = (await read(desk, version))[0]
    (kept,) = operator.pack_files()
    sent = await desk.send(documents_of(tmp_path / "given-up", [300_000, 20_000], seed=2))
    (given_up,) = set(operator.pack_files()) - {kept}
    await desk.dossiers.AbandonDraft(pb.AbandonDraftRequest(request_id=new_id(), dossier=sent.dossier))
    report = await operator.care()
    assert (report.removed_contents, report.retired_packs, report.deleted_packs) == (2, 1, 0)
    assert given_up.exists()
    report = await operator.care(keep=-1)
    assert (report.removed_contents, report.deleted_packs) == (0, 1)
    assert (given_up.exists(), kept.exists()) == (False, True)
    assert (await read(desk, version)) == (expected, None)
    assert await operator.kinds() == set()


async def sparse_version(operator: Operator, folder: Path) -> tuple[str, bytes]:
    """A version that needs less than half of its pack, and its bytes."""
    documents = documents_of(folder, [1_500_000, 400_000, 2_600_000, 0, 30_000])
    dossiers = operator.desk.dossiers
    dossier = (await operator.desk.send(documents)).dossier
    held = (await dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))).documents
    removed = [document.name for document in held if document.document_index in (0, 2)]
    await dossiers.RemoveDocuments(pb.RemoveDocumentsRequest(request_id=new_id(), dossier=dossier, documents=removed))
    finalize = pb.FinalizeDossierRequest(
        request_id=new_id(), dossier=dossier, document_count=3, page_count=3, size_bytes=430_000
    )
    version = (await dossiers.FinalizeDossier(finalize)).version.name
    return version, b"".join(documents[index].path.read_bytes() for index in (1, 3, 4))


async def test_a_pack_of_which_little_is_needed_is_written_anew_and_reads_the_same(
    operator: Operator, tmp_path: Path
) -> None:
    desk = operator.desk
    version, expected = await sparse_version(operator, tmp_path)
    (old,) = operator.pack_files()
    report = await operator.care()
    assert (report.removed_contents, report.rewritten_packs) == (2, 1)
    assert (await read(desk, version)) == (expected, None)
    assert await operator.kinds() == set()
    assert (await operator.scrub()).sound
    assert (await operator.care(keep=-1)).deleted_packs == 1
    (new,) = operator.pack_files()
    assert (old.exists(), new.stat().st_size < 500_000) == (False, True)
    assert (await read(desk, version)) == (expected, None)
    assert await operator.kinds() == set()
    assert (await operator.care(keep=-1)).rewritten_packs == 0


async def test_an_idle_draft_expires_and_one_that_is_written_to_does_not(operator: Operator, tmp_path: Path) -> None:
    desk = operator.desk
    version = (await desk.version(documents_of(tmp_path / "a", [1000]))).name
    idle = (await desk.send(documents_of(tmp_path / "b", [2000], seed=2))).dossier
    assert (await operator.care(expiry=3600)).expired_drafts == []
    draft = (await desk.reading.GetDossier(read_pb.GetDossierRequest(name=idle))).dossier
    # Its lease ended with the upload, and it may rest for 90 days from then on.
    left = draft.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90, seconds=30)
    report = await operator.care(expiry=-1)
    assert [idle] == report.expired_drafts
    (event,) = await operator.events("dossier.draft.expired")
    assert (idle, desk.case, "1") == (event.resource, event.case, event.details["document_count"])
    assert (await read(desk, version))[1] is None
    final = (await desk.reading.GetDossier(read_pb.GetDossierRequest(name=version.partition("/versions/")[0]))).dossier
    assert not final.HasField("expire_time")
    await desk.dossiers.SupplementDossier(
        pb.SupplementDossierRequest(request_id=new_id(), dossier=version.partition("/versions/")[0])
    )
    assert len((await operator.care(expiry=-1)).expired_drafts) == 1
    assert (await read(desk, version))[1] is None
    assert (await operator.fsck()).sound


async def test_a_content_that_is_taken_up_at_that_moment_is_not_removed(operator: Operator, tmp_path: Path) -> None:
    desk = operator.desk
    sent = await desk.send(documents_of(tmp_path, [40_000]))
    held = await operator.owner.fetchrow("SELECT * FROM document")
    assert held is not None
    await desk.dossiers.AbandonDraft(pb.AbandonDraftRequest(request_id=new_id(), dossier=sent.dossier))
    async with operator.owner.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO document (dossier_id, revision, document_index, document_id, volume, file_name, media_type, "
            "page_count, blob_id) VALUES ($1, 1, 0, $2, 'v', 'f', 'm', 1, $3)",
            held["dossier_id"], new_id(), held["blob_id"],
        )  # fmt: skip
        assert (await operator.care()).removed_contents == 0
    assert (await operator.care(keep=-1)).deleted_packs == 0
    assert (await operator.scrub()).contents == 1


async def test_a_rewriting_that_broke_off_leaves_everything_readable_and_is_done_next_time(
    operator: Operator, tmp_path: Path
) -> None:
    version, expected = await sparse_version(operator, tmp_path)

    class FullDisk(DiskPacks):
        def create(self, key: PackKey, header: bytes) -> PackSink:
            super().create(key, header).close()
            raise OSError(errno.ENOSPC, "no space left")

    whole, operator.packs = operator.packs, FullDisk(operator.desk.store)
    with pytest.raises(OSError, match="no space"):
        await operator.care()
    operator.packs = whole
    assert (await read(operator.desk, version)) == (expected, None)
    assert await operator.kinds() == set()
    report = await operator.care(keep=-1)
    assert (report.rewritten_packs, report.deleted_packs) == (1, 2)
    assert (await read(operator.desk, version)) == (expected, None)
    assert await operator.kinds() == set()


async def test_a_pack_left_open_for_a_day_is_closed_and_its_sleeping_writer_loses_its_lease(
    operator: Operator, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path, [40_000])
    sent = await operator.desk.send(documents)
    # What the stream does at its end, it does after its last notice.
    async with asyncio.timeout(20):
        while not await operator.owner.fetchval("SELECT bool_and(expires_at <= now()) FROM upload_lease"):
            await asyncio.sleep(0.02)
    await operator.owner.execute("UPDATE pack SET closed = false")
    assert (await operator.care()).closed_packs == 0
    await operator.owner.execute("UPDATE upload_lease SET expires_at = now() - interval '25 hours'")
    epoch = await operator.owner.fetchval("SELECT epoch FROM upload_lease")
    assert (await operator.care()).closed_packs == 1
    assert await operator.owner.fetchval("SELECT epoch FROM upload_lease") == epoch + 1
    assert (await operator.desk.send(documents, sent.dossier)).size_bytes == 40_000


async def test_nothing_is_taken_away_while_a_backup_runs(operator: Operator, tmp_path: Path) -> None:
    sent = await operator.desk.send(documents_of(tmp_path, [2000]))
    async with shared_lock(operator.desk.mesh.databases["dossier"].runtime_dsn, CARE_LOCK):
        report = await operator.care(expiry=-1)
        assert (report.alone, report.expired_drafts) == (False, [])
    assert [sent.dossier] == (await operator.care(expiry=-1)).expired_drafts


async def test_the_service_itself_can_neither_delete_a_pack_in_use_nor_change_a_key(
    operator: Operator, tmp_path: Path
) -> None:
    await operator.desk.version(documents_of(tmp_path, [2000]))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="written once"):
        await operator.database.execute("DELETE FROM pack")
    for statement in ("UPDATE case_key SET wrapped_key = NULL", "DELETE FROM case_key", "DELETE FROM dossier_version"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await operator.database.execute(statement)
