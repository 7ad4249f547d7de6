"""Receiving over real mTLS: the stream, and the plain calls that do the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from casemesh.client.channel import raising
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Unavailable
from casemesh.identity.v1 import directory_admin_service_pb2, token_service_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1.exchange_service_pb2 import (
    AcknowledgeDeliveryRequest,
    PullDeliveriesRequest,
    ReceiveOpen,
    ReceiveRequest,
    ReceiveResponse,
)
from tests.support.mesh import Mesh, fingerprint, forwarded
from tests.support.pki import PROCURATORATE
from tests.support.routing import TIMEOUT, ThreeOrgans


class Stream:
    """One Receive stream as an agency's system holds it."""

    def __init__(self, organs: ThreeOrgans, metadata: Any) -> None:
        self._requests: asyncio.Queue[ReceiveRequest | None] = asyncio.Queue()
        call = organs.exchanges.Receive(self._iterate(), metadata=metadata)
        self._call, self._responses = call, raising(call, call)

    async def _iterate(self) -> AsyncIterator[ReceiveRequest]:
        while (request := await self._requests.get()) is not None:
            yield request

    def open(self, most: int = 0) -> None:
        self._requests.put_nowait(ReceiveRequest(open=ReceiveOpen(max_outstanding=most)))

    def acknowledge(self, delivery: str) -> None:
        self._requests.put_nowait(ReceiveRequest(acknowledge=delivery))

    def close(self) -> None:
        self._requests.put_nowait(None)

    async def next(self) -> ReceiveResponse:
        async with asyncio.timeout(TIMEOUT):
            return await anext(self._responses)

    async def delivery(self) -> exchange_pb2.Delivery:
        response = await self.next()
        assert response.WhichOneof("notice") == "delivery"
        return response.delivery

    async def rest(self) -> list[ReceiveResponse]:
        async with asyncio.timeout(TIMEOUT):
            return [response async for response in self._responses]

    async def cut(self) -> None:
        self.close()
        self._call.cancel()


@asynccontextmanager
async def receiving(organs: ThreeOrgans, metadata: Any, most: int = 0) -> AsyncIterator[Stream]:
    stream = Stream(organs, metadata)
    stream.open(most)
    try:
        yield stream
    finally:
        await stream.cut()


async def test_the_stream_brings_what_waits_and_what_comes_and_takes_acknowledgements(
    three_organs: ThreeOrgans,
) -> None:
    organs = three_organs
    case = await organs.register()
    waiting = await organs.submit(case)
    async with receiving(organs, await organs.as_system(organs.procuratorate)) as stream:
        first = await stream.delivery()
        assert (waiting.name, 1, 1) == (first.exchange.name, first.delivery_sequence, first.attempt)
        coming = await organs.submit(case)
        second = await stream.delivery()
        assert (coming.name, 2) == (second.exchange.name, second.delivery_sequence)
        for delivery in (first, second):
            stream.acknowledge(delivery.name)
            assert delivery.name == (await stream.next()).acknowledged
        stream.acknowledge(first.name)
        assert first.name == (await stream.next()).acknowledged
        stream.close()
        assert await stream.rest() == []
    assert await organs.pull(organs.procuratorate) == []
    assert [event.action for event in await organs.events()].count("exchange.delivered") == 2


async def test_what_a_stream_left_unacknowledged_comes_again_at_once(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    for _ in range(3):
        await organs.submit(case)
    system = await organs.as_system(organs.procuratorate)
    async with receiving(organs, system, most=2) as stream:
        first, second = await stream.delivery(), await stream.delivery()
        stream.acknowledge(first.name)
        assert first.name == (await stream.next()).acknowledged
        assert (await stream.delivery()).delivery_sequence == 3
    async with receiving(organs, system) as stream:
        again = [await stream.delivery() for _ in range(2)]
    assert sorted((delivery.delivery_sequence, delivery.attempt) for delivery in again) == [(2, 2), (3, 2)]
    assert second.name in [delivery.name for delivery in again]


async def test_an_agency_receives_its_own_alone_each_case_for_itself(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    first, second = await organs.register(), await organs.register()
    for case in (first, second, first):
        await organs.submit(case)
    assert await organs.pull(organs.court) == []
    assert await organs.pull(organs.police) == []
    assert {(first.name, 1), (first.name, 2), (second.name, 1)} == {
        (delivery.exchange.case, delivery.delivery_sequence) for delivery in await organs.pull(organs.procuratorate)
    }


async def test_a_case_that_waits_for_its_access_holds_up_no_other(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    held, free = await organs.register(), await organs.register()
    # Neither the call nor the worker settles the access of the first exchange before we say so.
    await organs.sql("ALTER TABLE obligation ALTER COLUMN next_attempt_at SET DEFAULT 'infinity'")
    blocker = await asyncpg.connect(organs.mesh.databases["identity"].owner_dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE request IN ACCESS EXCLUSIVE MODE")
            await organs.submit(held)
    finally:
        await blocker.close()
    later = await organs.submit(held)
    other = await organs.submit(free)
    assert [other.name] == [delivery.exchange.name for delivery in await organs.deliver(organs.procuratorate)]
    await organs.sql("UPDATE obligation SET next_attempt_at = now() WHERE fulfil_time IS NULL")
    async with receiving(organs, await organs.as_system(organs.procuratorate)) as stream:
        names = [(await stream.delivery()).exchange.name for _ in range(2)]
    assert later.name == names[1]


async def test_a_pulled_delivery_is_leased_and_comes_again_when_the_lease_ends(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    await organs.submit(await organs.register())
    (delivery,) = await organs.pull(organs.procuratorate)
    assert await organs.pull(organs.procuratorate) == []
    await organs.sql("UPDATE delivery SET due_at = now()")
    (again,) = await organs.pull(organs.procuratorate)
    assert (delivery.name, 2) == (again.name, again.attempt)

    # Late, but nobody else holds it: what was stored is stored.
    await organs.sql("UPDATE delivery SET due_at = now() + interval '1 hour'")
    assert again.name == await organs.acknowledge(organs.procuratorate, again.name)
    await organs.sql("UPDATE delivery SET due_at = now()")
    assert await organs.pull(organs.procuratorate) == []


async def test_no_more_are_pulled_than_asked_for(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    for _ in range(3):
        await organs.submit(case)
    assert [delivery.delivery_sequence for delivery in await organs.pull(organs.procuratorate, 2)] == [1, 2]
    assert [delivery.delivery_sequence for delivery in await organs.pull(organs.procuratorate, 2)] == [3]


async def test_acknowledging_again_changes_nothing(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    await organs.submit(await organs.register())
    (delivery,) = await organs.pull(organs.procuratorate)
    request_id = new_id()
    for fields in ({"request_id": request_id}, {"request_id": request_id}, {}):
        assert delivery.name == await organs.acknowledge(organs.procuratorate, delivery.name, **fields)
    events = [event for event in await organs.events() if event.action == "exchange.delivered"]
    assert [(delivery.exchange.name, delivery.name)] == [
        (event.resource, event.details["delivery"]) for event in events
    ]
    assert ("", organs.procuratorate.system) == (events[0].actor.officer, events[0].actor.system)
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.acknowledge(
            organs.procuratorate, f"{delivery.exchange.name}/deliveries/{new_id()}", request_id=request_id
        )
    assert refusal.value.reason == "REQUEST_ID_REUSED"


async def test_only_its_recipient_acknowledges_and_only_what_was_put_before_it(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    exchange = await organs.submit(await organs.register())
    (row,) = await organs.sql("SELECT delivery_id FROM delivery")
    name = f"{exchange.name}/deliveries/{row['delivery_id']}"
    refusals = []
    for agency, asked in (
        (organs.procuratorate, name),
        (organs.police, name),
        (organs.procuratorate, f"{exchange.name}/deliveries/{new_id()}"),
    ):
        with pytest.raises(NotFound) as refusal:
            await organs.acknowledge(agency, asked)
        refusals.append((refusal.value.message, refusal.value.metadata))
    assert len({str(each) for each in refusals}) == 1
    with pytest.raises(InvalidArgument) as malformed:
        await organs.acknowledge(organs.procuratorate, exchange.name)
    assert [violation.field for violation in malformed.value.violations] == ["delivery"]
    (delivery,) = await organs.pull(organs.procuratorate)
    with pytest.raises(NotFound):
        await organs.acknowledge(organs.court, delivery.name)
    assert (await organs.get(exchange.name, organs.police)).state == exchange_pb2.EXCHANGE_STATE_SUBMITTED


async def second_system(mesh: Mesh, organs: ThreeOrgans) -> list[tuple[str, str]]:
    """Enrol another system of the procuratorate and return what its calls carry."""
    files = mesh.pki.layout.root / "agencies" / PROCURATORATE / "systems" / "archive" / "tls.pem"
    if not files.exists():
        mesh.pki.issue_system(PROCURATORATE, "archive")
    await mesh.operator("identity", DirectoryAdminServiceStub).CreateSystem(
        directory_admin_service_pb2.CreateSystemRequest(
            request_id=new_id(),
            parent=organs.procuratorate.name,
            display_name="archive",
            certificate_sha256=fingerprint(files),
        ),
        timeout=TIMEOUT,
    )
    answer = await TokenServiceStub(mesh.channel("identity", "gateway")).IssueToken(
        token_service_pb2.IssueTokenRequest(), metadata=forwarded(files), timeout=TIMEOUT
    )
    return [*forwarded(files), ("authorization", f"Bearer {answer.access_token}")]


async def test_a_lease_that_went_to_another_system_takes_the_right_to_acknowledge_along(
    three_organs: ThreeOrgans,
) -> None:
    organs = three_organs
    other = await second_system(organs.mesh, organs)
    await organs.submit(await organs.register())
    (delivery,) = await organs.pull(organs.procuratorate)
    await organs.sql("UPDATE delivery SET due_at = now()")
    pulled = await organs.exchanges.PullDeliveries(PullDeliveriesRequest(), metadata=other, timeout=TIMEOUT)
    assert [delivery.name] == [each.name for each in pulled.deliveries]
    with pytest.raises(FailedPrecondition) as refusal:
        await organs.acknowledge(organs.procuratorate, delivery.name)
    assert refusal.value.reason == "DELIVERY_LEASE_LOST"
    await organs.exchanges.AcknowledgeDelivery(
        AcknowledgeDeliveryRequest(request_id=new_id(), delivery=delivery.name), metadata=other, timeout=TIMEOUT
    )
    assert delivery.name == await organs.acknowledge(organs.procuratorate, delivery.name)


async def test_two_streams_of_one_agency_share_its_deliveries(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    system = await organs.as_system(organs.procuratorate)
    async with receiving(organs, system, most=2) as one, receiving(organs, system, most=2) as two:
        received = [asyncio.ensure_future(stream.delivery()) for stream in (one, two)]
        for _ in range(4):
            await organs.submit(case)
        deliveries = [await each for each in received] + [await one.delivery(), await two.delivery()]
        assert sorted(delivery.delivery_sequence for delivery in deliveries) == [1, 2, 3, 4]
        assert {1} == {delivery.attempt for delivery in deliveries}


async def test_only_a_system_receives_and_opens_first(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    officer = await organs.as_officer(organs.procuratorate)
    system = await organs.as_system(organs.procuratorate)

    async def refusal_of(metadata: Any, *requests: ReceiveRequest) -> CaseMeshError:
        stream = Stream(organs, metadata)
        for request in requests:
            stream._requests.put_nowait(request)
        with pytest.raises(CaseMeshError) as refusal:
            await stream.rest()
        await stream.cut()
        return refusal.value

    opening = ReceiveRequest(open=ReceiveOpen())
    stray = ReceiveRequest(acknowledge=f"exchanges/{new_id()}/deliveries/{new_id()}")
    assert (await refusal_of(officer, opening)).reason == "TOKEN_SUBJECT_WRONG"
    assert (await refusal_of(system, stray)).reason == "STREAM_NOT_OPENED"
    assert (await refusal_of(system, opening, opening)).reason == "STREAM_NOT_OPENED"
    assert (await refusal_of(system, opening, stray)).reason == "NOT_FOUND"
    too_many = ReceiveRequest(open=ReceiveOpen(max_outstanding=1000))
    assert (await refusal_of(system, too_many)).reason == "FIELD_INVALID"
    for call, request in (
        (organs.exchanges.PullDeliveries, PullDeliveriesRequest()),
        (organs.exchanges.AcknowledgeDelivery, AcknowledgeDeliveryRequest(request_id=new_id(), delivery="x")),
    ):
        with pytest.raises(PermissionDenied):
            await call(request, metadata=officer, timeout=TIMEOUT)


async def test_a_server_that_stops_cuts_its_streams_and_keeps_no_lease(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    await organs.submit(await organs.register())
    stream = Stream(organs, await organs.as_system(organs.procuratorate))
    stream.open()
    await stream.delivery()
    organs.mesh.servers["routing"].pipeline.cut_streams()
    with pytest.raises(Unavailable) as refusal:
        await stream.next()
    assert refusal.value.reason == "SHUTTING_DOWN"
    await stream.cut()
    async with asyncio.timeout(TIMEOUT):
        while not await organs.pull(organs.procuratorate):
            await asyncio.sleep(0.01)
