"""Pulling deliveries that together must fit one message."""

from collections.abc import Sequence
from typing import Any

from casemesh.routing.deliver import LEASE_BATCH, Deliveries
from casemesh.routing.delivery_store import Leased
from casemesh.routing.receipt_store import ExchangeDigests
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.call import Caller
from tests.support.clock import FakeClock

CALLER = Caller("agencies/a", "agencies/a/systems/s", None, "token", 0.0)


class FakeStore:
    """Deliveries of stated sizes, leased from the first on."""

    def __init__(self, *sizes: int) -> None:
        self.waiting = [
            exchange_pb2.Delivery(
                name=str(index), exchange=exchange_pb2.Exchange(fields=[{"key": "text", "text": "x" * size}])
            )
            for index, size in enumerate(sizes)
        ]
        self.limits: list[int] = []

    async def lease(self, agency: str, system: str, *, limit: int, **_: Any) -> list[Leased]:
        self.limits.append(limit)
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return [Leased(delivery, False, ExchangeDigests(b"", b"")) for delivery in taken]

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        self.waiting = [exchange_pb2.Delivery(name=name) for name in names] + self.waiting


def deliveries(store: FakeStore) -> Deliveries:
    return Deliveries(None, FakeClock(), store, None, None, 30.0)  # type: ignore[arg-type]


def names(pulled: list[exchange_pb2.Delivery]) -> list[str]:
    return [delivery.name for delivery in pulled]


async def test_many_small_ones_come_together_in_bounded_steps() -> None:
    store = FakeStore(*[10] * 40)
    assert names(await deliveries(store).pull(CALLER, 38)) == [str(index) for index in range(38)]
    assert max(store.limits) == LEASE_BATCH


async def test_what_does_not_fit_the_message_is_given_back() -> None:
    store = FakeStore(*[1_500_000] * 5)
    pulled = await deliveries(store).pull(CALLER, 5)
    assert names(pulled) == ["0", "1"]
    assert sum(delivery.ByteSize() for delivery in pulled) < 4 * 1024 * 1024
    assert names(store.waiting) == ["2", "3", "4"]


async def test_the_largest_exchange_comes_alone() -> None:
    store = FakeStore(3 * 1024 * 1024, 3 * 1024 * 1024)
    assert names(await deliveries(store).pull(CALLER, 16)) == ["0"]
    assert names(store.waiting) == ["1"]


async def test_an_agency_without_deliveries_gets_none() -> None:
    assert await deliveries(FakeStore()).pull(CALLER, 16) == []
