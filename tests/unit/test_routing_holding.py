"""Letting held exchanges go on: one that cannot be tried keeps no other waiting."""

from __future__ import annotations

from typing import Any, cast

from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition
from casemesh.routing.holding import Holding
from casemesh.routing.v1 import exchange_pb2


class Due:
    """Two exchanges that are due, and nothing that was tried before."""

    names = tuple(f"exchanges/{new_id()}" for _ in range(2))

    async def oldest_revision(self) -> int | None:
        return None

    async def take(self, limit: int) -> list[str]:
        return list(self.names)


class Refusing:
    """Exchanges whose recipient, say, is known to nobody any more."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, name: str) -> exchange_pb2.Exchange | None:
        self.asked.append(name)
        raise FailedPrecondition("AGENCY_UNKNOWN", "refused in a test")


async def test_an_exchange_that_cannot_be_tried_keeps_no_other_waiting() -> None:
    exchanges, none = Refusing(), cast("Any", None)
    holding = Holding(none, SystemClock(), cast("Any", Due()), cast("Any", exchanges), none, none, none, none, none)
    assert 2 == await holding.look()
    assert list(Due.names) == exchanges.asked
