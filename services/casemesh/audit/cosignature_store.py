"""Checkpoints and their cosignatures in PostgreSQL. Both are written once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from casemesh.runtime.postgres import Database

# A new log has none from before the round; then the newest is as good.
_CHECKPOINT_AT = """
(SELECT size, note FROM checkpoint WHERE created_at <= $1 ORDER BY size DESC LIMIT 1)
UNION ALL (SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1) LIMIT 1
"""
_CHECKPOINT_OF = "SELECT note FROM checkpoint WHERE size = $1"
_LINES = "SELECT line FROM cosignature WHERE size = $1 ORDER BY witness"
_KEEP = "INSERT INTO cosignature (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_COUNT = "SELECT count(*) FROM cosignature WHERE size = $1 AND witness = ANY($2::text[])"
_NEWEST_WITH_QUORUM = """
SELECT size FROM cosignature WHERE witness = ANY($1::text[])
GROUP BY size HAVING count(*) >= $2 ORDER BY size DESC LIMIT 1
"""
_OLDEST_ABOVE = "SELECT created_at FROM checkpoint WHERE size > $1 ORDER BY size LIMIT 1"


class CosignatureStore:
    """Reads checkpoints, keeps cosignatures. Methods raise Unavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoint_at(self, instant: datetime) -> tuple[int, str]:
        """Return size and note of the newest checkpoint that was there at `instant`, else of the newest."""
        row = await self._database.fetchrow(_CHECKPOINT_AT, instant)
        if row is None:
            raise RuntimeError("the log has no checkpoint; it was never opened")
        return row["size"], row["note"]

    async def checkpoint_of(self, size: int) -> str | None:
        """Return the note of the checkpoint over `size` entries, None when there is none."""
        note: str | None = await self._database.fetchval(_CHECKPOINT_OF, size)
        return note

    async def lines(self, size: int) -> list[str]:
        """Return the cosignatures under a checkpoint, by name of witness."""
        return [row["line"] for row in await self._database.fetch(_LINES, size)]

    async def keep(self, size: int, witness: str, line: str, counted: Sequence[str]) -> int:
        """Keep a cosignature unless the witness left one there already; return how many of `counted` have."""
        await self._database.execute(_KEEP, size, witness, line)
        count: int = await self._database.fetchval(_COUNT, size, list(counted))
        return count

    async def newest_with_quorum(self, counted: Sequence[str], quorum: int) -> int | None:
        """Return the size of the newest checkpoint with cosignatures of `quorum` of the witnesses `counted`."""
        size: int | None = await self._database.fetchval(_NEWEST_WITH_QUORUM, list(counted), quorum)
        return size

    async def oldest_above(self, size: int) -> datetime | None:
        """Return when the first checkpoint over more than `size` entries was signed, None when there is none."""
        instant: datetime | None = await self._database.fetchval(_OLDEST_ABOVE, size)
        return instant
