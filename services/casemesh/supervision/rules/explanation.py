"""What a finding says to people: the facts it rests on, the sums, the law, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from casemesh.core.clock import CHINA
from casemesh.data import TimeLimit, time_limits
from casemesh.supervision.rules.book import Rule
from casemesh.supervision.rules.expressions import Activation
from casemesh.supervision.rules.facts import LimitStep
from casemesh.supervision.rules.finding import Standing
from casemesh.supervision.rules.templates import Language, shown_value, wording

_ONE_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """The arithmetic of a due time. `due` is the first moment too late; `code` is the limit's, empty for mere hours."""

    start: datetime
    due: datetime
    met: datetime | None
    code: str
    hours: int
    steps: tuple[LimitStep, ...]
    counted_back: bool = False

    @property
    def last_day(self) -> date:
        """The last day on which it is in time, in China."""
        return _last_day(self.due)

    def days_left(self, moment: datetime) -> int:
        """Return whole days from `moment` to the last day, negative afterwards."""
        return (self.last_day - moment.astimezone(CHINA).date()).days


def explain(rule: Rule, facts: Activation, standing: Standing, sums: Sums | None, now: datetime) -> tuple[str, str]:
    """Return the explanation in Chinese and in English.

    Raises EvaluationFailed.
    """
    zh, en = rule.explain_zh.fill(facts), rule.explain_en.fill(facts)
    return _joined(rule, zh, standing, sums, now, "zh"), _joined(rule, en, standing, sums, now, "en")


def _joined(rule: Rule, why: str, standing: Standing, sums: Sums | None, now: datetime, language: Language) -> str:
    words, stop, apart = wording(), *(("。", "，") if language == "zh" else (". ", ", "))
    parts = [why]
    if sums is not None:
        parts.append(apart.join([*_arithmetic(sums, language), _stands(standing, sums, now, language)]))
    if rule.law:
        parts.append(words["sentence"][f"law_{language}"].format(law="; ".join(rule.law)))
    parts.append(words["sentence"][f"check_{language}"])
    return (stop.join(parts) + stop).strip()


def _arithmetic(sums: Sums, language: Language) -> list[str]:
    words = wording()
    start, due = shown_value(sums.start, language), shown_value(sums.due, language)
    if not sums.code:
        how = "hours" if sums.hours else "until"
        return [words["time"][f"{how}_{language}"].format(start=start, hours=sums.hours, at=due)]
    limit = _limits()[sums.code]
    name = limit.name_zh if language == "zh" else limit.name_en
    how = "before" if sums.counted_back else "limit"
    found = [words["time"][f"{how}_{language}"].format(code=sums.code, name=name, start=start)]
    for step in sums.steps:
        said = words["step"].get(f"{step.rule}_{language}")
        if said is not None:
            found.append(said.format(until=_last_day(step.until), at=shown_value(step.until, language)))
    if not sums.steps:
        found.append(words["time"][f"last_day_{language}"].format(until=sums.last_day))
    return found


def _stands(standing: Standing, sums: Sums, now: datetime, language: Language) -> str:
    words, moment = wording(), sums.met or now
    if sums.code:
        unit, count = "days", abs(sums.days_left(moment))
    else:
        unit, count = "hours", abs(moment - sums.due) // _ONE_HOUR
    span = words["span"][f"{unit}_{language}"].format(count=count)
    return str(words["standing"][f"{standing}_{language}"].format(span=span, met=shown_value(sums.met, language)))


def _last_day(due: datetime) -> date:
    return (due.astimezone(CHINA) - _INSTANT).date()


@cache
def _limits() -> Mapping[str, TimeLimit]:
    return {limit.code: limit for limit in time_limits()}
