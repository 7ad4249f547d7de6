"""Which limits run for a person in a case by what the platform sees (期限起算): the rest start inside an agency."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from casemesh.data.catalogue import nodes
from casemesh.data.procedure import Aspect, Measure, Stage
from casemesh.data.tables import ShippedDataError, rows
from casemesh.data.time_limits import TimeLimit, time_limits

_FILE = "limit_runs.csv"
_COLUMNS = [
    "limit",
    "starts",
    "given",
    "met_by",
    "extended_by",
    "paused_by",
    "resumed_by",
    "restarted_by",
    "duty",
    "why",
]
_RECEIVED = "received"
# Limits of a feedback that run from the receipt of what it answers; others start with something inside an agency.
_FROM_RECEIPT = re.compile("收到|接到|接受")


@dataclass(frozen=True, slots=True)
class LimitRun:
    """What starts a limit for a person, changes and meets it; nodes by code.

    It starts when `aspect` takes on `value`, at `at_stage` if given, or, with `aspect` None, when an exchange of the
    node `value` is received. `given` are nodes of which one must have gone before. `extended_by` gives for a node the
    extensions of the limit it may stand for. Without `duty` it is the time in which something may be done.
    """

    limit: TimeLimit
    aspect: Aspect | None
    value: str
    at_stage: Stage | None
    given: frozenset[str]
    met_by: frozenset[str]
    extended_by: Mapping[str, tuple[int, ...]]
    paused_by: frozenset[str]
    resumed_by: frozenset[str]
    restarted_by: frozenset[str]
    duty: bool
    why: str


@cache
def limit_runs() -> tuple[LimitRun, ...]:
    """Return what runs for persons. Raises ShippedDataError for a limit, node, aspect or value that does not exist."""
    limits = {limit.code: limit for limit in time_limits()}
    return tuple(_run(line, row, limits) for line, row in rows(_FILE, _COLUMNS))


@cache
def answers_due() -> Mapping[str, Mapping[TimeLimit, frozenset[str]]]:
    """Return for a node the limits in which an answer is due once it was received, and the nodes that meet each."""
    limits = {limit.code: limit for limit in time_limits()}
    found: dict[str, dict[TimeLimit, frozenset[str]]] = {}
    for node in nodes():
        if node.answers_node and node.limit is not None and _FROM_RECEIPT.search(node.limit.trigger):
            due = found.setdefault(node.answers_node, {})
            for code in node.limit.ids:
                due[limits[code]] = due.get(limits[code], frozenset()) | {node.code}
    return MappingProxyType({node: MappingProxyType(due) for node, due in found.items()})


def _run(line: int, row: dict[str, str], limits: Mapping[str, TimeLimit]) -> LimitRun:
    known = {node.code for node in nodes()}

    def codes(column: str) -> frozenset[str]:
        found = frozenset(code for code in row[column].split(";") if code)
        if not found <= known:
            raise ShippedDataError(_FILE, line, column, f"no such node: {', '.join(sorted(found - known))}")
        return found

    limit = limits.get(row["limit"])
    if limit is None:
        raise ShippedDataError(_FILE, line, "limit", f"not a limit: {row['limit']}")
    if row["duty"] not in ("yes", "no") or not row["why"]:
        raise ShippedDataError(_FILE, line, "duty", "yes or no, and why")
    kind, _, rest = row["starts"].partition("=")
    value, _, stage = rest.partition("@")
    try:
        aspect = None if kind == _RECEIVED else Aspect(kind)
        {Aspect.STAGE: Stage, Aspect.MEASURE: Measure}[aspect](value) if aspect is not None else None
        at_stage = Stage(stage) if stage else None
    except (ValueError, KeyError) as error:
        raise ShippedDataError(_FILE, line, "starts", str(error)) from None
    if aspect is None and value not in known:
        raise ShippedDataError(_FILE, line, "starts", f"no such node: {value}")
    return LimitRun(
        limit=limit,
        aspect=aspect,
        value=value,
        at_stage=at_stage,
        given=codes("given"),
        met_by=codes("met_by"),
        extended_by=MappingProxyType(dict(_extension(line, part, known, limit) for part in _parts(row["extended_by"]))),
        paused_by=codes("paused_by"),
        resumed_by=codes("resumed_by"),
        restarted_by=codes("restarted_by"),
        duty=row["duty"] == "yes",
        why=row["why"],
    )


def _extension(line: int, text: str, known: set[str], limit: TimeLimit) -> tuple[str, tuple[int, ...]]:
    node, _, numbers = text.partition("=")
    if node not in known or not all(number.isdecimal() for number in numbers.split("|")):
        raise ShippedDataError(_FILE, line, "extended_by", f"must read NODE=N|N: {text}")
    extensions = tuple(int(number) for number in numbers.split("|"))
    if max(extensions) >= len(limit.extensions):
        raise ShippedDataError(_FILE, line, "extended_by", f"{limit.code} has {len(limit.extensions)} extensions")
    return node, extensions


def _parts(field: str) -> list[str]:
    return [part for part in field.split(";") if part]
