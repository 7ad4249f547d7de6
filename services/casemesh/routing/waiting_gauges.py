"""How many deliveries wait, and how long the oldest of them has: for its recipient, and for the platform itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Final

from casemesh.runtime.postgres import Database

# A UUIDv7 begins with its instant, so the least is the oldest. What is set aside is due at infinity and has been
# reported; it would stand as the oldest for good.
_WAITING: Final = """
SELECT
    count(*) FILTER (WHERE due_at IS NOT NULL) AS released,
    (array_agg(delivery_id ORDER BY delivery_id) FILTER (WHERE due_at IS NOT NULL))[1] AS oldest_released,
    (array_agg(delivery_id ORDER BY delivery_id) FILTER (WHERE due_at IS NULL))[1] AS oldest_held
FROM delivery WHERE acknowledge_time IS NULL AND (due_at IS NULL OR due_at < 'infinity')
"""


async def waiting_gauges(database: Database) -> Mapping[str, float]:
    """Return the gauges of delivery. Raises Unavailable."""
    row = await database.fetchrow(_WAITING)
    assert row is not None
    now = time.time()
    return {
        "casemesh.delivery.waiting": row["released"],
        "casemesh.delivery.lag": _age(row["oldest_released"], now),
        "casemesh.delivery.release.lag": _age(row["oldest_held"], now),
    }


def _age(delivery: uuid.UUID | None, now: float) -> float:
    return 0.0 if delivery is None else max(0.0, now - (delivery.int >> 80) / 1000)
