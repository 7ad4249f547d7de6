"""How far a statutory limit has run, for a bar and a rank, and its arithmetic in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from casemesh.cli.message_json import enum_name
from casemesh.console import words
from casemesh.console.page import Page, moment
from casemesh.routing.v1 import time_limit_pb2
from casemesh.routing.v1.time_limit_pb2 import RunningTimeLimit, TimeLimitStep

NEAR_DAYS = 7
_OPEN = (time_limit_pb2.TIME_LIMIT_STATE_RUNNING, time_limit_pb2.TIME_LIMIT_STATE_PAUSED)
_LATE = (time_limit_pb2.TIME_LIMIT_STATE_OVER, time_limit_pb2.TIME_LIMIT_STATE_MET_LATE)


@dataclass(frozen=True)
class LimitView:
    """A limit as the pages show it."""

    limit: RunningTimeLimit
    rank: str
    """`late`, `near` (seven days or less), `running` or `done`: never by colour alone, the page says it in words."""
    elapsed_percent: int
    """How much of its time is over, 0 to 100."""
    steps: tuple[tuple[str, str], ...]
    """Each step of the arithmetic, and until when it reaches."""

    @property
    def urgency(self) -> tuple[bool, bool, int]:
        """Sorts what asks for attention first to the top: what is over and open, then by days left."""
        reckoning = self.limit.reckoning
        return (
            self.limit.state not in (*_OPEN, time_limit_pb2.TIME_LIMIT_STATE_OVER),
            not reckoning.HasField("days_left"),
            reckoning.days_left,
        )


def view(limit: RunningTimeLimit, page: Page) -> LimitView:
    """Return how the page shows a limit."""
    return LimitView(
        limit,
        _rank(limit),
        _elapsed(limit, page.now),
        tuple((step_text(step, page), f"{moment(step.until_time):%Y-%m-%d %H:%M}") for step in limit.reckoning.steps),
    )


def is_open(limit: RunningTimeLimit) -> bool:
    """Say whether it still runs, or is over and not met."""
    return limit.state in (*_OPEN, time_limit_pb2.TIME_LIMIT_STATE_OVER)


def step_text(step: TimeLimitStep, page: Page) -> str:
    """Return one step of the arithmetic in words, the commands' own."""
    rule = enum_name(time_limit_pb2.TimeLimitRule.DESCRIPTOR, step.rule).lower()
    ground = page.in_either(step, "ground")
    return words.text(f"limit.{rule}", page.language, length=_length(step, page), ground=ground)


def _length(step: TimeLimitStep, page: Page) -> str:
    if not step.length:
        return ""
    unit = page.t(f"unit.{step.unit}")
    extra = page.t("unit.and_days", days=step.extra_days) if step.extra_days else ""
    return f"{step.length} {unit}{extra}" if not page.is_chinese else f"{step.length}{unit}{extra}"


def _rank(limit: RunningTimeLimit) -> str:
    if limit.state in _LATE:
        return "late"
    if limit.state not in _OPEN:
        return "done"
    reckoning = limit.reckoning
    return "near" if reckoning.HasField("days_left") and reckoning.days_left <= NEAR_DAYS else "running"


def _elapsed(limit: RunningTimeLimit, now: dt.datetime) -> int:
    reckoning = limit.reckoning
    if not reckoning.HasField("start_time") or not reckoning.HasField("over_time"):
        return 0
    start, over = moment(reckoning.start_time), moment(reckoning.over_time)
    whole = (over - start).total_seconds()
    if whole <= 0:
        return 100
    until = moment(limit.meet_time) if limit.HasField("meet_time") else now
    return max(0, min(100, round(100 * (until - start).total_seconds() / whole)))
