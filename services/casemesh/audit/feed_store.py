"""The log in its order, for who follows it: what each event was, on what and when, and of what was said of it only what
figures are counted from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from casemesh.audit.v1 import audit_feed_service_pb2 as pb2
from casemesh.runtime.postgres import Database, Row

# Below the largest message; an event is at most 64 KiB and what is told of it a small part of that.
_MOST_BYTES = 2 * 1024 * 1024
# Codes, counts and names of agencies: no text, no digest, no officer.
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "exchange.submitted": ("node", "sender", "recipient", "paper", "single_track"),
    "exchange.delivered": ("purpose",),
    "exchange.returned": ("codes",),
    "dossier.version.finalized": ("page_count",),
    "dossier.version.granted": ("sender", "recipient"),
    "access.stages.set": ("stages",),
    "access.alert.raised": ("agency", "rule"),
}
_HEAD = "SELECT size FROM log_state"
_FROM = """
SELECT entry.log_index, event.canonical_json FROM entry LEFT JOIN event USING (log_index)
WHERE entry.log_index >= $1 AND entry.log_index < $2 ORDER BY entry.log_index
"""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What stands at [asked, next_index) of a log of `log_size` entries."""

    events: list[pb2.FedEvent]
    next_index: int
    log_size: int


class FeedStore:
    """Reads the log from a place on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, first_index: int, limit: int) -> FeedPage:
        """Return what follows. The size is read first: what lies below it was committed with its checkpoint."""
        size: int = await self._database.fetchval(_HEAD)
        rows = await self._database.fetch(_FROM, first_index, min(first_index + limit, size))
        events: list[pb2.FedEvent] = []
        next_index, total = first_index, 0
        for row in rows:
            # An event that was shredded has its entry still.
            if row["canonical_json"] is not None:
                fed = _fed(row)
                total += fed.ByteSize()
                if total > _MOST_BYTES and events:
                    break
                events.append(fed)
            next_index = row["log_index"] + 1
        return FeedPage(events, next_index, size)


def _fed(row: Row) -> pb2.FedEvent:
    body = json.loads(row["canonical_json"])
    fed = pb2.FedEvent(log_index=row["log_index"], source=body["source"])
    event = fed.event
    event.event_id, event.action = body["event_id"], body["action"]
    event.case, event.resource = body.get("case", ""), body.get("resource", "")
    event.actor.agency = body["actor"].get("agency", "")
    event.occur_time.FromJsonString(body["occur_time"])
    said = body.get("details", {})
    event.details.update({key: said[key] for key in _TOLD.get(event.action, ()) if key in said})
    return fed
