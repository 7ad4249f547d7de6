"""Deliveries that do not arrive: given up, refused, overdue; what their senders learn; how they go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.routing.v1 import delivery_pb2, exchange_pb2
from casemesh.routing.v1.delivery_service_pb2 import (
    AcknowledgeReportRequest,
    ListDeliveriesRequest,
    ListUndeliveredRequest,
    RedriveDeliveryRequest,
    RejectDeliveryRequest,
)
from casemesh.routing.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from casemesh.routing.v1.exchange_service_pb2 import PullDeliveriesRequest
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import TIMEOUT, ThreeOrgans, running_three_organs

SET_ASIDE = delivery_pb2.DELIVERY_STATE_SET_ASIDE
UNREADABLE = delivery_pb2.UNDELIVERED_REASON_UNREADABLE


class Desk:
    """What the systems of agencies ask about their deliveries."""

    def __init__(self, organs: ThreeOrgans) -> None:
        self.organs = organs
        self._stub = organs.mesh.agency_stub("routing", DeliveryServiceStub)
        self._operator = organs.mesh.operator("routing", DeliveryServiceStub)

    async def reject(self, agency: Agency, delivery: str, **fields: Any) -> delivery_pb2.DeliveryStatus:
        request = RejectDeliveryRequest(
            **{"request_id": new_id(), "delivery": delivery, "reason": UNREADABLE, **fields}
        )
        answer = await self._stub.RejectDelivery(request, metadata=await self.organs.as_system(agency), timeout=TIMEOUT)
        status: delivery_pb2.DeliveryStatus = answer.delivery
        return status

    async def redrive(self, agency: Agency | None, delivery: str, **fields: Any) -> delivery_pb2.DeliveryStatus:
        request = RedriveDeliveryRequest(**{"request_id": new_id(), "delivery": delivery, **fields})
        if agency is None:
            answer = await self._operator.RedriveDelivery(request, timeout=TIMEOUT)
        else:
            answer = await self._stub.RedriveDelivery(
                request, metadata=await self.organs.as_system(agency), timeout=TIMEOUT
            )
        status: delivery_pb2.DeliveryStatus = answer.delivery
        return status

    async def undelivered(self, agency: Agency) -> Sequence[delivery_pb2.DeliveryStatus]:
        answer = await self._stub.ListUndelivered(
            ListUndeliveredRequest(), metadata=await self.organs.as_system(agency), timeout=TIMEOUT
        )
        found: Sequence[delivery_pb2.DeliveryStatus] = answer.deliveries
        return found

    async def deliveries(self, exchange: str, agency: Agency) -> Sequence[delivery_pb2.DeliveryStatus]:
        answer = await self._stub.ListDeliveries(
            ListDeliveriesRequest(exchange=exchange),
            metadata=await self.organs.as_officer(agency),
            timeout=TIMEOUT,
        )
        found: Sequence[delivery_pb2.DeliveryStatus] = answer.deliveries
        return found

    async def reports(self, agency: Agency) -> Sequence[delivery_pb2.DeliveryReport]:
        answer = await self.organs.exchanges.PullDeliveries(
            PullDeliveriesRequest(), metadata=await self.organs.as_system(agency), timeout=TIMEOUT
        )
        found: Sequence[delivery_pb2.DeliveryReport] = answer.reports
        return found

    async def acknowledge_report(self, agency: Agency, report: str) -> None:
        await self._stub.AcknowledgeReport(
            AcknowledgeReportRequest(request_id=new_id(), report=report),
            metadata=await self.organs.as_system(agency),
            timeout=TIMEOUT,
        )


async def until(found: Callable[[], Awaitable[Sequence[Any]]]) -> Sequence[Any]:
    """Return what `found` gives once it gives anything."""
    async with asyncio.timeout(TIMEOUT):
        while not (given := await found()):
            await asyncio.sleep(0.05)
    return given


async def test_what_fails_as_often_as_is_allowed_is_set_aside_and_goes_on_when_it_is_redriven(mesh_of: MeshOf) -> None:
    async with running_three_organs(mesh_of, own={"routing": {"max_attempts": 2}}) as organs:
        desk = Desk(organs)
        case = await organs.register()
        poisoned = await organs.submit(case)
        for attempt in (1, 2):
            (delivery,) = await organs.pull(organs.procuratorate)
            assert attempt == delivery.attempt
            await organs.sql("UPDATE delivery SET due_at = now()")
        assert await organs.pull(organs.procuratorate) == []

        (report,) = await until(lambda: desk.reports(organs.police))
        assert (delivery.name, organs.procuratorate.name, case.name) == (report.delivery, report.recipient, report.case)
        assert delivery_pb2.UNDELIVERED_REASON_ATTEMPTS_EXHAUSTED == report.reason
        for agency in (organs.police, organs.procuratorate):
            (status,) = await desk.undelivered(agency)
            assert (delivery.name, SET_ASIDE, 2) == (status.name, status.state, status.attempt)
        assert await desk.undelivered(organs.court) == []

        later = await organs.submit(case)
        (next_delivery,) = await organs.deliver(organs.procuratorate)
        assert (later.name, 2) == (next_delivery.exchange.name, next_delivery.delivery_sequence)

        request_id = new_id()
        for _ in range(2):
            await desk.redrive(organs.procuratorate, delivery.name, request_id=request_id)
        (again,) = await organs.deliver(organs.procuratorate)
        assert (delivery.name, poisoned.name, 3) == (again.name, again.exchange.name, again.attempt)
        assert await desk.undelivered(organs.police) == []
        assert exchange_pb2.EXCHANGE_STATE_DELIVERED == (await organs.get(poisoned.name, organs.police)).state
        await desk.redrive(None, delivery.name)
        assert await organs.pull(organs.procuratorate) == []
        actions = [event.action for event in await organs.events() if event.resource == poisoned.name]
        assert 1 == actions.count("exchange.undelivered") == actions.count("exchange.redriven")


async def test_a_recipient_refuses_what_it_cannot_process_and_the_sender_is_told_at_once(
    three_organs: ThreeOrgans,
) -> None:
    organs, desk = three_organs, Desk(three_organs)
    case = await organs.register()
    exchange = await organs.submit(case)
    (delivery,) = await organs.pull(organs.procuratorate)
    request_id = new_id()
    for _ in range(2):
        status = await desk.reject(
            organs.procuratorate, delivery.name, request_id=request_id, detail="field 3 has no such code"
        )
        assert (SET_ASIDE, UNREADABLE) == (status.state, status.reason)
    (report,) = await desk.reports(organs.police)
    assert (UNREADABLE, "field 3 has no such code") == (report.reason, report.detail)
    assert [event.details["reason"] for event in await organs.events() if event.action == "exchange.undelivered"] == [
        "UNREADABLE"
    ]

    (seen_by_sender,) = await desk.deliveries(exchange.name, organs.police)
    (seen_by_recipient,) = await desk.undelivered(organs.procuratorate)
    assert (0, 1) == (seen_by_sender.delivery_sequence, seen_by_recipient.delivery_sequence)

    await desk.acknowledge_report(organs.police, report.name)
    assert await desk.reports(organs.police) == []
    assert [delivery.name] == [status.name for status in await desk.undelivered(organs.police)]
    await desk.redrive(None, delivery.name)
    assert [delivery.name] == [each.name for each in await organs.deliver(organs.procuratorate)]
    with pytest.raises(FailedPrecondition) as refusal:
        await desk.reject(organs.procuratorate, delivery.name)
    assert refusal.value.reason == "DELIVERY_ACKNOWLEDGED"


async def test_only_its_recipient_refuses_and_redrives_and_only_its_sender_knows_of_a_report(
    three_organs: ThreeOrgans,
) -> None:
    organs, desk = three_organs, Desk(three_organs)
    await organs.submit(await organs.register())
    (delivery,) = await organs.pull(organs.procuratorate)
    for stranger in (organs.police, organs.court):
        with pytest.raises(NotFound):
            await desk.reject(stranger, delivery.name)
        with pytest.raises(NotFound):
            await desk.redrive(stranger, delivery.name)
    with pytest.raises(InvalidArgument) as refusal:
        await desk.reject(organs.procuratorate, delivery.name, reason=delivery_pb2.UNDELIVERED_REASON_OVERDUE)
    assert ["reason"] == [violation.field for violation in refusal.value.violations]
    await desk.reject(organs.procuratorate, delivery.name)
    (report,) = await desk.reports(organs.police)
    for stranger in (organs.procuratorate, organs.court):
        with pytest.raises(NotFound):
            await desk.acknowledge_report(stranger, report.name)
    with pytest.raises(InvalidArgument):
        await desk.acknowledge_report(organs.police, delivery.name)
    with pytest.raises(PermissionDenied):
        await organs.mesh.agency_stub("routing", DeliveryServiceStub).ListUndelivered(
            ListUndeliveredRequest(), metadata=await organs.as_officer(organs.police), timeout=TIMEOUT
        )


async def test_what_waits_longer_than_is_stated_is_reported_once_and_goes_on_waiting(mesh_of: MeshOf) -> None:
    async with running_three_organs(mesh_of, own={"routing": {"undelivered_after": 0.2}}) as organs:
        desk = Desk(organs)
        await organs.submit(await organs.register())
        (report,) = await until(lambda: desk.reports(organs.police))
        assert delivery_pb2.UNDELIVERED_REASON_OVERDUE == report.reason
        assert datetime.now(UTC) - report.report_time.ToDatetime(UTC) < timedelta(minutes=1)
        (delivery,) = await organs.deliver(organs.procuratorate)
        assert report.delivery == delivery.name
        assert await desk.undelivered(organs.police) == []
        rows = await organs.sql("SELECT count(*) FROM delivery_report")
        assert 1 == rows[0]["count"]


async def test_small_deliveries_of_other_cases_do_not_wait_behind_heavy_ones(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    heavy, light = await organs.register(), await organs.register()
    packages = [(await organs.submit(heavy)).name for _ in range(3)]
    notice_of_heavy = (await organs.submit(heavy)).name
    notices = [(await organs.submit(light)).name for _ in range(2)]
    # A dossier of its own would say nothing more: what goes along makes a delivery heavy when it is numbered.
    await organs.sql(
        "UPDATE delivery SET heavy = true WHERE exchange_id = ANY($1::uuid[])",
        [name.split("/")[1] for name in packages],
    )
    first = await organs.pull(organs.procuratorate)
    assert [*notices, *packages] == [delivery.exchange.name for delivery in first]
    assert [notice_of_heavy] == [delivery.exchange.name for delivery in await organs.pull(organs.procuratorate)]


async def test_a_copy_informs_an_agency_of_the_case_and_lets_it_decide_nothing(three_organs: ThreeOrgans) -> None:
    organs, desk = three_organs, Desk(three_organs)
    case = await organs.register()
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.submit(case, copies_to=[organs.court.name])
    assert ("COPY_NOT_PARTICIPANT", organs.court.name) == (refusal.value.reason, refusal.value.metadata["agency"])
    for wrong in ([organs.police.name], [organs.procuratorate.name], [organs.court.name] * 2):
        with pytest.raises(InvalidArgument):
            await organs.submit(case, copies_to=wrong)

    await organs.sql(
        "INSERT INTO obligation (resource, case_id, agency, joins, fulfil_time) VALUES ($1, $2, $3, true, now())",
        f"cases/{new_id()}",
        case.name.split("/")[1],
        organs.court.name.split("/")[1],
    )
    exchange = await organs.submit(case, copies_to=[organs.court.name])
    (copy,) = await organs.deliver(organs.court)
    assert (exchange.name, delivery_pb2.DELIVERY_PURPOSE_COPY, 1) == (
        copy.exchange.name,
        copy.purpose,
        copy.delivery_sequence,
    )
    assert exchange_pb2.EXCHANGE_STATE_SUBMITTED == (await organs.get(exchange.name, organs.police)).state
    (delivery,) = await organs.deliver(organs.procuratorate)
    assert delivery_pb2.DELIVERY_PURPOSE_HANDLE == delivery.purpose
    assert {organs.procuratorate.name, organs.court.name} == {
        status.recipient for status in await desk.deliveries(exchange.name, organs.police)
    }
