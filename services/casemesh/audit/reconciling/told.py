"""Events as the log holds them and as their sources keep them, for comparison."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from casemesh.audit.events import submitted
from casemesh.audit.reconciling.findings import Window
from casemesh.audit.v1 import event_pb2
from casemesh.errors import InvalidArgument
from casemesh.runtime.logged_facts import BY_ID
from casemesh.runtime.postgres import Database, Row

_BATCH = 2000
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
# Identifiers begin with the time they were made, so their index finds what is of one day.
_LOGGED = """
SELECT entry.event_id::text AS event_id, entry.case_name, event.digest, event.canonical_json
FROM entry LEFT JOIN event USING (log_index)
WHERE entry.event_id > $1::uuid AND entry.event_id < $2::uuid AND ($3 = '' OR entry.case_name = $3)
ORDER BY entry.event_id LIMIT $4
"""
_KEPT = """
SELECT event_id::text AS event_id, event, source_sequence, sent_at, created_at FROM outbox
WHERE event_id > $1::uuid AND event_id < $2::uuid ORDER BY event_id LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the log."""

    event_id: str
    source: str
    source_sequence: int
    """0 of one that was appended without an outbox."""
    action: str
    case: str
    resource: str
    at: datetime
    trace_id: str
    actor: dict[str, str]
    details: dict[str, str]
    digest: bytes

    def mark(self, name: str) -> str:
        """What stands at the place a kind of fact names."""
        if not name:
            return ""
        if name == BY_ID:
            return self.event_id
        if name.startswith("actor."):
            return self.actor.get(name.removeprefix("actor."), "")
        return self.details.get(name, "")


@dataclass(slots=True)
class Log:
    """The events of a window."""

    events: dict[str, Told] = field(default_factory=dict)
    shredded: dict[str, str] = field(default_factory=dict)
    """The case of each event whose text is gone, by identifier."""

    def holds(self, event_id: str) -> bool:
        """Say whether the log has the event, though its text may be gone."""
        return event_id in self.events or event_id in self.shredded


@dataclass(frozen=True, slots=True)
class Kept:
    """One event as the outbox of its source keeps it."""

    event_id: str
    source_sequence: int
    """0 when it has none yet."""
    action: str
    case: str
    resource: str
    at: datetime
    digest: bytes
    """What the log must hold of it; empty when it could never be appended."""
    sent: bool


async def read_log(database: Database, window: Window) -> Log:
    """Return what the log holds of the window's events. Raises Unavailable."""
    log = Log()
    async for row in _by_id(database, _LOGGED, window, window.case):
        if row["canonical_json"] is None:
            log.shredded[row["event_id"]] = row["case_name"] or ""
        else:
            told = told_of(row["event_id"], bytes(row["canonical_json"]), bytes(row["digest"]))
            log.events[told.event_id] = told
    return log


async def read_outbox(database: Database, source: str, window: Window) -> list[Kept]:
    """Return what a service keeps of the window's events. Raises Unavailable."""
    kept = [_kept(row, source) async for row in _by_id(database, _KEPT, window)]
    return [event for event in kept if not window.case or event.case == window.case]


def told_of(event_id: str, canonical_json: bytes, digest: bytes) -> Told:
    """Return an event out of the bytes the log committed to."""
    fields: dict[str, Any] = json.loads(canonical_json)
    return Told(
        event_id,
        fields["source"],
        fields.get("source_sequence", 0),
        fields["action"],
        fields.get("case", ""),
        fields.get("resource", ""),
        datetime.fromisoformat(fields["occur_time"]),
        fields.get("trace_id", ""),
        fields.get("actor", {}),
        fields.get("details", {}),
        digest,
    )


def _kept(row: Row, source: str) -> Kept:
    event = event_pb2.Event.FromString(row["event"])
    event.source_sequence = row["source_sequence"] or 0
    try:
        digest = submitted([event], source)[0].digest
    except InvalidArgument:
        digest = b""
    return Kept(
        row["event_id"],
        event.source_sequence,
        event.action,
        event.case,
        event.resource,
        event.occur_time.ToDatetime(UTC),
        digest,
        row["sent_at"] is not None,
    )


async def _by_id(database: Database, sql: str, window: Window, *more: str) -> AsyncIterator[Row]:
    after, end = id_at(window.start), id_at(window.end)
    while True:
        rows = await database.fetch(sql, after, end, *more, _BATCH)
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = rows[-1]["event_id"]


def id_at(instant: datetime) -> str:
    """Return the least UUIDv7 of an instant."""
    milliseconds = f"{max(0, int(instant.timestamp() * 1000)):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:12]}{_FIRST_ID[13:]}"


def actions_of(log: Log, actions: Iterable[str]) -> list[Told]:
    """Return the events of these actions."""
    wanted = frozenset(actions)
    return [told for told in log.events.values() if told.action in wanted]
