"""The log in PostgreSQL.

Writers hold the lock on `log_state` from reading the head to committing the next: appending is one transaction at a
time, whatever the number of replicas. Everything else is written once, so readers need no lock and no snapshot: what
a checkpoint covers is there and stays as it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from casemesh.audit.events import Submitted
from casemesh.audit.sequencing import CaseHead, Logged, NewEntry, Place
from casemesh.audit.source_store import follow
from casemesh.audit.tiles import TILE_WIDTH, RightEdge, Tile, TileId, edge_starts, node_from_tile, tile_of, tiles_of
from casemesh.client.commitments import commitment_leaf
from casemesh.core.merkle import MerkleError, ProofPlan, prove
from casemesh.runtime.postgres import Database, Transaction

_LOCK_HEAD = "SELECT origin, size, root FROM log_state FOR UPDATE"
_NAME_LOG = "UPDATE log_state SET origin = $1 WHERE origin IS NULL"
_ADVANCE = """
WITH moved AS (UPDATE log_state SET size = $3, root = $4 WHERE size = $1 AND root = $2 RETURNING size)
INSERT INTO checkpoint (size, note) SELECT size, $5 FROM moved
"""
_LATEST_CHECKPOINT = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1"
_LOGGED = """
SELECT entry.event_id::text AS event_id, entry.log_index, entry.case_sequence, event.digest
FROM entry LEFT JOIN event USING (log_index) WHERE entry.event_id = ANY($1::uuid[])
"""
_CASE_HEADS = """
SELECT named.case_name, last.case_sequence, last.commitment
FROM unnest($1::text[]) AS named (case_name)
CROSS JOIN LATERAL (
    SELECT case_sequence, commitment FROM entry
    WHERE entry.case_name = named.case_name ORDER BY case_sequence DESC LIMIT 1
) AS last
"""
_CASE_LENGTH = "SELECT max(case_sequence) FROM entry WHERE case_name = $1"
_CASE_EVENTS = """
SELECT entry.log_index, entry.case_sequence, entry.commitment, event.salt, event.canonical_json,
    shredded_event.log_index IS NOT NULL AS shredded
FROM entry LEFT JOIN event USING (log_index) LEFT JOIN shredded_event USING (log_index)
WHERE entry.case_name = $1 AND entry.case_sequence > $2 AND entry.case_sequence <= $3
ORDER BY entry.case_sequence LIMIT $4
"""
# JSON may hold a zero character, PostgreSQL's text may not; what is put in its place is only compared.
_MATCHING_EVENTS = """
SELECT entry.log_index, entry.case_sequence, entry.commitment, event.salt, event.canonical_json, false AS shredded
FROM entry JOIN event USING (log_index)
CROSS JOIN LATERAL (
    SELECT replace(convert_from(event.canonical_json, 'UTF8'), '\\u0000', '\\ufffd')::json AS body
) AS told
WHERE entry.case_name = $1 AND entry.case_sequence > $2 AND entry.case_sequence <= $3
    AND ($5::text[] = '{}' OR EXISTS (
        SELECT FROM unnest($5::text[]) AS wanted (action)
        WHERE body ->> 'action' = action OR starts_with(body ->> 'action', action || '.')))
    AND ($6 = '' OR body -> 'actor' ->> 'agency' = $6)
    AND ($7 = '' OR body -> 'actor' ->> 'officer' = $7)
    AND ($8::timestamptz IS NULL OR (body ->> 'occur_time')::timestamptz >= $8)
    AND ($9::timestamptz IS NULL OR (body ->> 'occur_time')::timestamptz < $9)
ORDER BY entry.case_sequence LIMIT $4
"""
_COMMITMENT = "SELECT commitment FROM entry WHERE log_index = $1"
_COMMITMENTS = "SELECT commitment FROM entry WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index"
_FULL_TILES = """
SELECT tile.level, tile.tile_index, tile.hashes
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (level, tile_index) JOIN tile USING (level, tile_index)
"""
_TILE_ROOTS = "SELECT root FROM tile WHERE level = $1 AND tile_index >= $2 AND tile_index < $3 ORDER BY tile_index"
_ENTRY_COLUMNS = ("log_index", "event_id", "case_name", "case_sequence", "commitment")
_EVENT_COLUMNS = ("log_index", "salt", "digest", "canonical_json")
# One round trip, where a COPY into each table takes two: that is what a small batch costs. In a large one COPY takes
# half of the processor time for each event.
_SMALL_BATCH = 32
_INSERT = """
WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[],
        $8::bytea[])
    AS given (log_index, event_id, case_name, case_sequence, commitment, salt, digest, canonical_json)
), texts AS (
    INSERT INTO event (log_index, salt, digest, canonical_json)
    SELECT log_index, salt, digest, canonical_json FROM given
)
INSERT INTO entry (log_index, event_id, case_name, case_sequence, commitment)
SELECT log_index, event_id, case_name, case_sequence, commitment FROM given
"""
_TILE_COLUMNS = ("level", "tile_index", "root", "hashes")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands."""

    origin: str | None
    """None until the log was first opened."""
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of a trail to show; one that matches all of it."""

    actions: tuple[str, ...] = ()
    """Each with all below it; none means any."""
    agency: str = ""
    """The agency that acted; empty means any."""
    officer: str = ""
    """The officer who acted; empty means any, and systems for themselves."""
    start: datetime | None = None
    """The first instant, by when things happened."""
    end: datetime | None = None
    """The first instant no longer meant."""


EVERY_EVENT = EventFilter()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a case as it was committed to."""

    log_index: int
    case_sequence: int
    commitment: bytes
    salt: bytes | None
    """This and the text are None once they were shredded."""
    canonical_json: bytes | None
    shredded: bool
    """Whether the texts were approved to be shredded; they may be there still."""


class LogStore:
    """Reads of the log, and the door to its one writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[LockedLog]:
        """Give the log to the caller alone until the body ends, then commit; an exception undoes all of it.

        Raises Unavailable when the database does not answer. Lost at the end, the commit may or may not have
        happened; the head then tells.
        """
        async with self._database.transaction() as transaction:
            row = await transaction.fetchrow(_LOCK_HEAD)
            if row is None:
                raise RuntimeError("log_state has no row; was the database migrated?")
            yield LockedLog(transaction, Head(row["origin"], row["size"], row["root"]))

    async def latest_checkpoint(self) -> tuple[int, str]:
        """Return the size and the signed note of the newest checkpoint. There is one as soon as the log was opened."""
        async with self._database.connection() as connection:
            latest = await _latest_checkpoint(connection)
        if latest is None:
            raise RuntimeError("the log has no checkpoint; it was never opened")
        return latest

    async def prove(self, plan: ProofPlan) -> list[bytes]:
        """Return the proof for `plan`, whose nodes must all be within a checkpoint.

        Raises MerkleError when a tile stops short of one.
        """
        async with self._database.connection() as connection:
            return await _prove(connection, plan)

    async def prove_all(self, plans: Sequence[ProofPlan]) -> list[list[bytes]]:
        """Return the proofs for `plans`; each tile that several of them need is read once."""
        async with self._database.connection() as connection:
            tiles = await _tiles(connection, {tile for plan in plans for tile in tiles_of(plan)})
        return [_from_tiles(plan, tiles) for plan in plans]

    async def leaf(self, log_index: int) -> bytes:
        """Return the leaf hash of an entry within a checkpoint. Raises MerkleError when there is none."""
        committed: bytes | None = await self._database.fetchval(_COMMITMENT, log_index)
        if committed is None:
            raise MerkleError(f"entry {log_index} is not there")
        return commitment_leaf(committed)

    async def case_length(self, case: str) -> int:
        """Return how many events a case has; 0 for a case that has none."""
        return await self._database.fetchval(_CASE_LENGTH, case) or 0

    async def case_events(
        self, case: str, *, after: int, until: int, limit: int, only: EventFilter = EVERY_EVENT
    ) -> list[StoredEvent]:
        """Return at most `limit` events of a case with sequences above `after` up to `until`, in order."""
        if only == EVERY_EVENT:
            rows = await self._database.fetch(_CASE_EVENTS, case, after, until, limit)
        else:
            wanted = (list(only.actions), only.agency, only.officer, only.start, only.end)
            rows = await self._database.fetch(_MATCHING_EVENTS, case, after, until, limit, *wanted)
        return [StoredEvent(**row) for row in rows]


class LockedLog:
    """The log in the hands of one writer, within its transaction."""

    def __init__(self, transaction: Transaction, head: Head) -> None:
        self._transaction = transaction
        self.head = head

    async def name(self, origin: str) -> None:
        """Give the log its name, once."""
        await self._transaction.execute(_NAME_LOG, origin)

    async def latest_checkpoint(self) -> tuple[int, str] | None:
        """Return the size and the signed note of the newest checkpoint, None when none was signed yet."""
        return await _latest_checkpoint(self._transaction)

    async def right_edge(self) -> RightEdge:
        """Return what appending needs of the tree, rebuilt from entries and tiles.

        Raises MerkleError when there are not as many as the head says.
        """
        rows = []
        for level, tile_index in edge_starts(self.head.size):
            count = (self.head.size >> 8 * level) % TILE_WIDTH
            first = tile_index * TILE_WIDTH
            rows.append(tuple(await _row(self._transaction, level, first, first + count)))
        return RightEdge(self.head.size, tuple(rows))

    async def prove(self, plan: ProofPlan) -> list[bytes]:
        """Return the proof for `plan`."""
        return await _prove(self._transaction, plan)

    async def logged(self, event_ids: Collection[str]) -> dict[str, Logged]:
        """Return those of the events that are in the log, by id."""
        rows = await self._transaction.fetch(_LOGGED, list(event_ids))
        return {
            row["event_id"]: Logged(Place(row["event_id"], row["log_index"], row["case_sequence"] or 0), row["digest"])
            for row in rows
        }

    async def case_heads(self, cases: Collection[str]) -> dict[str, CaseHead]:
        """Return the last event of each of the cases that has one."""
        rows = await self._transaction.fetch(_CASE_HEADS, list(cases))
        return {row["case_name"]: CaseHead(row["case_sequence"], row["commitment"]) for row in rows}

    async def insert(self, entries: Sequence[NewEntry], tiles: Sequence[Tile]) -> None:
        """Write entries, at least one, their events, and the tiles that became full."""
        heads = [
            (e.place.log_index, e.place.event_id, e.case or None, e.place.case_sequence or None, e.commitment)
            for e in entries
        ]
        texts = [(e.salt, e.digest, e.canonical_json) for e in entries]
        if len(entries) <= _SMALL_BATCH:
            await self._transaction.execute(_INSERT, *zip(*heads, strict=True), *zip(*texts, strict=True))
        else:
            await self._transaction.copy("entry", _ENTRY_COLUMNS, heads)
            indexed = [(head[0], *text) for head, text in zip(heads, texts, strict=True)]
            await self._transaction.copy("event", _EVENT_COLUMNS, indexed)
        if tiles:
            await self._transaction.copy("tile", _TILE_COLUMNS, [(t.level, t.index, t.root, t.hashes) for t in tiles])

    async def follow_sources(self, events: Sequence[Submitted], now: datetime) -> None:
        """Count the numbers of new events for their sources."""
        await follow(self._transaction, events, now)

    async def advance(self, size: int, root: bytes, note: str) -> bool:
        """Move the head to a tree and keep its signed checkpoint; False when the head is not where it was locked."""
        return bool(await self._transaction.execute(_ADVANCE, self.head.size, self.head.root, size, root, note))


async def _latest_checkpoint(connection: Transaction) -> tuple[int, str] | None:
    row = await connection.fetchrow(_LATEST_CHECKPOINT)
    return (row["size"], row["note"]) if row is not None else None


async def _prove(connection: Transaction, plan: ProofPlan) -> list[bytes]:
    return _from_tiles(plan, await _tiles(connection, tiles_of(plan)))


def _from_tiles(plan: ProofPlan, tiles: Mapping[TileId, bytes]) -> list[bytes]:
    return prove(plan, lambda node: node_from_tile(node, tiles[tile_of(node)]))


async def _tiles(connection: Transaction, wanted: Collection[TileId]) -> dict[TileId, bytes]:
    rows = await connection.fetch(_FULL_TILES, [level for level, _ in wanted], [index for _, index in wanted])
    tiles = {(row["level"], row["tile_index"]): row["hashes"] for row in rows}
    for level, index in wanted:
        if (level, index) not in tiles:
            # Not full yet: what there is of it lies in the row below.
            first = index * TILE_WIDTH
            tiles[level, index] = b"".join(await _row(connection, level, first, first + TILE_WIDTH))
    return tiles


async def _row(connection: Transaction, level: int, first: int, end: int) -> list[bytes]:
    """The hashes [first, end) of a tile level, as many as there are."""
    if level == 0:
        rows = await connection.fetch(_COMMITMENTS, first, end)
        return [commitment_leaf(row["commitment"]) for row in rows]
    rows = await connection.fetch(_TILE_ROOTS, level - 1, first, end)
    return [row["root"] for row in rows]
