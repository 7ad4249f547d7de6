"""Cases and persons as they become known, merge, split and move, over real mTLS with real identity and translation."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.identity.v1 import case_protection_service_pb2
from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceStub
from casemesh.routing.v1 import case_pb2, case_progress_pb2, party_history_pb2, succession_pb2
from casemesh.routing.v1 import case_progress_service_pb2 as progress_pb2
from casemesh.routing.v1 import case_record_service_pb2 as record_pb2
from casemesh.routing.v1 import case_succession_service_pb2 as change_pb2
from casemesh.routing.v1.case_progress_service_pb2_grpc import CaseProgressServiceStub
from casemesh.routing.v1.case_record_service_pb2_grpc import CaseRecordServiceStub
from casemesh.routing.v1.case_service_pb2 import GetCaseRequest, ListCasesRequest
from casemesh.routing.v1.case_succession_service_pb2_grpc import CaseSuccessionServiceStub
from tests.support.dossiers import AsCaller
from tests.support.mesh import Agency
from tests.support.routing import CHARGES, ROBBERY, THEFT, TIMEOUT, ThreeOrgans, person

CONCLUDED = case_pb2.PROCEDURE_STAGE_CONCLUDED
INVESTIGATION = case_pb2.PROCEDURE_STAGE_INVESTIGATION


class Desk:
    """The calls on cases and persons, as an officer of the police unless told otherwise."""

    def __init__(self, organs: ThreeOrgans) -> None:
        self.organs = organs
        self._stubs = {
            "records": organs.mesh.agency_stub("routing", CaseRecordServiceStub),
            "changes": organs.mesh.agency_stub("routing", CaseSuccessionServiceStub),
            "progress": organs.mesh.agency_stub("routing", CaseProgressServiceStub),
        }

    async def on(self, service: str, agency: Agency | None = None, officer: str = "lin") -> Any:
        """Return a stub with what a call of that officer carries."""
        return AsCaller(self._stubs[service], await self.organs.as_officer(agency or self.organs.police, officer))

    async def link(self, case: str, number: str, agency: Agency | None = None) -> record_pb2.LinkLocalNumberResponse:
        request = record_pb2.LinkLocalNumberRequest(request_id=new_id(), case=case, number=number)
        linked: record_pb2.LinkLocalNumberResponse = await (await self.on("records", agency)).LinkLocalNumber(request)
        return linked

    async def find(self, number: str, agency: Agency | None = None, officer: str = "lin") -> list[str]:
        request = record_pb2.FindCaseByNumberRequest(number=number)
        found = await (await self.on("records", agency, officer)).FindCaseByNumber(request)
        return [item.case for item in found.found]

    async def get(self, case: str, agency: Agency | None = None) -> case_pb2.Case:
        metadata = await self.organs.as_officer(agency or self.organs.police)
        cases = AsCaller(self.organs.cases, metadata)
        found: case_pb2.Case = (await cases.GetCase(GetCaseRequest(name=case))).case
        return found

    async def history(self, party: str) -> list[party_history_pb2.PartyHistoryEntry]:
        request = record_pb2.ListPartyHistoryRequest(party=party, page_size=2)
        entries: list[party_history_pb2.PartyHistoryEntry] = []
        while True:
            page = await (await self.on("records")).ListPartyHistory(request)
            entries += page.entries
            if not page.next_page_token:
                return entries
            request.page_token = page.next_page_token

    async def progress(
        self, case: str, agency: Agency | None = None, officer: str = "lin"
    ) -> case_progress_pb2.CaseProgress:
        request = progress_pb2.GetProgressRequest(case=case)
        answer = await (await self.on("progress", agency, officer)).GetProgress(request)
        progress: case_progress_pb2.CaseProgress = answer.progress
        return progress

    async def undo(self, succession: str) -> succession_pb2.Succession:
        request = change_pb2.UndoSuccessionRequest(request_id=new_id(), succession=succession, reason="in error")
        undone: succession_pb2.Succession = (await (await self.on("changes")).UndoSuccession(request)).succession
        return undone

    async def actions(self) -> list[str]:
        return [event.action for event in await self.organs.events()]


@pytest.fixture
async def desk(three_organs: ThreeOrgans) -> Desk:
    return Desk(three_organs)


async def test_an_agencys_numbers_come_and_go_and_are_found_only_by_those_who_see_the_case(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register(local_number="")
    number = "（2026）闽0105 刑初12号"
    linked = await desk.link(case.name, number)
    assert (number, "court-case-since-2016", []) == (
        linked.local_number.number, linked.local_number.format, list(linked.warnings),
    )  # fmt: skip
    odd = await desk.link(case.name, "no known form")
    assert ["NUMBER_FORM_UNKNOWN"] == [warning.reason for warning in odd.warnings], "it is warned of and taken"
    await desk.link(case.name, number)

    other = await organs.register(local_number="(2026)闽0105刑初12号", agency=organs.court)
    assert [case.name] == await desk.find("(2026)闽0105刑初12 号"), "another agency's case of that number is not shown"
    assert [other.name] == await desk.find(number, organs.court)
    assert [] == await desk.find(number, organs.procuratorate)
    assert [] == await desk.find(number, organs.police, "wu")

    unlink = record_pb2.UnlinkLocalNumberRequest(
        request_id=new_id(), case=case.name, number=number, reason="entered in error"
    )
    await (await desk.on("records")).UnlinkLocalNumber(unlink)
    assert [] == await desk.find(number)
    unlink.request_id = new_id()
    with pytest.raises(NotFound):
        await (await desk.on("records")).UnlinkLocalNumber(unlink)
    await desk.link(case.name, number)
    listed = await (await desk.on("records")).ListLocalNumbers(record_pb2.ListLocalNumbersRequest(case=case.name))
    assert [(number, True), ("no known form", False), (number, False)] == [
        (item.number, item.HasField("unlink_time")) for item in listed.local_numbers
    ]
    events = [event for event in await organs.events() if event.action.startswith("case.number.")]
    assert ["linked", "linked", "unlinked", "linked"] == [event.action.rpartition(".")[2] for event in events]
    assert not any(number in str(event) for event in events), "the number itself never stands in the log"


async def test_what_becomes_known_of_a_party_is_kept_with_what_was_known_before(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register()
    draft = person("自报姓名某乙", charges=[THEFT], custody=None, identity_unknown=True)
    add = record_pb2.AddPartyRequest(request_id=new_id(), case=case.name, party=draft, reason="seized later")
    added = (await (await desk.on("records")).AddParty(add)).party
    assert added == (await (await desk.on("records")).AddParty(add)).party, "one effect"
    assert added == (await desk.get(case.name)).parties[1]
    assert added.identity_unknown

    identify = record_pb2.CompleteIdentityRequest(
        request_id=new_id(), party=added.name, display_name="某乙", reason="fingerprints"
    )
    await (await desk.on("records")).CompleteIdentity(identify)
    charge = record_pb2.ChangeChargesRequest(
        request_id=new_id(), party=added.name, charges=[ROBBERY], reason="new facts"
    )
    await (await desk.on("records")).ChangeCharges(charge)
    earlier = record_pb2.ChangeChargesRequest(
        request_id=new_id(), party=added.name, charges=[], effective_date=Date(year=2020, month=1, day=2), reason="late"
    )
    await (await desk.on("records")).ChangeCharges(earlier)
    now = (await desk.get(case.name)).parties[1]
    assert ("某乙", False, ["抢劫案"]) == (
        now.display_name, now.identity_unknown, [item.display for item in now.charges],
    )  # fmt: skip

    history = [
        (entry.aspect, entry.value, [item.display for item in entry.charges])
        for entry in await desk.history(added.name)
    ]
    assert [
        (party_history_pb2.PARTY_ASPECT_CHARGES, "", ["盗窃案"]),
        (party_history_pb2.PARTY_ASPECT_IDENTITY, "某乙", []),
        (party_history_pb2.PARTY_ASPECT_CHARGES, "", ["抢劫案"]),
        (party_history_pb2.PARTY_ASPECT_CHARGES, "", []),
    ] == history
    exchange = await organs.submit(await desk.get(case.name))
    told = [entry.translation.targets[0].value.code for entry in exchange.translations]
    assert ["XZ101", "XZ102"] == told, "an exchange carries the charges that hold"

    for fault, field in (
        (record_pb2.ChangeChargesRequest(charges=[THEFT]), "effective_date"),
        (record_pb2.ChangeChargesRequest(charges=[CodedValue(code_system=CHARGES, code="XZ999")]), "charges[0]"),
    ):
        fault.request_id, fault.party, fault.reason = new_id(), added.name, "x"
        if field == "effective_date":
            fault.effective_date.CopyFrom(Date(year=2999, month=1, day=1))
        with pytest.raises(InvalidArgument) as refusal:
            await (await desk.on("records")).ChangeCharges(fault)
        assert [field] == [violation.field for violation in refusal.value.violations]
    assert ["registered", "party.added", "party.identified", "party.charged", "party.charged"] == [
        action.removeprefix("case.") for action in await desk.actions() if action.startswith("case.")
    ]


async def test_merged_cases_go_on_as_one_and_apart_again_when_it_is_undone(desk: Desk) -> None:
    organs = desk.organs
    kept = await organs.register(title="甲案", parties=[person("某甲", charges=[THEFT])])
    gone = await organs.register(
        title="乙案", parties=[person("某甲某", charges=[ROBBERY]), person("某乙", custody=None, stage=INVESTIGATION)]
    )
    await organs.submit(gone)
    await organs.deliver(organs.procuratorate)
    await organs.assign(gone.name, organs.procuratorate)
    bail = {"node": "nodes/QZ010", "recipient": organs.police.name, "parties": [gone.parties[1].name]}
    in_flight = await organs.submit(gone, organs.procuratorate, **bail)
    await organs.deliver(organs.police)

    merge = change_pb2.MergeCasesRequest(
        request_id=new_id(),
        case=kept.name,
        predecessors=[gone.name],
        same_parties=[change_pb2.SameParty(predecessor=gone.parties[0].name, successor=kept.parties[0].name)],
        reason="one group",
    )
    merged = (await (await desk.on("changes")).MergeCases(merge)).succession
    assert merged == (await (await desk.on("changes")).MergeCases(merge)).succession, "one effect"
    now = await desk.get(kept.name)
    assert ["某甲", "某乙"] == [party.display_name for party in now.parties]
    assert ["盗窃案", "抢劫案"] == [charge.display for charge in now.parties[0].charges], "charges of both"
    assert ([gone.name], [gone.parties[1].name]) == (list(now.predecessors), list(now.parties[1].predecessors))
    before = await desk.get(gone.name)
    assert [kept.name] == list(before.successors)
    assert [kept.parties[0].name] == list(before.parties[0].successors)

    with pytest.raises(FailedPrecondition) as refusal:
        await organs.submit(gone)
    assert ("CASE_SUPERSEDED", kept.name) == (refusal.value.reason, refusal.value.metadata["successor"])
    merge.request_id = new_id()
    with pytest.raises(FailedPrecondition):
        await (await desk.on("changes")).MergeCases(merge)

    # Who took part in the one that went takes part in the one that goes on, and what was in flight reaches it.
    await organs.assign(kept.name, organs.procuratorate)
    await organs.answer(in_flight.name, "nodes/QZ011", organs.police)
    progress = await desk.progress(kept.name, organs.procuratorate)
    assert [(INVESTIGATION, case_pb2.CUSTODY_STATE_BAIL)] == [
        (item.stage, item.measure) for item in progress.persons if item.display_name == "某乙"
    ]

    undone = await desk.undo(merged.name)
    assert merged.name == undone.undoes
    apart = await desk.get(gone.name)
    assert ([], []) == (list(apart.successors), list(apart.parties[0].successors))
    assert case_pb2.CUSTODY_STATE_BAIL == apart.parties[1].custody.state, "what came meanwhile is not lost"
    assert [gone.parties[1].name] == list((await desk.get(kept.name)).parties[1].successors)
    await organs.submit(gone, parties=[gone.parties[0].name])
    with pytest.raises(FailedPrecondition) as again:
        await desk.undo(merged.name)
    assert "SUCCESSION_NOT_STANDING" == again.value.reason
    listed = await (await desk.on("changes")).ListSuccessions(change_pb2.ListSuccessionsRequest(case=gone.name))
    assert [(merged.name, undone.name), (undone.name, "")] == [
        (item.name, item.undone_by) for item in listed.successions
    ]


async def test_other_cases_are_neither_merged_nor_named_without_a_right_on_them(desk: Desk) -> None:
    organs = desk.organs
    own, foreign = await organs.register(), await organs.register(agency=organs.court)
    for case in (foreign.name, f"cases/{new_id()}"):
        request = change_pb2.MergeCasesRequest(
            request_id=new_id(), case=own.name, predecessors=[case], reason="curious"
        )
        with pytest.raises(NotFound):
            await (await desk.on("changes")).MergeCases(request)
    itself = change_pb2.MergeCasesRequest(
        request_id=new_id(), case=own.name, predecessors=[own.name], reason="in error"
    )
    with pytest.raises(FailedPrecondition) as circular:
        await (await desk.on("changes")).MergeCases(itself)
    assert "SUCCESSION_CIRCULAR" == circular.value.reason

    split = change_pb2.SplitCaseRequest(
        request_id=new_id(), case=own.name, parties=[own.parties[0].name], title="另案", reason="apart"
    )
    new = (await (await desk.on("changes")).SplitCase(split)).case
    assert [new.name] == list((await desk.get(own.name)).successors)
    # wu works on the one and knows nothing of the other.
    await organs.assign(own.name, organs.police, "wu")
    metadata = await organs.as_officer(organs.police, "wu")
    seen = await organs.cases.GetCase(GetCaseRequest(name=own.name), metadata=metadata, timeout=TIMEOUT)
    assert ([], []) == (list(seen.case.successors), list(seen.case.parties[0].successors))
    listed = await organs.cases.ListCases(ListCasesRequest(), metadata=metadata, timeout=TIMEOUT)
    assert [[]] == [list(case.successors) for case in listed.cases]


async def test_only_who_may_change_each_case_undoes_what_was_done_to_them(desk: Desk) -> None:
    organs = desk.organs
    kept, gone = await organs.register(), await organs.register(parties=[person("某乙")])
    await organs.submit(kept)
    await organs.assign(kept.name, organs.procuratorate)
    merge = change_pb2.MergeCasesRequest(
        request_id=new_id(), case=kept.name, predecessors=[gone.name], reason="one group"
    )
    merged = (await (await desk.on("changes")).MergeCases(merge)).succession
    undo = change_pb2.UndoSuccessionRequest(request_id=new_id(), succession=merged.name, reason="curious")
    with pytest.raises(PermissionDenied) as refusal:
        await (await desk.on("changes", organs.procuratorate)).UndoSuccession(undo)
    assert gone.name not in str(refusal.value)
    assert [kept.name] == list((await desk.get(gone.name)).successors)
    unknown = change_pb2.UndoSuccessionRequest(
        request_id=new_id(), succession=f"{kept.name}/successions/{new_id()}", reason="curious"
    )
    with pytest.raises(NotFound):
        await (await desk.on("changes")).UndoSuccession(unknown)
    await desk.undo(merged.name)


async def test_a_split_case_does_not_name_the_case_it_came_from_to_who_knows_only_it(desk: Desk) -> None:
    organs = desk.organs
    own = await organs.register()
    split = change_pb2.SplitCaseRequest(
        request_id=new_id(), case=own.name, parties=[own.parties[0].name], title="另案", reason="apart"
    )
    done = await (await desk.on("changes")).SplitCase(split)
    await organs.assign(done.case.name, organs.police, "wu")
    request = change_pb2.ListSuccessionsRequest(case=done.case.name)
    assert [] == list((await (await desk.on("changes", officer="wu")).ListSuccessions(request)).successions)
    assert [done.succession] == list((await (await desk.on("changes")).ListSuccessions(request)).successions)


async def test_a_page_of_found_numbers_does_not_tell_that_others_have_the_number(desk: Desk) -> None:
    organs = desk.organs
    for _ in range(3):
        await organs.register(local_number="(2026)闽0105刑初12号", agency=organs.court)
    own = [await organs.register(local_number="(2026)闽0105刑初12号") for _ in range(2)]
    pages, request = [], record_pb2.FindCaseByNumberRequest(number="(2026)闽0105刑初12号", page_size=1)
    while True:
        page = await (await desk.on("records")).FindCaseByNumber(request)
        pages.append([item.case for item in page.found])
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert [[case.name] for case in own] == pages
    request.page_token = ""
    nobody = await (await desk.on("records", organs.procuratorate)).FindCaseByNumber(request)
    assert ([], "") == (list(nobody.found), nobody.next_page_token)


async def test_a_case_is_split_and_made_whole_again(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register(parties=[person("某甲"), person("某乙", charges=[ROBBERY])])
    split = change_pb2.SplitCaseRequest(
        request_id=new_id(),
        case=case.name,
        parties=[case.parties[1].name],
        title="某乙案",
        local_number="A2",
        reason="x",
    )
    changes = await desk.on("changes")
    answers = await asyncio.gather(*(changes.SplitCase(split) for _ in range(3)))
    assert 1 == len({answer.case.name for answer in answers})
    new = await desk.get(answers[0].case.name)
    assert (["某乙"], ["抢劫案"]) == (
        [party.display_name for party in new.parties], [charge.display for charge in new.parties[0].charges],
    )  # fmt: skip
    assert (case_pb2.CUSTODY_STATE_ARRESTED, Date(year=2026, month=3, day=9)) == (
        new.parties[0].custody.state, new.parties[0].custody.since,
    )  # fmt: skip
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.submit(case, parties=[case.parties[1].name])
    assert ("PARTY_SUPERSEDED", new.parties[0].name) == (refusal.value.reason, refusal.value.metadata["successor"])
    await organs.submit(case, parties=[case.parties[0].name])
    await organs.submit(new)

    await desk.undo(answers[0].succession.name)
    whole = await desk.get(case.name)
    assert [[], []] == [list(party.successors) for party in whole.parties]
    assert [case.name] == list((await desk.get(new.name)).successors)


async def test_two_parties_turn_out_to_be_one_person_and_one_to_be_two(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register(
        parties=[person("某甲", custody=None), person("某甲的化名", charges=[ROBBERY]), person("某丙", custody=None)]
    )
    first, second, third = (party.name for party in case.parties)
    merge = change_pb2.MergePartiesRequest(request_id=new_id(), party=first, predecessors=[second], reason="one")
    merged = (await (await desk.on("changes")).MergeParties(merge)).succession
    split = change_pb2.SplitPartyRequest(request_id=new_id(), party=third, display_names=["某丙", "某丁"], reason="two")
    made = (await (await desk.on("changes")).SplitParty(split)).parties
    progress = await desk.progress(case.name)
    assert ["某甲", "某丙", "某丁"] == [item.display_name for item in progress.persons]
    assert (case_pb2.CUSTODY_STATE_ARRESTED, True) == (progress.persons[0].measure, progress.persons[0].held)
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.submit(case)
    assert "PARTY_SUPERSEDED" == refusal.value.reason
    await organs.submit(case, parties=[first, made[0].name, made[1].name])

    await desk.undo(merged.name)
    apart = await desk.get(case.name)
    assert [[], []] == [list(party.successors) for party in apart.parties[:2]]
    elsewhere = change_pb2.MergePartiesRequest(
        request_id=new_id(), party=first, predecessors=[f"{case.name}/parties/{new_id()}"], reason="x"
    )
    with pytest.raises(InvalidArgument) as unknown:
        await (await desk.on("changes")).MergeParties(elsewhere)
    assert "PARTY_NOT_OF_CASE" == unknown.value.reason


async def test_progress_shows_supervisors_states_and_times_and_no_names(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register(parties=[person("某甲", stage=INVESTIGATION)])
    request = await organs.submit(case)
    protection = organs.mesh.agency_stub("identity", CaseProtectionServiceStub)
    await protection.AppointSupervisor(
        case_protection_service_pb2.AppointSupervisorRequest(
            request_id=new_id(), officer=organs.police.officers["wu"], reason="watching"
        ),
        metadata=await organs.as_system(organs.police),
        timeout=TIMEOUT,
    )
    for officer, name in (("lin", "某甲"), ("wu", "")):
        (shown,) = (await desk.progress(case.name, officer=officer)).persons
        assert (name, INVESTIGATION, True) == (shown.display_name, shown.stage, shown.held)
        (waiting,) = shown.open_exchanges
        assert (request.name, "nodes/LA001", ["nodes/LA002"]) == (
            waiting.exchange, waiting.node, list(waiting.answer_nodes),
        )  # fmt: skip
        assert "某甲" not in str(shown) or officer == "lin"
    with pytest.raises(NotFound):
        await desk.progress(case.name, organs.court)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    asked = progress_pb2.ListNextNodesRequest(party=case.parties[0].name)
    nodes = await (await desk.on("progress", organs.procuratorate)).ListNextNodes(asked)
    first = nodes.next_nodes[0]
    assert ("nodes/LA002", case_progress_pb2.NEXT_NODE_REASON_ANSWERS, "nodes/LA001") == (
        first.node, first.reason, first.because_node,
    )  # fmt: skip
    # Identity is told at which stage the case is, so that rights may follow it.
    async with asyncio.timeout(30):
        while await _told_stages(organs, case.name) != [1]:
            await asyncio.sleep(0.05)


async def test_a_case_that_has_ended_takes_only_what_reopens_it_or_follows(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register(
        parties=[person("某甲", stage=CONCLUDED, custody=None), person("证人某", custody=None)]
    )
    assert (await desk.get(case.name)).closed
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.submit(case)
    assert ("CASE_CLOSED", "nodes/LA001") == (refusal.value.reason, refusal.value.metadata["node"])
    assert "nodes/JD030" == (await organs.submit(case, node="nodes/JD030")).node

    await (await desk.on("records")).AddParty(
        record_pb2.AddPartyRequest(
            request_id=new_id(), case=case.name, party=person("某乙", stage=INVESTIGATION), reason="seized later"
        )
    )
    assert not (await desk.get(case.name)).closed
    await organs.submit(case)


async def _told_stages(organs: ThreeOrgans, case: str) -> list[int]:
    connection = await asyncpg.connect(organs.mesh.databases["identity"].owner_dsn)
    try:
        rows = await connection.fetch(
            "SELECT stage FROM case_stage WHERE case_id = $1 AND valid_until IS NULL", case.partition("/")[2]
        )
        return [row["stage"] for row in rows]
    finally:
        await connection.close()
