"""A clock that tests move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until moved; wall time and the monotonic count move together."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def move(self, seconds: float) -> None:
        """Let time pass, or turn the wall clock back; the monotonic count never falls."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += max(0.0, seconds)
