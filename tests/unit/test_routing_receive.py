"""The Receive stream against deliveries of a few lines: room, leases, and what is given back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import InvalidArgument, NotFound, Unavailable, not_found
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.delivery_store import Leased
from casemesh.routing.receipt_store import ExchangeDigests
from casemesh.routing.receive import HEARTBEAT_SECONDS, Receiver
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1.delivery_pb2 import DeliveryReport
from casemesh.routing.v1.exchange_service_pb2 import ReceiveOpen, ReceiveRequest, ReceiveResponse
from casemesh.runtime.call import Call, Caller
from tests.support.clock import FakeClock

AGENCY = f"agencies/{new_id()}"


class FakeDeliveries:
    """Waiting deliveries by name; what is leased is out until acknowledged or given back."""

    lease_seconds = 10.0

    def __init__(self, *names: str, heavy: Sequence[str] = ()) -> None:
        self.waiting = list(names)
        self.heavy = frozenset(heavy)
        self.leased: list[str] = []
        self.acknowledged: list[str] = []
        self.given_back: list[str] = []
        self.together: list[int] = []
        self.failure: Exception | None = None
        self.may_keep = asyncio.Event()
        self.may_keep.set()

    async def lease(self, caller: Caller, lease_id: str, limit: int, heavy_limit: int) -> list[Leased]:
        if self.failure is not None:
            raise self.failure
        assert limit > 0
        heavy = [name for name in self.waiting if name in self.heavy][:heavy_limit]
        small = [name for name in self.waiting if name not in self.heavy][: limit - len(heavy)]
        taken = [*small, *heavy]
        self.waiting = [name for name in self.waiting if name not in taken]
        self.leased += taken
        return [
            Leased(exchange_pb2.Delivery(name=name), name in self.heavy, ExchangeDigests(b"", b"")) for name in taken
        ]

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        self.given_back += names

    async def acknowledge_leased(self, call: Call, lease_id: str, leased: Sequence[Leased]) -> None:
        await self.may_keep.wait()
        self.together.append(len(leased))
        for each in leased:
            await self.acknowledge(call, each.message.name)

    async def acknowledge(self, call: Call, name: str) -> None:
        if name not in self.leased:
            raise not_found()
        self.acknowledged.append(name)


class FakeUndelivered:
    """Reports by name, in order; those that are known do not come again."""

    def __init__(self, *names: str) -> None:
        self.open = list(names)

    async def reports(self, agency: str, *, after: str = "") -> list[DeliveryReport]:
        return [DeliveryReport(name=name) for name in self.open if name > after]

    async def know_report(self, call: Call, name: str) -> None:
        if name not in self.open:
            raise not_found()
        self.open.remove(name)


class Wire:
    """The receiver's side of a stream."""

    def __init__(self, deliveries: FakeDeliveries, undelivered: FakeUndelivered | None = None) -> None:
        self.clock = FakeClock()
        self.arrivals = Arrivals(self._due_for, poll_seconds=0.001)
        self.reports = Arrivals(self._due_for, poll_seconds=0.001)
        self._deliveries = deliveries
        self._requests: asyncio.Queue[ReceiveRequest | None] = asyncio.Queue()
        call = Call("m", caller=Caller(AGENCY, f"{AGENCY}/systems/{new_id()}", None, "token", 0.0))
        undelivered = undelivered or FakeUndelivered()
        receiver = Receiver(call, deliveries, undelivered, self.arrivals, self.reports, self.clock)  # type: ignore[arg-type]
        self.responses = receiver.run(self._iterate())

    async def _due_for(self, agencies: Sequence[str]) -> Sequence[str]:
        return agencies

    async def _iterate(self) -> AsyncIterator[ReceiveRequest]:
        while (request := await self._requests.get()) is not None:
            yield request

    def open(self, most: int = 0) -> None:
        self._requests.put_nowait(ReceiveRequest(open=ReceiveOpen(max_outstanding=most)))

    def acknowledge(self, name: str) -> None:
        self._requests.put_nowait(ReceiveRequest(acknowledge=name))

    def close(self) -> None:
        self._requests.put_nowait(None)

    async def next(self) -> ReceiveResponse:
        async with asyncio.timeout(10):
            return await anext(self.responses)

    async def rest(self) -> list[ReceiveResponse]:
        async with asyncio.timeout(10):
            return [response async for response in self.responses]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_no_more_than_asked_for_are_outstanding_and_each_acknowledgement_makes_room() -> None:
    deliveries = FakeDeliveries("a", "b", "c")
    wire = Wire(deliveries)
    wire.open(2)
    assert [(await wire.next()).delivery.name for _ in range(2)] == ["a", "b"]
    third = asyncio.ensure_future(wire.next())
    await asyncio.sleep(0.01)
    assert deliveries.leased == ["a", "b"]

    wire.acknowledge("a")
    assert (await third).acknowledged == "a"
    assert (await wire.next()).delivery.name == "c"
    await wire.responses.aclose()


async def test_a_receiver_that_closes_its_side_ends_the_stream_and_gives_back_what_is_left() -> None:
    deliveries = FakeDeliveries("a", "b")
    wire = Wire(deliveries)
    wire.open()
    await wire.next()
    await wire.next()
    wire.acknowledge("b")
    wire.close()
    assert [response.acknowledged for response in await wire.rest()] == ["b"]
    assert deliveries.given_back == ["a"]


async def test_a_stream_that_is_cut_gives_back_what_is_left() -> None:
    deliveries = FakeDeliveries("a")
    wire = Wire(deliveries)
    wire.open()
    await wire.next()
    waiting = asyncio.ensure_future(wire.next())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert deliveries.given_back == ["a"]


async def test_what_arrives_later_wakes_the_stream() -> None:
    deliveries = FakeDeliveries()
    wire = Wire(deliveries)
    wire.open()
    waiting = asyncio.ensure_future(wire.next())
    await asyncio.sleep(0.01)
    deliveries.waiting.append("late")
    wire.arrivals.announce(AGENCY)
    assert (await waiting).delivery.name == "late"
    await wire.responses.aclose()


async def test_what_another_replica_released_is_found_by_asking() -> None:
    deliveries = FakeDeliveries()
    wire = Wire(deliveries)
    polling = asyncio.create_task(wire.arrivals.run())
    wire.open()
    waiting = asyncio.ensure_future(wire.next())
    await asyncio.sleep(0.01)
    deliveries.waiting.append("elsewhere")
    assert (await waiting).delivery.name == "elsewhere"
    await wire.responses.aclose()
    polling.cancel()


async def test_a_lease_that_ended_makes_room_and_is_not_given_back() -> None:
    deliveries = FakeDeliveries("a", "b")
    wire = Wire(deliveries)
    wire.open(1)
    await wire.next()
    wire.clock.move(11)
    wire.arrivals.announce(AGENCY)
    assert (await wire.next()).delivery.name == "b"
    await wire.responses.aclose()
    assert deliveries.given_back == ["b"]


async def test_a_stream_opens_once_and_first() -> None:
    wire = Wire(FakeDeliveries())
    wire.acknowledge("a")
    with pytest.raises(InvalidArgument) as early:
        await wire.next()
    assert early.value.reason == "STREAM_NOT_OPENED"

    wire = Wire(FakeDeliveries())
    wire.open()
    wire.open()
    with pytest.raises(InvalidArgument) as twice:
        await wire.next()
    assert twice.value.reason == "STREAM_NOT_OPENED"


async def test_an_acknowledgement_of_what_is_not_the_receivers_ends_the_stream() -> None:
    wire = Wire(FakeDeliveries())
    wire.open()
    wire.acknowledge("foreign")
    with pytest.raises(NotFound):
        await wire.next()


async def test_a_database_that_does_not_answer_ends_the_stream() -> None:
    deliveries = FakeDeliveries()
    deliveries.failure = Unavailable("DATABASE_UNAVAILABLE", "down")
    wire = Wire(deliveries)
    wire.open()
    with pytest.raises(Unavailable):
        await wire.next()


async def test_a_receiver_that_only_acknowledges_and_never_reads_is_read_no_further() -> None:
    deliveries = FakeDeliveries("a")
    wire = Wire(deliveries)
    wire.open()
    assert (await wire.next()).delivery.name == "a"
    for _ in range(1000):
        wire.acknowledge("a")
    await until(lambda: len(deliveries.acknowledged) >= 257)
    await asyncio.sleep(0.01)
    assert len(deliveries.acknowledged) < 1000
    await wire.responses.aclose()


async def test_a_stream_on_which_nothing_happens_says_that_it_lives() -> None:
    wire = Wire(FakeDeliveries())
    wire.open()
    silent = asyncio.ensure_future(anext(wire.responses))
    await asyncio.sleep(0.05)
    assert not silent.done()
    wire.clock.move(HEARTBEAT_SECONDS)
    wire.arrivals.announce(AGENCY)
    assert (await asyncio.wait_for(silent, 10)).HasField("heartbeat")
    wire.close()
    assert [response async for response in wire.responses] == []


async def test_acknowledgements_that_come_while_others_are_being_kept_are_kept_together() -> None:
    names = [str(number) for number in range(10)]
    deliveries = FakeDeliveries(*names)
    wire = Wire(deliveries)
    wire.open()
    for _ in names:
        await wire.next()
    deliveries.may_keep.clear()
    for name in names:
        wire.acknowledge(name)
    await asyncio.sleep(0.01)
    deliveries.may_keep.set()
    assert [(await wire.next()).acknowledged for _ in names] == names
    assert deliveries.acknowledged == names
    assert len(deliveries.together) <= 2
    await wire.responses.aclose()


async def test_heavy_deliveries_take_a_quarter_of_the_room_and_leave_the_rest_to_small_ones() -> None:
    heavy = [f"heavy-{number}" for number in range(6)]
    deliveries = FakeDeliveries(*heavy, heavy=heavy)
    wire = Wire(deliveries)
    wire.open(8)
    assert [(await wire.next()).delivery.name for _ in range(2)] == ["heavy-0", "heavy-1"]
    deliveries.waiting.append("small")
    wire.arrivals.announce(AGENCY)
    assert (await wire.next()).delivery.name == "small"

    wire.acknowledge("heavy-1")
    assert (await wire.next()).acknowledged == "heavy-1"
    assert (await wire.next()).delivery.name == "heavy-2"
    await wire.responses.aclose()
    assert set(deliveries.given_back) == {"heavy-0", "small", "heavy-2"}


async def test_reports_come_once_a_stream_until_they_are_acknowledged() -> None:
    first, second = f"exchanges/{new_id()}/reports/a", f"exchanges/{new_id()}/reports/b"
    undelivered = FakeUndelivered(*sorted((first, second)))
    wire = Wire(FakeDeliveries(), undelivered)
    wire.open()
    told = [(await wire.next()).report.name for _ in range(2)]
    assert told == sorted((first, second))
    wire.reports.announce(AGENCY)
    wire.acknowledge(first)
    assert (await wire.next()).acknowledged == first
    assert undelivered.open == [second]
    wire.close()
    assert await wire.rest() == []
