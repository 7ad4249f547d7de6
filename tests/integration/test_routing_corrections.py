"""Exchanges that are returned, mended, taken back and left unanswered, over real mTLS."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.routing.v1 import case_pb2, exchange_pb2
from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2
from casemesh.routing.v1.case_service_pb2 import GetCaseRequest
from casemesh.routing.v1.delivery_pb2 import DELIVERY_PURPOSE_CHANGE, DELIVERY_PURPOSE_HANDLE
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceStub
from casemesh.routing.v1.exchange_pb2 import ExchangeDefect, PayloadField
from tests.support.clock import FakeClock
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import TIMEOUT, ThreeOrgans, person, running_three_organs

DEFECT = ExchangeDefect(code="FIELD_WRONG", field="case_name", mend="写明案件名称")


class Desk:
    """The corrections of a case with one submitted exchange."""

    def __init__(self, organs: ThreeOrgans) -> None:
        self.organs = organs
        self.stub = organs.mesh.agency_stub("routing", ExchangeCorrectionServiceStub)

    async def by(self, agency: Agency) -> dict[str, Any]:
        """Return what a call of an agency's officer takes besides its request."""
        return {"metadata": await self.organs.as_officer(agency), "timeout": TIMEOUT}

    async def give_back(self, exchange: str, agency: Agency | None = None, **fields: Any) -> exchange_pb2.Exchange:
        request = pb2.ReturnExchangeRequest(
            **{"request_id": new_id(), "exchange": exchange, "defects": [DEFECT], **fields}
        )
        answer = await self.stub.ReturnExchange(request, **await self.by(agency or self.organs.procuratorate))
        return exchange_pb2.Exchange.FromString(answer.exchange.SerializeToString())

    async def mend(self, exchange: str, agency: Agency | None = None, **fields: Any) -> exchange_pb2.Exchange:
        request = pb2.SupplementExchangeRequest(**{"request_id": new_id(), "exchange": exchange, **fields})
        answer = await self.stub.SupplementExchange(request, **await self.by(agency or self.organs.police))
        return exchange_pb2.Exchange.FromString(answer.exchange.SerializeToString())

    async def take_back(self, exchange: str, agency: Agency | None = None, **fields: Any) -> exchange_pb2.Exchange:
        request = pb2.WithdrawExchangeRequest(
            **{"request_id": new_id(), "exchange": exchange, "ground": "重复移送", **fields}
        )
        answer = await self.stub.WithdrawExchange(request, **await self.by(agency or self.organs.police))
        return exchange_pb2.Exchange.FromString(answer.exchange.SerializeToString())

    async def delivered(self) -> exchange_pb2.Exchange:
        """Return an exchange from the police that the procuratorate has stored, with an officer there on the case."""
        case = await self.organs.register()
        exchange = await self.organs.submit(case, fields=[PayloadField(key="case_name", text="某案")])
        await self.organs.deliver(self.organs.procuratorate)
        await self.organs.assign(case.name, self.organs.procuratorate)
        return exchange


@pytest.fixture
async def desk(three_organs: ThreeOrgans) -> Desk:
    return Desk(three_organs)


def wrong_state(refusal: pytest.ExceptionInfo[FailedPrecondition]) -> str:
    assert refusal.value.reason == "EXCHANGE_STATE_WRONG"
    return refusal.value.metadata["state"]


async def test_a_returned_exchange_is_mended_under_its_name_and_delivered_again(desk: Desk) -> None:
    organs = desk.organs
    exchange = await desk.delivered()

    returned = await desk.give_back(exchange.name)
    assert returned.state == exchange_pb2.EXCHANGE_STATE_RETURNED
    assert [DEFECT] == list(returned.returned.defects)
    (told,) = await organs.deliver(organs.police)
    assert (DELIVERY_PURPOSE_CHANGE, returned) == (told.purpose, told.exchange)
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.accept(exchange.name, organs.procuratorate)
    assert wrong_state(refusal) == "RETURNED"

    mended = await desk.mend(exchange.name, fields=[PayloadField(key="case_name", text="某甲盗窃案")])
    assert (exchange_pb2.EXCHANGE_STATE_SUPPLEMENTED, 1) == (mended.state, mended.revision)
    (again,) = await organs.deliver(organs.procuratorate)
    assert (DELIVERY_PURPOSE_HANDLE, exchange.name) == (again.purpose, again.exchange.name)
    assert again.exchange.fields[0].text == "某甲盗窃案"
    accepted = await organs.accept(exchange.name, organs.procuratorate)
    assert (exchange_pb2.EXCHANGE_STATE_ACCEPTED, 1) == (accepted.state, accepted.revision)

    request = pb2.ListExchangeRevisionsRequest(exchange=exchange.name)
    kept = (await desk.stub.ListExchangeRevisions(request, **await desk.by(organs.police))).revisions
    assert [(0, "某案", [DEFECT])] == [
        (revision.revision, revision.fields[0].text, list(revision.returned.defects)) for revision in kept
    ]
    actions = [event.action for event in await organs.events() if event.resource == exchange.name]
    assert [action for action in actions if action != "exchange.read"] == [
        "exchange.submitted", "exchange.delivered", "exchange.returned", "exchange.delivered", "exchange.supplemented",
        "exchange.delivered", "exchange.accepted",
    ]  # fmt: skip


async def test_revisions_come_in_pages(desk: Desk) -> None:
    exchange = await desk.delivered()
    for index in range(3):
        await desk.give_back(exchange.name)
        await desk.mend(exchange.name, fields=[PayloadField(key="note", text=str(index))])
        await desk.organs.deliver(desk.organs.procuratorate)
    numbers, token = [], ""
    while True:
        request = pb2.ListExchangeRevisionsRequest(exchange=exchange.name, page_size=2, page_token=token)
        page = await desk.stub.ListExchangeRevisions(request, **await desk.by(desk.organs.procuratorate))
        numbers.append([revision.revision for revision in page.revisions])
        if not (token := page.next_page_token):
            break
    assert numbers == [[0, 1], [2]]


async def test_what_is_mended_is_checked_as_at_first(desk: Desk) -> None:
    exchange = await desk.delivered()
    await desk.give_back(exchange.name)
    with pytest.raises(InvalidArgument) as refusal:
        await desk.mend(exchange.name, fields=[PayloadField(key="case_nam", text="某案")])
    assert refusal.value.reason == "PAYLOAD_INVALID"
    assert (await desk.organs.get(exchange.name, desk.organs.police)).state == exchange_pb2.EXCHANGE_STATE_RETURNED


async def test_a_withdrawn_exchange_can_be_neither_accepted_nor_answered(desk: Desk) -> None:
    organs = desk.organs
    exchange = await desk.delivered()
    withdrawn = await desk.take_back(exchange.name)
    assert (exchange_pb2.EXCHANGE_STATE_WITHDRAWN, "重复移送") == (withdrawn.state, withdrawn.withdraw_ground)
    assert withdrawn.HasField("end_time")
    (told,) = await organs.deliver(organs.procuratorate)
    assert (DELIVERY_PURPOSE_CHANGE, withdrawn) == (told.purpose, told.exchange)
    for step in (
        organs.accept(exchange.name, organs.procuratorate),
        organs.answer(exchange.name, "nodes/LA002", organs.procuratorate),
        desk.give_back(exchange.name),
        desk.take_back(exchange.name),
    ):
        with pytest.raises(FailedPrecondition) as refusal:
            await step
        assert wrong_state(refusal) == "WITHDRAWN"


async def test_an_exchange_is_taken_back_before_it_is_accepted_and_not_after(desk: Desk) -> None:
    organs = desk.organs
    waiting = await organs.submit(await organs.register())
    assert (await desk.take_back(waiting.name)).state == exchange_pb2.EXCHANGE_STATE_WITHDRAWN
    exchange = await desk.delivered()
    await organs.accept(exchange.name, organs.procuratorate)
    with pytest.raises(FailedPrecondition) as refusal:
        await desk.take_back(exchange.name)
    assert wrong_state(refusal) == "ACCEPTED"


async def test_what_is_stated_of_persons_follows_the_parties_a_supplement_names(desk: Desk) -> None:
    organs = desk.organs
    case = await organs.register(parties=[person("某甲"), person("某乙"), person("某丙")])
    first, second, third = (party.name for party in case.parties)
    exchange = await organs.submit(case, node="nodes/LA004", parties=[first, second])
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)

    async def stages() -> list[int]:
        metadata = await organs.as_officer(organs.police)
        answer = await organs.cases.GetCase(GetCaseRequest(name=case.name), metadata=metadata, timeout=TIMEOUT)
        return [party.stage for party in answer.case.parties]

    concluded, unknown = case_pb2.PROCEDURE_STAGE_CONCLUDED, case_pb2.PROCEDURE_STAGE_UNSPECIFIED
    assert [concluded, concluded, unknown] == await stages()
    await desk.give_back(exchange.name)
    await desk.mend(exchange.name, parties=[second, third])
    assert [unknown, concluded, concluded] == await stages()
    await desk.take_back(exchange.name)
    assert [unknown, unknown, unknown] == await stages()


async def test_each_side_takes_its_own_steps_and_others_know_of_none(desk: Desk) -> None:
    organs = desk.organs
    exchange = await desk.delivered()
    for step in (
        desk.give_back(exchange.name, organs.police),
        desk.take_back(exchange.name, organs.procuratorate),
        desk.mend(exchange.name, organs.procuratorate),
    ):
        with pytest.raises(PermissionDenied) as refusal:
            await step
        assert refusal.value.reason == "PERMISSION_MISSING"
    for name in (exchange.name, f"exchanges/{new_id()}"):
        for step in (
            desk.give_back(name, organs.court),
            desk.take_back(name, organs.court),
            desk.mend(name, organs.court),
        ):
            with pytest.raises(NotFound):
                await step


async def test_a_return_says_what_to_mend(desk: Desk) -> None:
    exchange = await desk.delivered()
    for defects, reason in (
        ([], "FIELD_INVALID"),
        ([ExchangeDefect(code="NO_SUCH_REASON")], "RETURN_REASON_UNKNOWN"),
        ([ExchangeDefect(code="SEE_REMARK", mend=" ")], "FIELD_INVALID"),
    ):
        with pytest.raises(InvalidArgument) as refusal:
            await desk.give_back(exchange.name, defects=defects)
        assert reason == refusal.value.reason
    reasons = (
        await desk.stub.ListReturnReasons(pb2.ListReturnReasonsRequest(), **await desk.by(desk.organs.police))
    ).reasons
    assert {"DOCUMENT_MISSING", "SEE_REMARK"} <= {item.code for item in reasons}
    assert all(item.title_zh and item.title_en and item.remedy_zh and item.remedy_en for item in reasons)


async def test_repeating_a_step_gives_its_first_answer(desk: Desk) -> None:
    exchange = await desk.delivered()
    back, mend, away = new_id(), new_id(), new_id()
    assert await desk.give_back(exchange.name, request_id=back) == await desk.give_back(exchange.name, request_id=back)
    assert await desk.mend(exchange.name, request_id=mend) == await desk.mend(exchange.name, request_id=mend)
    assert await desk.take_back(exchange.name, request_id=away) == await desk.take_back(exchange.name, request_id=away)
    actions = [event.action for event in await desk.organs.events()]
    for action in ("exchange.returned", "exchange.supplemented", "exchange.withdrawn"):
        assert actions.count(action) == 1


async def test_of_steps_that_race_one_is_taken_and_the_others_are_told_the_state(desk: Desk) -> None:
    organs = desk.organs
    exchange = await desk.delivered()
    outcomes = await asyncio.gather(
        organs.accept(exchange.name, organs.procuratorate),
        organs.accept(exchange.name, organs.procuratorate),
        desk.give_back(exchange.name),
        desk.take_back(exchange.name),
        organs.answer(exchange.name, "nodes/LA002", organs.procuratorate),
        return_exceptions=True,
    )
    steps = ("accept", "accept", "return", "withdraw", "answer")
    taken = [step for step, outcome in zip(steps, outcomes, strict=True) if not isinstance(outcome, BaseException)]
    # An answer may follow an acceptance, and what was returned may be withdrawn.
    assert taken in (["accept"], ["accept", "answer"], ["answer"], ["return"], ["return", "withdraw"], ["withdraw"])
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert {"EXCHANGE_STATE_WRONG"} == {error.reason for error in refused if isinstance(error, CaseMeshError)}
    assert all(isinstance(error, CaseMeshError) for error in refused)
    state = exchange_pb2.ExchangeState.Name((await organs.get(exchange.name, organs.police)).state)
    ends = {"accept": "ACCEPTED", "answer": "ANSWERED", "return": "RETURNED", "withdraw": "WITHDRAWN"}
    assert ends[taken[-1]] == state.removeprefix("EXCHANGE_STATE_")


async def test_what_is_not_answered_in_its_time_expires_and_both_sides_are_told(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with running_three_organs(mesh_of, clock=clock) as organs:
        answer_by = Timestamp()
        answer_by.FromDatetime(clock.now() + timedelta(seconds=60))
        case = await organs.register()
        with pytest.raises(InvalidArgument):
            await organs.submit(case, answer_by=Timestamp(seconds=1))
        exchange, unlimited = await organs.submit(case, answer_by=answer_by), await organs.submit(case)
        await organs.deliver(organs.procuratorate)
        await organs.assign(case.name, organs.procuratorate)
        assert (await organs.get(exchange.name, organs.police)).answer_by == answer_by

        clock.move(61)
        told = await waited_for(organs, organs.police)
        assert (exchange.name, exchange_pb2.EXCHANGE_STATE_EXPIRED) == (told.exchange.name, told.exchange.state)
        assert told.exchange == (await waited_for(organs, organs.procuratorate)).exchange
        with pytest.raises(FailedPrecondition) as refusal:
            await organs.answer(exchange.name, "nodes/LA002", organs.procuratorate)
        assert wrong_state(refusal) == "EXPIRED"
        assert (await organs.get(unlimited.name, organs.police)).state == exchange_pb2.EXCHANGE_STATE_DELIVERED
        assert [event.action for event in await organs.events()].count("exchange.expired") == 1


async def waited_for(organs: ThreeOrgans, agency: Agency) -> exchange_pb2.Delivery:
    """Return what is next put before an agency."""
    async with asyncio.timeout(TIMEOUT):
        while not (deliveries := await organs.pull(agency, 1)):
            await asyncio.sleep(0.1)
    return deliveries[0]
