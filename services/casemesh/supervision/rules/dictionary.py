"""The dictionary of facts: what a rule may ask of a case, of which type it is, and where it comes from.

A fact is one value (`person.stage`) or a family with a member per node, field, limit and so on (`first.{node}`, asked
for as `first.DB006`, and `has(first.DB006)` where it may be absent). What stands in the file is what rules can be
checked against at load: a fact that is not in it cannot be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from casemesh.data import nodes, time_limits
from casemesh.data.event_actions import event_actions
from casemesh.data.payload_schemas import subjects
from casemesh.data.procedure import Aspect
from casemesh.data.tables import ShippedDataError, rows

FILE = "supervision/facts.csv"
_COLUMNS = ["fact", "type", "subjects", "source", "name_zh", "name_en"]
_FACT = re.compile(r"([a-z_]+)\.(?:([a-z_]+)|\{([a-z]+)\})")
_ANY = "*"
WHOLE = "*"
"""Stands for a family as a whole, where a rule goes through it."""
STEPS = frozenset({"delivered", "accepted", "answered", "returned", "answer_by", "ended"})


class FactType(StrEnum):
    """The type of a fact. A moment is aware; a day is its midnight in China."""

    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"
    MOMENT = "moment"
    TEXTS = "texts"


class Subject(StrEnum):
    """What a rule is evaluated for, once each."""

    CASE = "case"
    PERSON = "person"
    EXCHANGE = "exchange"
    STEP = "step"
    """An exchange and one of the persons it is about."""
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact or family of facts. `root` is what stands before the dot; `member` is empty for a family.

    `family` is what the members of a family are: node, field, limit, aspect, step or action. `source` is `KIND=VALUE`:
    where the value comes from, in the terms of the contracts and tables that a test holds it against.
    """

    id: str
    root: str
    member: str
    family: str
    type: FactType
    subjects: frozenset[Subject]
    source: str
    name_zh: str
    name_en: str

    def has_member(self, member: str) -> bool:
        """Say whether `member` is this fact or one of the family."""
        if member == WHOLE:
            return bool(self.family)
        return member == self.member if not self.family else member in _members(self.family, self.source)


@cache
def known_facts() -> Mapping[str, Fact]:
    """Return the dictionary by id, in the file's order. Raises ShippedDataError for a malformed or repeated line."""
    found: dict[str, Fact] = {}
    for line, row in rows(FILE, _COLUMNS):
        match = _FACT.fullmatch(row["fact"])
        if match is None or row["fact"] in found or not row["name_zh"] or not row["name_en"]:
            raise ShippedDataError(FILE, line, "fact", f"malformed, repeated or without a name: {row['fact']!r}")
        if match[3] and match[3] not in _FAMILIES:
            raise ShippedDataError(FILE, line, "fact", f"no such family: {match[3]}")
        try:
            kind = FactType(row["type"])
            about = frozenset(
                Subject if row["subjects"] == _ANY else (Subject(name) for name in row["subjects"].split(";"))
            )
        except ValueError as error:
            raise ShippedDataError(FILE, line, "type", str(error)) from None
        found[row["fact"]] = Fact(
            id=row["fact"],
            root=match[1],
            member=match[2] or "",
            family=match[3] or "",
            type=kind,
            subjects=about,
            source=row["source"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
        )
    return MappingProxyType(found)


def fact_of(root: str, member: str) -> Fact | None:
    """Return the fact that `root.member` asks for, or None when there is no such fact."""
    return next((fact for fact in _by_root().get(root, ()) if fact.has_member(member)), None)


def roots() -> frozenset[str]:
    """Return what may stand before the dot."""
    return frozenset(_by_root())


@cache
def _by_root() -> Mapping[str, tuple[Fact, ...]]:
    found: dict[str, tuple[Fact, ...]] = {}
    for fact in known_facts().values():
        found[fact.root] = (*found.get(fact.root, ()), fact)
    return found


@cache
def _members(family: str, source: str) -> frozenset[str]:
    return _FAMILIES[family](source)


def _fields(source: str) -> frozenset[str]:
    """Return the payload fields of the type that a source `payload=TYPE` names."""
    wanted = source.partition("=")[2]
    return frozenset(rule.key for subject in subjects().values() for rule in subject if rule.type == wanted)


_FAMILIES: Mapping[str, Callable[[str], frozenset[str]]] = MappingProxyType(
    {
        "node": lambda _: frozenset(node.code for node in nodes()),
        "limit": lambda _: frozenset(limit.code for limit in time_limits()),
        "aspect": lambda _: frozenset(Aspect),
        "step": lambda _: STEPS,
        "action": lambda _: frozenset(event_actions()),
        "field": _fields,
    }
)
