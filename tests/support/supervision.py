"""Supervision around a real database, with a log and a routing service that the test plays.

following, evaluating = desk.follower(), desk.evaluator()
desk.log.append(case)           # something happened in a case
await following.follow()
await evaluating.evaluate_due()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.audit.v1 import audit_feed_service_pb2 as feed_pb2
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import Unavailable
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.routing.v1 import case_facts_service_pb2 as facts_pb2
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from casemesh.supervision.evaluating import Evaluating
from casemesh.supervision.following import Following
from casemesh.supervision.rule_books import RuleBooks
from casemesh.supervision.warning_store import WarningStore
from casemesh.supervision.watch_store import WatchStore
from tests.support.clock import FakeClock
from tests.support.postgres import clone_database

SENDER, RECIPIENT = f"agencies/{new_id()}", f"agencies/{new_id()}"


def down(service: str) -> Unavailable:
    """Return what a call to a service that does not answer raises."""
    return Unavailable("DEPENDENCY_UNAVAILABLE", f"{service} does not answer", {"dependency": service})


class PlayedLog:
    """A log of events of cases, as audit feeds it."""

    def __init__(self, clock: Clock, page_size: int = 1000) -> None:
        self.events: list[feed_pb2.FedEvent] = []
        self.is_down = False
        self._clock = clock
        self._page_size = page_size

    def append(self, case: str, action: str = "exchange.submitted", source: str = "routing") -> None:
        """Let something happen in a case."""
        fed = feed_pb2.FedEvent(log_index=len(self.events), source=source)
        fed.event.event_id, fed.event.case, fed.event.action = new_id(), case, action
        fed.event.actor.agency = SENDER
        fed.event.occur_time.FromDatetime(self._clock.now())
        self.events.append(fed)

    async def FeedEvents(self, request: feed_pb2.FeedEventsRequest, **_: Any) -> feed_pb2.FeedEventsResponse:
        # Two followers that ask at the same time get the same page.
        await asyncio.sleep(0)
        if self.is_down:
            raise down("audit")
        page = self.events[request.first_index : request.first_index + self._page_size]
        return feed_pb2.FeedEventsResponse(
            events=page, next_index=request.first_index + len(page), log_size=len(self.events)
        )


class PlayedRouting:
    """Routing, which knows of each case one exchange that was submitted two days ago; stored unless `undelivered`."""

    def __init__(self, clock: Clock) -> None:
        self.is_down = False
        self.undelivered = True
        self.asked: list[str] = []
        self.while_asked: Callable[[], Awaitable[None]] | None = None
        self._clock = clock

    async def GetCaseFacts(self, request: facts_pb2.GetCaseFactsRequest, **_: Any) -> facts_pb2.GetCaseFactsResponse:
        await asyncio.sleep(0)
        self.asked.append(request.case)
        if self.while_asked is not None:
            meanwhile, self.while_asked = self.while_asked, None
            await meanwhile()
        if self.is_down:
            raise down("routing")
        now = self._clock.now()
        exchange = facts_pb2.ExchangeFacts(
            exchange=f"exchanges/{request.case.removeprefix('cases/')}",
            node="LA001",
            sender=SENDER,
            recipient=RECIPIENT,
            state="SUBMITTED" if self.undelivered else "DELIVERED",
            submit_time=_stamp(now - timedelta(days=2)),
        )
        if not self.undelivered:
            exchange.deliver_time.CopyFrom(_stamp(now - timedelta(days=1)))
        agencies = [facts_pb2.AgencyFacts(agency=name, organ="GA") for name in (SENDER, RECIPIENT)]
        facts = facts_pb2.CaseFacts(
            case=request.case,
            agency=SENDER,
            create_time=_stamp(now - timedelta(days=3)),
            exchanges=[exchange],
            agencies=agencies,
        )
        return facts_pb2.GetCaseFactsResponse(facts=facts)


class SupervisionDesk:
    """The stores, and as many processes' worth of workers as a test asks for."""

    def __init__(self, database: Database, clock: FakeClock, log: PlayedLog, routing: PlayedRouting) -> None:
        self.database = database
        self.clock = clock
        self.log = log
        self.routing = routing
        self.watched = WatchStore(database)
        self.warnings = WarningStore(database)
        self.books = RuleBooks(database, clock, lambda: None, asyncio.Event())

    def follower(self) -> Following:
        """Return what follows the log in one process."""
        return Following(self.database, self.clock, self.watched, cast(Any, self.log), asyncio.Event(), timedelta())

    def evaluator(self, at_once: int = 8) -> Evaluating:
        """Return what evaluates cases in one process."""
        return Evaluating(
            self.database,
            self.clock,
            self.watched,
            cast(Any, self.routing),
            self.books,
            asyncio.Event(),
            lambda: None,
            escalate_after=timedelta(days=1),
            settle=timedelta(),
            at_once=at_once,
        )

    async def raised(self) -> list[tuple[str, str]]:
        """Return rule and case of every warning, whatever became of it."""
        rows = await self.database.fetch("SELECT rule, case_id FROM warning ORDER BY warning_id")
        return [(row["rule"], f"cases/{row['case_id']}") for row in rows]


@asynccontextmanager
async def supervision_desk(
    server: EmbeddedPostgres, folder: Path, clock: FakeClock | None = None
) -> AsyncIterator[SupervisionDesk]:
    """Open supervision on a database of its own."""
    clock = clock or FakeClock()
    async with clone_database(
        server, "supervision", lambda dsn: migrate(dsn, "supervision", "casemesh_supervision_runtime")
    ) as made:
        database = Database(made.runtime_dsn, DatabaseConfig(dsn_file=folder / "dsn"))
        await database.open()
        try:
            yield SupervisionDesk(database, clock, PlayedLog(clock), PlayedRouting(clock))
        finally:
            await database.close()


def _stamp(moment: Any) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
