"""What is carried without a counterpart: held or passed, queued, decided, drafted, activated, and told to who waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from google.type.date_pb2 import Date

from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition, InvalidArgument, NotFound
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2
from tests.support.mesh import MeshOf
from tests.support.translation import TIMEOUT, TranslationDesk, map_request, record_request

EXCHANGE = "exchanges/01900000-0000-7000-8000-000000000001"


@pytest.fixture
async def desk(mesh_of: MeshOf) -> AsyncIterator[TranslationDesk]:
    async with mesh_of("translation") as mesh:
        desk = TranslationDesk(mesh)
        await desk.load_shapes()
        yield desk


def decision(
    entry: translation_pb2.UnmappedCode, target: str, equivalence: str
) -> admin_pb2.ResolveUnmappedCodeRequest:
    return admin_pb2.ResolveUnmappedCodeRequest(
        request_id=new_id(),
        name=entry.name,
        target_code=target,
        equivalence=f"EQUIVALENCE_{equivalence}",
        note="decided in a test",
    )


async def activate_decisions(desk: TranslationDesk, version: str, **days: Date) -> Any:
    await desk.admin.DraftResolvedMap(
        admin_pb2.DraftResolvedMapRequest(
            request_id=new_id(),
            concept_map="shapes-to-forms",
            version=version,
            source_code_system="shapes",
            target_code_system="forms",
        ),
        timeout=TIMEOUT,
    )
    return await desk.admin.ActivateConceptMap(
        admin_pb2.ActivateConceptMapRequest(
            request_id=new_id(), concept_map="shapes-to-forms", version=version, **days
        ),
        timeout=TIMEOUT,
    )


async def resolved_after(desk: TranslationDesk, revision: int) -> list[translation_pb2.UnmappedCode]:
    request = admin_pb2.ListResolvedCodesRequest(after_revision=revision, page_size=1)
    found: list[translation_pb2.UnmappedCode] = []
    while True:
        page = await desk.admin.ListResolvedCodes(request, timeout=TIMEOUT)
        found += page.unmapped_codes
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def somebody_waits(desk: TranslationDesk) -> bool:
    connection = await asyncpg.connect(desk.mesh.databases["translation"].owner_dsn)
    try:
        locks = "SELECT FROM pg_locks WHERE relation = 'catalogue_revision'::regclass AND mode = 'RowShareLock'"
        return bool(await connection.fetchval(f"SELECT EXISTS ({locks})"))
    finally:
        await connection.close()


async def test_a_record_goes_on_or_waits_as_its_schema_says_and_the_original_stays(desk: TranslationDesk) -> None:
    held = await desk.carry({"shape": "A1", "edge": "A4"}, "HOLD", EXCHANGE)
    passed = await desk.carry({"shape": "A1", "edge": "A4"}, "PASS", EXCHANGE)

    assert [held.held, passed.held] == [True, False]
    assert [each.action for each in held.translations] == [
        read_pb2.RECORD_ACTION_TRANSLATED,
        read_pb2.RECORD_ACTION_HELD,
    ]
    assert [each.action for each in passed.translations] == [
        read_pb2.RECORD_ACTION_TRANSLATED,
        read_pb2.RECORD_ACTION_PASSED,
    ]
    waiting = held.translations[1].translation
    assert (waiting.original.code, len(waiting.targets)) == ("A4", 0)
    assert waiting.outcome == translation_pb2.TRANSLATION_OUTCOME_UNMAPPED
    assert held.translations[0].translation.concept_map_version == "1"


async def test_a_record_is_refused_whose_resource_is_no_resource_name(desk: TranslationDesk) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await desk.carry({"shape": "A4"}, "HOLD", "exchanges/某甲案")
    assert [violation.field for violation in refused.value.violations] == ["resource"]


async def test_an_unmapped_code_is_queued_once_before_its_answer_and_counted(desk: TranslationDesk) -> None:
    await desk.carry({"shape": "A4", "edge": "A4"}, "HOLD", EXCHANGE)
    (entry,) = await desk.queue()
    await desk.carry({"shape": "A4", "typed by mistake": "no such code"}, "PASS")

    async def counted() -> translation_pb2.UnmappedCode:
        async with asyncio.timeout(TIMEOUT):
            while True:
                (found,) = await desk.queue()
                if found.seen_count > 2:
                    return found
                await asyncio.sleep(0.05)

    later = await counted()
    assert (entry.value.code, entry.value.display, entry.seen_count) == ("A4", "弧", 2)
    assert (entry.example, entry.target_code_system) == (EXCHANGE, "forms")
    assert (later.name, later.seen_count, later.example) == (entry.name, 3, EXCHANGE)
    assert later.last_seen_time.ToDatetime() >= later.first_seen_time.ToDatetime()


async def test_a_decision_counts_from_activation_and_lets_what_was_held_go_on(desk: TranslationDesk) -> None:
    held = await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)
    (entry,) = await desk.queue()
    request = decision(entry, "B3", "NARROWER")
    decided = await desk.admin.ResolveUnmappedCode(request, timeout=TIMEOUT)
    assert decided == await desk.admin.ResolveUnmappedCode(request, timeout=TIMEOUT)
    assert (await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)).held
    before = await resolved_after(desk, held.catalogue_revision)

    activated = await activate_decisions(desk, "2")
    (resolved,) = await resolved_after(desk, held.catalogue_revision)
    again = await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)

    assert decided.unmapped_code.state == translation_pb2.UNMAPPED_CODE_STATE_DECIDED
    assert before == []
    assert (activated.resolved_count, activated.concept_map.pair_count) == (1, 4)
    assert (resolved.name, resolved.concept_map_version) == (entry.name, "2")
    assert resolved.resolved_revision == activated.catalogue_revision
    assert not again.held
    assert again.translations[0].translation.targets[0].value.code == "B3"
    assert await resolved_after(desk, resolved.resolved_revision) == []
    assert await desk.targets("A1") == ["B1"]


async def test_a_code_decided_to_have_no_counterpart_passes_and_is_never_other(desk: TranslationDesk) -> None:
    await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)
    (entry,) = await desk.queue()
    await desk.admin.ResolveUnmappedCode(decision(entry, "", "NONE"), timeout=TIMEOUT)
    await activate_decisions(desk, "2")
    found = (await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)).translations[0]

    assert found.action == read_pb2.RECORD_ACTION_PASSED
    assert found.translation.no_counterpart
    assert len(found.translation.targets) == 0
    assert await desk.queue() == []


async def test_a_code_that_is_unmapped_again_is_open_again(desk: TranslationDesk) -> None:
    await desk.carry({"edge": "A4"})
    (entry,) = await desk.queue()
    await desk.admin.ResolveUnmappedCode(decision(entry, "B3", "EXACT"), timeout=TIMEOUT)
    activated = await activate_decisions(desk, "2")
    await desk.admin.RetireConceptMap(
        admin_pb2.RetireConceptMapRequest(request_id=new_id(), concept_map="shapes-to-forms", version="2"),
        timeout=TIMEOUT,
    )
    await desk.carry({"edge": "A4"})
    (reopened,) = await desk.queue()

    assert (reopened.name, reopened.decided_code) == (entry.name, "")
    assert await resolved_after(desk, activated.catalogue_revision - 1) == []


async def test_a_resolution_says_from_which_day_it_holds(desk: TranslationDesk) -> None:
    held = await desk.carry({"edge": "A4"})
    (entry,) = await desk.queue()
    await desk.admin.ResolveUnmappedCode(decision(entry, "B3", "EXACT"), timeout=TIMEOUT)
    first_day = Date(year=2099, month=1, day=1)
    await activate_decisions(desk, "2", effective_from=first_day)
    (resolved,) = await resolved_after(desk, held.catalogue_revision)

    assert first_day == resolved.effective_from
    # Until that day it is carried unmapped, and who waits for it still hears of it.
    assert (await desk.carry({"edge": "A4"})).held
    assert await desk.queue() == []
    assert [entry.name] == [each.name for each in await resolved_after(desk, held.catalogue_revision)]


async def test_an_imported_map_resolves_what_it_maps_as_an_activated_one_does(desk: TranslationDesk) -> None:
    held = await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)
    await desk.admin.ImportConceptMap(map_request("from_code,to_code\nA4,B3\n", "2"), timeout=TIMEOUT)
    (resolved,) = await resolved_after(desk, held.catalogue_revision)

    assert (resolved.value.code, resolved.concept_map_version) == ("A4", "2")
    assert await desk.queue() == []


async def test_what_was_counted_before_a_resolution_does_not_open_it_again(desk: TranslationDesk) -> None:
    await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)
    late = await desk.carry({"edge": "A4"}, "HOLD", EXCHANGE)
    await desk.admin.ImportConceptMap(map_request("from_code,to_code\nA4,B3\n", "2"), timeout=TIMEOUT)

    async with asyncio.timeout(TIMEOUT):
        while [each.seen_count for each in await desk.queue("RESOLVED")] != [2]:
            assert await desk.queue() == []
            await asyncio.sleep(0.05)
    assert len(await resolved_after(desk, late.catalogue_revision)) == 1


async def test_a_code_answered_while_a_map_is_put_in_force_is_either_mapped_or_told_of(desk: TranslationDesk) -> None:
    owner = await asyncpg.connect(desk.mesh.databases["translation"].owner_dsn)
    try:
        async with owner.transaction():
            # As an activation does, so that the answer below is made before it and queued after it.
            await owner.execute("UPDATE catalogue_revision SET revision = revision + 1")
            carrying = asyncio.create_task(desk.carry({"edge": "A4"}, "HOLD", EXCHANGE))
            async with asyncio.timeout(TIMEOUT):
                while not await somebody_waits(desk):
                    await asyncio.sleep(0.05)
            revision = await owner.fetchval("SELECT revision FROM catalogue_revision")
        answer = await carrying
    finally:
        await owner.close()

    assert answer.catalogue_revision == revision


async def test_decisions_that_cannot_be_are_refused(desk: TranslationDesk) -> None:
    await desk.carry({"edge": "A4"})
    (entry,) = await desk.queue()
    with pytest.raises(InvalidArgument):
        await desk.admin.ResolveUnmappedCode(decision(entry, "B3", "NONE"), timeout=TIMEOUT)
    with pytest.raises(InvalidArgument):
        await desk.admin.ResolveUnmappedCode(decision(entry, "", "EXACT"), timeout=TIMEOUT)
    with pytest.raises(NotFound) as unknown:
        await desk.admin.ResolveUnmappedCode(decision(entry, "B9", "EXACT"), timeout=TIMEOUT)
    entry.name = f"unmappedCodes/{new_id()}"
    with pytest.raises(NotFound) as absent:
        await desk.admin.ResolveUnmappedCode(decision(entry, "B3", "EXACT"), timeout=TIMEOUT)
    with pytest.raises(FailedPrecondition) as nothing:
        await activate_decisions(desk, "2")

    assert unknown.value.metadata == {"code_system": "forms", "code": "B9"}
    assert absent.value.reason == "NOT_FOUND"
    assert nothing.value.reason == "CODE_VERSION_STATE_WRONG"


async def test_the_queue_is_paged_by_how_often_codes_were_seen(desk: TranslationDesk) -> None:
    await desk.admin.ImportConceptMap(map_request("from_code,to_code\nA1,B1\n", "2"), timeout=TIMEOUT)
    await desk.carry({"a": "A2", "b": "A3", "c": "A3", "d": "A4", "e": "A4", "f": "A4"})
    request = admin_pb2.ListUnmappedCodesRequest(page_size=2)
    first = await desk.admin.ListUnmappedCodes(request, timeout=TIMEOUT)
    request.page_token = first.next_page_token
    second = await desk.admin.ListUnmappedCodes(request, timeout=TIMEOUT)

    assert [each.value.code for each in first.unmapped_codes] == ["A4", "A3"]
    assert [each.value.code for each in second.unmapped_codes] == ["A2"]
    assert second.next_page_token == ""
    request.page_token = "e30"
    with pytest.raises(InvalidArgument):
        await desk.admin.ListUnmappedCodes(request, timeout=TIMEOUT)


async def test_what_a_person_typed_is_in_no_table_of_the_service(desk: TranslationDesk) -> None:
    request = record_request({"edge": "A4", "typed": "某甲 13800000000"}, "PASS", EXCHANGE)
    request.record.add(field="place", text="某乙家中")
    await desk.reading.TranslateRecord(request, timeout=TIMEOUT)
    connection = await asyncpg.connect(desk.mesh.databases["translation"].owner_dsn)
    try:
        async with asyncio.timeout(TIMEOUT):
            while not await connection.fetchval("SELECT count(*) FROM code_traffic"):
                await asyncio.sleep(0.05)
        kept = await connection.fetch("SELECT code FROM unmapped_code UNION SELECT code FROM code_traffic")
    finally:
        await connection.close()

    assert [row["code"] for row in kept] == ["A4"]
