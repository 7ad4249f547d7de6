"""The log's tables read for a check, with the runtime role's rights and no lock: what a head covers is written once."""

from __future__ import annotations

from collections.abc import Sequence

from casemesh.audit.fsck.findings import Fault, Finding
from casemesh.audit.fsck.rows import Row
from casemesh.audit.tiles import TILE_HEIGHT, Tile
from casemesh.runtime.postgres import Database

_STATE = "SELECT origin, size, root FROM log_state"
_ROWS = """
SELECT entry.log_index, entry.event_id::text AS event_id, entry.case_name, entry.case_sequence, entry.commitment,
    event.salt, event.digest, event.canonical_json
FROM entry LEFT JOIN event USING (log_index)
WHERE entry.log_index >= $1 AND entry.log_index < $2 ORDER BY entry.log_index
"""
_CHECKPOINTS = "SELECT size, note FROM checkpoint WHERE size > $1 AND size <= $2 ORDER BY size"
_TILES = """
SELECT tile_index, root, hashes FROM tile
WHERE level = $1 AND tile_index >= $2 AND tile_index < $3 ORDER BY tile_index
"""
# Head and rows in one statement, so that what is appended meanwhile is not taken for a fault.
_ROWS_BEYOND = """
SELECT min(log_index) AS first, max(log_index) AS last FROM entry
WHERE log_index >= (SELECT size FROM log_state) OR log_index < 0
"""
_EVENTS_BEYOND = """
SELECT min(log_index) AS first, max(log_index) AS last FROM event
WHERE log_index >= (SELECT size FROM log_state) OR log_index < 0
"""
_CHECKPOINTS_BEYOND = """
SELECT checkpoint.size, log_state.size AS head FROM checkpoint CROSS JOIN log_state
WHERE checkpoint.size > log_state.size OR checkpoint.size < 0 ORDER BY checkpoint.size DESC LIMIT 1
"""
_TILES_BEYOND = f"""
SELECT level, tile_index FROM tile
WHERE level < 0 OR level > 6 OR tile_index < 0
    OR tile_index >= (SELECT size FROM log_state) >> ({TILE_HEIGHT} * (level + 1))
ORDER BY level, tile_index LIMIT 1
"""  # noqa: S608 - a constant of our own


class DatabaseLogReader:
    """Reads the log of the audit service's database for a check."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self) -> tuple[str | None, int, bytes]:
        """Return name, size and root as the head has them."""
        row = await self._database.fetchrow(_STATE)
        if row is None:
            raise RuntimeError("log_state has no row; was the database migrated?")
        return row["origin"], row["size"], row["root"]

    async def rows(self, first: int, end: int) -> Sequence[Row]:
        """Return the entries with indexes [first, end), in order, each with its event where there is one."""
        return [Row(*row) for row in await self._database.fetch(_ROWS, first, end)]

    async def checkpoints(self, above: int, until: int) -> Sequence[tuple[int, str]]:
        """Return size and note of the checkpoints with sizes in (above, until], in order."""
        return [(row["size"], row["note"]) for row in await self._database.fetch(_CHECKPOINTS, above, until)]

    async def tiles(self, level: int, first: int, end: int) -> Sequence[Tile]:
        """Return the tiles of a level with indexes [first, end), in order."""
        rows = await self._database.fetch(_TILES, level, first, end)
        return [Tile(level, row["tile_index"], row["hashes"], row["root"]) for row in rows]

    async def beyond(self) -> Sequence[Finding]:
        """Return what lies beyond the head: rows, checkpoints and tiles that it does not cover."""
        found = []
        for sql, detail in ((_ROWS_BEYOND, "the head does not cover it"), (_EVENTS_BEYOND, "an event of no entry")):
            rows = await self._database.fetchrow(sql)
            if rows is not None and rows["first"] is not None:
                found.append(Finding(Fault.ROW_INSERTED, detail, rows["first"], rows["last"]))
        checkpoint = await self._database.fetchrow(_CHECKPOINTS_BEYOND)
        if checkpoint is not None:
            detail = f"a checkpoint is over {checkpoint['size']} entries, the head over {checkpoint['head']}"
            found.append(Finding(Fault.HEAD_CHANGED, detail))
        tile = await self._database.fetchrow(_TILES_BEYOND)
        if tile is not None:
            detail = f"tile {tile['tile_index']} of level {tile['level']} is of no full part of the log"
            found.append(Finding(Fault.TILE_INSERTED, detail))
        return found
