"""Waking receivers."""

import asyncio
from collections.abc import Sequence

from casemesh.errors import Unavailable
from casemesh.routing.arrivals import Arrivals


async def nothing_due(agencies: Sequence[str]) -> Sequence[str]:
    return ()


async def test_only_those_who_watch_an_agency_are_told_and_only_while_they_do() -> None:
    arrivals = Arrivals(nothing_due)
    told: list[str] = []
    with arrivals.watching("agencies/a", lambda: told.append("a")):
        with arrivals.watching("agencies/a", lambda: told.append("a too")):
            arrivals.announce("agencies/a")
        arrivals.announce("agencies/b")
        arrivals.announce("agencies/a")
    arrivals.announce("agencies/a")
    assert told == ["a", "a too", "a"]


async def test_a_look_that_fails_is_followed_by_another() -> None:
    asked: list[list[str]] = []

    async def due_for(agencies: Sequence[str]) -> Sequence[str]:
        asked.append(list(agencies))
        if len(asked) == 1:
            raise Unavailable("DATABASE_UNAVAILABLE", "down")
        return agencies

    arrivals = Arrivals(due_for, poll_seconds=0.001)
    polling = asyncio.create_task(arrivals.run())
    one, other = asyncio.Event(), asyncio.Event()
    with arrivals.watching("agencies/a", one.set), arrivals.watching("agencies/a", other.set):
        async with asyncio.timeout(10):
            await one.wait()
            await other.wait()
    polling.cancel()
    assert asked[:2] == [["agencies/a"], ["agencies/a"]]
