"""How far supervision is behind the log, and what waits to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping

from casemesh.core.clock import Clock
from casemesh.supervision.watch_store import WatchStore


async def lag_gauges(store: WatchStore, clock: Clock) -> Mapping[str, float]:
    """Return the gauges of supervision. Raises Unavailable."""
    followed = await store.followed()
    since = followed.waiting_since
    return {
        "casemesh.supervision.waiting": followed.waiting,
        "casemesh.supervision.lag": 0.0 if since is None else max(0.0, (clock.now() - since).total_seconds()),
        "casemesh.supervision.behind": followed.log_size - followed.next_index,
    }
