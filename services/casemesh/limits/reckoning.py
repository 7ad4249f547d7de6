"""When a limit ends, step by step.

- The hour or day of the beginning is not counted. A limit in hours runs from the next full hour.
- A month runs to the day of the same number; from the last day of a month to the last day; where there is no such day,
  to the last of that month. Half a month is 15 days.
- A last day that is a day off moves to the next working day, but never where a person is held: custody ends on its day.
  A limit that is a party's own right moves in any case, since the rule protects the one held, not the organ.
- Time that the law does not count is added at the end; a restart begins anew and forgets what was before.

What moves for parties and how days are counted back from an event are CaseMesh's reading; see the data's README.

Source: Criminal Procedure Law (2018), article 105; Interpretation of the Supreme People's Court (2021), article 202.
"""

from __future__ import annotations

import calendar
import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from casemesh.core.clock import CHINA
from casemesh.data.time_limits import Extension, Held, Length, LimitKind, TimeLimit, Unit
from casemesh.limits.working_days import WorkingDays

_ONE_DAY = timedelta(days=1)
_ONE_HOUR = timedelta(hours=1)
_MONTHS = {Unit.MONTH: 1, Unit.YEAR: 12}
_NOT_A_SPAN = frozenset({LimitKind.COUNT, LimitKind.THRESHOLD, LimitKind.RULE})


class ReckoningError(ValueError):
    """What was asked cannot be reckoned. `field` names what is at fault; the message names the remedy."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


class Rule(enum.Enum):
    """Why a step leads where it leads."""

    START_NOT_COUNTED = "start_not_counted"
    LENGTH = "length"
    LAST_DAY_OF_MONTH = "last_day_of_month"
    NO_SUCH_DAY = "no_such_day"
    EXTENDED = "extended"
    EXTENDED_IN_ALL = "extended_in_all"
    PAUSED = "paused"
    STILL_PAUSED = "still_paused"
    RESTARTED = "restarted"
    MOVED_TO_WORKING_DAY = "moved_to_working_day"
    NOT_MOVED_IN_CUSTODY = "not_moved_in_custody"
    COUNTED_BACK = "counted_back"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the arithmetic: the rule and the moment it leads to.

    `extension` is what was granted, `ground` the reason somebody gave for a pause or a restart.
    """

    rule: Rule
    until: datetime
    length: Length | None = None
    extension: Extension | None = None
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Extended:
    """The limit was extended on a ground of the catalogue: `TimeLimit.extensions[extension]`."""

    at: datetime
    extension: int


@dataclass(frozen=True, slots=True)
class Paused:
    """Time the law does not count, e.g. a psychiatric examination. `until` is None while it lasts."""

    at: datetime
    until: datetime | None
    ground: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The limit runs anew, e.g. after supplementary investigation."""

    at: datetime
    ground: str


Adjustment = Extended | Paused | Restarted


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A limit reckoned.

    `over_at` is the first moment that is too late (for a gap or a probation period: the first that is allowed), in
    civil time of China; for a limit in days the midnight after its last day. None while it is paused. `counted_back`
    says that it is the latest moment before an event. `provisional` says that the days off of a year concerned are
    not arranged.
    """

    limit: TimeLimit
    over_at: datetime | None
    steps: tuple[Step, ...]
    counted_back: bool
    provisional: bool

    @property
    def last_day(self) -> date | None:
        """The last day on which it may be done, or None while paused."""
        return None if self.over_at is None else (self.over_at - timedelta(microseconds=1)).date()

    def days_left(self, now: datetime) -> int | None:
        """Return whole days from today to the last day: 0 on the last day, negative afterwards, None while paused."""
        last = self.last_day
        return None if last is None else (last - now.astimezone(CHINA).date()).days

    def is_over(self, now: datetime) -> bool:
        """Say whether the limit has ended."""
        return self.over_at is not None and now >= self.over_at


@dataclass
class _Run:
    """A limit on its way through the adjustments."""

    limit: TimeLimit
    working_days: WorkingDays
    start: datetime
    end: datetime = field(init=False)
    paused_for: timedelta = timedelta()
    steps: list[Step] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    in_hours: bool = field(init=False)

    def __post_init__(self) -> None:
        self.in_hours = self.limit.length.unit is Unit.HOUR
        self.begin(self.start)

    def begin(self, start: datetime) -> None:
        self.start, self.paused_for, self.used = start, timedelta(), {}
        counted_from = _next_hour(start) if self.in_hours else _midnight_after(start)
        self.steps.append(Step(Rule.START_NOT_COUNTED, counted_from))
        self.end = self.add(start, self.limit.length, Rule.LENGTH)

    def add(self, start: datetime, length: Length, rule: Rule, extension: Extension | None = None) -> datetime:
        """Return the end of `length` after `start`, which lies in the day or hour that is not counted."""
        if length.unit is Unit.HOUR:
            end, note = _next_hour(start) + length.count * _ONE_HOUR, None
        else:
            last, note = _last_day(start.date(), length, self.working_days)
            end = _midnight_after(last)
        self.steps.append(Step(rule, end, length, extension))
        if note is not None:
            self.steps.append(Step(note, end))
        return end

    def adjust(self, index: int, adjustment: Adjustment) -> bool:
        """Apply one adjustment; False when it stops the limit for now."""
        place = f"adjustments[{index}]"
        if adjustment.at < self.start:
            raise ReckoningError(f"{place}.at", "lies before the limit began")
        if isinstance(adjustment, Restarted):
            self.steps.append(Step(Rule.RESTARTED, adjustment.at, ground=adjustment.ground))
            self.begin(adjustment.at)
            return True
        if adjustment.at >= self.end:
            raise ReckoningError(f"{place}.at", "lies after the limit ended, when nothing changes it any more")
        if isinstance(adjustment, Extended):
            self._extend(place, adjustment)
            return True
        return self._pause(place, adjustment)

    def _extend(self, place: str, adjustment: Extended) -> None:
        if not 0 <= adjustment.extension < len(self.limit.extensions):
            raise ReckoningError(f"{place}.extension", f"{self.limit.code} has {len(self.limit.extensions)} extensions")
        extension = self.limit.extensions[adjustment.extension]
        used = self.used.get(adjustment.extension, 0) + 1
        if extension.at_most and used > extension.at_most:
            raise ReckoningError(f"{place}.extension", f"may be granted {extension.at_most} times, not {used}")
        self.used[adjustment.extension] = used
        if extension.total:
            whole = self.add(self.start, extension.length, Rule.EXTENDED_IN_ALL, extension)
            self.end = whole + self.paused_for
        else:
            # An end in days is the midnight after the last day, and the last day is what is not counted again.
            since = self.end if self.in_hours else self.end - _ONE_DAY
            self.end = self.add(since, extension.length, Rule.EXTENDED, extension)

    def _pause(self, place: str, adjustment: Paused) -> bool:
        if adjustment.until is None:
            self.steps.append(Step(Rule.STILL_PAUSED, adjustment.at, ground=adjustment.ground))
            return False
        if adjustment.until < adjustment.at:
            raise ReckoningError(f"{place}.until", "lies before the pause began")
        span = adjustment.until - adjustment.at
        if not self.in_hours:
            span = timedelta(days=(adjustment.until.date() - adjustment.at.date()).days)
        self.end += span
        self.paused_for += span
        self.steps.append(Step(Rule.PAUSED, self.end, ground=adjustment.ground))
        return True


def reckon(
    limit: TimeLimit,
    start: datetime,
    *,
    held: bool,
    adjustments: Iterable[Adjustment] = (),
    working_days: WorkingDays | None = None,
) -> Reckoning:
    """Reckon a limit from what started it, or back from the event it precedes.

    `start` and all moments are aware; days are days of China. `held` says whether the person is in custody now: a last
    day is not moved then. Adjustments are applied in the order of their moments.

    Raises ReckoningError for a limit that is no span of time (COUNT, THRESHOLD, RULE), for one that is for persons held
    when the person is not or the other way round, for adjustments out of place, and for a naive moment.
    """
    if limit.kind in _NOT_A_SPAN:
        raise ReckoningError("limit", f"{limit.code} is a {limit.kind.value}, not a span of time; {limit.name_zh}")
    if (limit.custody is Held.IN_CUSTODY and not held) or (limit.custody is Held.NOT and held):
        raise ReckoningError("held", f"{limit.code} is for persons {'held' if not held else 'at liberty'}")
    calendar_of_work = working_days or WorkingDays()
    ordered = sorted(((_in_china(item, index)) for index, item in enumerate(adjustments)), key=lambda item: item.at)
    began = _aware(start, "start")
    if limit.kind is LimitKind.BEFORE_EVENT:
        if ordered:
            raise ReckoningError("adjustments", f"{limit.code} counts back from an event; state its new date")
        return _before(limit, began, calendar_of_work)
    run = _Run(limit, calendar_of_work, began)
    for index, adjustment in enumerate(ordered):
        if not run.adjust(index, adjustment):
            if index + 1 < len(ordered):
                raise ReckoningError(f"adjustments[{index}].until", "must be set: something follows the pause")
            return Reckoning(limit, None, tuple(run.steps), counted_back=False, provisional=False)
    end = run.end
    last = (end - timedelta(microseconds=1)).date()
    movable = not run.in_hours and limit.kind is LimitKind.DEADLINE
    provisional = limit.length.unit is Unit.WORKDAY and not calendar_of_work.is_arranged(last.year)
    if movable and not calendar_of_work.is_worked(last):
        if held and not limit.right_of_party:
            run.steps.append(Step(Rule.NOT_MOVED_IN_CUSTODY, end))
        else:
            end = _midnight_after(calendar_of_work.first_from(last))
            run.steps.append(Step(Rule.MOVED_TO_WORKING_DAY, end))
    provisional = provisional or (movable and not held and not calendar_of_work.is_arranged(last.year))
    return Reckoning(limit, end, tuple(run.steps), counted_back=False, provisional=provisional)


def count_allows(limit: TimeLimit, used: int) -> bool:
    """Say whether what happened `used` times may happen once more. Raises ReckoningError unless `limit` is a COUNT."""
    if limit.kind is not LimitKind.COUNT:
        raise ReckoningError("limit", f"{limit.code} is a {limit.kind.value}, not a count")
    return used < limit.length.count


def within_threshold(limit: TimeLimit, start: datetime, end: datetime) -> bool:
    """Say whether the term from `start` to `end` is no longer than a THRESHOLD.

    Raises ReckoningError unless `limit` is one.
    """
    if limit.kind is not LimitKind.THRESHOLD:
        raise ReckoningError("limit", f"{limit.code} is a {limit.kind.value}, not a threshold")
    last, _ = _last_day(_aware(start, "start").date(), limit.length, WorkingDays())
    return _aware(end, "end").date() <= last


def _before(limit: TimeLimit, event: datetime, working_days: WorkingDays) -> Reckoning:
    if limit.length.unit is Unit.HOUR:
        latest = event - limit.length.count * _ONE_HOUR
    else:
        latest = _midnight_after(event.date() - limit.length.count * _ONE_DAY)
    step = Step(Rule.COUNTED_BACK, latest, limit.length)
    return Reckoning(limit, latest, (step,), counted_back=True, provisional=False)


def _last_day(start: date, length: Length, working_days: WorkingDays) -> tuple[date, Rule | None]:
    if length.unit is Unit.DAY:
        return start + length.count * _ONE_DAY, None
    if length.unit is Unit.WORKDAY:
        return working_days.after(start, length.count), None
    months = start.year * 12 + start.month - 1 + length.count * _MONTHS[length.unit]
    year, month = divmod(months, 12)
    days_in_month = calendar.monthrange(year, month + 1)[1]
    note: Rule | None = None
    day = start.day
    if start.day == calendar.monthrange(start.year, start.month)[1]:
        if days_in_month != start.day:
            note = Rule.LAST_DAY_OF_MONTH
        day = days_in_month
    elif start.day > days_in_month:
        note, day = Rule.NO_SUCH_DAY, days_in_month
    return date(year, month + 1, day) + length.days * _ONE_DAY, note


def _in_china(adjustment: Adjustment, index: int) -> Adjustment:
    at = _aware(adjustment.at, f"adjustments[{index}].at")
    if isinstance(adjustment, Extended):
        return Extended(at, adjustment.extension)
    if isinstance(adjustment, Restarted):
        return Restarted(at, adjustment.ground)
    until = None if adjustment.until is None else _aware(adjustment.until, f"adjustments[{index}].until")
    return Paused(at, until, adjustment.ground)


def _aware(moment: datetime, field_name: str) -> datetime:
    if moment.tzinfo is None:
        raise ReckoningError(field_name, "must say its time zone")
    return moment.astimezone(CHINA)


def _midnight_after(day: date) -> datetime:
    of_day = day.date() if isinstance(day, datetime) else day
    return datetime.combine(of_day + _ONE_DAY, time(), CHINA)


def _next_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + _ONE_HOUR
