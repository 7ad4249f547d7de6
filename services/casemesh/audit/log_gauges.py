"""How long the log is, how old its newest checkpoint, and whether log witnesses keep up with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casemesh.audit.cosigning import Cosigning
from casemesh.runtime.postgres import Database

_READ: Final = """
SELECT
    (SELECT size FROM log_state) AS size,
    (SELECT extract(epoch FROM now() - created_at)::float8 FROM checkpoint ORDER BY size DESC LIMIT 1) AS age
"""


async def log_gauges(database: Database, cosigning: Cosigning) -> Mapping[str, float]:
    """Return the gauges of the log. Raises Unavailable."""
    row = await database.fetchrow(_READ)
    assert row is not None
    return {
        "casemesh.log.size": row["size"],
        "casemesh.log.checkpoint.age": max(0.0, row["age"] or 0.0),
        **await cosigning.gauges(),
    }
