"""Proposals to shred texts, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.runtime.postgres import Database, Row, Transaction

_COLUMNS = """shredding_id::text AS shredding_id, case_name, actions, before_time, reason, proposed_by, propose_time,
    decided_by, decide_time, approved, event_count, done_time"""
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_INSERT = f"""
INSERT INTO shredding (shredding_id, case_name, actions, before_time, reason, proposed_by, propose_time)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}
"""  # noqa: S608 - columns are a constant
_LOCK = f"SELECT {_COLUMNS} FROM shredding WHERE shredding_id = $1 FOR UPDATE"  # noqa: S608
_DECIDE = f"""
UPDATE shredding SET decided_by = $2, decide_time = $3, approved = $4, tombstone = $5, event_count = $6
WHERE shredding_id = $1 RETURNING {_COLUMNS}
"""  # noqa: S608
_LIST = f"""
SELECT {_COLUMNS} FROM shredding WHERE shredding.shredding_id < $1 ORDER BY shredding.shredding_id DESC LIMIT $2
"""  # noqa: S608
_HAS_EVENTS = "SELECT EXISTS (SELECT FROM entry WHERE case_name = $1)"
# As in the trail's filter: a zero character is put aside before PostgreSQL reads the JSON.
_WANTED = """
SELECT entry.log_index, entry.case_sequence FROM entry JOIN event USING (log_index)
CROSS JOIN LATERAL (
    SELECT replace(convert_from(event.canonical_json, 'UTF8'), '\\u0000', '\\ufffd')::json AS body
) AS told
WHERE entry.case_name = $1 AND body ->> 'action' = ANY($2) AND (body ->> 'occur_time')::timestamptz < $3
    AND NOT EXISTS (SELECT FROM shredded_event WHERE shredded_event.log_index = entry.log_index)
ORDER BY entry.case_sequence LIMIT $4
"""
_MARK = """
INSERT INTO shredded_event (log_index, shredding_id) SELECT log_index, $2::uuid FROM unnest($1::bigint[]) AS log_index
"""
_READY = """
SELECT shredding_id::text AS shredding_id FROM shredding JOIN entry ON entry.event_id = shredding.tombstone
WHERE approved AND done_time IS NULL
"""
_SHRED = "SELECT shred($1)"


@dataclass(frozen=True, slots=True)
class StoredShredding:
    """A proposal, and what became of it."""

    shredding_id: str
    case_name: str
    actions: Sequence[str]
    before_time: datetime
    reason: str
    proposed_by: str
    propose_time: datetime
    decided_by: str | None
    decide_time: datetime | None
    approved: bool | None
    event_count: int
    done_time: datetime | None


class ShreddingStore:
    """Reads of proposals, and the deletion. Methods raise Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_events(self, case: str) -> bool:
        """Say whether the log has events of a case."""
        return bool(await self._database.fetchval(_HAS_EVENTS, case))

    async def page(self, before: str, limit: int) -> list[StoredShredding]:
        """Return at most `limit` proposals older than the one named, the newest first; from the newest when empty."""
        return [_stored(row) for row in await self._database.fetch(_LIST, before or _LAST_ID, limit)]

    async def ready(self) -> list[str]:
        """Return the approved proposals whose texts are there still, though the log tells of it already."""
        return [row["shredding_id"] for row in await self._database.fetch(_READY)]

    async def shred(self, shredding_id: str) -> int:
        """Delete the texts of a proposal that is ready; return how many were there still."""
        return int(await self._database.fetchval(_SHRED, shredding_id))


async def insert(
    transaction: Transaction, shredding_id: str, case: str, actions: Sequence[str], before: datetime, reason: str,
    proposed_by: str, at: datetime,
) -> StoredShredding:  # fmt: skip
    """Keep a proposal."""
    row = await transaction.fetchrow(_INSERT, shredding_id, case, list(actions), before, reason, proposed_by, at)
    assert row is not None
    return _stored(row)


async def lock(transaction: Transaction, shredding_id: str) -> StoredShredding | None:
    """Return a proposal that nobody else decides before the transaction ends, or None."""
    row = await transaction.fetchrow(_LOCK, shredding_id)
    return _stored(row) if row is not None else None


async def wanted(transaction: Transaction, proposal: StoredShredding, limit: int) -> list[tuple[int, int]]:
    """Return place in the log and number in the case of at most `limit` events it is about, in order."""
    rows = await transaction.fetch(_WANTED, proposal.case_name, proposal.actions, proposal.before_time, limit)
    return [(row["log_index"], row["case_sequence"]) for row in rows]


async def decide(
    transaction: Transaction, shredding_id: str, by: str, at: datetime, *, tombstone: str | None, events: Sequence[int]
) -> StoredShredding:
    """Keep the decision: approved with the event that tells of it and the places of the texts, or rejected."""
    approved = tombstone is not None
    if approved:
        await transaction.execute(_MARK, list(events), shredding_id)
    row = await transaction.fetchrow(_DECIDE, shredding_id, by, at, approved, tombstone, len(events))
    assert row is not None
    return _stored(row)


def _stored(row: Row) -> StoredShredding:
    return StoredShredding(**row)
