"""What the payload of each node's exchanges may hold (业务数据项), composed from subjects by a table.

`payloads/subjects.toml` lists the fields by subject, `payloads/nodes.csv` says which subjects a node holds by its
stage, its subject and the words of its name and documents. Every row that fits a node adds to its schema, so a node
that a site adds to the catalogue has a schema, too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from casemesh.data.catalogue import CollaborationNode
from casemesh.data.number_formats import number_formats
from casemesh.data.tables import ShippedDataError, rows, shipped_bytes

_SUBJECTS = "payloads/subjects.toml"
_NODES = "payloads/nodes.csv"
_NODE_COLUMNS = ["nodes", "stages", "kinds", "subjects", "words", "holds", "required", "expected", "source"]
_TYPES = frozenset({"text", "coded", "date", "integer", "flag"})
_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FIELD_KEYS = frozenset({"key", "zh", "en", "type", "role", "number", "pattern", "min", "max", "repeated"})
_ANY = "*"


@dataclass(frozen=True, slots=True)
class PayloadFieldRule:
    """One field. `role` is what a code is a code of, `number` a kind of number format; `maximum` counts the characters
    of a text. A field that is `per_party` may name the party it is about."""

    key: str
    zh: str
    en: str
    subject: str
    type: str
    role: str
    number: str
    pattern: re.Pattern[str] | None
    minimum: int | None
    maximum: int | None
    repeated: bool
    per_party: bool


@dataclass(frozen=True, slots=True)
class NodeSchema:
    """The fields of one node by key, in the order of the subjects. Without a `required` field an exchange is refused;
    without an `expected` one its sender is warned."""

    node: str
    subjects: tuple[str, ...]
    fields: Mapping[str, PayloadFieldRule]
    required: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    nodes: frozenset[str]
    stages: frozenset[str]
    kinds: frozenset[str]
    subjects: frozenset[str]
    words: tuple[str, ...]
    holds: tuple[str, ...]
    required: tuple[str, ...]
    expected: tuple[str, ...]

    def fits(self, node: CollaborationNode, told: str) -> bool:
        return (
            _among(node.code, self.nodes)
            and _among(node.stage, self.stages)
            and _among(node.kind.value, self.kinds)
            and _among(node.subject, self.subjects)
            and (self.words == (_ANY,) or any(word in told for word in self.words))
        )


def schema_of(node: CollaborationNode) -> NodeSchema:
    """Return the schema of a node of any catalogue. It is never empty."""
    told = ";".join((node.name_zh, *node.documents))
    fitting = [row for row in _rows() if row.fits(node, told)]
    held = {subject for row in fitting for subject in row.holds}
    by_subject = subjects()
    ordered = tuple(subject for subject in by_subject if subject in held)
    fields = {rule.key: rule for subject in ordered for rule in by_subject[subject]}

    def named(keys: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for row in fitting for key in getattr(row, keys) if key in fields))

    required = named("required")
    return NodeSchema(
        node=node.code,
        subjects=ordered,
        fields=MappingProxyType(fields),
        required=required,
        expected=tuple(key for key in named("expected") if key not in required),
    )


@cache
def subjects() -> Mapping[str, tuple[PayloadFieldRule, ...]]:
    """Return the fields of each subject, in the file's order. A key stands in one subject alone.

    Raises ShippedDataError.
    """
    found: dict[str, tuple[PayloadFieldRule, ...]] = {}
    seen: set[str] = set()
    for table in tomllib.loads(shipped_bytes(_SUBJECTS).decode("utf-8"))["subject"]:
        rules = tuple(_rule(table["id"], field, bool(table.get("per_party"))) for field in table["fields"])
        for rule in rules:
            if rule.key in seen:
                raise ShippedDataError(_SUBJECTS, 0, table["id"], f"{rule.key} comes twice")
            seen.add(rule.key)
        found[table["id"]] = rules
    return MappingProxyType(found)


@cache
def _rows() -> tuple[_Row, ...]:
    known = subjects()
    keys = {rule.key for rules in known.values() for rule in rules}
    found = []
    for line, row in rows(_NODES, _NODE_COLUMNS):
        holds, required, expected = (_list(row[column], ";") for column in ("holds", "required", "expected"))
        if not set(holds) <= set(known):
            raise ShippedDataError(_NODES, line, "holds", f"{row['holds']!r}: no such subject")
        for column, named in (("required", required), ("expected", expected)):
            if not set(named) <= keys:
                raise ShippedDataError(_NODES, line, column, f"{row[column]!r}: no such field")
        selected = {column: _list(row[column], "|") for column in ("nodes", "stages", "kinds", "subjects", "words")}
        for column, values in selected.items():
            if not values:
                raise ShippedDataError(_NODES, line, column, f"empty; {_ANY} stands for any")
        if not row["source"]:
            raise ShippedDataError(_NODES, line, "source", "empty")
        found.append(
            _Row(
                nodes=frozenset(selected["nodes"]),
                stages=frozenset(selected["stages"]),
                kinds=frozenset(selected["kinds"]),
                subjects=frozenset(selected["subjects"]),
                words=selected["words"],
                holds=holds,
                required=required,
                expected=expected,
            )
        )
    return tuple(found)


def _rule(subject: str, field: dict[str, Any], per_party: bool) -> PayloadFieldRule:
    def require(holds: bool, rule: str) -> None:
        if not holds:
            raise ShippedDataError(_SUBJECTS, 0, f"{subject}.{field.get('key')}", rule)

    require(set(field) <= _FIELD_KEYS and {"key", "zh", "en", "type"} <= set(field), "unknown or missing keys")
    kind, number, pattern = field["type"], field.get("number", ""), field.get("pattern", "")
    require(_KEY.fullmatch(field["key"]) is not None, "a key is in lower snake case")
    require(bool(field["zh"] and field["en"]), "needs a title in both languages")
    require(kind in _TYPES, f"{kind!r}: no such type")
    require((kind == "coded") == bool(field.get("role")), "a code, and nothing else, has a role")
    require(kind == "text" or not (number or pattern), "only a text has a pattern or is a number of a kind")
    require(not number or number in number_formats().kinds, f"{number!r}: no such kind of number")
    require(kind in ("text", "integer") or not {"min", "max"} & set(field), "only texts and integers have bounds")
    return PayloadFieldRule(
        key=field["key"],
        zh=field["zh"],
        en=field["en"],
        subject=subject,
        type=kind,
        role=field.get("role", ""),
        number=number,
        pattern=re.compile(pattern) if pattern else None,
        minimum=field.get("min"),
        maximum=field.get("max"),
        repeated=bool(field.get("repeated")),
        per_party=per_party,
    )


def _among(value: str, allowed: frozenset[str]) -> bool:
    return _ANY in allowed or value in allowed


def _list(field: str, separator: str) -> tuple[str, ...]:
    return tuple(part for part in field.split(separator) if part)
