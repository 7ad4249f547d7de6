"""The book of rules: read from data, checked against the dictionary, overlaid by what a site has changed.

A rule asks a condition of each of its subjects (`when`), and where time plays a part, from when which statutory limit
or how many hours run (`from`, `limit` or `hours`) and what meets it (`met`). There is no clock in an expression: the
days left, the warnings ahead and the next moment to look again all follow from the due time.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from casemesh.data import TimeLimit, nodes, time_limits
from casemesh.supervision.rules.dictionary import FactType, Subject
from casemesh.supervision.rules.expressions import Expression, ExpressionError, names_of
from casemesh.supervision.rules.finding import Rank
from casemesh.supervision.rules.guards import Guard, guard_of
from casemesh.supervision.rules.templates import Language, Template
from casemesh.supervision.rules.unevaluable import NotEvaluable, not_evaluable

_FOLDER = "supervision"
_ONE_DAY = timedelta(days=1)
_REQUIRED = frozenset(
    {"id", "check", "version", "zh", "en", "kind", "rank", "subject", "law", "when", "why_zh", "why_en", "concerned"}
)
_OPTIONAL = frozenset(
    {
        "on", "limits", "from", "limit", "hours", "met", "ahead", "only_late", "to_supervisor", "reviewed", "may_block",
        "enabled", "effective_from", "effective_until", "lacks", "note",
    }
)  # fmt: skip
_ASKS = frozenset({"when", "from", "limit", "hours", "met", "on", "limits", "subject", "only_late"})
"""What a review was about."""
KINDS = frozenset(
    {
        "limit", "order", "procedure", "custody", "material", "property", "rights", "consistency", "quality",
        "security", "operation", "execution",
    }
)  # fmt: skip
CONCERNED = frozenset({"authority", "custodian", "sender", "recipient"})


class RuleError(ValueError):
    """A rule that cannot be used. The message names the file, the rule and the field."""

    def __init__(self, file: str, rule: str, field: str, problem: str) -> None:
        super().__init__(f"{file}: {rule or 'rules'}: {field}: {problem}")
        self.file = file
        self.rule = rule
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `check` is the irregularity it is for, which several rules may share.

    `on` are the nodes it looks at, empty for any; `limits` the limits of a rule about limits. With `start` time plays a
    part: the due time is the end of `limit` or of `hours` after it. `ahead` asks for warnings before it. `only_late`
    leaves alone what is not done yet, for a time in which something may be done. `concerned` are parts in the matter:
    authority, custodian, sender or recipient. `lacks` says in words what of the check these facts cannot tell.
    `reviewed` and `may_block` are a site's word; a rule that is not `enabled` or not in force finds nothing.
    """

    id: str
    check: str
    version: str
    title_zh: str
    title_en: str
    kind: str
    rank: Rank
    subject: Subject
    on: frozenset[str]
    limits: frozenset[str]
    law: tuple[str, ...]
    when: Expression
    guard: Guard | None
    start: Expression | None
    limit: TimeLimit | None
    hours: int
    met: Expression | None
    ahead: bool
    only_late: bool
    explain_zh: Template
    explain_en: Template
    concerned: tuple[str, ...]
    to_supervisor: bool
    reviewed: bool
    may_block: bool
    enabled: bool
    effective_from: date | None
    effective_until: date | None
    lacks: tuple[str, ...]
    note: str
    inputs: tuple[str, ...] = field(init=False)
    """The facts it asks for, as its expressions write them; `first.*` where it goes through a family."""
    names: tuple[str, ...] = field(init=False)
    """What has to be bound for it."""

    def __post_init__(self) -> None:
        asked = [*self.when.inputs, *self.explain_zh.inputs, *self.explain_en.inputs]
        for expression in (self.start, self.met):
            asked += expression.inputs if expression is not None else ()
        object.__setattr__(self, "inputs", tuple(dict.fromkeys(asked)))
        object.__setattr__(self, "names", names_of(self.inputs))

    @property
    def blocks(self) -> bool:
        """Whether a site has reviewed it and lets it block. Nothing that ships does."""
        return self.reviewed and self.may_block

    def may_hold(self, values: Mapping[str, Any]) -> bool:
        """Say, at little cost, whether the condition may hold; what it says no to does not hold."""
        return self.guard is None or self.guard(values)

    def in_force(self, day: date) -> bool:
        """Say whether it finds anything on `day`, a day of China."""
        since, until = self.effective_from, self.effective_until
        return self.enabled and (since is None or since <= day) and (until is None or day <= until)


@dataclass(frozen=True, slots=True)
class WarnAhead:
    """When to warn before a limit ends, and how heavily: by the rule's rank, (days left, rank), the most days first.

    `share` is the last part of a limit's length in which it may be warned of: limits are used to the end, and three
    days' notice of a limit of three days is noise.
    """

    by_rank: Mapping[Rank, tuple[tuple[int, Rank], ...]]
    share: float


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules in the order of their ids, what cannot be evaluated, and when to warn ahead.

    `digest` is the SHA-256, in hex, of all the data it was read from: two books with one digest find the same.
    """

    rules: tuple[Rule, ...]
    not_evaluable: tuple[NotEvaluable, ...]
    warn_ahead: WarnAhead
    digest: str
    _about: Mapping[Subject, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)
    _by_code: Mapping[tuple[Subject, str], tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        anywhere: dict[Subject, tuple[Rule, ...]] = dict.fromkeys(Subject, ())
        by_code: dict[tuple[Subject, str], tuple[Rule, ...]] = {}
        for rule in self.rules:
            codes = rule.on | rule.limits
            if not codes:
                anywhere[rule.subject] = (*anywhere[rule.subject], rule)
            for code in codes:
                by_code[rule.subject, code] = (*by_code.get((rule.subject, code), ()), rule)
        object.__setattr__(self, "_about", MappingProxyType(anywhere))
        object.__setattr__(self, "_by_code", MappingProxyType(by_code))

    @classmethod
    def load(cls, overlays: Iterable[tuple[str, bytes]] = ()) -> RuleBook:
        """Return the shipped rules with `overlays` (name, TOML) laid over them in their order.

        An overlay holds `[[rule]]` tables: with the `id` of a rule, the fields that change and a new `version`; or a
        whole new rule. A `[warn_ahead]` table replaces the shipped one. Who changes what a rule asks must have it
        reviewed anew: unless the same table says `reviewed`, the rule counts as not reviewed.

        Raises RuleError.
        """
        tables: dict[str, tuple[str, dict[str, Any]]] = {}
        ahead: tuple[str, dict[str, Any]] | None = None
        for name, data in _shipped():
            for table in _read(name, data).get("rule", []):
                identifier = str(table.get("id", ""))
                if identifier in tables:
                    raise RuleError(name, identifier, "id", "repeated")
                tables[identifier] = name, table
            ahead = _ahead_of(name, data) or ahead
        for name, data in overlays:
            for table in _read(name, data).get("rule", []):
                _overlay(tables, name, table)
            ahead = _ahead_of(name, data) or ahead
        if ahead is None:
            raise RuleError(_FOLDER, "", "warn_ahead", "missing")
        rules = tuple(_rule(name, table) for _, (name, table) in sorted(tables.items()))
        return cls(rules, not_evaluable(), _warn_ahead(*ahead), _digest(tables, ahead[1]))

    def with_reviews(self, reviews: Collection[tuple[str, str]]) -> RuleBook:
        """Return the book in which what a site has reviewed, by id and version of a rule, counts as reviewed as well.

        The data are the same, and so is `digest`.
        """
        reviewed = [rule.reviewed or (rule.id, rule.version) in reviews for rule in self.rules]
        rules = (replace(rule, reviewed=word) for rule, word in zip(self.rules, reviewed, strict=True))
        return replace(self, rules=tuple(rules))

    def about(self, subject: Subject, code: str = "") -> tuple[Rule, ...]:
        """Return the rules for a kind of subject; for an exchange of the node or a limit of that `code`, those too."""
        return (*self._about[subject], *self._by_code.get((subject, code), ()))

    def days_of_change(self, after: date) -> tuple[date, ...]:
        """Return the days after `after` on which a rule comes into force or leaves it."""
        found = {rule.effective_from for rule in self.rules if rule.effective_from is not None}
        found |= {rule.effective_until + _ONE_DAY for rule in self.rules if rule.effective_until is not None}
        return tuple(sorted(day for day in found if day > after))

    def rule(self, identifier: str) -> Rule:
        """Return the rule of that id. Raises KeyError."""
        for rule in self.rules:
            if rule.id == identifier:
                return rule
        raise KeyError(identifier)


def _shipped() -> list[tuple[str, bytes]]:
    folder = files("casemesh.data").joinpath(_FOLDER)
    found = [folder.joinpath("ranks.toml"), *folder.joinpath("rules").iterdir()]
    return [(f"{_FOLDER}/{file.name}", file.read_bytes()) for file in sorted(found, key=lambda file: file.name)]


def _read(name: str, data: bytes) -> dict[str, Any]:
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(name, "", "file", str(error)) from None
    if unknown := sorted(set(table) - {"rule", "warn_ahead"}):
        raise RuleError(name, "", unknown[0], "unknown")
    return table


def _ahead_of(name: str, data: bytes) -> tuple[str, dict[str, Any]] | None:
    table = _read(name, data).get("warn_ahead")
    return None if table is None else (name, table)


def _overlay(tables: dict[str, tuple[str, dict[str, Any]]], name: str, table: dict[str, Any]) -> None:
    identifier = str(table.get("id", ""))
    if identifier not in tables:
        tables[identifier] = name, table
        return
    _, before = tables[identifier]
    if table.get("version", before["version"]) == before["version"]:
        raise RuleError(name, identifier, "version", "a changed rule needs a new version")
    asks_anew = any(table[key] != before.get(key) for key in _ASKS & set(table))
    kept = {key: value for key, value in before.items() if not (asks_anew and key in ("reviewed", "may_block"))}
    tables[identifier] = name, {**kept, **table}


def _digest(tables: Mapping[str, tuple[str, dict[str, Any]]], ahead: Mapping[str, Any]) -> str:
    said = {"rules": {identifier: table for identifier, (_, table) in tables.items()}, "warn_ahead": ahead}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def _warn_ahead(name: str, table: Mapping[str, Any]) -> WarnAhead:
    share = table.get("share")
    if not isinstance(share, float) or not 0 < share <= 1 or set(table) != {"share", *Rank}:
        raise RuleError(name, "", "warn_ahead", "must give `share`, above 0 and up to 1.0, and a table for each rank")
    by_rank = {}
    for rank in Rank:
        try:
            steps = [(int(days), Rank(then)) for days, then in table[rank].items()]
        except ValueError as error:
            raise RuleError(name, "", f"warn_ahead.{rank}", str(error)) from None
        by_rank[rank] = tuple(sorted(steps, reverse=True))
    return WarnAhead(MappingProxyType(by_rank), share)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One table of a rule, with errors that name the place."""

    file: str
    table: Mapping[str, Any]

    def fault(self, field: str, problem: str) -> RuleError:
        return RuleError(self.file, str(self.table.get("id", "")), field, problem)

    def text(self, field: str) -> str:
        value = self.table.get(field, "")
        if not isinstance(value, str) or (field in _REQUIRED and not value.strip()):
            raise self.fault(field, "must be a text that is not empty")
        return value

    def flag(self, field: str, default: bool) -> bool:
        value = self.table.get(field, default)
        if not isinstance(value, bool):
            raise self.fault(field, "must be true or false")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self.table.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.fault(field, "must be a list of texts")
        return tuple(value)

    def codes(self, field: str, known: Iterable[str]) -> frozenset[str]:
        found = frozenset(self.texts(field))
        if unknown := sorted(found - set(known)):
            raise self.fault(field, f"no such: {', '.join(unknown)}")
        return found

    def day(self, field: str) -> date | None:
        value = self.table.get(field)
        if value is not None and type(value) is not date:
            raise self.fault(field, "must be a date")
        return value

    def expression(self, field: str, subject: Subject, kind: FactType) -> Expression:
        try:
            return Expression(self.text(field).strip(), subject, kind)
        except ExpressionError as error:
            raise self.fault(field, str(error)) from None

    def template(self, field: str, subject: Subject, language: Language) -> Template:
        try:
            return Template(self.text(field), subject, language)
        except ExpressionError as error:
            raise self.fault(field, str(error)) from None


def _rule(file: str, table: Mapping[str, Any]) -> Rule:
    read = _Reading(file, table)
    keys = set(table)
    if keys - _REQUIRED - _OPTIONAL:
        raise read.fault(min(keys - _REQUIRED - _OPTIONAL), "unknown")
    if _REQUIRED - keys:
        raise read.fault(min(_REQUIRED - keys), "missing")
    try:
        rank, subject = Rank(read.text("rank")), Subject(read.text("subject"))
    except ValueError as error:
        raise read.fault("rank", str(error)) from None
    if read.text("kind") not in KINDS:
        raise read.fault("kind", f"must be one of {', '.join(sorted(KINDS))}")
    limits = _limits()
    rule = Rule(
        id=read.text("id"),
        check=read.text("check"),
        version=read.text("version"),
        title_zh=read.text("zh"),
        title_en=read.text("en"),
        kind=read.text("kind"),
        rank=rank,
        subject=subject,
        on=read.codes("on", _nodes()),
        limits=read.codes("limits", limits),
        law=read.texts("law"),
        when=read.expression("when", subject, FactType.FLAG),
        guard=guard_of(read.text("when")),
        start=read.expression("from", subject, FactType.MOMENT) if "from" in table else None,
        limit=limits.get(read.text("limit")),
        hours=_hours(read),
        met=read.expression("met", subject, FactType.MOMENT) if "met" in table else None,
        ahead=read.flag("ahead", subject is Subject.LIMIT or "limit" in table),
        only_late=read.flag("only_late", False),
        explain_zh=read.template("why_zh", subject, "zh"),
        explain_en=read.template("why_en", subject, "en"),
        concerned=read.texts("concerned"),
        to_supervisor=read.flag("to_supervisor", True),
        reviewed=read.flag("reviewed", False),
        may_block=read.flag("may_block", False),
        enabled=read.flag("enabled", True),
        effective_from=read.day("effective_from"),
        effective_until=read.day("effective_until"),
        lacks=read.texts("lacks"),
        note=read.text("note"),
    )
    _check(read, rule)
    return rule


def _check(read: _Reading, rule: Rule) -> None:
    """Hold the parts of a rule against each other."""
    about_exchange = rule.subject in (Subject.EXCHANGE, Subject.STEP)
    if rule.on and not about_exchange:
        raise read.fault("on", "is for rules about an exchange or a step")
    if bool(rule.limits) is not (rule.subject is Subject.LIMIT):
        raise read.fault("limits", "is what a rule about limits looks at, and such a rule alone")
    timed = ("limit" in read.table) + ("hours" in read.table)
    if timed != (rule.start is not None) or ("limit" in read.table and rule.limit is None):
        raise read.fault("limit", "`from` goes with a limit of the catalogue or with hours, one of them")
    if rule.subject is Subject.LIMIT and (rule.start is not None or rule.met is not None):
        raise read.fault("from", "a limit brings its own times")
    parts = CONCERNED if about_exchange else CONCERNED - {"sender", "recipient"}
    if rule.subject is Subject.LIMIT:
        parts = CONCERNED
    if not set(rule.concerned) <= parts:
        raise read.fault("concerned", f"must be among {', '.join(sorted(parts))}")


def _hours(read: _Reading) -> int:
    hours = read.table.get("hours", 0)
    if type(hours) is not int or hours < 0:
        raise read.fault("hours", "must be a whole number, 0 or more")
    return hours


@cache
def _limits() -> Mapping[str, TimeLimit]:
    return {limit.code: limit for limit in time_limits()}


@cache
def _nodes() -> frozenset[str]:
    return frozenset(node.code for node in nodes())
