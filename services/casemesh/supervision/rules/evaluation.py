"""Evaluating a book of rules on the facts of a case. Pure: the same facts at the same moment give the same findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from casemesh.core.clock import CHINA
from casemesh.data import TimeLimit
from casemesh.limits import Reckoning, ReckoningError, WorkingDays, reckon
from casemesh.supervision.rules.book import Rule, RuleBook, WarnAhead
from casemesh.supervision.rules.dictionary import Subject
from casemesh.supervision.rules.explanation import Sums, explain
from casemesh.supervision.rules.expressions import Activation, EvaluationFailed
from casemesh.supervision.rules.facts import CaseFacts, LimitStep
from casemesh.supervision.rules.finding import Finding, Rank, Standing
from casemesh.supervision.rules.scopes import CaseScopes, Scope

_ONE_DAY = timedelta(days=1)
_WORKING_DAYS = WorkingDays()
_RANKS = list(Rank)


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """A rule that broke on a case: what it would find is not known. `problem` holds no values of facts."""

    rule: str
    subject: str
    problem: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that a book says of a case at a moment. Findings come heaviest first, then by key.

    `next_check_at` is when, with these very facts, it would first say something else; None for never.
    """

    findings: tuple[Finding, ...]
    next_check_at: datetime | None
    failures: tuple[RuleFailure, ...]


def evaluate(book: RuleBook, facts: CaseFacts, now: datetime) -> list[Finding]:
    """Return what the rules in force at `now` find, heaviest first, then by key. `now` must be aware."""
    return list(assess(book, facts, now).findings)


def next_check_at(book: RuleBook, facts: CaseFacts, now: datetime) -> datetime | None:
    """Return when, with these very facts, `evaluate` would first return something else; None for never."""
    return assess(book, facts, now).next_check_at


def assess(book: RuleBook, facts: CaseFacts, now: datetime) -> Assessment:
    """Return the findings and the next moment to look again, in one pass. `now` must be aware.

    A rule that breaks is among the failures and keeps no other from being evaluated.
    """
    if now.tzinfo is None:
        raise ValueError("now must say its time zone")
    run = _Run(book.warn_ahead, CaseScopes(facts), now)
    today = now.astimezone(CHINA).date()
    for rule, scope, activation in _pairs(book, run.scopes, today):
        try:
            run.look(rule, scope, activation)
        except EvaluationFailed as error:
            run.failures.append(RuleFailure(rule.id, scope.name, str(error)))
    run.moments += [_midnight(day) for day in book.days_of_change(today)]
    # One key may be found twice where a limit stands in the facts twice; the heavier finding speaks for both.
    ordered = sorted(run.findings, key=lambda finding: (_RANKS.index(finding.rank), finding.key))
    by_key = {finding.key: finding for finding in reversed(ordered)}
    return Assessment(
        findings=tuple(finding for finding in ordered if by_key[finding.key] is finding),
        next_check_at=min(run.moments, default=None),
        failures=tuple(run.failures),
    )


def _pairs(book: RuleBook, scopes: CaseScopes, today: date) -> Iterator[tuple[Rule, Scope, Activation]]:
    def each(subject: Subject, scope: Scope, rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Scope, Activation]]:
        chosen = [rule for rule in rules if rule.may_hold(scope.values) and rule.in_force(today)]
        for rule in chosen:
            yield rule, scope, Activation(subject, scope.values, rule.names)

    yield from each(Subject.CASE, scopes.case(), book.about(Subject.CASE))
    for scope in scopes.persons():
        yield from each(Subject.PERSON, scope, book.about(Subject.PERSON))
    for exchange in scopes.exchanges:
        if rules := book.about(Subject.EXCHANGE, exchange.node):
            yield from each(Subject.EXCHANGE, scopes.exchange(exchange), rules)
        if rules := book.about(Subject.STEP, exchange.node):
            for scope in scopes.steps(exchange):
                yield from each(Subject.STEP, scope, rules)
    for limit in scopes.facts.limits:
        if rules := book.about(Subject.LIMIT, limit.limit):
            yield from each(Subject.LIMIT, scopes.limit(limit), rules)


@dataclass
class _Run:
    """One evaluation on its way."""

    warn_ahead: WarnAhead
    scopes: CaseScopes
    now: datetime
    findings: list[Finding] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    failures: list[RuleFailure] = field(default_factory=list)

    def look(self, rule: Rule, scope: Scope, activation: Activation) -> None:
        """Add what a rule finds in a subject, and when to look again."""
        if not rule.when.holds(activation):
            return
        if rule.start is None and scope.limit is None:
            self._add(rule, scope, activation, Standing.FOUND, rule.rank, None)
            return
        sums = _sums(rule, scope, activation)
        if sums is None:
            return
        if sums.met is not None:
            if sums.met >= sums.due:
                self._add(rule, scope, activation, Standing.LATE, rule.rank, sums)
        elif rule.only_late:
            return
        elif self.now >= sums.due:
            self._add(rule, scope, activation, Standing.OVER, rule.rank, sums)
        else:
            self._await(rule, scope, activation, sums)

    def _await(self, rule: Rule, scope: Scope, activation: Activation, sums: Sums) -> None:
        left = sums.days_left(self.now)
        span_days = (sums.due - sums.start) / _ONE_DAY
        steps = [
            (days, rank)
            for days, rank in (self.warn_ahead.by_rank[rule.rank] if rule.ahead else ())
            if days == 0 or days <= span_days * self.warn_ahead.share
        ]
        reached = [rank for days, rank in steps if left <= days]
        if reached:
            self._add(rule, scope, activation, Standing.AHEAD, reached[-1], sums)
        coming = [days for days, _ in steps if days < left]
        self.moments.append(_midnight(sums.last_day - coming[0] * _ONE_DAY) if coming else sums.due)

    def _add(
        self, rule: Rule, scope: Scope, activation: Activation, standing: Standing, rank: Rank, sums: Sums | None
    ) -> None:
        zh, en = explain(rule, activation, standing, sums, self.now)
        self.findings.append(
            Finding(
                key=_key(rule, scope),
                rule=rule.id,
                version=rule.version,
                kind=rule.kind,
                subject=scope.name,
                party=scope.person.party if scope.person is not None else "",
                exchange=scope.exchange.exchange if scope.exchange is not None else "",
                limit=sums.code if sums is not None else "",
                rule_rank=rule.rank,
                rank=rank,
                standing=standing,
                due=sums.due if sums is not None else None,
                days_left=sums.days_left(sums.met or self.now) if sums is not None else None,
                title_zh=rule.title_zh,
                title_en=rule.title_en,
                law=rule.law,
                explanation_zh=zh,
                explanation_en=en,
                concerned=_concerned(rule, scope, self.scopes),
                to_supervisor=rule.to_supervisor,
                reviewed=rule.reviewed,
                blocks=rule.blocks,
            )
        )


def _sums(rule: Rule, scope: Scope, activation: Activation) -> Sums | None:
    """Return the times of a rule for a subject; None where they are absent, paused, or the limit is for others."""
    if scope.limit is not None:
        given = scope.limit
        if given.over_at is None:
            return None
        return Sums(given.started_at, given.over_at, given.met_at, given.limit, 0, given.steps)
    start = rule.start.moment(activation) if rule.start is not None else None
    if start is None:
        return None
    met = rule.met.moment(activation) if rule.met is not None else None
    if rule.limit is None:
        return Sums(start, start + timedelta(hours=rule.hours), met, "", rule.hours, ())
    reckoning = _reckoned(rule.limit, start, scope.held)
    if reckoning is None or reckoning.over_at is None:
        return None
    steps = tuple(LimitStep(step.rule.value, step.until) for step in reckoning.steps)
    return Sums(start, reckoning.over_at, met, rule.limit.code, 0, steps, reckoning.counted_back)


@lru_cache(maxsize=65536)
def _reckoned(limit: TimeLimit, start: datetime, held: bool) -> Reckoning | None:
    """Return a limit reckoned, or None where it is not for a person held so."""
    try:
        return reckon(limit, start, held=held, working_days=_WORKING_DAYS)
    except ReckoningError:
        return None


def _key(rule: Rule, scope: Scope) -> str:
    parts = [rule.id, scope.name]
    if scope.limit is not None:
        # The same limit of a person may run again after a return; when it began tells the two apart.
        parts += [scope.limit.limit, scope.limit.exchange, f"{scope.limit.started_at.astimezone(CHINA):%Y%m%dT%H%M%S}"]
    elif scope.exchange is not None and scope.person is not None:
        parts.append(scope.person.party)
    return "|".join(parts)


def _concerned(rule: Rule, scope: Scope, scopes: CaseScopes) -> tuple[str, ...]:
    said = scope.person.said if scope.person is not None else {}
    parts = {name: said[name].value for name in ("authority", "custodian") if name in said}
    newest = scopes.newest_about(scope.person)
    if scope.exchange is not None:
        parts |= {"sender": scope.exchange.sender, "recipient": scope.exchange.recipient}
    named = [agency for part in rule.concerned if (agency := parts.get(part, ""))]
    if rule.concerned and not named and newest is not None:
        # Where nobody has said who is in charge, those who dealt with it last are told.
        named = [newest.sender, newest.recipient]
    return tuple(dict.fromkeys(named))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA)
