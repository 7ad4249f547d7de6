"""When browsing is out of the ordinary: limits, refusals, hours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casemesh.identity.browsing import Counts, Refusals, UsualHours
from casemesh.identity.config import BrowsingConfig
from casemesh.runtime.config import ConfigError, Size

LIMITS = BrowsingConfig(
    reads_an_hour_alert=3, reads_an_hour=5, cases_a_day_alert=2, cases_a_day=3, bytes_a_day_alert=Size(50),
    bytes_a_day=Size(100),
).limits()  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "refused", "told"),
    [
        (Counts(0, 0, 0, False), None, []),
        (Counts(1, 1, 49, True), None, []),
        (Counts(2, 0, 0, False), None, ["reads_per_hour"]),
        (Counts(4, 1, 0, True), None, ["reads_per_hour"]),
        (Counts(5, 1, 0, True), "reads_per_hour", None),
        (Counts(0, 1, 0, False), None, ["cases_per_day"]),
        (Counts(0, 3, 0, True), None, ["cases_per_day"]),
        (Counts(0, 3, 0, False), "cases_per_day", None),
        (Counts(0, 1, 50, True), None, ["bytes_per_day"]),
        (Counts(0, 1, 100, True), "bytes_per_day", None),
        (Counts(2, 2, 99, False), None, ["reads_per_hour", "cases_per_day", "bytes_per_day"]),
    ],
)
def test_a_limit_is_told_of_when_it_is_near_and_refuses_when_it_is_reached(
    counts: Counts, refused: str | None, told: list[str] | None
) -> None:
    refusing = LIMITS.refusing(counts)
    assert refused == (refusing[0].name if refusing is not None else None)
    if told is not None:
        assert told == [limit.name for limit, _ in LIMITS.neared(counts)]


def test_refusals_are_told_of_only_when_they_follow_each_other_quickly() -> None:
    refusals = Refusals(3, 60)
    assert [False, False, True, True] == [refusals.count("a", time) for time in (0, 30, 60, 61)]
    assert [False, False, False, False] == [refusals.count("b", time) for time in (0, 31, 62, 92)]
    assert refusals.count("b", 93)
    assert not refusals.count("c", 93)


@pytest.mark.parametrize(
    ("hours", "at", "usual"),
    [
        ("07:00-21:00", "2026-03-02T06:59:59+08:00", False),
        ("07:00-21:00", "2026-03-02T07:00:00+08:00", True),
        ("07:00-21:00", "2026-03-02T21:00:00+08:00", False),
        ("21:00-07:00", "2026-03-02T23:00:00+08:00", True),
        ("21:00-07:00", "2026-03-02T06:59:00+08:00", True),
        ("21:00-07:00", "2026-03-02T12:00:00+08:00", False),
    ],
)
def test_usual_hours_are_those_of_the_clock_in_shanghai(hours: str, at: str, usual: bool) -> None:
    parsed = UsualHours.parse(hours)
    assert parsed is not None
    assert usual == parsed.include(datetime.fromisoformat(at).astimezone(UTC))


@pytest.mark.parametrize(
    "changes",
    [
        {"reads_an_hour_alert": 7000},
        {"cases_a_day_alert": 0},
        {"bytes_a_day": Size(1)},
        {"refusals": 1},
        {"usual_hours": "07:00"},
        {"usual_hours": "07:00-07:00"},
        {"usual_hours": "25:00-07:00"},
    ],
)
def test_limits_that_contradict_each_other_refuse_the_start(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"browsing.{next(iter(changes))}"):
        BrowsingConfig(**changes)  # type: ignore[arg-type]
