"""What a node does to the persons it is about, and where in the procedure it fits (节点效果, 程序次序).

Three tables: `person_effects.csv` says what becomes of a person's stage, measure and custody once an exchange of a node
is submitted or accepted; `procedure_stages.csv` at which stages the nodes of a group fit; `procedure_order.csv` what
single nodes ask for beyond that. Custody changes with the custodian's feedback alone, never with the request for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from casemesh.data.catalogue import nodes
from casemesh.data.tables import ShippedDataError, rows

_EFFECTS, _STAGES, _ORDER = "person_effects.csv", "procedure_stages.csv", "procedure_order.csv"
_EFFECT_COLUMNS = ["node", "moment", "aspect", "value", "only_from", "given", "dated_by", "why"]
_ORDER_COLUMNS = ["node", "at", "after", "custody", "at_most", "after_end", "why"]
NOT_STATED = "-"
"""Stands in the tables for an aspect of which nothing was said yet."""
ANY_STAGE = "*"
_GIVEN = re.compile(r"([a-z][a-z0-9_]*)(!?=)(yes|no)")
_NO_EFFECT = "none"


class Stage(StrEnum):
    """Where a person stands in the procedure, by the names of casemesh.routing.v1.ProcedureStage."""

    INVESTIGATION = "INVESTIGATION"
    PROSECUTION = "PROSECUTION"
    FIRST_INSTANCE = "FIRST_INSTANCE"
    SECOND_INSTANCE = "SECOND_INSTANCE"
    DEATH_REVIEW = "DEATH_REVIEW"
    RETRIAL = "RETRIAL"
    EXECUTION = "EXECUTION"
    COMMUNITY_CORRECTION = "COMMUNITY_CORRECTION"
    CONCLUDED = "CONCLUDED"
    SUPERVISORY_INVESTIGATION = "SUPERVISORY_INVESTIGATION"
    CIVIL = "CIVIL"
    ADMINISTRATIVE = "ADMINISTRATIVE"


class Measure(StrEnum):
    """What restricts a person's liberty in law, by the names of casemesh.routing.v1.CustodyState."""

    AT_LIBERTY = "AT_LIBERTY"
    BAIL = "BAIL"
    RESIDENTIAL_SURVEILLANCE = "RESIDENTIAL_SURVEILLANCE"
    DETAINED = "DETAINED"
    ARRESTED = "ARRESTED"
    SERVING_SENTENCE = "SERVING_SENTENCE"
    COMMUNITY_CORRECTION = "COMMUNITY_CORRECTION"
    DRUG_REHABILITATION = "DRUG_REHABILITATION"
    COMPULSORY_TREATMENT = "COMPULSORY_TREATMENT"
    SUPERVISORY_DETENTION = "SUPERVISORY_DETENTION"
    JUDICIAL_DETENTION = "JUDICIAL_DETENTION"


class Custody(StrEnum):
    """Whether a person is in fact held."""

    HELD = "HELD"
    NOT_HELD = "NOT_HELD"


class Aspect(StrEnum):
    """What is said of a person."""

    STAGE = "stage"
    MEASURE = "measure"
    CUSTODY = "custody"
    CUSTODIAN = "custodian"
    """The agency that holds the person."""
    AUTHORITY = "authority"
    """The agency for which the person is held (办案机关); changes by 换押."""


class Moment(StrEnum):
    """What of an exchange brings an effect about."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"


SENDER, RECIPIENT = "@sender", "@recipient"
_SIDES = frozenset({SENDER, RECIPIENT})
_VALUES: Mapping[Aspect, frozenset[str]] = {
    Aspect.STAGE: frozenset(Stage),
    Aspect.MEASURE: frozenset(Measure),
    Aspect.CUSTODY: frozenset(Custody),
    Aspect.CUSTODIAN: _SIDES,
    Aspect.AUTHORITY: _SIDES,
}


@dataclass(frozen=True, slots=True)
class Given:
    """A field of the exchange on which an effect depends: with `says_not` it must not say `flag`, else it must."""

    key: str
    says_not: bool
    flag: bool


@dataclass(frozen=True, slots=True)
class PersonEffect:
    """One thing that becomes of the persons an exchange is about.

    `value` is one of the aspect's values; for custodian and authority it is SENDER or RECIPIENT of the exchange.
    `only_from` are the values it changes from, NOT_STATED among them; empty for any. `given` None: whatever is said.
    `dated_by` is the field with the day from which it holds; empty, or where that is not given, from the moment on.
    """

    node: str
    moment: Moment
    aspect: Aspect
    value: str
    only_from: tuple[str, ...]
    given: Given | None
    dated_by: str
    why: str


@dataclass(frozen=True, slots=True)
class NodeOrder:
    """Where a node fits. Nothing of it blocks.

    `at` are stages, empty for any; `after` are nodes of which one must have gone before for the person, empty for none.
    `custody` None: held or not. `at_most` is how often it may be for one person, 0 for any number of times.
    `after_end` says that it may be submitted when the case has ended.
    """

    node: str
    at: frozenset[Stage]
    after: tuple[str, ...]
    custody: Custody | None
    at_most: int
    after_end: bool
    why: str


@cache
def person_effects() -> Mapping[str, tuple[PersonEffect, ...]]:
    """Return what each node does, by code; nodes that do nothing are left out.

    Raises ShippedDataError for a node, aspect or value that does not exist.
    """
    known = {node.code for node in nodes()}
    found: dict[str, list[PersonEffect]] = {}
    for line, row in rows(_EFFECTS, _EFFECT_COLUMNS):
        if row["node"] not in known:
            raise ShippedDataError(_EFFECTS, line, "node", f"no such node: {row['node']}")
        if not row["why"]:
            raise ShippedDataError(_EFFECTS, line, "why", "empty")
        if row["aspect"] != _NO_EFFECT:
            found.setdefault(row["node"], []).append(_effect(line, row))
    return MappingProxyType({node: tuple(effects) for node, effects in found.items()})


@cache
def nodes_without_effect() -> Mapping[str, str]:
    """Return why nodes that one would expect to change custody do not, by code."""
    table = rows(_EFFECTS, _EFFECT_COLUMNS)
    return MappingProxyType({row["node"]: row["why"] for _, row in table if row["aspect"] == _NO_EFFECT})


@cache
def node_orders() -> Mapping[str, NodeOrder]:
    """Return where each node fits, by code, for every node of the catalogue.

    Raises ShippedDataError for a stage or node that does not exist, or a group of nodes without a line.
    """
    groups = {row["stage"]: (line, row) for line, row in rows(_STAGES, ["stage", "at", "after_end"])}
    known = {node.code for node in nodes()}
    own: dict[str, tuple[int, dict[str, str]]] = {}
    for line, row in rows(_ORDER, _ORDER_COLUMNS):
        if row["node"] not in known or row["node"] in own:
            raise ShippedDataError(_ORDER, line, "node", f"unknown or repeated: {row['node']}")
        own[row["node"]] = line, row
    found = {}
    for node in nodes():
        if node.stage not in groups:
            raise ShippedDataError(_STAGES, 0, "stage", f"no line for {node.stage}")
        group_line, group = groups[node.stage]
        at, after_end = _stages(_STAGES, group_line, group["at"]), group["after_end"] == "yes"
        line, row = own.get(node.code, (0, dict.fromkeys(_ORDER_COLUMNS, "")))
        after = _list(row["after"])
        if unknown := [code for code in after if code not in known]:
            raise ShippedDataError(_ORDER, line, "after", f"no such node: {unknown[0]}")
        if row["custody"] and row["custody"] not in set(Custody):
            raise ShippedDataError(_ORDER, line, "custody", f"unknown: {row['custody']}")
        if row["at_most"] and not row["at_most"].isdecimal():
            raise ShippedDataError(_ORDER, line, "at_most", "not a whole number")
        found[node.code] = NodeOrder(
            node=node.code,
            at=_stages(_ORDER, line, row["at"]) if row["at"] else at,
            after=after,
            custody=Custody(row["custody"]) if row["custody"] else None,
            at_most=int(row["at_most"] or 0),
            after_end=after_end or row["after_end"] == "yes",
            why=row["why"],
        )
    return MappingProxyType(found)


def _effect(line: int, row: dict[str, str]) -> PersonEffect:
    try:
        moment, aspect = Moment(row["moment"]), Aspect(row["aspect"])
    except ValueError as error:
        raise ShippedDataError(_EFFECTS, line, "moment", str(error)) from None
    only_from = _list(row["only_from"])
    for value in (row["value"], *(value for value in only_from if value != NOT_STATED)):
        if value not in _VALUES[aspect]:
            raise ShippedDataError(_EFFECTS, line, "value", f"{value} is no value of {aspect}")
    given = None
    if row["given"]:
        match = _GIVEN.fullmatch(row["given"])
        if match is None:
            raise ShippedDataError(_EFFECTS, line, "given", "must read KEY=yes, KEY=no, KEY!=yes or KEY!=no")
        given = Given(match[1], match[2] == "!=", match[3] == "yes")
    return PersonEffect(row["node"], moment, aspect, row["value"], only_from, given, row["dated_by"], row["why"])


def _stages(file: str, line: int, field: str) -> frozenset[Stage]:
    if field == ANY_STAGE:
        return frozenset()
    try:
        return frozenset(Stage(name) for name in _list(field))
    except ValueError as error:
        raise ShippedDataError(file, line, "at", str(error)) from None


def _list(field: str) -> tuple[str, ...]:
    return tuple(part for part in field.split(";") if part)
