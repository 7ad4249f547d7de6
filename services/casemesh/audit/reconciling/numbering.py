"""How far each source has numbered its events, and what waits to be sent, by its own outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from casemesh.runtime.postgres import Database

_LAST = "SELECT last_sequence FROM outbox_sequence"
_MISSING = """
SELECT source_sequence + 1 AS first, following - 1 AS last FROM (
    SELECT source_sequence, lead(source_sequence) OVER (ORDER BY source_sequence) AS following FROM (
        SELECT 0 AS source_sequence
        UNION ALL SELECT source_sequence FROM outbox WHERE source_sequence IS NOT NULL
        UNION ALL SELECT last_sequence + 1 FROM outbox_sequence
    ) AS given
) AS neighbours WHERE following > source_sequence + 1
"""
_WAITING = "SELECT count(*) AS waiting, min(created_at) AS oldest FROM outbox WHERE sent_at IS NULL"


@dataclass(frozen=True, slots=True)
class Numbering:
    """One outbox as a whole."""

    last: int
    """The last number given."""
    missing: tuple[tuple[int, int], ...]
    """Runs of numbers that were given and that no row has, first and last."""
    waiting: int
    oldest: datetime | None
    """Since when the oldest event waits; None when none does."""


async def read_numbering(database: Database) -> Numbering:
    """Return how an outbox stands. Raises Unavailable."""
    last = await database.fetchval(_LAST)
    missing = [(row["first"], row["last"]) for row in await database.fetch(_MISSING)]
    row = await database.fetchrow(_WAITING)
    assert row is not None
    return Numbering(last, tuple(missing), row["waiting"], row["oldest"])
