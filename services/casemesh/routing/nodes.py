"""The catalogue of collaboration nodes (协同节点) as routing uses it: who may send a node to whom, and what answers it.

The catalogue itself ships in `casemesh.data`. Beside it stand two small tables of this service: `organ_roles.csv` says
which kinds of organ may play the part that a node names (the investigating organ is a role), `answers.csv` which
answers leave an exchange open and which notices close one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from casemesh.core.names import NODE
from casemesh.data import CollaborationNode, nodes, organ_kinds
from casemesh.data.payload_schemas import NodeSchema, schema_of
from casemesh.data.tables import shipped_bytes
from casemesh.errors import FailedPrecondition, NotFound
from casemesh.routing.csv_tables import TableError, read_table

_ROLES = "organ_roles.csv"
_ANSWERS = "answers.csv"
_CARRIES_DOSSIER = frozenset({"full", "partial", "supplement"})


class NodeCatalogue:
    """All nodes, by code."""

    def __init__(
        self,
        catalogue: Iterable[CollaborationNode],
        played_by: dict[str, frozenset[str]],
        interim: frozenset[tuple[str, str]],
        closing: frozenset[tuple[str, str]],
        version: str = "",
        province: str = "",
        external_codes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`played_by` gives for a role the other kinds of organ that may play it. `interim` are pairs (node, answer)
        that leave the exchange open, `closing` those that answer it besides its own feedback."""
        self._nodes = {node.code: node for node in sorted(catalogue, key=lambda node: node.code)}
        self._played_by = played_by
        self._interim = interim
        self._closing = closing
        self.version = version
        self.province = province
        self.external_codes = external_codes
        self._schemas: dict[str, NodeSchema] = {}

    @property
    def nodes(self) -> Collection[CollaborationNode]:
        """All nodes, by code."""
        return self._nodes.values()

    def renewed(
        self,
        catalogue: Iterable[CollaborationNode],
        *,
        version: str,
        province: str = "",
        external_codes: Mapping[str, str] = MappingProxyType({}),
    ) -> NodeCatalogue:
        """Return a catalogue of other nodes under the same tables of this service."""
        return NodeCatalogue(
            catalogue, self._played_by, self._interim, self._closing, version, province, external_codes
        )

    def become(self, other: NodeCatalogue) -> None:
        """Take the content of another catalogue, at once."""
        self.__dict__ = dict(other.__dict__)

    def get(self, name: str) -> CollaborationNode:
        """Return the node of a resource name.

        Raises NotFound (NODE_UNKNOWN).
        """
        node = self._nodes.get(NODE.parse(name)["node"])
        if node is None:
            raise NotFound("NODE_UNKNOWN", f"the catalogue has no {name}", {"node": name})
        return node

    def select(
        self, *, stage: str, from_organ: str, to_organ: str, after: str, external_code: str = ""
    ) -> Iterator[CollaborationNode]:
        """Yield the nodes with these properties (empty: any) whose code comes after `after`, by code."""
        for code, node in self._nodes.items():
            if (
                code > after
                and stage in ("", node.stage)
                and from_organ in ("", node.from_organ)
                and to_organ in ("", node.to_organ)
                and (not external_code or external_code == self.external_codes.get(code))
            ):
                yield node

    def schema(self, node: CollaborationNode) -> NodeSchema:
        """Return what the payload of a node may hold."""
        schema = self._schemas.get(node.code)
        if schema is None:
            schema = self._schemas[node.code] = schema_of(node)
        return schema

    def plays(self, organ: str, role: str) -> bool:
        """Say whether an agency of kind `organ` may stand where a node names `role`."""
        return organ == role or organ in self._played_by.get(role, ())

    def answers_of(self, node: CollaborationNode) -> tuple[str, ...]:
        """Return the codes of the nodes that may answer `node`."""
        closing = sorted(answer for code, answer in self._closing if code == node.code and answer in self._nodes)
        return (*node.feedback_nodes, *closing)

    def answers_to(self, code: str) -> tuple[str, ...]:
        """Return the codes of the nodes that may answer the node of a code; none for one that is not in force."""
        node = self._nodes.get(code)
        return self.answers_of(node) if node is not None else ()

    def is_interim(self, node: CollaborationNode, answer: CollaborationNode) -> bool:
        """Say whether `answer` leaves an exchange of `node` open for another answer."""
        return (node.code, answer.code) in self._interim

    def answers_only(self, node: CollaborationNode) -> CollaborationNode | None:
        """Return the node whose exchange `node` must answer; None where it may open a chain.

        A feedback whose request runs between the same two organs must answer that request's exchange. A few nodes
        report to an organ that had asked a third one; those have no exchange of their own to answer and are submitted.
        """
        asked = self._nodes.get(node.answers_node)
        if asked is None or (asked.from_organ, asked.to_organ) != (node.to_organ, node.from_organ):
            return None
        return asked

    def require_answer(self, node: CollaborationNode, answer: CollaborationNode) -> None:
        """Check that `answer` may answer an exchange of `node`.

        Raises FailedPrecondition (NODE_NOT_AN_ANSWER).
        """
        possible = self.answers_of(node)
        if answer.code not in possible:
            remedy = f"use one of {', '.join(possible)}" if possible else "it takes no answer"
            raise FailedPrecondition(
                "NODE_NOT_AN_ANSWER",
                f"{answer.code} does not answer {node.code}; {remedy}",
                {"node": NODE.format(node=answer.code)},
            )

    def interim_answers_of(self, node: CollaborationNode) -> tuple[str, ...]:
        """Return the codes of those answers that leave an exchange of `node` open."""
        return tuple(code for code in self.answers_of(node) if (node.code, code) in self._interim)

    def players_of(self, role: str) -> tuple[str, ...]:
        """Return the kinds of organ that may stand where a node names `role`, that one first."""
        return (role, *sorted(self._played_by.get(role, ())))

    def chain(self, node: CollaborationNode) -> list[CollaborationNode]:
        """Return the chain a node stands in: from the one that opens it, each before what answers it."""
        first = node
        while first.answers_node:
            first = self._nodes[first.answers_node]
        found: dict[str, CollaborationNode] = {}
        waiting = [first]
        while waiting:
            current = waiting.pop()
            if current.code not in found:
                found[current.code] = current
                waiting += [self._nodes[code] for code in reversed(self.answers_of(current))]
        return list(found.values())


def dossier_required(node: CollaborationNode) -> bool:
    """Say whether a dossier version must go with the node: whole, in part or as a supplement.

    Instruments alone (`docs`) are no dossier, and where the catalogue is silent none is asked for.
    """
    return node.dossier in _CARRIES_DOSSIER


def shipped_catalogue(*, roles: Path | None = None, answers: Path | None = None) -> NodeCatalogue:
    """Return the catalogue that ships with CaseMesh, with this service's two tables or files in their place.

    Raises TableError when a table of this service names an organ or a node that does not exist.
    """
    kinds = {kind.code for kind in organ_kinds()}
    known = {node.code: node for node in nodes()}
    played_by: dict[str, set[str]] = {}
    for row in read_table(_ROLES, ("role", "played_by", "basis"), roles):
        if row["role"] not in kinds or row["played_by"] not in kinds or not row["basis"]:
            raise TableError(f"{_ROLES}: {row['role']},{row['played_by']}: must be two kinds of organ, with a basis")
        played_by.setdefault(row["role"], set()).add(row["played_by"])
    effects: dict[str, set[tuple[str, str]]] = {"interim": set(), "final": set()}
    for row in read_table(_ANSWERS, ("node", "answer", "effect", "why"), answers):
        node, answer = known.get(row["node"]), known.get(row["answer"])
        if node is None or answer is None or row["effect"] not in effects:
            raise TableError(f"{_ANSWERS}: {row['node']},{row['answer']}: must be two nodes and interim or final")
        if (row["effect"] == "interim") != (answer.code in node.feedback_nodes):
            raise TableError(f"{_ANSWERS}: {row['node']},{row['answer']}: its own feedback is final unless interim")
        effects[row["effect"]].add((node.code, answer.code))
    return NodeCatalogue(
        known.values(),
        {role: frozenset(organs) for role, organs in played_by.items()},
        interim=frozenset(effects["interim"]),
        closing=frozenset(effects["final"]),
        version=f"shipped-{hashlib.sha256(shipped_bytes('nodes.csv')).hexdigest()[:12]}",
    )
