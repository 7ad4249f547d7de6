"""The work of recognition on a real PostgreSQL: shared among replicas, given up after three tries, behind transfers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casemesh.client.examining.ocr import tesseract
from casemesh.core.ids import new_id
from casemesh.data.dossier_catalogue import load
from casemesh.dossier.recognition import worker
from casemesh.dossier.recognition.classify import Classifier, Guess, Source
from casemesh.dossier.recognition.store import DueContent, RecognitionStore, Unnamed
from casemesh.dossier.recognition.worker import ExaminationLimits, Recognizing
from casemesh.errors import DataLoss
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.labelled_dossier import Labelled, can_draw, content
from tests.support.postgres import clone_database

CASE, AGENCY = f"cases/{new_id()}", f"agencies/{new_id()}"
LEASE = timedelta(seconds=60)


class Keys:
    """Stands for the dossier store, of which the worker asks cases' keys alone."""

    async def case_key(self, case: str) -> bytes:
        return bytes(32)


@dataclass
class Contents:
    """Stands for the packs: contents as files, and those that do not verify."""

    folder: Path
    damaged: set[uuid.UUID] = field(default_factory=set)

    def __call__(self, packs: object) -> Contents:
        return self

    def __enter__(self) -> Contents:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    @contextmanager
    def readable(self, due: DueContent, case_key: bytes) -> Iterator[Path]:
        if due.blob_id in self.damaged:
            raise DataLoss("CONTENT_CORRUPT", "m")
        yield self.folder / due.blob_id.hex

    def head(self, due: DueContent, case_key: bytes) -> bytes:
        return (self.folder / due.blob_id.hex).read_bytes()[:4096]


@dataclass
class Scene:
    database: Database
    contents: Contents
    store: RecognitionStore

    def worker(self, *, max_bytes: int = 1 << 20, ocr: bool = False) -> Recognizing:
        limits = ExaminationLimits(max_bytes, ocr)
        return Recognizing(RecognitionStore(self.database), Keys(), None, Classifier(load()), limits)  # type: ignore[arg-type]

    async def dossier(self, state: str = "final") -> str:
        dossier_id = new_id()
        await self.database.execute(
            "INSERT INTO dossier (dossier_id, case_name, agency, title, state, created_at) "
            "VALUES ($1, $2, $3, 't', $4, $5)",
            dossier_id, CASE, AGENCY, state, datetime.now(UTC),
        )  # fmt: skip
        return dossier_id

    async def add(self, dossier_id: str, *files: tuple[str, bytes]) -> list[uuid.UUID]:
        """Documents that have arrived whole; returns their contents' ids."""
        blobs = []
        for number, (name, data) in enumerate(files):
            blob_id = uuid.UUID(new_id())
            (self.contents.folder / blob_id.hex).write_bytes(data)
            await self.database.execute(
                "INSERT INTO blob (blob_id, case_name, size_bytes, received_bytes, chunks, sha256) "
                "VALUES ($1, $2, $3, $3, 1, $4)",
                blob_id, CASE, len(data), bytes(32),
            )  # fmt: skip
            await self.database.execute(
                "INSERT INTO document (dossier_id, document_index, document_id, volume, file_name, media_type, "
                "page_count, blob_id) VALUES ($1, $2, $3, '卷', $4, '', 1, $5)",
                dossier_id, number, new_id(), name, blob_id,
            )  # fmt: skip
            blobs.append(blob_id)
        return blobs

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        return list(await self.database.fetch(sql, *arguments))

    async def problems(self) -> dict[str, list[str]]:
        rows = await self.rows(
            "SELECT file_name, problems FROM document JOIN recognition USING (blob_id) WHERE examined_at IS NOT NULL"
        )
        return {row["file_name"]: row["problems"] for row in rows}


@pytest.fixture
async def scene(
    embedded_postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    contents = Contents(tmp_path)
    monkeypatch.setattr(worker, "ReadableContents", contents)
    async with clone_database(
        embedded_postgres, "dossier", lambda dsn: migrate(dsn, "dossier", "casemesh_dossier_runtime")
    ) as cloned:
        dsn_file = tmp_path / "dsn"
        dsn_file.write_text(cloned.runtime_dsn)
        database = Database.from_config(DatabaseConfig(dsn_file))
        await database.open()
        try:
            yield Scene(database, contents, RecognitionStore(database))
        finally:
            await database.close()


def paper(*lines: str, kind: str = "pdf") -> bytes:
    return content(Labelled("x", kind, 1, lines, ""))


async def until_idle(working: Recognizing) -> None:
    async with asyncio.timeout(60):
        while await working.step():
            pass


async def test_a_dossier_is_looked_through_until_it_is_settled_and_again_when_it_changes(scene: Scene) -> None:
    working = scene.worker()
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, ("拘留证.pdf", paper("拘留证")))
    await until_idle(working)
    await scene.database.execute("UPDATE recognition_due SET due_at = now()")
    await until_idle(working)
    assert [] == await scene.rows("SELECT FROM recognition_due")
    await scene.database.execute("UPDATE dossier SET state = 'draft'")
    assert 1 == len(await scene.rows("SELECT FROM recognition_due WHERE due_at <= now()"))
    await until_idle(working)
    await scene.database.execute("UPDATE recognition_due SET due_at = now()")
    await until_idle(working)
    assert 1 == len(await scene.rows("SELECT FROM recognition_due"))


async def test_only_a_dossier_that_changed_since_it_was_settled_is_looked_through_again(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, ("换押证.pdf", b"x"))
    working = scene.worker()
    await working.name_if_due(dossier_id)
    assert 1 == len(await scene.rows("SELECT FROM classification"))
    await scene.database.execute("UPDATE recognition_due SET due_at = now()")
    await until_idle(working)
    await scene.database.execute("DELETE FROM document")
    await scene.add(dossier_id, ("起诉书.pdf", b"x"))
    await working.name_if_due(dossier_id)
    assert [] == await scene.rows("SELECT FROM classification")
    await scene.database.execute("UPDATE dossier SET revision = revision + 1")
    await working.name_if_due(dossier_id)
    assert 1 == len(await scene.rows("SELECT FROM classification"))


async def test_replicas_never_have_the_same_content_in_hand(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    blobs = await scene.add(dossier_id, *((f"{number}.txt", b"x") for number in range(40)))
    await scene.worker().name_documents(dossier_id)
    taken = await asyncio.gather(*(RecognitionStore(scene.database).take_contents(7, LEASE) for _ in range(6)))
    ids = [content.blob_id for batch in taken for content in batch]
    assert sorted(blobs) == sorted(ids)
    assert [] == await scene.store.take_contents(7, LEASE)


async def test_names_given_by_two_replicas_at_once_are_given_once(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, *((f"拘留证{number}.pdf", b"x") for number in range(50)))
    await asyncio.gather(*(scene.worker().name_documents(dossier_id) for _ in range(4)))
    rows = await scene.rows("SELECT type_code FROM classification")
    assert ["A029"] * 50 == [row["type_code"] for row in rows]


async def test_what_was_begun_before_is_taken_alone(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, *((f"{number}.txt", b"x") for number in range(3)))
    await scene.worker().name_documents(dossier_id)
    assert 3 == len(await scene.store.take_contents(7, timedelta()))
    assert [1, 1, 1] == [len(await scene.store.take_contents(7, LEASE)) for _ in range(3)]


async def test_contents_of_no_document_wait_and_hold_up_nothing(scene: Scene) -> None:
    given_up, kept = await scene.dossier(), await scene.dossier()
    gone = await scene.add(given_up, *((f"{number}.txt", b"x") for number in range(5)))
    (wanted,) = await scene.add(kept, ("a.txt", b"x"))
    for dossier_id in (given_up, kept):
        await scene.worker().name_documents(dossier_id)
    await scene.database.execute("DELETE FROM document WHERE dossier_id = $1", given_up)
    assert [wanted] == [content.blob_id for content in await scene.store.take_contents(2, LEASE)]
    assert [] == await scene.store.take_contents(7, LEASE)
    await scene.database.execute("UPDATE document SET blob_id = $1", gone[0])
    await scene.database.execute("UPDATE recognition SET due_at = now() WHERE attempts = 0")
    assert [(gone[0], 1)] == [
        (content.blob_id, content.attempts) for content in await scene.store.take_contents(7, LEASE)
    ]


async def test_contents_are_taken_in_the_order_in_which_they_lie(scene: Scene) -> None:
    dossier_id, pack_id = await scene.dossier(), uuid.UUID(new_id())
    blobs = await scene.add(dossier_id, *((f"{number}.txt", b"x") for number in range(6)))
    await scene.database.execute(
        "INSERT INTO pack (pack_id, case_name, dossier_id, epoch, end_bytes, records) VALUES ($1, $2, $3, 1, 9, 9)",
        pack_id, CASE, dossier_id,
    )  # fmt: skip
    places = {blob_id: 4096 * place for blob_id, place in zip(blobs, (3, 5, 1, 4, 2, 6), strict=True)}
    for blob_id, position in places.items():
        await scene.database.execute(
            "INSERT INTO extent (blob_id, chunk_index, pack_id, position_bytes, stored_bytes, record_number, "
            "offset_bytes, length_bytes) VALUES ($1, 0, $2, $3, 65, 1, 0, 1)",
            blob_id, pack_id, position,
        )  # fmt: skip
    await scene.worker().name_documents(dossier_id)
    taken = [content.blob_id for content in await scene.store.take_contents(6, LEASE)]
    assert sorted(blobs, key=places.__getitem__) == taken


async def test_what_is_given_back_was_never_begun(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, ("a.txt", b"x"), ("b.txt", b"x"))
    await scene.worker().name_documents(dossier_id)
    await scene.store.give_back(await scene.store.take_contents(7, LEASE))
    assert [1, 1] == [content.attempts for content in await scene.store.take_contents(7, LEASE)]


async def test_a_content_that_ends_its_reader_three_times_is_unreadable_and_stops_nothing_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_RETRY", timedelta())
    dossier_id = await scene.dossier()
    hostile, _ = await scene.add(dossier_id, ("讯问笔录.pdf", b"x"), ("good.pdf", paper("换押证")))
    # What cannot be opened gives no answer, as what ends its reader does.
    (scene.contents.folder / hostile.hex).unlink()
    await until_idle(scene.worker())
    assert {"讯问笔录.pdf": ["UNREADABLE"], "good.pdf": []} == await scene.problems()
    [row] = await scene.rows("SELECT attempts FROM recognition WHERE blob_id = $1", hostile)
    assert worker.MAX_ATTEMPTS == row["attempts"]
    types = await scene.rows("SELECT file_name, type_code FROM document JOIN classification USING (document_id)")
    assert {("讯问笔录.pdf", "B001"), ("good.pdf", "I001")} == {(row["file_name"], row["type_code"]) for row in types}


async def test_damage_of_the_store_is_no_fault_of_the_document(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_DAMAGED_RETRY", timedelta())
    dossier_id = await scene.dossier()
    [blob_id] = await scene.add(dossier_id, ("拘留证.pdf", paper("拘留证")))
    scene.contents.damaged.add(blob_id)
    working = scene.worker()
    for _ in range(5):
        assert await working.step()
    assert {} == await scene.problems()
    scene.contents.damaged.clear()
    await until_idle(working)
    assert {"拘留证.pdf": []} == await scene.problems()


async def test_of_a_large_content_the_format_alone_is_found(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, ("拘留证.pdf", paper("逮捕证") + bytes(5000)))
    await until_idle(scene.worker(max_bytes=5000))
    [row] = await scene.rows("SELECT format, page_count, problems FROM recognition")
    assert ("pdf", 0, ["TOO_LARGE_TO_EXAMINE"]) == tuple(row)
    [row] = await scene.rows("SELECT type_code FROM classification")
    assert "A029" == row["type_code"]


async def test_while_someone_uploads_little_is_examined_at_a_time(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, *((f"{number}.txt", b"x") for number in range(20)))
    await scene.database.execute(
        "INSERT INTO upload_lease (dossier_id, upload_id, epoch, expires_at) VALUES ($1, $2, 1, now() + interval '1h')",
        dossier_id, new_id(),
    )  # fmt: skip
    working = scene.worker()
    await working.step()
    assert worker._CONTENTS_BESIDE == len(await scene.problems())
    await scene.database.execute("UPDATE upload_lease SET expires_at = now()")
    await until_idle(working)
    assert 20 == len(await scene.problems())


async def test_a_document_that_went_meanwhile_leaves_nothing_behind(scene: Scene) -> None:
    dossier_id = await scene.dossier()
    [blob_id] = await scene.add(dossier_id, ("拘留证.pdf", paper("拘留证")))
    [document] = await scene.store.unnamed(dossier_id, 10)
    await scene.database.execute("DELETE FROM document")
    await scene.database.execute("DELETE FROM blob")
    guess = Guess("A029", 0.9, Source.NAME, "r")
    await scene.store.name([(document, guess)])
    await scene.store.name([(Unnamed(uuid.uuid4(), "x", blob_id, AGENCY, "", None), guess)])
    assert [] == await scene.rows("SELECT FROM classification")
    assert [] == await scene.rows("SELECT FROM recognition")


async def test_pictures_are_read_where_the_name_says_nothing(scene: Scene) -> None:
    if tesseract() is None or not can_draw():
        pytest.skip(
            "no tesseract with chi_sim, or no font to draw with: apt install tesseract-ocr-chi-sim fonts-noto-cjk"
        )
    dossier_id = await scene.dossier()
    drawn = paper("送达回证", "受送达人", kind="png")
    await scene.add(dossier_id, ("IMG_0004.png", drawn), ("拘留证.png", drawn))
    await until_idle(scene.worker(ocr=True))
    rows = await scene.rows("SELECT file_name, type_code, source FROM document JOIN classification USING (document_id)")
    assert {("IMG_0004.png", "R004", "ocr"), ("拘留证.png", "A029", "name")} == {tuple(row) for row in rows}


async def test_pictures_are_not_read_unless_the_site_wants_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(worker.Examiner, "read_picture", lambda examiner, path: read.append(path))
    await scene.add(await scene.dossier(), ("IMG_0004.png", paper(kind="png")))
    await until_idle(scene.worker(ocr=False))
    assert ({"IMG_0004.png": []}, []) == (await scene.problems(), read)


async def test_work_that_fails_is_taken_up_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_IDLE_SECONDS", 0.01)
    dossier_id = await scene.dossier()
    await scene.add(dossier_id, ("拘留证.pdf", paper("拘留证")))
    working = scene.worker()
    failures = iter([RuntimeError("once")])
    whole = working._store.take_dossiers

    async def failing(limit: int) -> Any:
        for failure in failures:
            raise failure
        return await whole(limit)

    monkeypatch.setattr(working._store, "take_dossiers", failing)
    running = asyncio.create_task(working.run())
    async with asyncio.timeout(30):
        while not await scene.problems():
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
