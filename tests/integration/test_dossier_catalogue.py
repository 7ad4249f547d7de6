"""The table of contents of real dossiers: types by name at once, by what the bytes say soon, by officers for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemesh.audit.v1 import event_pb2
from casemesh.client.dossier_upload import LocalDocument
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb
from casemesh.dossier.v1 import dossier_service_pb2
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.errors import InvalidArgument, NotFound
from tests.support.dossiers import DossierDesk
from tests.support.labelled_dossier import Labelled, content, labelled

VOLUME = "诉讼文书卷"


def documents(folder: Path, *those: Labelled, pages: int | None = None) -> list[LocalDocument]:
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, document in enumerate(those):
        path = folder / f"{number}.bin"
        path.write_bytes(content(document))
        found.append(LocalDocument(path, VOLUME, document.file_name, "", pages or document.pages))
    return found


def paper(file_name: str, *lines: str, kind: str = "pdf", pages: int = 1) -> Labelled:
    return Labelled(file_name, kind, pages, lines, "")


def catalogue(desk: DossierDesk, metadata: Any = None) -> Any:
    return desk.as_caller(DossierCatalogueServiceStub, metadata)


async def listed(desk: DossierDesk, parent: str, page_size: int = 0) -> list[pb.CatalogueEntry]:
    entries: list[pb.CatalogueEntry] = []
    request = pb.ListCatalogueEntriesRequest(parent=parent, page_size=page_size)
    while True:
        answer = await catalogue(desk).ListCatalogueEntries(request)
        entries += answer.entries
        if not answer.next_page_token:
            return entries
        request.page_token = answer.next_page_token


async def examined(desk: DossierDesk, parent: str) -> dict[str, pb.CatalogueEntry]:
    """The entries by file name, once the bytes of all were looked at."""
    async with asyncio.timeout(60):
        while True:
            entries = await listed(desk, parent)
            if entries and all(entry.examined for entry in entries):
                return {entry.file_name: entry for entry in entries}
            await asyncio.sleep(0.1)


async def in_database(desk: DossierDesk, sql: str, *arguments: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(desk.mesh.databases["dossier"].owner_dsn)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
    finally:
        await connection.close()
    return rows


async def events(desk: DossierDesk, action: str) -> list[event_pb2.Event]:
    rows = await in_database(desk, "SELECT event FROM outbox ORDER BY id")
    found = [event_pb2.Event.FromString(row["event"]) for row in rows]
    return [event for event in found if event.action == action]


async def test_types_by_name_are_there_at_once_and_by_text_soon(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    sent = await dossier_desk.send(
        documents(
            tmp_path,
            paper("拘留证-林小舟.pdf", "北湖市公安局", "拘 留 证"),
            paper("扫描件0007.pdf", "北湖市人民检察院", "不批准逮捕决定书", pages=2),
            paper("起诉书(终稿).ofd", "北湖市公安局", "起诉意见书", kind="ofd", pages=3),
            paper("值班表.xlsx", kind="unknown"),
        )
    )
    at_once = {entry.file_name: entry for entry in await listed(dossier_desk, sent.dossier)}
    assert ("A029", "拘留证", "A", pb.RECOGNITION_SOURCE_NAME) == (
        at_once["拘留证-林小舟.pdf"].type_code, at_once["拘留证-林小舟.pdf"].type_name,
        at_once["拘留证-林小舟.pdf"].catalogue_volume, at_once["拘留证-林小舟.pdf"].source,
    )  # fmt: skip

    soon = await examined(dossier_desk, sent.dossier)
    assert {
        "拘留证-林小舟.pdf": ("A029", pb.RECOGNITION_SOURCE_TEXT, "pdf", 1),
        "扫描件0007.pdf": ("E004", pb.RECOGNITION_SOURCE_TEXT, "pdf", 2),
        "起诉书(终稿).ofd": ("A064", pb.RECOGNITION_SOURCE_TEXT, "ofd", 3),
        "值班表.xlsx": ("", pb.RECOGNITION_SOURCE_UNSPECIFIED, "unrecognised", 0),
    } == {name: (entry.type_code, entry.source, entry.format, entry.found_page_count) for name, entry in soon.items()}
    assert "起诉书" in soon["起诉书(终稿).ofd"].reason


async def test_pages_run_through_each_volume_and_a_wrong_statement_is_told(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    first = documents(tmp_path / "a", paper("立案决定书.pdf", "立案决定书", pages=2), paper("拘留证.pdf", pages=1))
    first[0] = LocalDocument(first[0].path, VOLUME, first[0].file_name, "", 5)
    second = [
        LocalDocument(item.path, "证据卷一", item.file_name, "", item.page_count)
        for item in documents(tmp_path / "b", paper("讯问笔录.pdf", pages=4), paper("扣押清单.pdf", pages=3))
    ]
    sent = await dossier_desk.send([first[0], second[0], first[1], second[1]])
    await examined(dossier_desk, sent.dossier)
    entries = await listed(dossier_desk, sent.dossier, page_size=1)
    assert [
        (VOLUME, "立案决定书.pdf", 1, 5, ["PAGE_COUNT_DIFFERS"]),
        (VOLUME, "拘留证.pdf", 6, 6, []),
        ("证据卷一", "讯问笔录.pdf", 1, 4, []),
        ("证据卷一", "扣押清单.pdf", 5, 7, []),
    ] == [(entry.volume, entry.file_name, entry.first_page, entry.last_page, list(entry.problems)) for entry in entries]


async def test_hostile_files_are_marked_and_kept_and_stop_nobody(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    contents = {
        "empty.pdf": b"",
        "torn.pdf": b"%PDF-1.7\n" + bytes(range(256)) * 8,
        "torn.ofd": content(paper("x", "拘留证", kind="ofd"))[:-30],
        "good.pdf": content(paper("x", "逮捕证")),
    }
    local = []
    for name, data in contents.items():
        (folder / name).write_bytes(data)
        local.append(LocalDocument(folder / name, VOLUME, name, "", 1))
    sent = await dossier_desk.send(local)
    found = await examined(dossier_desk, sent.dossier)
    assert {
        "empty.pdf": ["EMPTY"], "torn.pdf": ["UNREADABLE"], "torn.ofd": [], "good.pdf": [],
    } == {name: list(entry.problems) for name, entry in found.items()}  # fmt: skip
    assert ("unrecognised", "A033") == (found["torn.ofd"].format, found["good.pdf"].type_code)


async def test_an_officers_word_wins_is_an_event_and_follows_into_the_next_revision(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await dossier_desk.version(documents(tmp_path, paper("00000023.pdf", "北湖市公安局", "拘留证")))
    dossier = version.name.partition("/versions/")[0]
    entry = (await examined(dossier_desk, version.name))["00000023.pdf"]
    request = pb.CorrectDocumentRequest(
        request_id=new_id(), document=entry.document, type_code="A030", only_this=True
    )  # fmt: skip
    first = await catalogue(dossier_desk).CorrectDocument(request)
    assert first == await catalogue(dossier_desk).CorrectDocument(request)
    assert ("A030", 1.0, pb.RECOGNITION_SOURCE_OFFICER, False) == (
        first.entry.type_code, first.entry.confidence, first.entry.source, first.HasField("rule"),
    )  # fmt: skip
    [event] = await events(dossier_desk, "dossier.document.corrected")
    assert (entry.document, "A029", "A030", dossier_desk.case) == (
        event.resource, event.details["from_type"], event.details["to_type"], event.case,
    )  # fmt: skip
    assert dossier_desk.police.officers["lin"] == event.actor.officer

    # Nothing that is looked at again changes it.
    await in_database(dossier_desk, "UPDATE recognition SET examined_at = NULL, due_at = now(), attempts = 0")
    assert "A030" == (await examined(dossier_desk, dossier))["00000023.pdf"].type_code

    await dossier_desk.dossiers.SupplementDossier(
        dossier_service_pb2.SupplementDossierRequest(request_id=new_id(), dossier=dossier)
    )
    [copied] = await listed(dossier_desk, dossier)
    assert copied.document != entry.document
    assert ("A030", pb.RECOGNITION_SOURCE_OFFICER) == (copied.type_code, copied.source)


async def test_a_correction_is_learnt_for_the_agency_and_can_be_forgotten(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    stub = catalogue(dossier_desk)
    sent = await dossier_desk.send(documents(tmp_path / "1", paper("001_涉案人员审查表-林小舟.pdf")))
    [entry] = await listed(dossier_desk, sent.dossier)
    assert "" == entry.type_code
    answer = await stub.CorrectDocument(
        pb.CorrectDocumentRequest(request_id=new_id(), document=entry.document, type_code="B022")
    )
    assert "涉案人员审查表" == answer.rule.title
    [rule] = (await stub.ListRecognitionRules(pb.ListRecognitionRulesRequest())).rules
    assert answer.rule == rule

    taught = await dossier_desk.send(documents(tmp_path / "2", paper("17 涉案人员审查表(何青山).pdf")))
    [entry] = await listed(dossier_desk, taught.dossier)
    assert ("B022", pb.RECOGNITION_SOURCE_RULE) == (entry.type_code, entry.source)

    forget = pb.ForgetRecognitionRuleRequest(request_id=new_id(), rule_id=rule.rule_id)
    assert rule.rule_id == (await stub.ForgetRecognitionRule(forget)).rule_id
    assert rule.rule_id == (await stub.ForgetRecognitionRule(forget)).rule_id
    assert 1 == len(await events(dossier_desk, "dossier.recognition_rule.forgotten"))
    assert [] == list((await stub.ListRecognitionRules(pb.ListRecognitionRulesRequest())).rules)
    later = await dossier_desk.send(documents(tmp_path / "3", paper("18 涉案人员审查表(郑大海).pdf")))
    assert [""] == [entry.type_code for entry in await listed(dossier_desk, later.dossier)]


async def test_rules_are_listed_newest_first_in_pages_and_a_types_own_name_is_not_learnt(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    stub = catalogue(dossier_desk)
    names = ("甲类登记簿", "乙类登记簿", "丙类登记簿", "拘留证")
    sent = await dossier_desk.send(documents(tmp_path, *(paper(f"{name}.pdf", pages=1) for name in names)))
    learnt = []
    for entry in await listed(dossier_desk, sent.dossier):
        request = pb.CorrectDocumentRequest(request_id=new_id(), document=entry.document, type_code="")
        learnt.append((await stub.CorrectDocument(request)).HasField("rule"))
    assert [True, True, True, False] == learnt
    titles, token = [], ""
    while True:
        page = await stub.ListRecognitionRules(pb.ListRecognitionRulesRequest(page_size=2, page_token=token))
        titles += [rule.title for rule in page.rules]
        token = page.next_page_token
        if not token:
            break
    assert ["丙类登记簿", "乙类登记簿", "甲类登记簿"] == titles


async def test_what_is_not_ones_own_cannot_be_corrected_and_what_is_not_readable_is_not_there(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await dossier_desk.version(documents(tmp_path, paper("拘留证.pdf")))
    [entry] = await listed(dossier_desk, version.name)
    chen = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    theirs = catalogue(dossier_desk, chen)
    request = pb.ListCatalogueEntriesRequest(parent=version.name)
    with pytest.raises(NotFound):
        await theirs.ListCatalogueEntries(request)
    await dossier_desk.grant(version.name)
    assert [entry.document] == [each.document for each in (await theirs.ListCatalogueEntries(request)).entries]
    correction = pb.CorrectDocumentRequest(request_id=new_id(), document=entry.document, type_code="A030")
    with pytest.raises(NotFound):
        await theirs.CorrectDocument(correction)
    correction.type_code = "Z999"
    with pytest.raises(InvalidArgument) as caught:
        await catalogue(dossier_desk).CorrectDocument(correction)
    assert "FIELD_INVALID" == caught.value.reason
    with pytest.raises(NotFound):
        await theirs.ForgetRecognitionRule(pb.ForgetRecognitionRuleRequest(request_id=new_id(), rule_id=new_id()))


@pytest.mark.parametrize(
    "ask",
    [
        lambda stub: stub.ListCatalogueEntries(
            pb.ListCatalogueEntriesRequest(parent=f"dossiers/{new_id()}", page_token="x")
        ),
        lambda stub: stub.ListRecognitionRules(pb.ListRecognitionRulesRequest(page_token="x")),
    ],
)
async def test_a_page_token_of_nobodys_is_refused(
    dossier_desk: DossierDesk, ask: Callable[[Any], Any], tmp_path: Path
) -> None:
    await dossier_desk.draft()
    with pytest.raises((InvalidArgument, NotFound)):
        await ask(catalogue(dossier_desk))


async def test_a_content_that_ends_the_process_three_times_is_given_up(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    sent = await dossier_desk.send(documents(tmp_path, paper("讯问笔录.pdf", "讯问笔录"), paper("x.pdf", "换押证")))
    await examined(dossier_desk, sent.dossier)
    # As after two deaths of a worker that had both in hand, before it could say anything.
    await in_database(
        dossier_desk, "UPDATE recognition SET examined_at = NULL, attempts = 2, due_at = now(), problems = '{}'"
    )
    found = await examined(dossier_desk, sent.dossier)
    assert [[], []] == [list(entry.problems) for entry in found.values()]
    await in_database(
        dossier_desk, "UPDATE recognition SET examined_at = NULL, attempts = 3, due_at = now(), problems = '{}'"
    )
    found = await examined(dossier_desk, sent.dossier)
    assert [["UNREADABLE"], ["UNREADABLE"]] == [list(entry.problems) for entry in found.values()]


async def test_the_labelled_dossier_is_right_in_95_of_100(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    expected = {document.file_name: document.expected for document in labelled()}
    sent = await dossier_desk.send(documents(tmp_path, *labelled()))
    found = await examined(dossier_desk, sent.dossier)
    wrong = {name: entry.type_code for name, entry in found.items() if entry.type_code != expected[name]}
    assert 200 <= len(expected) == len(found)
    assert len(wrong) <= 0.05 * len(expected), wrong
