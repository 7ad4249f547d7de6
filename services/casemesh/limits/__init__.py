"""Reckoning of statutory time limits (法定期限): pure, without a clock of its own, with the arithmetic shown."""

from casemesh.limits.reckoning import (
    Adjustment,
    Extended,
    Paused,
    Reckoning,
    ReckoningError,
    Restarted,
    Rule,
    Step,
    count_allows,
    reckon,
    within_threshold,
)
from casemesh.limits.working_days import WorkingDays

__all__ = [
    "Adjustment",
    "Extended",
    "Paused",
    "Reckoning",
    "ReckoningError",
    "Restarted",
    "Rule",
    "Step",
    "WorkingDays",
    "count_allows",
    "reckon",
    "within_threshold",
]
