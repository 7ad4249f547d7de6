"""Submitting, accepting and answering exchanges over real mTLS."""

import asyncio
from typing import Any

import asyncpg
import pytest
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.routing.exchange_store import digest_of
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1.case_service_pb2 import GetCaseRequest
from casemesh.routing.v1.exchange_pb2 import PayloadField
from casemesh.routing.v1.exchange_service_pb2 import GetExchangeRequest, ListExchangesRequest
from casemesh.translation.v1 import translation_pb2
from tests.support.routing import CHARGES, ROBBERY, THEFT, TIMEOUT, UNMAPPED, ThreeOrgans, person

SUBMITTED, DELIVERED = exchange_pb2.EXCHANGE_STATE_SUBMITTED, exchange_pb2.EXCHANGE_STATE_DELIVERED
ACCEPTED, ANSWERED = exchange_pb2.EXCHANGE_STATE_ACCEPTED, exchange_pb2.EXCHANGE_STATE_ANSWERED

OUTCOME = PayloadField(key="outcome", text="有罪判决")


async def listed(organs: ThreeOrgans, metadata: Any, case: str, **fields: Any) -> list[str]:
    page = await organs.exchanges.ListExchanges(
        ListExchangesRequest(case=case, **fields), metadata=metadata, timeout=TIMEOUT
    )
    return [exchange.name for exchange in page.exchanges]


async def test_an_exchange_reaches_its_recipient_in_the_recipients_codes(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register(parties=[person(charges=[THEFT, ROBBERY, UNMAPPED]), person("某乙")])
    suspect = case.parties[0].name
    fields = [PayloadField(key="charge", coded=THEFT), PayloadField(key="opinion", text="某意见")]
    exchange = await three_organs.submit(case, parties=[suspect], fields=fields)

    assert (SUBMITTED, [suspect]) == (exchange.state, list(exchange.parties))
    translated = {entry.field: entry.translation for entry in exchange.translations}
    party = suspect.split("/parties/")[1]
    assert {"charge", *(f"parties/{party}/charges[{index}]" for index in range(3))} == set(translated)
    assert (
        translated["charge"].targets[0].value.code_system,
        translated["charge"].targets[0].value.code,
        translated["charge"].targets[0].value.display,
    ) == (CHARGES, "XZ101", "盗窃罪")
    robbery = translated[f"parties/{party}/charges[1]"]
    assert robbery.targets[0].equivalence == translation_pb2.EQUIVALENCE_NARROWER
    unmapped = translated[f"parties/{party}/charges[2]"]
    assert (unmapped.outcome, len(unmapped.targets)) == (translation_pb2.TRANSLATION_OUTCOME_UNMAPPED, 0)
    assert all(translation.original.code_system == THEFT.code_system for translation in translated.values())

    (delivery,) = await three_organs.deliver(three_organs.procuratorate)
    assert exchange == delivery.exchange
    assert delivery.delivery_sequence == 1

    await three_organs.assign(case.name, three_organs.procuratorate)
    received = await three_organs.get(exchange.name, three_organs.procuratorate)
    assert received.state == DELIVERED
    assert received == await three_organs.get(exchange.name, three_organs.police)

    events = [event for event in await three_organs.events() if event.resource == exchange.name]
    assert [event.action for event in events] == ["exchange.submitted", "exchange.delivered", "exchange.read"]
    assert {case.name} == {event.case for event in events}
    details = dict(events[0].details)
    assert {"login", "receipt_sha256"} < set(details)
    assert {
        "node": "nodes/LA001",
        "sender": three_organs.police.name,
        "recipient": three_organs.procuratorate.name,
        "sha256": digest_of(exchange).hex(),
    }.items() <= details.items()


async def test_an_exchange_at_fault_leaves_nothing_and_says_why(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case, other = await organs.register(), await organs.register()
    foreign = other.parties[0].name
    faults: list[tuple[dict[str, Any], type[CaseMeshError], str, dict[str, str]]] = [
        ({"node": "nodes/XX999"}, NotFound, "NODE_UNKNOWN", {"node": "nodes/XX999"}),
        (
            {"node": "nodes/YS037", "fields": [OUTCOME]}, FailedPrecondition, "NODE_ORGAN_MISMATCH",
            {"node": "nodes/YS037", "organ": "GA"},
        ),
        (
            {"recipient": organs.court.name}, FailedPrecondition, "NODE_ORGAN_MISMATCH",
            {"node": "nodes/LA001", "organ": "FY"},
        ),
        (
            {"node": "nodes/QS002"}, FailedPrecondition, "NODE_ANSWERS_ONLY",
            {"node": "nodes/QS002", "answers_node": "nodes/QS001"},
        ),
        ({"node": "nodes/QS001"}, FailedPrecondition, "DOSSIER_REQUIRED", {"node": "nodes/QS001"}),
        ({"parties": [foreign]}, InvalidArgument, "PARTY_NOT_OF_CASE", {"party": foreign}),
        (
            {"parties": [f"{case.name}/parties/{case.name[6:]}"]}, InvalidArgument, "PARTY_NOT_OF_CASE",
            {"party": f"{case.name}/parties/{case.name[6:]}"},
        ),
        (
            {"fields": [PayloadField(key="charge", coded=CodedValue(code_system=CHARGES, code="XZ999"))]},
            InvalidArgument, "PAYLOAD_CODE_UNKNOWN", {"field": "charge", "code_system": CHARGES, "code": "XZ999"},
        ),
        ({"parties": [case.parties[0].name] * 2}, InvalidArgument, "FIELD_INVALID", {}),
        ({"recipient": organs.police.name}, InvalidArgument, "FIELD_INVALID", {}),
        ({"recipient": f"agencies/{new_id()}"}, InvalidArgument, "FIELD_INVALID", {}),
        ({"fields": [PayloadField(key="note")]}, InvalidArgument, "FIELD_INVALID", {}),
        ({"fields": [PayloadField(key="filing_date", date=Date(year=2026))]}, InvalidArgument, "FIELD_INVALID", {}),
        (
            {"fields": [PayloadField(key="opinon", text="1")]}, InvalidArgument, "PAYLOAD_INVALID",
            {"node": "nodes/LA001", "field": "opinon"},
        ),
        ({"fields": [PayloadField(key="Not Snake", text="1")]}, InvalidArgument, "FIELD_INVALID", {}),
        ({"parties": []}, InvalidArgument, "FIELD_INVALID", {}),
    ]  # fmt: skip
    for fields, kind, reason, metadata in faults:
        with pytest.raises(kind) as refusal:
            await organs.submit(case, **fields)
        assert (reason, metadata) == (refusal.value.reason, refusal.value.metadata)
    # The database holds the two cases' own answers and nothing of the exchanges.
    assert [
        tuple(row)
        for row in await organs.sql(
            "SELECT (SELECT count(*) FROM exchange), (SELECT count(*) FROM delivery),"
            " (SELECT count(*) FROM delivery_counter), (SELECT count(*) FROM request)"
        )
    ] == [(0, 0, 0, 2)]


async def test_only_an_officer_on_the_case_submits(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register()
    request = three_organs.submission(case)
    for agency, officer in ((three_organs.police, "wu"), (three_organs.procuratorate, "lin")):
        with pytest.raises(NotFound):
            await three_organs.exchanges.SubmitExchange(
                request, metadata=await three_organs.as_officer(agency, officer), timeout=TIMEOUT
            )
    with pytest.raises(PermissionDenied) as refusal:
        await three_organs.exchanges.SubmitExchange(
            request, metadata=await three_organs.as_system(three_organs.police), timeout=TIMEOUT
        )
    assert refusal.value.reason == "TOKEN_SUBJECT_WRONG"


async def test_a_repeated_submission_has_one_effect(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register()
    request = three_organs.submission(case)
    officer = await three_organs.as_officer(three_organs.police)
    answers = await asyncio.gather(
        *(three_organs.exchanges.SubmitExchange(request, metadata=officer, timeout=TIMEOUT) for _ in range(4))
    )
    assert len({answer.exchange.name for answer in answers}) == 1
    assert [delivery.delivery_sequence for delivery in await three_organs.deliver(three_organs.procuratorate)] == [1]

    # The first answer again, although the state has moved on.
    again = await three_organs.exchanges.SubmitExchange(request, metadata=officer, timeout=TIMEOUT)
    assert answers[0] == again
    request.fields.add(key="note", text="x")
    with pytest.raises(FailedPrecondition) as refusal:
        await three_organs.exchanges.SubmitExchange(request, metadata=officer, timeout=TIMEOUT)
    assert refusal.value.reason == "REQUEST_ID_REUSED"


async def test_nobody_sees_an_exchange_between_two_others(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    between = await organs.submit(case)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    # The court joins the case by an exchange of its own.
    joined = await organs.submit(case, organs.procuratorate, node="nodes/YS010", recipient=organs.court.name)
    await organs.assign(case.name, organs.court)
    court = await organs.as_officer(organs.court)

    assert [joined.name] == await listed(organs, court, case.name)
    assert [between.name] == await listed(organs, await organs.as_officer(organs.police), case.name)
    assert [between.name, joined.name] == await listed(organs, await organs.as_officer(organs.procuratorate), case.name)
    refusals = []
    for name in (between.name, f"exchanges/{new_id()}"):
        with pytest.raises(NotFound) as refusal:
            await organs.exchanges.GetExchange(GetExchangeRequest(name=name), metadata=court, timeout=TIMEOUT)
        refusals.append((refusal.value.reason, refusal.value.message, refusal.value.metadata))
        with pytest.raises(NotFound):
            await organs.accept(name, organs.court)
        with pytest.raises(NotFound):
            await organs.answer(name, "nodes/LA002", organs.court)
    assert refusals[0] == refusals[1]


async def test_exchanges_are_listed_oldest_first_in_pages(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register()
    submitted = [(await three_organs.submit(case)).name for _ in range(3)]
    officer = await three_organs.as_officer(three_organs.police)
    names, token = [], ""
    while True:
        page = await three_organs.exchanges.ListExchanges(
            ListExchangesRequest(case=case.name, page_size=2, page_token=token), metadata=officer, timeout=TIMEOUT
        )
        names.append([exchange.name for exchange in page.exchanges])
        if not (token := page.next_page_token):
            break
    assert [submitted[:2], submitted[2:]] == names
    for token in ("?", "bm90LWFuLWlk"):
        with pytest.raises(InvalidArgument):
            await listed(three_organs, officer, case.name, page_token=token)
    with pytest.raises(NotFound):
        await listed(three_organs, await three_organs.as_officer(three_organs.court), case.name)


async def test_accepting_comes_after_delivery_once_and_links_the_recipients_number(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    exchange = await organs.submit(case)
    await organs.assign(case.name, organs.procuratorate)
    with pytest.raises(FailedPrecondition) as early:
        await organs.accept(exchange.name, organs.procuratorate)
    assert (early.value.reason, early.value.metadata) == ("EXCHANGE_STATE_WRONG", {"state": "SUBMITTED"})

    await organs.deliver(organs.procuratorate)
    with pytest.raises(PermissionDenied) as sender:
        await organs.accept(exchange.name, organs.police)
    assert sender.value.metadata == {"permission": "DECIDE_EXCHANGE"}
    request_id = new_id()
    accepted = [
        await organs.accept(
            exchange.name, organs.procuratorate, request_id=request_id, local_number="北湖检诉[2026]1号"
        )
        for _ in range(2)
    ]
    assert accepted[0] == accepted[1]
    assert accepted[0].state == ACCEPTED
    times = [getattr(accepted[0], f"{step}_time").ToNanoseconds() for step in ("submit", "deliver", "accept")]
    assert sorted(times) == times
    with pytest.raises(FailedPrecondition) as late:
        await organs.accept(exchange.name, organs.procuratorate)
    assert late.value.metadata == {"state": "ACCEPTED"}

    read = await organs.cases.GetCase(
        GetCaseRequest(name=case.name), metadata=await organs.as_officer(organs.police), timeout=TIMEOUT
    )
    assert (organs.procuratorate.name, "北湖检诉[2026]1号") in [
        (number.agency, number.number) for number in read.case.local_numbers
    ]
    assert [event.action for event in await organs.events()].count("exchange.accepted") == 1


async def test_a_final_answer_goes_back_to_the_sender_and_closes_the_exchange(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    request = await organs.submit(case)
    await organs.assign(case.name, organs.procuratorate)
    with pytest.raises(FailedPrecondition) as early:
        await organs.answer(request.name, "nodes/LA002", organs.procuratorate)
    assert early.value.metadata == {"state": "SUBMITTED"}
    await organs.deliver(organs.procuratorate)

    for node, reason in (("nodes/QS002", "NODE_NOT_AN_ANSWER"), ("nodes/XX999", "NODE_UNKNOWN")):
        with pytest.raises(CaseMeshError) as refusal:
            await organs.answer(request.name, node, organs.procuratorate)
        assert (reason, {"node": node}) == (refusal.value.reason, refusal.value.metadata)
    with pytest.raises(PermissionDenied):
        await organs.answer(request.name, "nodes/LA002", organs.police)

    final = await organs.answer(
        request.name, "nodes/LA002", organs.procuratorate, fields=[PayloadField(key="note", text="已收")]
    )
    assert (request.name, organs.procuratorate.name, organs.police.name) == (
        final.answers, final.sender, final.recipient,
    )  # fmt: skip
    assert list(request.parties) == list(final.parties)
    closed = await organs.get(request.name, organs.police)
    assert closed.state == ANSWERED
    assert closed.HasField("answer_time")
    assert [final] == [delivery.exchange for delivery in await organs.deliver(organs.police)]
    with pytest.raises(FailedPrecondition) as late:
        await organs.answer(request.name, "nodes/LA002", organs.procuratorate)
    assert late.value.metadata == {"state": "ANSWERED"}

    events = [(event.action, event.resource) for event in await organs.events()]
    assert ("exchange.answered", request.name) in events
    assert ("exchange.submitted", final.name) in events


async def test_of_two_final_answers_at_once_one_wins(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    request = await organs.submit(case)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    outcomes = await asyncio.gather(
        *(organs.answer(request.name, "nodes/LA002", organs.procuratorate) for _ in range(4)), return_exceptions=True
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, exchange_pb2.Exchange)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, FailedPrecondition)]
    assert (len(won), len(lost)) == (1, 3)
    assert [won[0].name] == [delivery.exchange.name for delivery in await organs.pull(organs.police)]


async def test_an_answer_gives_its_recipient_nothing_new(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    request = await organs.submit(case)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    answer = await organs.answer(request.name, "nodes/LA002", organs.procuratorate)
    assert await organs.sql("SELECT 1 FROM obligation WHERE resource = $1", answer.name) == []


async def test_a_repeated_answer_is_the_first_one_again(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    request = await organs.submit(case)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    request_id = new_id()
    first, second = [
        await organs.answer(request.name, "nodes/LA002", organs.procuratorate, request_id=request_id) for _ in range(2)
    ]
    assert first == second


async def test_an_exchange_whose_access_was_not_settled_is_committed_and_delivered_later(
    three_organs: ThreeOrgans,
) -> None:
    organs = three_organs
    case = await organs.register()
    blocker = await asyncpg.connect(organs.mesh.databases["identity"].owner_dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE request IN ACCESS EXCLUSIVE MODE")
            exchange = await organs.submit(case)
            assert (await organs.get(exchange.name, organs.police)).state == SUBMITTED
            assert await organs.pull(organs.procuratorate) == []
    finally:
        await blocker.close()
    # The worker's turn comes by itself; here it need not be waited for.
    await organs.sql("UPDATE obligation SET next_attempt_at = now()")
    async with asyncio.timeout(30):
        while not (deliveries := await organs.deliver(organs.procuratorate)):
            await asyncio.sleep(0.05)
    assert [exchange.name] == [delivery.exchange.name for delivery in deliveries]
    await organs.assign(case.name, organs.procuratorate)
    assert (await organs.get(exchange.name, organs.procuratorate)).state == DELIVERED
