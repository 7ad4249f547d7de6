"""Days off and working days in the PRC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import holidays

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


class WorkingDays:
    """Which days are worked: weekends, statutory holidays, and the days that the State Council moves each year.

    A year whose arrangement is not known yet is reckoned by weekends and statutory holidays alone; `is_arranged` tells.
    `corrections` are a site's own: a day, and whether it is worked. They win.

    Source: 全国年节及纪念日放假办法; the yearly notices on moved days, as the `holidays` package holds them.
    """

    def __init__(self, corrections: Mapping[date, bool] | None = None) -> None:
        self._corrections = dict(corrections or {})

    def is_worked(self, day: date) -> bool:
        """Say whether `day` is a working day."""
        if day in self._corrections:
            return self._corrections[day]
        off, moved = _year(day.year)
        return day in moved or (day.weekday() < _SATURDAY and day not in off)

    def is_arranged(self, year: int) -> bool:
        """Say whether the moved days of `year` are known."""
        return bool(_year(year)[1]) or any(day.year == year for day in self._corrections)

    def first_from(self, day: date) -> date:
        """Return `day` when it is worked, or else the next that is."""
        while not self.is_worked(day):
            day += _ONE_DAY
        return day

    def after(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`, which is not counted itself."""
        for _ in range(count):
            day = self.first_from(day + _ONE_DAY)
        return day


@cache
def _year(year: int) -> tuple[frozenset[date], frozenset[date]]:
    found = holidays.country_holidays("CN", years=year)
    return frozenset(found), frozenset(day for day in found.weekend_workdays if day.year == year)
