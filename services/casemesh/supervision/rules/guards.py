"""What a condition needs before anything else, read off its text: most rules are passed over without evaluating them.

A conjunction is false when one of its parts is, and a disjunction when all of them are, whatever else is absent. Parts
of simple forms, such as `has(date.measure_from)`, `person.held` and `exchange.state == "EXPIRED"`, are looked up here.
All others count as possible: where a guard lets a condition pass, the expression decides.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Guard = Callable[[Mapping[str, Any]], bool]

_PATH = r"([a-z_]+)\.(\w+)"
_HAS = re.compile(rf"has\({_PATH}\)")
_HAS_NOT = re.compile(rf"!has\({_PATH}\)")
_FLAG = re.compile(_PATH)
_EQUALS = re.compile(rf'{_PATH} == "([^"]*)"')
_AMONG = re.compile(rf'{_PATH} in \[("[^"]*"(?:, *"[^"]*")*)\]')
_NUMBER = re.compile(rf"{_PATH} (>=|<=|>|<|==) ([0-9]+)")
_COMPARED = re.compile(rf"{_PATH} (>=|<=|>|<) {_PATH}")
_SOME = re.compile(rf"size\({_PATH}\) > 0")
_HOLDS_TEXT = re.compile(rf'"([^"]*)" in {_PATH}')
_HOLDS_KEY = re.compile(r'"([^"]*)" in ([a-z_]+)')
_MARKS = re.compile(r'"[^"]*"|\'[^\']*\'|[()\[\]{}?]|&&|\|\|')
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


def guard_of(condition: str) -> Guard | None:
    """Return what can be looked up of a condition: where it says no, the condition does not hold. None for nothing."""
    text = condition.strip()
    if _split(text, "?") is None:
        return None
    parts = _split(text, "||") or []
    if len(parts) > 1:
        each = [guard_of(part) for part in parts]
        found = [guard for guard in each if guard is not None]
        return (lambda values: any(guard(values) for guard in found)) if len(found) == len(each) else None
    parts = _split(text, "&&") or []
    if len(parts) > 1:
        needed = [guard for part in parts if (guard := guard_of(part)) is not None]
        return (lambda values: all(guard(values) for guard in needed)) if needed else None
    if text.startswith("(") and _closes(text) == len(text) - 1:
        return guard_of(text[1:-1])
    return _simple(text)


def _split(text: str, mark: str) -> list[str] | None:
    """Return the parts of `text` between `mark` outside brackets; None where there is a choice (`?`) at its top."""
    depth, start, found = 0, 0, []
    for match, depth in _depths(text):
        if depth == 0 and match[0] == "?":
            return None
        if depth == 0 and match[0] == mark:
            found.append(text[start : match.start()])
            start = match.end()
    return [*found, text[start:]]


def _closes(text: str) -> int:
    """Return where the bracket that opens at the beginning closes."""
    return next((match.start() for match, depth in _depths(text) if depth == 0 and match[0] == ")"), -1)


def _depths(text: str) -> Iterator[tuple[re.Match[str], int]]:
    depth = 0
    for match in _MARKS.finditer(text):
        if match[0] in ("(", "[", "{"):
            depth += 1
        elif match[0] in (")", "]", "}"):
            depth -= 1
        yield match, depth


def _simple(part: str) -> Guard | None:
    if match := _HAS.fullmatch(part):
        root, member = match[1], match[2]
        return lambda values: member in values[root]
    if match := _HAS_NOT.fullmatch(part):
        root, member = match[1], match[2]
        return lambda values: member not in values[root]
    if match := _FLAG.fullmatch(part):
        flag = _lookup(match[1], match[2])
        return lambda values: flag(values) is True
    if match := _EQUALS.fullmatch(part):
        text, wanted = _lookup(match[1], match[2]), match[3]
        return lambda values: text(values) == wanted
    if match := _AMONG.fullmatch(part):
        among, known = _lookup(match[1], match[2]), frozenset(re.findall(r'"([^"]*)"', match[3]))
        return lambda values: among(values) in known
    if match := _NUMBER.fullmatch(part):
        bound = int(match[4])
        return _compared(_lookup(match[1], match[2]), _COMPARE[match[3]], lambda _: bound)
    if match := _COMPARED.fullmatch(part):
        return _compared(_lookup(match[1], match[2]), _COMPARE[match[3]], _lookup(match[4], match[5]))
    if match := _SOME.fullmatch(part):
        listed = _lookup(match[1], match[2])
        return lambda values: bool(listed(values))
    if match := _HOLDS_TEXT.fullmatch(part):
        one, several = match[1], _lookup(match[2], match[3])
        return lambda values: one in (several(values) or ())
    if match := _HOLDS_KEY.fullmatch(part):
        key, family = match[1], match[2]
        return lambda values: key in values[family]
    return None


def _lookup(root: str, member: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return how to look up `root.member`, which is one value or one of a family; None for an absent one."""
    name = f"{root}.{member}"
    return lambda values: values[name] if name in values else values[root].get(member)


def _compared(
    left: Callable[[Mapping[str, Any]], Any],
    how: Callable[[Any, Any], bool],
    right: Callable[[Mapping[str, Any]], Any],
) -> Guard:
    def guard(values: Mapping[str, Any]) -> bool:
        first, second = left(values), right(values)
        return first is not None and second is not None and how(first, second)

    return guard
