"""Cases and the catalogue of nodes over real mTLS, with real identity and translation."""

import asyncio

import asyncpg
import pytest
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.errors import (
    CaseMeshError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1.case_service_pb2 import GetCaseRequest, ListCasesRequest
from casemesh.routing.v1.collaboration_node_service_pb2 import GetNodeRequest, ListNodesRequest
from tests.support.routing import (
    CHARGES,
    ROBBERY,
    THEFT,
    TIMEOUT,
    UNMAPPED,
    ThreeOrgans,
    person,
    registration,
)


async def test_a_registered_case_is_whole_and_its_officer_is_in_it(three_organs: ThreeOrgans) -> None:
    parties = [
        person("某甲", charges=[THEFT, CodedValue(code_system=CHARGES, code="XZ102", display="抢劫")]),
        person("自报姓名某乙", charges=[ROBBERY], custody=None),
    ]
    case = await three_organs.register(parties=parties, title="某甲、某乙盗窃、抢劫案")

    assert ("某甲、某乙盗窃、抢劫案", three_organs.police.name) == (case.title, case.agency)
    assert [tuple(charge.display for charge in party.charges) for party in case.parties] == [
        ("盗窃案", "抢劫"),
        ("抢劫案",),
    ]
    assert case.parties[0].custody.place == "北湖看守所"
    assert Date(year=2026, month=3, day=9) == case.parties[0].custody.since
    assert not case.parties[1].HasField("custody")
    assert all(party.name.startswith(f"{case.name}/parties/") for party in case.parties)
    assert [(three_organs.police.name, "A4401000000002026030001")] == [
        (number.agency, number.number) for number in case.local_numbers
    ]

    officer = await three_organs.as_officer(three_organs.police)
    read = await three_organs.cases.GetCase(GetCaseRequest(name=case.name), metadata=officer, timeout=TIMEOUT)
    assert case == read.case
    system = await three_organs.as_system(three_organs.police)
    read = await three_organs.cases.GetCase(GetCaseRequest(name=case.name), metadata=system, timeout=TIMEOUT)
    assert case == read.case

    (event,) = await three_organs.events()
    assert ("case.registered", case.name, case.name) == (event.action, event.case, event.resource)
    assert three_organs.police.officers["lin"] == event.actor.officer


async def test_a_repeated_registration_has_one_effect(three_organs: ThreeOrgans) -> None:
    request = registration()
    officer = await three_organs.as_officer(three_organs.police)
    answers = await asyncio.gather(
        *(three_organs.cases.RegisterCase(request, metadata=officer, timeout=TIMEOUT) for _ in range(4))
    )
    assert len({answer.case.name for answer in answers}) == 1
    assert [tuple(row) for row in await three_organs.sql("SELECT count(*) FROM registered_case")] == [(1,)]
    assert [event.action for event in await three_organs.events()] == ["case.registered"]

    request.title = "另一案"
    with pytest.raises(FailedPrecondition) as refusal:
        await three_organs.cases.RegisterCase(request, metadata=officer, timeout=TIMEOUT)
    assert refusal.value.reason == "REQUEST_ID_REUSED"


async def test_a_registration_at_fault_leaves_nothing_and_names_the_field(three_organs: ThreeOrgans) -> None:
    unknown = CodedValue(code_system=CHARGES, code="XZ999")
    nowhere = CodedValue(code_system="nowhere", code="1")
    free = case_pb2.Custody(state=case_pb2.CUSTODY_STATE_BAIL, since=Date(year=2026, month=2, day=30))
    faults = [
        (
            registration(parties=[person(), person(charges=[THEFT, unknown])]),
            "PAYLOAD_CODE_UNKNOWN",
            "parties[1].charges[1]",
        ),
        (registration(parties=[person(charges=[nowhere])]), "PAYLOAD_CODE_UNKNOWN", "parties[0].charges[0]"),
        (registration(parties=[person(custody=free)]), "FIELD_INVALID", "parties[0].custody.since"),
        (
            registration(parties=[person(kind=case_pb2.PARTY_KIND_ORGANIZATION)]),
            "FIELD_INVALID",
            "parties[0].custody",
        ),
        (registration(parties=[person(kind=case_pb2.PARTY_KIND_UNSPECIFIED)]), "FIELD_INVALID", "parties[0].kind"),
        (registration(parties=[person(display_name="某\x00甲")]), "FIELD_INVALID", "parties[0].display_name"),
        (registration(title=""), "FIELD_INVALID", "title"),
        (registration(request_id="1"), "FIELD_INVALID", "request_id"),
    ]
    officer = await three_organs.as_officer(three_organs.police)
    for request, reason, field in faults:
        with pytest.raises(InvalidArgument) as refusal:
            await three_organs.cases.RegisterCase(request, metadata=officer, timeout=TIMEOUT)
        assert reason == refusal.value.reason
        assert field in [violation.field for violation in refusal.value.violations]

    empty = registration()
    del empty.parties[:]
    with pytest.raises(InvalidArgument):
        await three_organs.cases.RegisterCase(empty, metadata=officer, timeout=TIMEOUT)
    with pytest.raises(PermissionDenied) as refused:
        await three_organs.cases.RegisterCase(
            registration(), metadata=await three_organs.as_system(three_organs.police), timeout=TIMEOUT
        )
    assert refused.value.reason == "TOKEN_SUBJECT_WRONG"
    assert await three_organs.sql("SELECT 1 FROM registered_case UNION ALL SELECT 1 FROM request") == []
    assert await three_organs.events() == []


async def test_a_case_that_is_not_ones_own_looks_like_none(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register()
    for agency, officer in (
        (three_organs.police, "wu"),
        (three_organs.procuratorate, "lin"),
        (three_organs.court, None),
    ):
        metadata = await three_organs._as(agency, officer)
        answers: list[CaseMeshError] = []
        for name in (case.name, f"cases/{new_id()}"):
            with pytest.raises(NotFound) as refusal:
                await three_organs.cases.GetCase(GetCaseRequest(name=name), metadata=metadata, timeout=TIMEOUT)
            answers.append(refusal.value)
        assert len({(each.reason, each.message, tuple(each.metadata)) for each in answers}) == 1
        listed = await three_organs.cases.ListCases(ListCasesRequest(), metadata=metadata, timeout=TIMEOUT)
        assert not listed.cases


async def test_cases_are_listed_newest_first_in_pages(three_organs: ThreeOrgans) -> None:
    cases = [await three_organs.register(title=f"第{index}案") for index in range(3)]
    await three_organs.register(agency=three_organs.court)
    officer = await three_organs.as_officer(three_organs.police)
    titles, token = [], ""
    while True:
        page = await three_organs.cases.ListCases(
            ListCasesRequest(page_size=2, page_token=token), metadata=officer, timeout=TIMEOUT
        )
        titles.append([case.title for case in page.cases])
        if not (token := page.next_page_token):
            break
    assert titles == [["第2案", "第1案"], ["第0案"]]
    whole = await three_organs.cases.ListCases(ListCasesRequest(), metadata=officer, timeout=TIMEOUT)
    assert list(reversed(cases)) == list(whole.cases)
    with pytest.raises(InvalidArgument):
        await three_organs.cases.ListCases(ListCasesRequest(page_token="x"), metadata=officer, timeout=TIMEOUT)


async def test_a_registration_whose_access_was_not_settled_is_finished_by_its_repeat(
    three_organs: ThreeOrgans,
) -> None:
    request = registration()
    officer = await three_organs.as_officer(three_organs.police)
    blocker = await asyncpg.connect(three_organs.mesh.databases["identity"].owner_dsn)
    try:
        async with blocker.transaction():
            # The participation cannot be written; identity answers in no time that routing waits.
            await blocker.execute("LOCK TABLE request IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable) as refusal:
                await three_organs.cases.RegisterCase(request, metadata=officer, timeout=TIMEOUT)
        assert refusal.value.metadata == {"dependency": "identity"}
    finally:
        await blocker.close()
    (row,) = await three_organs.sql("SELECT case_id FROM registered_case")

    answer = await three_organs.cases.RegisterCase(request, metadata=officer, timeout=TIMEOUT)
    assert f"cases/{row['case_id']}" == answer.case.name
    read = await three_organs.cases.GetCase(GetCaseRequest(name=answer.case.name), metadata=officer, timeout=TIMEOUT)
    assert answer.case == read.case
    assert [event.action for event in await three_organs.events()] == ["case.registered"]


async def test_charges_that_map_nowhere_are_registered_as_they_are(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register(parties=[person(charges=[UNMAPPED])])
    assert [charge.display for charge in case.parties[0].charges] == ["无对应案"]


async def test_the_catalogue_is_open_to_every_token(three_organs: ThreeOrgans) -> None:
    for metadata in (
        await three_organs.as_system(three_organs.court),
        await three_organs.as_officer(three_organs.police, "wu"),
    ):
        answer = await three_organs.nodes.GetNode(
            GetNodeRequest(name="nodes/QS001"), metadata=metadata, timeout=TIMEOUT
        )
        assert (
            answer.node.title_zh, answer.node.from_organ, answer.node.to_organ, answer.node.dossier_required,
        ) == ("移送审查起诉", "GA", "JCY", True)  # fmt: skip
        with pytest.raises(NotFound) as refusal:
            await three_organs.nodes.GetNode(GetNodeRequest(name="nodes/XX999"), metadata=metadata, timeout=TIMEOUT)
        assert (refusal.value.reason, refusal.value.metadata) == ("NODE_UNKNOWN", {"node": "nodes/XX999"})


async def test_nodes_are_listed_by_code_in_pages(three_organs: ThreeOrgans) -> None:
    metadata = await three_organs.as_system(three_organs.court)
    names, token = [], ""
    while True:
        page = await three_organs.nodes.ListNodes(
            ListNodesRequest(page_size=300, page_token=token), metadata=metadata, timeout=TIMEOUT
        )
        names += [node.name for node in page.nodes]
        if not (token := page.next_page_token):
            break
    assert (746, sorted(names)) == (len(names), names)
    selected = await three_organs.nodes.ListNodes(
        ListNodesRequest(stage="审查起诉", from_organ="GA", to_organ="JCY"), metadata=metadata, timeout=TIMEOUT
    )
    assert "nodes/QS001" in [node.name for node in selected.nodes]
    assert {("审查起诉", "GA", "JCY")} == {(node.stage, node.from_organ, node.to_organ) for node in selected.nodes}
