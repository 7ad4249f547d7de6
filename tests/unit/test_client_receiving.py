"""A delivery is acknowledged after it is stored and never before; a heavy one holds up its own case alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from casemesh.client import receiving
from casemesh.client.receiving import Receiver
from casemesh.client.receiving import run_until as run_until_set
from casemesh.errors import CaseMeshError, FailedPrecondition, PermissionDenied, Unavailable
from casemesh.routing.v1.delivery_pb2 import DeliveryReport
from casemesh.routing.v1.exchange_pb2 import Delivery, Exchange
from casemesh.routing.v1.exchange_service_pb2 import ReceiveHeartbeat, ReceiveRequest, ReceiveResponse


def delivery(name: str, case: str = "cases/1") -> ReceiveResponse:
    return ReceiveResponse(delivery=Delivery(name=name, exchange=Exchange(name=f"x-{name}", case=case)))


class FakePlatform:
    """Routing as a receiver sees it: for each stream a script of deliveries, and how it ends (None: it stays open)."""

    def __init__(self, *streams: tuple[list[ReceiveResponse], CaseMeshError | None], lose: int = 0) -> None:
        self.streams = list(streams)
        self.acknowledged: list[str] = []
        self.changed = asyncio.Event()
        self.opened = 0
        self.max_outstanding = 0
        self.lose = lose
        """How many acknowledgements are lost before they arrive."""

    async def Receive(self, requests: AsyncIterator[ReceiveRequest]) -> AsyncIterator[ReceiveResponse]:
        script, end = self.streams.pop(0)
        self.opened += 1
        self.max_outstanding = (await anext(requests)).open.max_outstanding
        for response in script:
            yield response
        if end is not None:
            raise end
        async for request in requests:
            if self.lose:
                self.lose -= 1
                raise Unavailable("UNKNOWN", "broken")
            self.acknowledged.append(request.acknowledge)
            yield ReceiveResponse(acknowledged=request.acknowledge)

    def receiver(
        self, store: Callable[[Delivery], Any], confirmed: list[str] | None = None, **options: Any
    ) -> Receiver:
        names = confirmed if confirmed is not None else []
        return Receiver(self, store, on_acknowledged=names.append, **options)  # type: ignore[arg-type]


class Inbox:
    """A durable store that tells what it holds; a delivery named in `slow` waits until it is released."""

    def __init__(self, *slow: str) -> None:
        self.stored: list[str] = []
        self.release = asyncio.Event()
        self.slow = slow
        self.began: list[str] = []

    async def __call__(self, taken: Delivery) -> None:
        self.began.append(taken.name)
        if taken.name in self.slow:
            await self.release.wait()
        self.stored.append(taken.name)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "pause_after", lambda error, pause: 0.0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def run_until(receiver: Receiver, condition: Callable[[], bool]) -> None:
    done = asyncio.Event()
    running = asyncio.create_task(run_until_set(receiver.run(), done))
    await until(lambda: condition() or running.done())
    done.set()
    await running


async def test_a_delivery_is_stored_then_acknowledged() -> None:
    platform, inbox, confirmed = FakePlatform(([delivery("a")], None)), Inbox("a"), []
    receiver = platform.receiver(inbox, confirmed, max_outstanding=7)
    running = asyncio.create_task(run_until(receiver, lambda: confirmed == ["a"]))
    await until(lambda: inbox.began == ["a"])
    assert platform.acknowledged == []

    inbox.release.set()
    await running

    assert (inbox.stored, platform.acknowledged, platform.max_outstanding) == (["a"], ["a"], 7)


async def test_a_slow_delivery_holds_up_its_own_case_only() -> None:
    script = [delivery("a1", "cases/a"), delivery("a2", "cases/a"), delivery("b1", "cases/b")]
    platform, inbox, confirmed = FakePlatform((script, None)), Inbox("a1"), []
    running = asyncio.create_task(
        run_until(platform.receiver(inbox, confirmed), lambda: sorted(confirmed) == ["a1", "a2", "b1"])
    )
    await until(lambda: confirmed == ["b1"])
    assert inbox.began == ["a1", "b1"]

    inbox.release.set()
    await running

    assert inbox.stored == ["b1", "a1", "a2"]


async def test_a_broken_stream_is_opened_again_and_does_not_interrupt_storing() -> None:
    platform = FakePlatform(([delivery("a")], Unavailable("STREAM_AGE_REACHED", "open another")), ([], None))
    inbox, confirmed = Inbox("a"), []
    running = asyncio.create_task(run_until(platform.receiver(inbox, confirmed), lambda: confirmed == ["a"]))
    await until(lambda: platform.opened == 2)

    inbox.release.set()
    await running

    assert inbox.stored == ["a"]


async def test_a_delivery_that_comes_again_is_not_stored_again() -> None:
    platform = FakePlatform(([delivery("a"), delivery("a")], None), ([delivery("a")], None), lose=1)
    inbox, confirmed = Inbox(), []
    await run_until(platform.receiver(inbox, confirmed), lambda: "a" in confirmed)
    assert inbox.stored == ["a"]


async def test_a_heartbeat_asks_for_nothing() -> None:
    heartbeat = ReceiveResponse(heartbeat=ReceiveHeartbeat())
    platform = FakePlatform(([heartbeat, delivery("a"), ReceiveResponse()], None))
    inbox, confirmed = Inbox(), []
    await run_until(platform.receiver(inbox, confirmed), lambda: confirmed == ["a"])
    assert inbox.began == ["a"]


async def test_a_lost_lease_is_no_failure_since_the_delivery_comes_again() -> None:
    lost = FailedPrecondition("DELIVERY_LEASE_LOST", "it will come again")
    platform = FakePlatform(([], lost), ([delivery("a")], None))
    confirmed: list[str] = []
    await run_until(platform.receiver(Inbox(), confirmed), lambda: confirmed == ["a"])
    assert platform.opened == 2


async def test_what_cannot_be_stored_is_not_acknowledged_and_ends_the_receiving() -> None:
    async def full(taken: Delivery) -> None:
        raise OSError(28, "no space left")

    platform = FakePlatform(([delivery("a")], None))
    with pytest.raises(OSError, match="no space left"):
        await run_until(platform.receiver(full), lambda: False)
    assert platform.acknowledged == []


async def test_a_refusal_ends_the_receiving() -> None:
    platform = FakePlatform(([], PermissionDenied("TOKEN_SUBJECT_WRONG", "a system's own token")))
    with pytest.raises(PermissionDenied):
        await run_until(platform.receiver(Inbox()), lambda: False)


async def test_a_platform_that_stays_away_ends_the_receiving() -> None:
    away = Unavailable("UNKNOWN", "no answer")
    platform = FakePlatform(*[([], away)] * 10)
    with pytest.raises(Unavailable):
        await run_until(platform.receiver(Inbox()), lambda: False)
    assert platform.opened == 4


async def test_breaks_after_deliveries_do_not_add_up() -> None:
    broken = Unavailable("STREAM_AGE_REACHED", "open another")
    platform = FakePlatform(*[([delivery(str(number))], broken) for number in range(10)], ([], None))
    inbox, confirmed = Inbox(), []
    await run_until(platform.receiver(inbox, confirmed), lambda: len(confirmed) == 10)
    assert len(inbox.stored) == 10


async def test_a_stream_that_a_gateway_resets_is_opened_again() -> None:
    # What gRPC makes of a reset when the service behind the gateway was killed: INTERNAL, and no reason of ours.
    reset = CaseMeshError("UNKNOWN", "reset by the gateway")
    platform = FakePlatform(([], reset), ([delivery("a")], None))
    inbox, confirmed = Inbox(), list[str]()
    receiver = platform.receiver(inbox, confirmed)
    running = asyncio.ensure_future(receiver.run())
    async with asyncio.timeout(10):
        while not confirmed:
            await asyncio.sleep(0.01)
    running.cancel()
    assert (["a"], 2) == (inbox.stored, platform.opened)


async def test_a_report_is_acknowledged_once_it_was_told_and_left_open_where_nobody_wants_it() -> None:
    script = [ReceiveResponse(report=DeliveryReport(name="exchanges/1/reports/1")), delivery("a")]
    told: list[str] = []

    async def tell(report: DeliveryReport) -> None:
        told.append(report.name)

    for options, expected in (({"on_report": tell}, {"a", "exchanges/1/reports/1"}), ({}, {"a"})):
        platform = FakePlatform((list(script), None))
        running = asyncio.ensure_future(platform.receiver(Inbox(), **options).run())
        async with asyncio.timeout(10):
            while set(platform.acknowledged) != expected:
                await asyncio.sleep(0.01)
        running.cancel()
    assert ["exchanges/1/reports/1"] == told
