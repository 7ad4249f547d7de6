"""Whether the audit log holds every event that the service has sent it.

The log takes an event once: appended again, it answers with the place the event has. So an event of now is appended
first, and then all that were sent are appended again: one whose place is behind that of the first was not there. It is
then, which is all that can be done about it, and is found as an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from casemesh.audit.v1 import audit_append_service_pb2, event_pb2
from casemesh.core.clock import Clock
from casemesh.dossier.care.operator import BY_OPERATOR, STORE_CHECKED
from casemesh.dossier.care.row_checks import Finding, Severity
from casemesh.errors import AlreadyExists
from casemesh.runtime.outbox import event_of
from casemesh.runtime.postgres import Database

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceAsyncStub

_SENT = """
SELECT id, event, source_sequence FROM outbox
WHERE sent_at IS NOT NULL AND id > $1 AND id <= $2 ORDER BY id LIMIT $3
"""
_LAST = "SELECT coalesce(max(id), 0) FROM outbox WHERE sent_at IS NOT NULL"
_AT_ONCE: Final = 256
_SECONDS: Final = 20.0


async def compare_with_log(database: Database, append: AuditAppendServiceAsyncStub, clock: Clock) -> list[Finding]:
    """What of the service's outbox the log lacked, or holds with other content.

    Read events, which do not go through the outbox, are not compared. Raises Unavailable, FailedPrecondition
    (LOG_CONTRADICTED).
    """
    last = await database.fetchval(_LAST)
    now = event_of(BY_OPERATOR, clock, STORE_CHECKED, "")
    (place,) = await _places(append, [now])
    found, after = [], 0
    while rows := await database.fetch(_SENT, after, last, _AT_ONCE):
        after = rows[-1]["id"]
        events = []
        for row in rows:
            event = event_pb2.Event.FromString(row["event"])
            event.source_sequence = row["source_sequence"]
            events.append(event)
        for event, at in await _compare(append, events):
            if at is None:
                found.append(_finding("event_altered", event, "the log holds it with other content"))
            elif at > place:
                found.append(_finding("event_missing", event, f"the log lacked it; appended now as entry {at}"))
    return found


async def _compare(
    append: AuditAppendServiceAsyncStub, events: Sequence[event_pb2.Event]
) -> list[tuple[event_pb2.Event, int | None]]:
    """Each event's place, None where the log holds it with other content: then it refuses all of the request."""
    try:
        return list(zip(events, await _places(append, events), strict=True))
    except AlreadyExists:
        if len(events) == 1:
            return [(events[0], None)]
        half = len(events) // 2
        return [*await _compare(append, events[:half]), *await _compare(append, events[half:])]


async def _places(append: AuditAppendServiceAsyncStub, events: Sequence[event_pb2.Event]) -> list[int]:
    request = audit_append_service_pb2.AppendEventsRequest(events=events)
    answer = await append.AppendEvents(request, timeout=_SECONDS)
    return [place.log_index for place in answer.places]


def _finding(kind: str, event: event_pb2.Event, detail: str) -> Finding:
    return Finding(kind, Severity.ERROR, f"event {event.event_id}", f"{event.action} {event.resource}: {detail}")
