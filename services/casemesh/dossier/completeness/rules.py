"""What holds for one node: the shipped rules, with a site's own in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casemesh.data import ShippedDataError, nodes
from casemesh.data.required_documents import ANY_NODE, CompletenessRule, read_rules, shipped_rules
from casemesh.errors import NotFound
from casemesh.runtime.config import ConfigError


@dataclass(frozen=True, slots=True)
class NodeRules:
    """The rules of one node, or of none in particular.

    `required` are documents that must be there; `at_most` those that may stand so often and no oftener; `blocking` the
    kinds of finding that block, besides those of required documents, which say so themselves.
    """

    required: tuple[CompletenessRule, ...]
    at_most: tuple[CompletenessRule, ...]
    blocking: frozenset[str]


class Rules:
    """All rules. A site's rows take the place of shipped ones:

    - MISSING: all rows of the node at once, so that the site's rows are the whole list;
    - DUPLICATE with types: the row of the same node and types;
    - otherwise: the row of the same node and finding.
    """

    def __init__(self, site: Sequence[CompletenessRule] = ()) -> None:
        merged: dict[tuple[str, str, tuple[str, ...]], list[CompletenessRule]] = {}
        for rules in (shipped_rules(), site):
            table: dict[tuple[str, str, tuple[str, ...]], list[CompletenessRule]] = {}
            for rule in rules:
                types = () if rule.finding == "MISSING" else rule.types
                table.setdefault((rule.node, rule.finding, types), []).append(rule)
            merged.update(table)
        self._rules = merged
        self._nodes = frozenset(node.code for node in nodes())

    @classmethod
    def read(cls, site: Path | None) -> Rules:
        """Return the rules with those of a site's file, if there is one. Raises ConfigError."""
        if site is None:
            return cls()
        try:
            return cls(read_rules(site.name, site.read_bytes()))
        except (OSError, ShippedDataError) as error:
            raise ConfigError(f"completeness_rules: {error}") from None

    def of(self, node: str) -> NodeRules:
        """Return what holds for the node of this code; for "" what holds for every node.

        A node's own row goes before that for every node. Raises NotFound (NODE_UNKNOWN).
        """
        if node and node not in self._nodes:
            raise NotFound("NODE_UNKNOWN", "the catalogue has no such node", {"node": f"nodes/{node}"})
        held: dict[tuple[str, tuple[str, ...]], list[CompletenessRule]] = {}
        for place in (ANY_NODE, node):
            held.update(
                {(finding, types): rules for (of, finding, types), rules in self._rules.items() if of == place}
            )  # fmt: skip
        return NodeRules(
            required=tuple(held.get(("MISSING", ()), ())),
            at_most=tuple(rule for (finding, types), rules in held.items() if types for rule in rules),
            blocking=frozenset(
                finding
                for (finding, types), rules in held.items()
                if finding != "MISSING" and not types and rules[-1].blocking
            ),
        )
