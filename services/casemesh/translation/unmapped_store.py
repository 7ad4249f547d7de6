"""The queue of unmapped codes and the traffic of codes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from casemesh.core.ids import new_id
from casemesh.runtime.postgres import Database, Row, Transaction
from casemesh.translation.concept_maps import Equivalence

_COLUMNS = """
id, source_code_system, code, target_code_system, state, seen_count, first_seen_at, last_seen_at, example, decided_code,
decided_equivalence, decision_note, concept_map, concept_map_version, resolved_revision, effective_from
"""
# One that was resolved and is carried unmapped again is open again: its map was retired. It stays resolved where the
# answer was made before the resolution, or was for a day before the first on which that holds.
_REOPENED = """unmapped_code.state = 'resolved' AND $8::bigint >= unmapped_code.resolved_revision
    AND (unmapped_code.effective_from IS NULL OR unmapped_code.effective_from <= $9::date)"""
_SEEN = f"""
INSERT INTO unmapped_code
(id, source_code_system, code, target_code_system, seen_count, first_seen_at, last_seen_at, example)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
ON CONFLICT (source_code_system, target_code_system, code) DO UPDATE SET
    seen_count = unmapped_code.seen_count + excluded.seen_count,
    last_seen_at = greatest(unmapped_code.last_seen_at, excluded.last_seen_at),
    example = CASE WHEN excluded.example = '' THEN unmapped_code.example ELSE excluded.example END,
    state = CASE WHEN {_REOPENED} THEN 'open' ELSE unmapped_code.state END,
    resolved_revision = CASE WHEN {_REOPENED} THEN NULL ELSE unmapped_code.resolved_revision END
"""  # noqa: S608 - constants alone
_HOLD_REVISION = "SELECT revision FROM catalogue_revision FOR SHARE"
_CARRIED = """
INSERT INTO code_traffic (source_code_system, target_code_system, code, month, use_count) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source_code_system, target_code_system, code, month) DO UPDATE SET
    use_count = code_traffic.use_count + excluded.use_count
"""
_USES = """
SELECT code, sum(use_count)::bigint AS uses FROM code_traffic
WHERE source_code_system = $1 AND target_code_system = $2
AND ($3::date IS NULL OR month >= date_trunc('month', $3::date))
GROUP BY code
"""
_QUEUE = f"""
SELECT {_COLUMNS} FROM unmapped_code
WHERE state = $1 AND ($2 = '' OR source_code_system = $2)
AND ($3::bigint IS NULL OR (-seen_count, id) > (-$3::bigint, $4::uuid))
ORDER BY seen_count DESC, id LIMIT $5
"""  # noqa: S608 - constants alone
_RESOLVED = f"""
SELECT {_COLUMNS} FROM unmapped_code
WHERE resolved_revision > $1 AND (resolved_revision, id) > ($2::bigint, $3::uuid)
ORDER BY resolved_revision, id LIMIT $4
"""  # noqa: S608 - constants alone
_ONE = f"SELECT {_COLUMNS} FROM unmapped_code WHERE id = $1 FOR UPDATE"  # noqa: S608 - constants alone
_DECIDE = """
UPDATE unmapped_code SET state = 'decided', decided_code = $2, decided_equivalence = $3, decision_note = $4
WHERE id = $1
"""
_DECIDED = f"""
SELECT {_COLUMNS} FROM unmapped_code
WHERE state = 'decided' AND source_code_system = $1 AND target_code_system = $2 ORDER BY code
"""  # noqa: S608 - constants alone
_RESOLVE = """
UPDATE unmapped_code SET
    state = 'resolved', concept_map = $1, concept_map_version = $2, resolved_revision = $3, effective_from = $4
WHERE state <> 'resolved' AND source_code_system = $5 AND target_code_system = $6
AND code IN (SELECT from_code FROM concept_map_pair WHERE concept_map = $1 AND version = $2)
"""
FIRST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class CodeKey:
    """A code and the table it was to be translated to."""

    source_code_system: str
    code: str
    target_code_system: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """How often a code was carried unmapped, when last, and the resource name of one that carried it, if known.

    `revision` is the newest state of the catalogue that gave it no counterpart, `day` the latest day it was asked for.
    """

    key: CodeKey
    count: int
    at: datetime
    example: str
    revision: int
    day: date

    def joined(self, later: Sighting) -> Sighting:
        """Return this and a later sighting of the same code as one."""
        return Sighting(
            self.key,
            self.count + later.count,
            later.at,
            later.example or self.example,
            max(self.revision, later.revision),
            max(self.day, later.day),
        )


@dataclass(frozen=True, slots=True)
class Unmapped:
    """One entry of the queue. What is not decided or resolved is empty or None."""

    id: str
    key: CodeKey
    state: str
    seen_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    example: str
    decided_code: str
    decided_equivalence: Equivalence | None
    decision_note: str
    concept_map: str
    concept_map_version: str
    resolved_revision: int | None
    effective_from: date | None


class UnmappedStore:
    """Writes what was carried and reads what waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def saw(self, sightings: Sequence[Sighting], carried: Mapping[tuple[CodeKey, date], int]) -> None:
        """Add what was carried unmapped, and how often codes were carried in the month of a day, in one transaction.

        Rows are written in one order, and not while a version is put in force, which writes them in another: so nobody
        waits in a circle.
        """
        async with self._database.transaction() as transaction:
            await transaction.fetchval(_HOLD_REVISION)
            await self._write(transaction, sightings, carried)

    async def saw_first(self, sightings: Sequence[Sighting], revision: int) -> bool:
        """Add what was carried unmapped at a state of the catalogue; write nothing and return False when that is past.

        So every activation finds what was answered before it, and resolves it.
        """
        async with self._database.transaction() as transaction:
            if await transaction.fetchval(_HOLD_REVISION) != revision:
                return False
            await self._write(transaction, sightings, {})
        return True

    async def _write(
        self, transaction: Transaction, sightings: Sequence[Sighting], carried: Mapping[tuple[CodeKey, date], int]
    ) -> None:
        unmapped = sorted(sightings, key=lambda each: _order(each.key))
        months = sorted(carried.items(), key=lambda item: (_order(item[0][0]), item[0][1]))
        await transaction.executemany(_SEEN, [_seen(sighting) for sighting in unmapped])
        await transaction.executemany(
            _CARRIED,
            [(*_order(key), month, count) for (key, month), count in months],
        )

    async def uses(self, source_code_system: str, target_code_system: str, since: date | None) -> dict[str, int]:
        """Return how often each code was carried since the beginning of the month of a day."""
        rows = await self._database.fetch(_USES, source_code_system, target_code_system, since)
        return {row["code"]: row["uses"] for row in rows}

    async def queue(
        self, state: str, code_system: str, after: tuple[int, str] | None, limit: int
    ) -> Sequence[Unmapped]:
        """Return entries in a state, of one table or of all for "", most often seen first, after (count, id)."""
        count, last = after or (None, FIRST_ID)
        rows = await self._database.fetch(_QUEUE, state, code_system, count, last, limit)
        return [_unmapped(row) for row in rows]

    async def resolved(self, after_revision: int, after: tuple[int, str], limit: int) -> Sequence[Unmapped]:
        """Return entries resolved after a revision, in the order of (revision, id), after that pair."""
        rows = await self._database.fetch(_RESOLVED, after_revision, *after, limit)
        return [_unmapped(row) for row in rows]

    async def held(self, transaction: Transaction, entry: str) -> Unmapped | None:
        """Return an entry and hold it until the transaction ends; None when there is none."""
        row = await transaction.fetchrow(_ONE, entry)
        return None if row is None else _unmapped(row)

    async def decide(
        self, transaction: Transaction, entry: str, code: str, equivalence: Equivalence, note: str
    ) -> None:
        """Write what an entry stands for; NONE has no code."""
        await transaction.execute(_DECIDE, entry, code, equivalence.value, note)

    async def decided(
        self, transaction: Transaction, source_code_system: str, target_code_system: str
    ) -> Sequence[Unmapped]:
        """Return the entries between two tables that are decided and not resolved, by code."""
        return [_unmapped(row) for row in await transaction.fetch(_DECIDED, source_code_system, target_code_system)]

    async def resolve(
        self,
        transaction: Transaction,
        concept_map: tuple[str, str],
        revision: int,
        since: date | None,
        tables: tuple[str, str],
    ) -> int:
        """Resolve what (map, version) says anything of between (source, target); return how many that are."""
        return await transaction.execute(_RESOLVE, *concept_map, revision, since, *tables)


def _seen(sighting: Sighting) -> tuple[object, ...]:
    key = sighting.key
    return (
        new_id(),
        key.source_code_system,
        key.code,
        key.target_code_system,
        sighting.count,
        sighting.at,
        sighting.example,
        sighting.revision,
        sighting.day,
    )


def _order(key: CodeKey) -> tuple[str, str, str]:
    return key.source_code_system, key.target_code_system, key.code


def _unmapped(row: Row) -> Unmapped:
    return Unmapped(
        id=str(row["id"]),
        key=CodeKey(row["source_code_system"], row["code"], row["target_code_system"]),
        state=row["state"],
        seen_count=row["seen_count"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        example=row["example"],
        decided_code=row["decided_code"],
        decided_equivalence=Equivalence(row["decided_equivalence"]) if row["decided_equivalence"] else None,
        decision_note=row["decision_note"],
        concept_map=row["concept_map"],
        concept_map_version=row["concept_map_version"],
        resolved_revision=row["resolved_revision"],
        effective_from=row["effective_from"],
    )
