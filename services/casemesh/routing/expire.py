"""Ending exchanges that were not answered by the time their sender stated."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from casemesh.core.clock import Clock
from casemesh.errors import CaseMeshError
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.endings import end
from casemesh.routing.exchange_store import ExchangeStore, mark_expired
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 1.0
_BATCH = 100
# Longer than a call may take from stating its time to its commit.
_MARGIN = timedelta(minutes=5)
_BY_SERVICE = Call("routing expiry", peer=Peer.ROUTING)


class Expiry:
    """Moves exchanges to EXPIRED, on any number of replicas: compare-and-set lets one of them."""

    def __init__(
        self, database: Database, clock: Clock, exchanges: ExchangeStore, arrivals: Arrivals, outbox: OutboxRelay
    ) -> None:
        self._database = database
        self._clock = clock
        self._exchanges = exchanges
        self._arrivals = arrivals
        self._outbox = outbox
        # Answered exchanges keep their times; what was looked through need not be read again.
        self._since = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Look for what is overdue until cancelled. A database that does not answer is asked again."""
        while True:
            try:
                found = await self.look()
            except CaseMeshError as error:
                log.warning("expiry.waiting", reason=error.reason)
                found = 0
            if found < _BATCH:
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> int:
        """End what is overdue, a batch of it, and tell who knows of it; return how many were found."""
        now = self._clock.now()
        names = await self._exchanges.overdue(now, self._since, _BATCH)
        for name in names:
            await self._expire(name, now)
        if len(names) < _BATCH:
            self._since = now - _MARGIN
        return len(names)

    async def _expire(self, name: str, now: datetime) -> None:
        async with self._database.transaction() as transaction:
            exchange = await mark_expired(transaction, name, now)
            if exchange is None:
                return
            details = {"node": exchange.node, "sender": exchange.sender, "recipient": exchange.recipient}
            event = event_of(_BY_SERVICE, self._clock, "exchange.expired", name, case=exchange.case, details=details)
            await record(transaction, _BY_SERVICE, event)
            told = await end(transaction, exchange, tell_sender=True)
        self._outbox.wake()
        for agency in told:
            self._arrivals.announce(agency)
