"""Waking receivers when something is due for their agency.

A commit in this process wakes at once. What another replica released, or a lease that ended, is found by one query a
second for all agencies that wait here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from casemesh.errors import CaseMeshError

log = structlog.get_logger(__name__)

_POLL_SECONDS = 1.0

DueFor = Callable[[Sequence[str]], Awaitable[Sequence[str]]]
"""Returns those of some agencies for which something is due."""


class Arrivals:
    """The receivers that wait in this process, by agency."""

    def __init__(self, due_for: DueFor, poll_seconds: float = _POLL_SECONDS) -> None:
        self._due_for = due_for
        self._poll_seconds = poll_seconds
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    @contextmanager
    def watching(self, agency: str, on_arrival: Callable[[], None]) -> Iterator[None]:
        """Call `on_arrival` whenever something may be due for `agency`, until the body ends."""
        watchers = self._waiting.setdefault(agency, [])
        watchers.append(on_arrival)
        try:
            yield
        finally:
            watchers.remove(on_arrival)
            if not watchers:
                del self._waiting[agency]

    def announce(self, agency: str) -> None:
        """Say that something may be due for `agency`."""
        for on_arrival in self._waiting.get(agency, ()):
            on_arrival()

    async def run(self) -> None:
        """Look for what is due until cancelled. A database that does not answer is asked again."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            agencies = list(self._waiting)
            if not agencies:
                continue
            try:
                due = await self._due_for(agencies)
            except CaseMeshError as error:
                log.warning("arrivals.waiting", reason=error.reason)
                continue
            for agency in due:
                self.announce(agency)
