"""What browsing is out of the ordinary: limits on what one officer reads, refusals in quick succession, usual hours.

Pure: counts come from the database, times from the caller.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, NamedTuple

from casemesh.core.clock import CHINA
from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlertRule

_OFFICERS_WATCHED: Final = 10_000


class Counts(NamedTuple):
    """What an officer read until now: readings of the last hour, different cases and bytes of the last day."""

    reads: int
    cases: int
    size_bytes: int
    case_known: bool
    """The case about to be read is among them."""


@dataclass(frozen=True)
class Limit:
    """One limit: from `alert_at` on somebody is told, beyond `refuse_at` nothing more is read."""

    name: str
    """As in the error's metadata."""
    alert_at: int
    refuse_at: int
    neared: AccessAlertRule
    reached: AccessAlertRule


@dataclass(frozen=True)
class Limits:
    """The limits on one officer."""

    reads: Limit
    cases: Limit
    size_bytes: Limit

    def refusing(self, counts: Counts) -> tuple[Limit, int] | None:
        """Return the first limit that refuses the next reading, and what was counted; None when none does.

        A case that was read within the day can be read on: nobody is cut off in the middle of work.
        """
        if counts.reads >= self.reads.refuse_at:
            return self.reads, counts.reads
        if counts.cases >= self.cases.refuse_at and not counts.case_known:
            return self.cases, counts.cases
        if counts.size_bytes >= self.size_bytes.refuse_at:
            return self.size_bytes, counts.size_bytes
        return None

    def neared(self, counts: Counts) -> Iterator[tuple[Limit, int]]:
        """Yield the limits of which somebody is told with a reading that was let through, and what is counted then."""
        cases = counts.cases if counts.case_known else counts.cases + 1
        for limit, count in (
            (self.reads, counts.reads + 1), (self.cases, cases), (self.size_bytes, counts.size_bytes)
        ):  # fmt: skip
            if count >= limit.alert_at:
                yield limit, count


class Refusals:
    """Counts refusals of each officer within a while.

    Kept in this process alone: of several replicas each counts what it refused, so that an alert comes the later, and a
    restart forgets. A refusal writes nothing, and so takes as long for a case that is not there as for one that is.
    """

    def __init__(self, most: int, within_seconds: float) -> None:
        self.most = most
        self._within_seconds = within_seconds
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, officer: str, now: float) -> bool:
        """Note a refusal at `now` (monotonic seconds); say whether there were as many as somebody is told of."""
        times = self._times.setdefault(officer, deque(maxlen=self.most))
        self._times.move_to_end(officer)
        if len(self._times) > _OFFICERS_WATCHED:
            self._times.popitem(last=False)
        times.append(now)
        return len(times) == self.most and times[-1] - times[0] <= self._within_seconds


@dataclass(frozen=True)
class UsualHours:
    """When an agency's officers work, in Asia/Shanghai; from the later to the earlier time where they work at night."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> UsualHours | None:
        """Return the hours in `07:00-21:00`; None for an empty text. Raises ValueError."""
        if not text:
            return None
        begin, _, end = text.partition("-")
        hours = cls(time.fromisoformat(begin), time.fromisoformat(end))
        if hours.begin == hours.end:
            raise ValueError("the hours must not begin and end at the same time")
        return hours

    def include(self, now: datetime) -> bool:
        """Say whether work is usual at this instant."""
        local = now.astimezone(CHINA).time()
        if self.begin < self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end


def names(rules: Sequence[AccessAlertRule]) -> str:
    """Return rules as the log names them."""
    return ",".join(AccessAlertRule.Name(rule).removeprefix("ACCESS_ALERT_RULE_").lower() for rule in rules)
