"""Exchanges that end before their recipient has the access they bring, and who is told of what ends, over real mTLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE
from casemesh.routing.v1 import delivery_service_pb2, exchange_pb2
from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2
from casemesh.routing.v1 import exchange_draft_service_pb2 as draft_pb2
from casemesh.routing.v1.delivery_pb2 import (
    DELIVERY_PURPOSE_CHANGE,
    DELIVERY_PURPOSE_COPY,
    DELIVERY_STATE_WITHHELD,
    DeliveryState,
)
from casemesh.routing.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceStub
from casemesh.routing.v1.exchange_draft_service_pb2_grpc import ExchangeDraftServiceStub
from casemesh.routing.v1.exchange_pb2 import EXCHANGE_STATE_EXPIRED, EXCHANGE_STATE_WITHDRAWN, ExchangeDefect
from tests.support.clock import FakeClock
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import TIMEOUT, ThreeOrgans, running_three_organs


@asynccontextmanager
async def identity_at_rest(organs: ThreeOrgans) -> AsyncIterator[None]:
    """Let identity bring nobody into a case while the body runs."""
    connection = await asyncpg.connect(organs.mesh.databases["identity"].owner_dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE request IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def take_back(organs: ThreeOrgans, exchange: str) -> exchange_pb2.Exchange:
    stub = organs.mesh.agency_stub("routing", ExchangeCorrectionServiceStub)
    request = pb2.WithdrawExchangeRequest(request_id=new_id(), exchange=exchange, ground="重复移送")
    metadata = await organs.as_officer(organs.police)
    answer: pb2.WithdrawExchangeResponse = await stub.WithdrawExchange(request, metadata=metadata, timeout=TIMEOUT)
    return answer.exchange


async def takes_part(organs: ThreeOrgans, case: str, agency: Agency) -> bool:
    connection = await asyncpg.connect(organs.mesh.databases["identity"].owner_dsn)
    try:
        row = await connection.fetchrow(
            "SELECT FROM participation WHERE case_id = $1 AND agency_id = $2",
            CASE.parse(case)["case"],
            AGENCY.parse(agency.name)["agency"],
        )
    finally:
        await connection.close()
    return row is not None


async def states(organs: ThreeOrgans, exchange: str) -> list[DeliveryState]:
    """Return how far the deliveries of an exchange have come, as its sender sees it."""
    stub = organs.mesh.agency_stub("routing", DeliveryServiceStub)
    answer: delivery_service_pb2.ListDeliveriesResponse = await stub.ListDeliveries(
        delivery_service_pb2.ListDeliveriesRequest(exchange=exchange),
        metadata=await organs.as_officer(organs.police),
        timeout=TIMEOUT,
    )
    return [delivery.state for delivery in answer.deliveries]


async def until_nothing_is_owed(organs: ThreeOrgans) -> None:
    # The worker's turn comes by itself; here it need not be waited for.
    await organs.sql("UPDATE obligation SET next_attempt_at = now() WHERE forgone_time IS NULL")
    async with asyncio.timeout(TIMEOUT):
        while await organs.sql("SELECT FROM obligation WHERE fulfil_time IS NULL AND forgone_time IS NULL"):
            await asyncio.sleep(0.05)


async def test_a_withdrawal_keeps_out_whom_nothing_has_reached_and_leaves_no_gap(three_organs: ThreeOrgans) -> None:
    organs, case = three_organs, await three_organs.register()
    async with identity_at_rest(organs):
        exchange = await organs.submit(case)
        assert EXCHANGE_STATE_WITHDRAWN == (await take_back(organs, exchange.name)).state
    await until_nothing_is_owed(organs)
    assert [DELIVERY_STATE_WITHHELD] == await states(organs, exchange.name)
    assert not await takes_part(organs, case.name, organs.procuratorate)
    assert [] == await organs.pull(organs.procuratorate)

    another = await organs.submit(case)
    (delivery,) = await organs.deliver(organs.procuratorate)
    assert (another.name, 1) == (delivery.exchange.name, delivery.delivery_sequence)
    assert await takes_part(organs, case.name, organs.procuratorate)


async def test_what_expires_before_it_is_released_reaches_its_sender_alone(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with running_three_organs(mesh_of, clock=clock) as organs:
        case, answer_by = await organs.register(), Timestamp()
        answer_by.FromDatetime(clock.now() + timedelta(seconds=60))
        async with identity_at_rest(organs):
            exchange = await organs.submit(case, answer_by=answer_by)
            clock.move(61)
            async with asyncio.timeout(TIMEOUT):
                while not (told := await organs.deliver(organs.police)):
                    await asyncio.sleep(0.05)
        assert [(exchange.name, EXCHANGE_STATE_EXPIRED)] == [(each.exchange.name, each.exchange.state) for each in told]
        await until_nothing_is_owed(organs)
        assert not await takes_part(organs, case.name, organs.procuratorate)
        assert [] == await organs.pull(organs.procuratorate)


async def test_who_has_a_copy_is_told_of_a_supplement_and_of_a_withdrawal(three_organs: ThreeOrgans) -> None:
    organs, case = three_organs, await three_organs.register()
    await organs.sql(
        "INSERT INTO obligation (resource, case_id, agency, joins, fulfil_time) VALUES ($1, $2, $3, true, now())",
        f"cases/{new_id()}",
        CASE.parse(case.name)["case"],
        AGENCY.parse(organs.court.name)["agency"],
    )
    exchange = await organs.submit(case, copies_to=[organs.court.name])
    await organs.deliver(organs.procuratorate)
    await organs.deliver(organs.court)
    await organs.assign(case.name, organs.procuratorate)

    stub = organs.mesh.agency_stub("routing", ExchangeCorrectionServiceStub)
    returning = pb2.ReturnExchangeRequest(
        request_id=new_id(), exchange=exchange.name, defects=[ExchangeDefect(code="FIELD_WRONG", mend="写明案件名称")]
    )
    by = await organs.as_officer(organs.procuratorate)
    await stub.ReturnExchange(returning, metadata=by, timeout=TIMEOUT)
    assert [] == await organs.pull(organs.court), "a return is between the two sides"
    mending = pb2.SupplementExchangeRequest(
        request_id=new_id(),
        exchange=exchange.name,
        fields=[exchange_pb2.PayloadField(key="case_name", text="某甲盗窃案")],
    )
    by = await organs.as_officer(organs.police)
    mended = (await stub.SupplementExchange(mending, metadata=by, timeout=TIMEOUT)).exchange
    (copy,) = await organs.deliver(organs.court)
    assert (DELIVERY_PURPOSE_COPY, mended) == (copy.purpose, copy.exchange)

    withdrawn = await take_back(organs, exchange.name)
    (told,) = await organs.deliver(organs.court)
    assert (DELIVERY_PURPOSE_CHANGE, withdrawn) == (told.purpose, told.exchange)


async def test_a_draft_discarded_twice_under_one_request_id_is_answered_twice(three_organs: ThreeOrgans) -> None:
    organs, case = three_organs, await three_organs.register()
    stub = organs.mesh.agency_stub("routing", ExchangeDraftServiceStub)
    by: dict[str, Any] = {"metadata": await organs.as_officer(organs.police), "timeout": TIMEOUT}
    saving = draft_pb2.SaveExchangeDraftRequest(
        request_id=new_id(), case=case.name, node="nodes/LA001", recipient=organs.procuratorate.name
    )
    draft = (await stub.SaveExchangeDraft(saving, **by)).exchange
    discarding = draft_pb2.DiscardExchangeDraftRequest(request_id=new_id(), exchange=draft.name)
    assert draft.name == (await stub.DiscardExchangeDraft(discarding, **by)).exchange
    assert draft.name == (await stub.DiscardExchangeDraft(discarding, **by)).exchange
    listing = draft_pb2.ListExchangeDraftsRequest(case=case.name)
    assert [] == list((await stub.ListExchangeDrafts(listing, **by)).exchanges)
    assert [b""] == [row["content"] for row in await organs.sql("SELECT content FROM exchange_draft")]
