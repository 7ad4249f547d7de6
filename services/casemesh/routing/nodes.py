"""The catalogue of collaboration nodes (协同节点) as routing uses it: who may send a node to whom, and what answers it.

The catalogue itself ships in `casemesh.data`. Beside it stand two small tables of this service: `organ_roles.csv` says
which kinds of organ may play the part that a node names (the investigating organ is a role), `answers.csv` which
answers leave an exchange open and which notices close one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from casemesh.core.names import NODE
from casemesh.data import CollaborationNode, nodes, organ_kinds
from casemesh.errors import FailedPrecondition, NotFound
from casemesh.routing.csv_tables import TableError, read_table
from casemesh.routing.v1 import collaboration_node_pb2

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
    ) -> None:
        """`played_by` gives for a role the other kinds of organ that may play it. `interim` are pairs (node, answer)
        that leave the exchange open, `closing` those that answer it besides its own feedback."""
        self._nodes = {node.code: node for node in sorted(catalogue, key=lambda node: node.code)}
        self._played_by = played_by
        self._interim = interim
        self._closing = closing

    def get(self, name: str) -> CollaborationNode:
        """Return the node of a resource name.

        Raises NotFound (NODE_UNKNOWN).
        """
        node = self._nodes.get(NODE.parse(name)["node"])
        if node is None:
            raise NotFound("NODE_UNKNOWN", f"the catalogue has no {name}", {"node": name})
        return node

    def select(self, *, stage: str, from_organ: str, to_organ: str, after: str) -> Iterator[CollaborationNode]:
        """Yield the nodes with these properties (empty: any) whose code comes after `after`, by code."""
        for code, node in self._nodes.items():
            if (
                code > after
                and stage in ("", node.stage)
                and from_organ in ("", node.from_organ)
                and to_organ in ("", node.to_organ)
            ):
                yield node

    def plays(self, organ: str, role: str) -> bool:
        """Say whether an agency of kind `organ` may stand where a node names `role`."""
        return organ == role or organ in self._played_by.get(role, ())

    def answers_of(self, node: CollaborationNode) -> tuple[str, ...]:
        """Return the codes of the nodes that may answer `node`."""
        return (*node.feedback_nodes, *sorted(answer for code, answer in self._closing if code == node.code))

    def is_interim(self, node: CollaborationNode, answer: CollaborationNode) -> bool:
        """Say whether `answer` leaves an exchange of `node` open for another answer."""
        return (node.code, answer.code) in self._interim

    def require_organs(self, node: CollaborationNode, sender_organ: str, recipient_organ: str) -> None:
        """Check that the node leads from the one kind of organ to the other.

        Raises FailedPrecondition (NODE_ORGAN_MISMATCH).
        """
        for side, organ, role in (
            ("from", sender_organ, node.from_organ),
            ("to", recipient_organ, node.to_organ),
        ):
            if not self.plays(organ, role):
                raise FailedPrecondition(
                    "NODE_ORGAN_MISMATCH",
                    f"{node.code} leads {side} an organ of kind {role}, not {organ}; choose another node",
                    {"node": NODE.format(node=node.code), "organ": organ},
                )

    def require_opening(self, node: CollaborationNode) -> None:
        """Check that the node may open a chain.

        A feedback whose request runs between the same two organs must answer that request's exchange. A few nodes
        report to an organ that had asked a third one; those have no exchange of their own to answer and are submitted.

        Raises FailedPrecondition (NODE_ANSWERS_ONLY).
        """
        if not node.answers_node:
            return
        asked = self._nodes[node.answers_node]
        if (asked.from_organ, asked.to_organ) == (node.to_organ, node.from_organ):
            raise FailedPrecondition(
                "NODE_ANSWERS_ONLY",
                f"{node.code} answers {asked.code}; answer the exchange of that node",
                {"node": NODE.format(node=node.code), "answers_node": NODE.format(node=asked.code)},
            )

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

    def message(self, node: CollaborationNode) -> collaboration_node_pb2.CollaborationNode:
        """Return a node as the contract shows it."""
        answers = self.answers_of(node)
        return collaboration_node_pb2.CollaborationNode(
            name=NODE.format(node=node.code),
            title_zh=node.name_zh,
            title_en=node.name_en,
            stage=node.stage,
            kind=node.kind.value,
            from_organ=node.from_organ,
            to_organ=node.to_organ,
            answers_node=NODE.format(node=node.answers_node) if node.answers_node else "",
            feedback_nodes=[NODE.format(node=code) for code in answers],
            documents=node.documents,
            dossier_required=dossier_required(node),
            legal_basis=node.legal_basis,
            release_tier=node.release_tier,
            interim_nodes=[NODE.format(node=code) for code in answers if (node.code, code) in self._interim],
        )


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
    )
