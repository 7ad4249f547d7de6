"""Reading everything without taking the disk from those who work."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Holds whoever calls it to a rate, by sleeping; not to be called on an event loop."""

    def __init__(
        self,
        bytes_per_second: float | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._free_at = monotonic()

    def take(self, size: int) -> None:
        """Wait until what was taken before is paid for, then take ``size`` bytes more."""
        if self._rate is None:
            return
        now = self._monotonic()
        if self._free_at > now:
            self._sleep(self._free_at - now)
        self._free_at = max(now, self._free_at) + size / self._rate
