"""The days on which a code, a pair or a map holds. Days are civil days of Asia/Shanghai."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from casemesh.core.clock import CHINA, Clock

_MONTH = re.compile(r"([0-9]{4})-?([0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both included; None is open."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Return whether the period holds on `day`."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def overlaps(self, other: Period) -> bool:
        """Return whether some day lies in both."""
        starts_in_time = self.first is None or other.last is None or self.first <= other.last
        ends_in_time = self.last is None or other.first is None or other.first <= self.last
        return starts_in_time and ends_in_time

    def is_empty(self) -> bool:
        """Return whether the last day lies before the first."""
        return self.first is not None and self.last is not None and self.last < self.first


ALWAYS = Period()


def parse_day(text: str) -> date | None:
    """Return the day written as YYYY-MM-DD, or the first of the month written as YYYY-MM or YYYYMM; None for "".

    Raises ValueError for anything else.
    """
    if not text:
        return None
    if month := _MONTH.fullmatch(text):
        return date(int(month[1]), int(month[2]), 1)
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def today(clock: Clock) -> date:
    """Return the civil day in China."""
    return clock.now().astimezone(CHINA).date()
