"""Which documents a node requires, and how heavy each finding of the completeness check weighs (预检规则)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from casemesh.data.catalogue import nodes
from casemesh.data.dossier_catalogue import Catalogue, load
from casemesh.data.tables import ShippedDataError, rows_of, shipped_bytes

_FILE = "required_documents.csv"
_COLUMNS = ["node", "finding", "types", "names", "count", "scope", "severity", "condition", "source"]
ANY_NODE = "*"
# What never crosses blocks at every site; no row may say otherwise.
_FINDINGS = {
    "MISSING",
    "DUPLICATE",
    "UNREADABLE",
    "EMPTY",
    "OUT_OF_ORDER",
    "UNCLASSIFIED",
    "PAGE_COUNT",
    "NOT_EXAMINED",
}
_BLOCKING = {"blocking": True, "warning": False}
_PER_PERSON = {"case": False, "person": True}


@dataclass(frozen=True, slots=True)
class CompletenessRule:
    """One line of the rules.

    `node` is a node's code, or `*` for every node. With `finding` MISSING at least `count` documents must be of one of
    `types`, which are codes of DocumentType or of Volume (any type of that volume); `names` are what the node calls
    them, and count by themselves where no type has that name. `per_person`: for each party the package is about. With
    DUPLICATE and `types` at most `count` may be. Without `types` a rule says how heavy the finding weighs. `condition`
    says when the document is required, for a person to judge; such a rule does not block.
    """

    node: str
    finding: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    count: int
    per_person: bool
    blocking: bool
    condition: str
    source: str

    @property
    def title(self) -> str:
        """What a person calls it: all of the names, or one of them, and the condition."""
        joined = ("、" if self.count > 1 else " 或 ").join(self.names)
        return f"{joined}({self.condition})" if self.condition else joined


@cache
def shipped_rules() -> tuple[CompletenessRule, ...]:
    """Return the shipped rules, checked, in the file's order."""
    return read_rules(_FILE, shipped_bytes(_FILE))


def read_rules(name: str, data: bytes) -> tuple[CompletenessRule, ...]:
    """Return the rules of a file in the shipped one's form; `name` is for errors.

    Nodes, types and volumes exist. Raises ShippedDataError with file, line and field where something does not hold.
    """
    known = {node.code for node in nodes()} | {ANY_NODE}
    catalogue = load()
    return tuple(_rule(name, line, row, known, catalogue) for line, row in rows_of(name, data, _COLUMNS))


def _rule(file: str, line: int, row: Mapping[str, str], known: set[str], catalogue: Catalogue) -> CompletenessRule:
    def require(field: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ShippedDataError(file, line, field, f"{row[field]!r}: {rule}")

    types, names = _list(row["types"]), _list(row["names"])
    counted = row["finding"] == "MISSING" or (row["finding"] == "DUPLICATE" and bool(types))
    require("node", row["node"] in known, "no node's code, nor *")
    require("finding", row["finding"] in _FINDINGS, f"none of {', '.join(sorted(_FINDINGS))}")
    for code in types:
        require("types", code in catalogue.types or code in catalogue.volumes, f"{code} is neither a type nor a volume")
    require("severity", row["severity"] in _BLOCKING, "neither blocking nor warning")
    require("severity", not row["condition"] or row["severity"] == "warning", "a condition cannot block")
    require("source", bool(row["source"]), "empty")
    if counted:
        require("count", row["count"].isascii() and row["count"].isdigit(), "not a whole number")
        require("scope", row["scope"] in _PER_PERSON, "neither case nor person")
        require("names", bool(names) or row["count"] == "0", "empty")
    else:
        for field in ("types", "names", "count", "scope", "condition"):
            require(field, not row[field], "only for what is counted")
    return CompletenessRule(
        node=row["node"],
        finding=row["finding"],
        types=types,
        names=names,
        count=int(row["count"]) if counted else 0,
        per_person=_PER_PERSON.get(row["scope"], False),
        blocking=_BLOCKING[row["severity"]],
        condition=row["condition"],
        source=row["source"],
    )


def _list(field: str) -> tuple[str, ...]:
    return tuple(part for part in field.split(";") if part)
