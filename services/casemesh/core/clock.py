"""The clock as a dependency, so that tests can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Civil time: eight hours ahead all year, also on a machine without a time zone database. Summer time ended in 1991."""


class Clock(Protocol):
    """Tells wall time for stamps and a monotonic count for durations; the two are never mixed."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never falls."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
