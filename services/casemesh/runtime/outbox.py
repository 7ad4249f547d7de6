"""The transactional outbox: a state change and its audit event commit together; a relay appends the events to the log.

The relay numbers events of its source without gaps and sends them in order. Only one relay of a source works at a
time, by an advisory lock; another replica's takes over when it goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace

from casemesh.audit.v1 import audit_append_service_pb2, event_pb2
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError
from casemesh.runtime.call import Call
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.telemetry import link_to, tracer

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceAsyncStub

log = structlog.get_logger(__name__)

_RELAY_LOCK = 7_221_990_002
_BATCH = 256
_IDLE_SECONDS = 1.0
_INSERT = "INSERT INTO outbox (event_id, event, traceparent) VALUES ($1, $2, $3)"
_UNSENT = """
SELECT id, event_id, event, traceparent, source_sequence FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT $1
"""
_TAKE_NUMBERS = "UPDATE outbox_sequence SET last_sequence = last_sequence + $1 RETURNING last_sequence"
_NUMBER = "UPDATE outbox SET source_sequence = $2 WHERE id = $1"
_SENT = "UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])"
_LAG = "SELECT count(*) AS waiting, min(created_at) AS oldest FROM outbox WHERE sent_at IS NULL"


def event_of(
    call: Call, clock: Clock, action: str, resource: str, *, case: str = "", details: Mapping[str, str] | None = None
) -> event_pb2.Event:
    """Return the event for what `call` does: who, when, under which right, in which trace."""
    actor = event_pb2.Actor()
    if call.caller is not None:
        actor.agency = call.caller.agency
        actor.system = call.caller.system
        actor.officer = call.caller.officer or ""
    elif call.peer is not None:
        actor.peer = call.peer_name or str(call.peer)
    event = event_pb2.Event(
        event_id=new_id(),
        case=case,
        action=action,
        resource=resource,
        actor=actor,
        basis=call.basis,
        trace_id=call.trace_id,
        details=details or {},
    )
    event.occur_time.FromDatetime(clock.now())
    return event


async def record(transaction: Transaction, call: Call, event: event_pb2.Event) -> None:
    """Write an event in the transaction of the change it tells of."""
    await transaction.execute(_INSERT, event.event_id, event.SerializeToString(), call.traceparent)


class OutboxRelay:
    """Sends what waits in one service's outbox to the log, for as long as `run` runs."""

    def __init__(self, database: Database, append: AuditAppendServiceAsyncStub) -> None:
        self._database = database
        self._append = append
        self._wake = asyncio.Event()

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
        pause = 0.1
        while True:
            try:
                sent = await self._relay_batch()
                pause = 0.1
            except CaseMeshError as error:
                log.warning("outbox.waiting", reason=error.reason)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            if sent == _BATCH:
                continue
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _relay_batch(self) -> int:
        batch = await self._number_batch()
        if not batch:
            return 0
        request = audit_append_service_pb2.AppendEventsRequest(events=[event for _, event, _ in batch])
        links = [link for _, _, parent in batch if (link := link_to(parent)) is not None]
        with tracer().start_as_current_span("outbox.relay", kind=trace.SpanKind.PRODUCER, links=links):
            await self._append.AppendEvents(request, timeout=20)
        await self._database.execute(_SENT, [row_id for row_id, _, _ in batch])
        return len(batch)

    async def _number_batch(self) -> list[tuple[int, event_pb2.Event, str]]:
        async with self._database.transaction() as transaction:
            if not await transaction.fetchval("SELECT pg_try_advisory_xact_lock($1)", _RELAY_LOCK):
                return []
            rows = await transaction.fetch(_UNSENT, _BATCH)
            fresh = [row for row in rows if row["source_sequence"] is None]
            numbers = {row["id"]: row["source_sequence"] for row in rows}
            if fresh:
                last = await transaction.fetchval(_TAKE_NUMBERS, len(fresh))
                for offset, row in enumerate(fresh):
                    numbers[row["id"]] = last - len(fresh) + 1 + offset
                await transaction.executemany(_NUMBER, [(row["id"], numbers[row["id"]]) for row in fresh])
        batch = []
        for row in rows:
            event = event_pb2.Event.FromString(row["event"])
            event.source_sequence = numbers[row["id"]]
            batch.append((row["id"], event, row["traceparent"]))
        return batch
