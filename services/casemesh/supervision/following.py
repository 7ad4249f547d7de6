"""Following the log: its events in their order, each with its effect once."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import structlog

from casemesh.audit.v1 import audit_feed_service_pb2
from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY, CASE
from casemesh.errors import CaseMeshError
from casemesh.runtime.postgres import Database
from casemesh.supervision.figures.figure_store import count_events
from casemesh.supervision.watch_store import SeenEvent, WatchStore, keep_events

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_feed_service_pb2_grpc import AuditFeedServiceAsyncStub

log = structlog.get_logger(__name__)

_TIMEOUT_SECONDS = 10.0
_IDLE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0


class Following:
    """Follows the log on any number of replicas: compare-and-set on the cursor lets one of them keep a page.

    A case is due `settle` after a change; `on_change` is set then where that is at once.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: WatchStore,
        feed: AuditFeedServiceAsyncStub,
        on_change: asyncio.Event,
        settle: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._feed = feed
        self._on_change = on_change
        self._settle = settle

    async def run(self) -> None:
        """Follow until cancelled. While the log or the database does not answer, ask again with growing pauses."""
        pause = _IDLE_SECONDS
        while True:
            try:
                more = await self.follow()
                pause = _IDLE_SECONDS
            except CaseMeshError as error:
                log.warning("following.waiting", reason=error.reason)
                more, pause = False, min(pause * 2, _LONGEST_PAUSE_SECONDS)
            if not more:
                await asyncio.sleep(pause)

    async def follow(self) -> bool:
        """Keep the next page and say whether more is there. Raises Unavailable."""
        after = await self._store.next_index()
        page = await self._feed.FeedEvents(
            audit_feed_service_pb2.FeedEventsRequest(first_index=after),
            timeout=_TIMEOUT_SECONDS,
        )
        events = [seen for fed in page.events if (seen := _seen(fed)) is not None]
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            kept = await keep_events(
                transaction, after, page.next_index, page.log_size, events, now, now + self._settle
            )
            if kept:
                await count_events(transaction, page.events)
        if kept and events and not self._settle:
            self._on_change.set()
        return page.next_index < page.log_size


def _seen(fed: audit_feed_service_pb2.FedEvent) -> SeenEvent | None:
    """Return what is kept of an event, None for one of no case or one that names things as no service does.

    The log cannot be mended: an event that stopped the following would stop it for good.
    """
    event = fed.event
    if not event.case:
        return None
    try:
        return _kept(fed)
    except (ValueError, OverflowError):
        log.error("following.event_skipped", log_index=fed.log_index, source=fed.source)
        return None


def _kept(fed: audit_feed_service_pb2.FedEvent) -> SeenEvent:
    event = fed.event
    return SeenEvent(
        fed.log_index,
        CASE.parse(event.case)["case"],
        event.action,
        fed.source,
        AGENCY.parse(event.actor.agency)["agency"] if event.actor.agency else None,
        event.resource,
        event.occur_time.ToDatetime(tzinfo=UTC),
    )
