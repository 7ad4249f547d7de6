"""How far the log was followed, and which cases wait to be evaluated, in PostgreSQL.

Times come from the service's clock. A case is claimed for a while by one process; a claim that ran out belongs to
whoever takes it next, and what the first then writes is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casemesh.core.names import CASE
from casemesh.runtime.postgres import Database, Row, Transaction

_CURSOR = "SELECT next_index, log_size, answer_time FROM follow_cursor"
_MOVE = """
UPDATE follow_cursor SET next_index = $2, log_size = $3, answer_time = $4 WHERE next_index = $1
"""
_SEE = """
INSERT INTO seen_event (log_index, case_id, action, source, agency, resource, occur_time)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::timestamptz[])
"""
_MARK = """
INSERT INTO watched_case (case_id, change_count, waiting_since, due_at)
SELECT case_id, count(*), $2::timestamptz, $3::timestamptz FROM unnest($1::uuid[]) AS changed (case_id) GROUP BY case_id
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET change_count = watched_case.change_count + excluded.change_count,
    waiting_since = coalesce(watched_case.waiting_since, excluded.waiting_since),
    due_at = least(watched_case.due_at, excluded.due_at)
"""
_CLAIM = """
WITH due AS (
    SELECT case_id FROM watched_case WHERE due_at <= $1 AND (claim_until IS NULL OR claim_until <= $1)
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE watched_case SET claim_id = $3, claim_until = $4 FROM due WHERE watched_case.case_id = due.case_id
RETURNING watched_case.case_id, change_count, evaluated_count, facts::text AS facts, organs::text AS organs, attempts
"""
_EVENT_COUNTS = "SELECT action, count(*) AS count FROM seen_event WHERE case_id = $1 GROUP BY action"
# A change that came while it was evaluated makes it due again.
_EVALUATED = """
UPDATE watched_case SET evaluated_count = $3, facts = $4::jsonb, facts_time = $5, evaluate_time = $5,
    organs = $6::jsonb,
    waiting_since = CASE WHEN change_count > $3 THEN $5::timestamptz END,
    due_at = CASE WHEN change_count > $3 THEN $8::timestamptz ELSE $7::timestamptz END,
    claim_id = NULL, claim_until = NULL, attempts = 0
WHERE case_id = $1 AND claim_id = $2
"""
_PUT_OFF = """
UPDATE watched_case SET due_at = $3, claim_id = NULL, claim_until = NULL, attempts = attempts + 1
WHERE case_id = $1 AND claim_id = $2
"""
_EVERY_CASE_DUE = "UPDATE watched_case SET due_at = $1 WHERE facts IS NOT NULL"
_SNAPSHOTS = """
SELECT case_id, facts::text AS facts FROM watched_case WHERE facts IS NOT NULL
ORDER BY facts_time DESC LIMIT $1
"""
_WAITING = "SELECT count(*) AS waiting, min(waiting_since) AS since FROM watched_case WHERE waiting_since IS NOT NULL"


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event of a case. Identifiers are UUIDs as text; `agency` is None for the platform itself."""

    log_index: int
    case_id: str
    action: str
    source: str
    agency: str | None
    resource: str
    occur_time: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A case in the hands of this process. `facts` is None when none were kept; `changed` says that they are old."""

    claim_id: str
    case_id: str
    change_count: int
    changed: bool
    facts: dict[str, Any] | None
    organs: dict[str, str]
    attempts: int

    @property
    def case(self) -> str:
        """The case's resource name."""
        return CASE.format(case=self.case_id)


@dataclass(frozen=True, slots=True)
class Followed:
    """How far the log was followed, and what waits."""

    next_index: int
    log_size: int
    answer_time: datetime | None
    waiting: int
    waiting_since: datetime | None


class WatchStore:
    """Reads and claims."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_index(self) -> int:
        """Return the place of the next entry to look at."""
        row = await self._database.fetchrow(_CURSOR)
        assert row is not None
        return int(row["next_index"])

    async def followed(self) -> Followed:
        """Return how far it is and what waits."""
        cursor, waiting = await self._database.fetchrow(_CURSOR), await self._database.fetchrow(_WAITING)
        assert cursor is not None
        assert waiting is not None
        return Followed(
            cursor["next_index"], cursor["log_size"], cursor["answer_time"], waiting["waiting"], waiting["since"]
        )

    async def claim(self, claim_id: str, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Return up to `limit` cases that are due at `now`, for this process alone until `until`."""
        rows = await self._database.fetch(_CLAIM, now, limit, claim_id, until)
        return [_claim(claim_id, row) for row in rows]

    async def event_counts(self, case_id: str) -> dict[str, int]:
        """Return how often each action was seen in a case."""
        return {row["action"]: row["count"] for row in await self._database.fetch(_EVENT_COUNTS, case_id)}

    async def put_off(self, claim: Claim, until: datetime) -> None:
        """Give a case back and try again at `until`; nothing where the claim ran out."""
        await self._database.execute(_PUT_OFF, claim.case_id, claim.claim_id, until)

    async def snapshots(self, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """Return the facts of the cases that changed last, by identifier."""
        return [
            (str(row["case_id"]), json.loads(row["facts"])) for row in await self._database.fetch(_SNAPSHOTS, limit)
        ]


async def keep_events(
    transaction: Transaction,
    after: int,
    next_index: int,
    log_size: int,
    events: Sequence[SeenEvent],
    now: datetime,
    due_at: datetime,
) -> bool:
    """Move the cursor from `after` to `next_index`, keep the events between and have their cases evaluated at `due_at`.

    Returns False, and nothing is kept, when another process moved it first. What supervision itself told marks no case.
    """
    if not await transaction.execute(_MOVE, after, next_index, log_size, now):
        return False
    if events:
        await transaction.execute(
            _SEE,
            [event.log_index for event in events],
            [event.case_id for event in events],
            [event.action for event in events],
            [event.source for event in events],
            [event.agency for event in events],
            [event.resource for event in events],
            [event.occur_time for event in events],
        )
        await transaction.execute(
            _MARK, [event.case_id for event in events if event.source != "supervision"], now, due_at
        )
    return True


async def keep_evaluation(
    transaction: Transaction,
    claim: Claim,
    facts: dict[str, Any] | None,
    organs: dict[str, str],
    now: datetime,
    next_check: datetime | None,
    again_at: datetime,
) -> bool:
    """Keep the facts and when to look again, `again_at` where something changed meanwhile.

    Returns False, and nothing is kept, when the claim ran out and another process took the case.
    """
    kept = await transaction.execute(
        _EVALUATED,
        claim.case_id,
        claim.claim_id,
        claim.change_count,
        None if facts is None else json.dumps(facts, ensure_ascii=False),
        now,
        json.dumps(organs),
        next_check,
        again_at,
    )
    return bool(kept)


async def make_every_case_due(transaction: Transaction, now: datetime) -> None:
    """Have every case evaluated anew, e.g. since the rules changed."""
    await transaction.execute(_EVERY_CASE_DUE, now)


def _claim(claim_id: str, row: Row) -> Claim:
    return Claim(
        claim_id=claim_id,
        case_id=str(row["case_id"]),
        change_count=row["change_count"],
        changed=row["change_count"] > row["evaluated_count"],
        facts=None if row["facts"] is None else json.loads(row["facts"]),
        organs=json.loads(row["organs"]),
        attempts=row["attempts"],
    )
