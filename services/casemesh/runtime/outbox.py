"""The transactional outbox: a state change and its audit event commit together; a relay appends the events to the log.

The relay numbers events of its source without gaps and sends them in order. Only one relay of a source works at a
time: it holds an advisory lock for as long as its connection lives; another replica's takes over when that goes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog
from opentelemetry import trace

from casemesh.audit.v1 import audit_append_service_pb2, event_pb2
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError
from casemesh.runtime.call import Call
from casemesh.runtime.postgres import Database, Row, Transaction, Writes
from casemesh.runtime.telemetry import link_to, tracer

log = structlog.get_logger(__name__)

_RELAY_LOCK = 7_221_990_002
_BATCH = 256
_IDLE_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.1
_GATHER_SECONDS = 0.02
"""How long the relay waits after it was woken: what one exchange brings about goes to the log together, and nobody
waits for it there."""
_INSERT = "INSERT INTO outbox (event_id, event, traceparent) VALUES ($1, $2, $3)"
_INSERT_EACH = """
INSERT INTO outbox (event_id, event, traceparent)
SELECT event_id, event, $4 FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS told (key, event_id, event)
WHERE key IN ({happened})
"""
# What was sent last is marked, what waits is numbered: one statement, which only the holder of the lock runs. Rows with
# a number were numbered before and perhaps sent, but not marked.
_NEXT = """
WITH sent AS (
    UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])
), waiting AS (
    SELECT id, event_id, event, traceparent, source_sequence,
        count(*) FILTER (WHERE source_sequence IS NULL) OVER (ORDER BY id) AS place
    FROM (SELECT * FROM outbox WHERE sent_at IS NULL AND NOT id = ANY($1::bigint[]) ORDER BY id LIMIT $2) AS unsent
), taken AS (
    UPDATE outbox_sequence SET last_sequence = last_sequence + fresh.count
    FROM (SELECT count(*) FROM waiting WHERE source_sequence IS NULL) AS fresh WHERE fresh.count > 0
    RETURNING last_sequence - fresh.count AS before
), numbered AS (
    UPDATE outbox SET source_sequence = taken.before + waiting.place FROM waiting, taken
    WHERE outbox.id = waiting.id AND waiting.source_sequence IS NULL
)
SELECT waiting.id, event, traceparent, coalesce(source_sequence, taken.before + place) AS source_sequence
FROM waiting LEFT JOIN taken ON true ORDER BY waiting.id
"""
_LAG = "SELECT count(*) AS waiting, min(created_at) AS oldest FROM outbox WHERE sent_at IS NULL"


def event_of(
    call: Call, clock: Clock, action: str, resource: str, *, case: str = "", details: Mapping[str, str] | None = None
) -> event_pb2.Event:
    """Return the event for what `call` does: who, when, under which right and login, in which trace."""
    actor = event_pb2.Actor()
    if call.caller is not None:
        actor.agency = call.caller.agency
        actor.system = call.caller.system
        actor.officer = call.caller.officer or ""
    elif call.peer is not None:
        actor.peer = call.peer_name or str(call.peer)
    told = {**(details or {}), "login": call.login} if call.login else details or {}
    event = event_pb2.Event(
        event_id=new_id(),
        case=case,
        action=action,
        resource=resource,
        actor=actor,
        basis=call.basis,
        trace_id=call.trace_id,
        details=told,
    )
    event.occur_time.FromDatetime(clock.now())
    return event


def reading_event(
    call: Call, clock: Clock, action: str, resource: str, *, case: str, details: Mapping[str, str] | None = None
) -> event_pb2.Event:
    """Return the event for what `call` reads: with its purpose, and under the identifier that the reading was counted
    under."""
    told = dict(details or {})
    if call.purpose is not None:
        told["purpose"] = call.purpose.kind
        if call.purpose.text:
            told["purpose_text"] = call.purpose.text
    event = event_of(call, clock, action, resource, case=case, details=told)
    event.event_id = call.reading or event.event_id
    return event


async def record(transaction: Transaction | Writes, call: Call, event: event_pb2.Event) -> None:
    """Write an event in the transaction of the change it tells of."""
    await transaction.execute(_INSERT, event.event_id, event.SerializeToString(), call.traceparent)


async def record_each(writes: Writes, call: Call, events: Mapping[str, event_pb2.Event], happened: str) -> None:
    """Write those of `events` whose key, a UUID, is among what the query `happened` over the other writes gives."""
    await writes.execute(
        _INSERT_EACH.format(happened=happened),
        list(events),
        [event.event_id for event in events.values()],
        [event.SerializeToString() for event in events.values()],
        call.traceparent,
    )


class Appending(Protocol):
    """What takes events into the log: the service's stub, or the log itself for its own."""

    def AppendEvents(
        self, request: audit_append_service_pb2.AppendEventsRequest, *, timeout: float | None = None
    ) -> Awaitable[Any]:
        """Append the events of the request, in their order; appending them again changes nothing."""


class OutboxRelay:
    """Sends what waits in one service's outbox to the log, for as long as `run` runs."""

    def __init__(self, database: Database, append: Appending) -> None:
        self._database = database
        self._append = append
        self._wake = asyncio.Event()
        self._pause = _FIRST_PAUSE_SECONDS

    def wake(self) -> None:
        """Say that something may wait; otherwise the relay looks once a second."""
        self._wake.set()

    async def lag(self) -> tuple[int, datetime | None]:
        """Return how many events wait and since when."""
        row = await self._database.fetchrow(_LAG)
        assert row is not None
        return row["waiting"], row["oldest"]

    async def run(self) -> None:
        """Relay until cancelled. Failures are retried with growing pauses of at most 5 seconds; nothing is dropped."""
        while True:
            try:
                async with self._database.connection() as connection:
                    if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _RELAY_LOCK):
                        await self._relay(connection)
                await asyncio.sleep(_IDLE_SECONDS)
            except CaseMeshError as error:
                log.warning("outbox.waiting", reason=error.reason)
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, 5.0)

    async def _relay(self, connection: Transaction) -> None:
        # The connection is held while the log is called: it is the lock.
        sent: list[int] = []
        while True:
            self._wake.clear()
            rows = await connection.fetch(_NEXT, sent, _BATCH)
            await self._send(rows)
            sent = [row["id"] for row in rows]
            self._pause = _FIRST_PAUSE_SECONDS
            if not sent:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await self._wake.wait()
            if len(sent) < _BATCH:
                await asyncio.sleep(_GATHER_SECONDS)

    async def _send(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        request = audit_append_service_pb2.AppendEventsRequest()
        for row in rows:
            request.events.add().MergeFromString(row["event"])
            request.events[-1].source_sequence = row["source_sequence"]
        links = [link for row in rows if (link := link_to(row["traceparent"])) is not None]
        with tracer().start_as_current_span("outbox.relay", kind=trace.SpanKind.PRODUCER, links=links):
            await self._append.AppendEvents(request, timeout=20)
