"""Collaboration nodes and the kinds of organ they run between (协同节点, 办案机关)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from casemesh.data.tables import ShippedDataError, rows, rows_of, shipped_bytes

_NODES = "nodes.csv"
_KINDS = "organ_kinds.csv"
NODE_COLUMNS = [
    "code",
    "name_zh",
    "name_en",
    "stage",
    "kind",
    "from_organ",
    "to_organ",
    "answers_node",
    "feedback_nodes",
    "subject",
    "documents",
    "dossier",
    "custody_effect",
    "limit_id",
    "limit_length",
    "limit_unit",
    "limit_trigger",
    "legal_basis",
    "legal_basis_checked",
    "release_tier",
    "note",
    "source",
    "review",
]
OVERLAY_COLUMNS = [*NODE_COLUMNS, "external_code"]
_KIND_COLUMNS = ["code", "name_zh", "name_en", "group", "source"]
_EXTERNAL_CODE = re.compile(r"[0-9A-Za-z._-]{1,32}")
_NODE_CODE = re.compile(r"[A-Z]{2,3}[0-9]{2,3}")
_SUBJECTS = {"case", "person", "property", "org"}
_DOSSIER = {"", "none", "docs", "partial", "full", "supplement"}
_UNITS = {"", "hour", "day", "workday", "month", "year"}
_TIERS = {"A", "B", "C", "draft"}


class NodeKind(enum.Enum):
    """What a node does in its chain."""

    REQUEST = "request"
    FEEDBACK = "feedback"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class OrganKind:
    """A kind of organ, e.g. `JCY`, people's procuratorate. An agency is one organ of a kind."""

    code: str
    name_zh: str
    name_en: str
    group: str
    source: str


@dataclass(frozen=True, slots=True)
class StatutoryLimit:
    """The limit a node stands under. `ids` name limits of the catalogue of limits; `length` is None when it varies."""

    ids: tuple[str, ...]
    length: int | None
    unit: str
    trigger: str


@dataclass(frozen=True, slots=True)
class CollaborationNode:
    """A kind of cross-agency step (协同节点).

    `from_organ` and `to_organ` are codes of OrganKind and say which organ plays the part as a rule; GA stands for
    whichever organ investigates. `answers_node` names the node this one gives feedback to, or is empty.
    `feedback_nodes` lists the nodes that may answer it, in the catalogue's order. `documents` lists the instruments
    that go along, by Chinese name. `dossier` says how much of the dossier goes along: none, docs, partial, full,
    supplement, or empty where nobody has said. `release_tier` is A for the first 166, then B and C; `draft` rows are
    unreviewed additions.
    """

    code: str
    name_zh: str
    name_en: str
    stage: str
    kind: NodeKind
    from_organ: str
    to_organ: str
    answers_node: str
    feedback_nodes: tuple[str, ...]
    subject: str
    documents: tuple[str, ...]
    dossier: str
    custody_effect: str
    limit: StatutoryLimit | None
    legal_basis: str
    legal_basis_checked: str
    release_tier: str
    note: str
    source: str
    review: str


@cache
def organ_kinds() -> tuple[OrganKind, ...]:
    """Return all kinds of organ in the file's order. Codes are unique."""
    found: dict[str, OrganKind] = {}
    for line, row in rows(_KINDS, _KIND_COLUMNS):
        if not row["code"] or row["code"] in found:
            raise ShippedDataError(_KINDS, line, "code", f"empty or repeated: {row['code']!r}")
        if not row["name_zh"]:
            raise ShippedDataError(_KINDS, line, "name_zh", "empty")
        found[row["code"]] = OrganKind(**row)
    return tuple(found.values())


@cache
def nodes() -> tuple[CollaborationNode, ...]:
    """Return the whole node catalogue in the file's order, checked as `read_nodes` does."""
    return read_nodes(_NODES, shipped_bytes(_NODES))


def read_nodes(name: str, data: bytes) -> tuple[CollaborationNode, ...]:
    """Return the nodes of a file in the shipped one's form; `name` is for errors.

    Codes are unique; every kind of organ exists; `answers_node` and `feedback_nodes` name existing nodes and agree
    with each other in both directions; no node answers itself over any number of steps. Raises ShippedDataError with
    file, line and column.
    """
    kinds = {kind.code for kind in organ_kinds()}
    found: dict[str, CollaborationNode] = {}
    lines: dict[str, int] = {}
    for line, row in rows_of(name, data, NODE_COLUMNS):
        node = _node(name, line, row, kinds)
        if node.code in found:
            raise ShippedDataError(name, line, "code", f"repeated: {node.code}")
        found[node.code] = node
        lines[node.code] = line
    require_closed_chains(name, found, lines)
    return tuple(found.values())


def read_overlay(
    name: str, data: bytes, base: Iterable[CollaborationNode]
) -> tuple[tuple[CollaborationNode, ...], Mapping[str, str]]:
    """Return `base` as a province has it, and the province's own codes by node.

    A row of a code in `base` overrides what its cells fill in, `-` empties one; another row adds a node and must be
    whole. `external_code` is the province's code, each at most once. Raises ShippedDataError as `read_nodes`.
    """
    kinds = {kind.code for kind in organ_kinds()}
    found = {node.code: node for node in base}
    lines: dict[str, int] = {}
    external: dict[str, str] = {}
    for line, row in rows_of(name, data, OVERLAY_COLUMNS):
        code, own_code = row["code"], row.pop("external_code")
        if code in lines:
            raise ShippedDataError(name, line, "code", f"repeated: {code}")
        lines[code] = line
        if code in found:
            national = cells_of(found[code])
            row = {key: "" if cell == "-" else cell or national[key] for key, cell in row.items()}
        found[code] = _node(name, line, row, kinds)
        if own_code:
            if not _EXTERNAL_CODE.fullmatch(own_code) or own_code in external.values():
                raise ShippedDataError(name, line, "external_code", f"{own_code!r}: malformed or given twice")
            external[code] = own_code
    require_closed_chains(name, found, lines)
    return tuple(found.values()), external


def require_closed_chains(name: str, found: Mapping[str, CollaborationNode], lines: Mapping[str, int]) -> None:
    """Check that what answers what agrees in both directions and leads back to a node that opens the chain.

    Raises ShippedDataError; a node of no line of the file stands at line 0.
    """
    for node in found.values():
        line = lines.get(node.code, 0)
        if node.answers_node and (
            node.answers_node not in found or node.code not in found[node.answers_node].feedback_nodes
        ):
            raise ShippedDataError(
                name, line, "answers_node", f"{node.answers_node} does not list {node.code} as its feedback"
            )
        for feedback in node.feedback_nodes:
            if feedback not in found or found[feedback].answers_node != node.code:
                raise ShippedDataError(name, line, "feedback_nodes", f"{feedback} does not answer {node.code}")
        passed = {node.code}
        earlier = node.answers_node
        while earlier:
            if earlier in passed:
                raise ShippedDataError(name, line, "answers_node", f"{node.code} answers itself by way of {earlier}")
            passed.add(earlier)
            earlier = found[earlier].answers_node


def cells_of(node: CollaborationNode) -> dict[str, str]:
    """Return a node as the cells of its row, by column."""
    limit = node.limit
    cells = {
        "kind": node.kind.value,
        "feedback_nodes": ";".join(node.feedback_nodes),
        "documents": ";".join(node.documents),
        "limit_id": ";".join(limit.ids) if limit else "",
        "limit_length": str(limit.length) if limit and limit.length is not None else "",
        "limit_unit": limit.unit if limit else "",
        "limit_trigger": limit.trigger if limit else "",
    }
    return {column: cells[column] if column in cells else str(getattr(node, column)) for column in NODE_COLUMNS}


def _node(name: str, line: int, row: dict[str, str], kinds: set[str]) -> CollaborationNode:
    def require(field: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ShippedDataError(name, line, field, f"{row[field]!r}: {rule}")

    require("code", _NODE_CODE.fullmatch(row["code"]) is not None, "two or three letters, then digits")
    for field in ("name_zh", "stage", "source"):
        require(field, bool(row[field]), "empty")
    require("kind", row["kind"] in {kind.value for kind in NodeKind}, "unknown kind")
    for field in ("from_organ", "to_organ"):
        require(field, row[field] in kinds, f"not in {_KINDS}")
    require("subject", row["subject"] in _SUBJECTS, "unknown subject")
    require("dossier", row["dossier"] in _DOSSIER, "unknown extent")
    require("limit_unit", row["limit_unit"] in _UNITS, "unknown unit")
    require("limit_length", row["limit_length"].isdecimal() or not row["limit_length"], "not a whole number")
    require("release_tier", row["release_tier"] in _TIERS, "unknown tier")
    return CollaborationNode(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        stage=row["stage"],
        kind=NodeKind(row["kind"]),
        from_organ=row["from_organ"],
        to_organ=row["to_organ"],
        answers_node=row["answers_node"],
        feedback_nodes=_list(row["feedback_nodes"]),
        subject=row["subject"],
        documents=_list(row["documents"]),
        dossier=row["dossier"],
        custody_effect=row["custody_effect"],
        limit=_limit(row),
        legal_basis=row["legal_basis"],
        legal_basis_checked=row["legal_basis_checked"],
        release_tier=row["release_tier"],
        note=row["note"],
        source=row["source"],
        review=row["review"],
    )


def _limit(row: dict[str, str]) -> StatutoryLimit | None:
    if not row["limit_id"] and not row["limit_length"]:
        return None
    return StatutoryLimit(
        ids=_list(row["limit_id"]),
        length=int(row["limit_length"]) if row["limit_length"] else None,
        unit=row["limit_unit"],
        trigger=row["limit_trigger"],
    )


def _list(field: str) -> tuple[str, ...]:
    return tuple(part for part in field.split(";") if part)
