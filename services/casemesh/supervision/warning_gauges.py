"""How many warnings nobody has dealt with, and how many nobody has even taken up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casemesh.runtime.postgres import Database

# The states OPEN and ACKNOWLEDGED; the index `warning_to_work` holds these alone.
_OPEN: Final = """
SELECT count(*) AS open, count(*) FILTER (WHERE state = 1 AND escalate_time IS NOT NULL) AS escalated
FROM warning WHERE state IN (1, 2)
"""


async def warning_gauges(database: Database) -> Mapping[str, float]:
    """Return the gauges of warnings. Raises Unavailable."""
    row = await database.fetchrow(_OPEN)
    assert row is not None
    return {"casemesh.warnings.open": row["open"], "casemesh.warnings.escalated": row["escalated"]}
