"""The closed loop as a state model: what becomes of a person by a node, which nodes may come next, which are awaited.

The person in a case is the unit. Nothing here blocks: a node out of its order is a finding for a person to weigh, since
law knows more exceptions than a table. Pure: states and steps in, findings out. What stands in the tables is in
`casemesh.data.procedure`.

    procedure = shipped_procedure()
    procedure.changes("QZ002", Moment.SUBMITTED, sender=..., recipient=..., flags={})
    procedure.findings("QS013", person)
    procedure.next_nodes(catalogue, person)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache

from casemesh.data import CollaborationNode
from casemesh.data.procedure import (
    RECIPIENT,
    SENDER,
    Aspect,
    Moment,
    NodeOrder,
    PersonEffect,
    Stage,
    node_orders,
    person_effects,
)
from casemesh.routing.nodes import NodeCatalogue

_OVER = frozenset({"ANSWERED", "WITHDRAWN", "EXPIRED"})


@dataclass(frozen=True, slots=True)
class Change:
    """One aspect of a person that an exchange states anew. `only_from` are the values it changes from; empty: any.
    `dated_by` is the exchange's field with the day from which it holds; empty: from the moment on."""

    aspect: Aspect
    value: str
    only_from: tuple[str, ...] = ()
    dated_by: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One committed exchange about a person. `node` is its code, `state` the name of its state."""

    exchange: str
    node: str
    sender: str
    recipient: str
    state: str
    at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it may still be answered."""
        return self.state not in _OVER


@dataclass(frozen=True, slots=True)
class PersonState:
    """Where a person in a case stands. An aspect nothing was said of is absent; `steps` are oldest first."""

    party: str
    values: Mapping[Aspect, str] = field(default_factory=dict)
    since: Mapping[Aspect, datetime] = field(default_factory=dict)
    steps: Sequence[Step] = ()

    @property
    def stage(self) -> str:
        return self.values.get(Aspect.STAGE, "")

    @property
    def custody(self) -> str:
        return self.values.get(Aspect.CUSTODY, "")


class OrderReason(StrEnum):
    """Why a node is out of its order."""

    STAGE = "ORDER_STAGE"
    PRECEDING = "ORDER_PRECEDING"
    CUSTODY = "ORDER_CUSTODY"
    TOO_OFTEN = "ORDER_TOO_OFTEN"


@dataclass(frozen=True, slots=True)
class OrderFinding:
    """A node out of its order for one person, with what to do in both languages. A warning, never a refusal."""

    reason: OrderReason
    party: str
    zh: str
    en: str


class NextReason(StrEnum):
    """Why a node may come next, the strongest first."""

    ANSWERS = "ANSWERS"
    FOLLOWS = "FOLLOWS"
    MOVES = "MOVES"
    FITS = "FITS"


@dataclass(frozen=True, slots=True)
class NextNode:
    """A node that may come next. `because` is the exchange it answers or follows, or the stage it moves to."""

    node: CollaborationNode
    reason: NextReason
    because: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """An exchange whose answer is due from `step.recipient`, by one of `answers`."""

    step: Step
    answers: tuple[str, ...]


class Procedure:
    """What nodes do to persons, and where they fit."""

    def __init__(self, effects: Mapping[str, Sequence[PersonEffect]], orders: Mapping[str, NodeOrder]) -> None:
        self._effects = effects
        self._orders = orders

    def changes(
        self, node: str, moment: Moment, *, sender: str, recipient: str, flags: Mapping[str, bool]
    ) -> tuple[Change, ...]:
        """Return what an exchange of `node` states of each person it is about, once it is submitted or accepted.

        `flags` are its fields that say yes or no. Whether a change happens still depends on `only_from`.
        """
        sides = {SENDER: sender, RECIPIENT: recipient}
        return tuple(
            Change(effect.aspect, sides.get(effect.value, effect.value), effect.only_from, effect.dated_by)
            for effect in self._effects.get(node, ())
            if effect.moment is moment and _given(effect, flags)
        )

    def admitted_after_end(self, node: str) -> bool:
        """Say whether a node may be submitted when the case has ended: it reopens it, or follows from its end."""
        order = self._orders.get(node)
        return order is None or order.after_end

    def preceding(self, node: str) -> tuple[str, ...]:
        """Return the nodes whose steps `findings` looks at: a caller may leave all other steps out."""
        order = self._orders.get(node)
        if order is None:
            return ()
        return (*order.after, node) if order.at_most else order.after

    def findings(self, node: str, person: PersonState) -> list[OrderFinding]:
        """Return why a node that opens a chain would be out of its order for a person; empty when it fits.

        What nothing was said of yet fits everything.
        """
        order = self._orders.get(node)
        return list(_findings(order, person)) if order is not None else []

    def awaited(self, catalogue: NodeCatalogue, person: PersonState) -> list[Awaited]:
        """Return the exchanges about a person that wait for an answer, oldest first."""
        found = []
        for step in person.steps:
            answers = catalogue.answers_to(step.node) if step.is_open else ()
            if answers:
                found.append(Awaited(step, answers))
        return found

    def next_nodes(self, catalogue: NodeCatalogue, person: PersonState) -> list[NextNode]:
        """Return the nodes that may come next for a person, those with the strongest reason first, then by code.

        A person of whom no stage was stated has only answers.
        """
        found = {
            code: NextNode(catalogue.get(f"nodes/{code}"), NextReason.ANSWERS, awaited.step.exchange)
            for awaited in self.awaited(catalogue, person)
            for code in awaited.answers
        }
        if person.stage:
            for node in catalogue.select(stage="", from_organ="", to_organ="", after=""):
                if node.code not in found and (coming := self._opening(catalogue, node, person)) is not None:
                    found[node.code] = coming
        ranks = {reason: rank for rank, reason in enumerate(NextReason)}
        return sorted(found.values(), key=lambda item: (ranks[item.reason], item.node.code))

    def _opening(self, catalogue: NodeCatalogue, node: CollaborationNode, person: PersonState) -> NextNode | None:
        order = self._orders.get(node.code)
        if order is None or node.answers_node or any(_findings(order, person)):
            return None
        if person.stage == Stage.CONCLUDED and not order.after_end:
            return None
        if order.after:
            earlier = [step for step in person.steps if step.node in order.after]
            if any(step.node == node.code and step.at >= earlier[-1].at for step in person.steps):
                return None
            return NextNode(node, NextReason.FOLLOWS, earlier[-1].exchange)
        target = self._moves_to(catalogue, node, person.stage)
        return NextNode(node, NextReason.MOVES if target else NextReason.FITS, target)

    def _moves_to(self, catalogue: NodeCatalogue, node: CollaborationNode, stage: str) -> str:
        for code in (node.code, *catalogue.answers_of(node)):
            for effect in self._effects.get(code, ()):
                if (
                    effect.aspect is Aspect.STAGE
                    and effect.value != stage
                    and (not effect.only_from or stage in effect.only_from)
                ):
                    return effect.value
        return ""


@cache
def shipped_procedure() -> Procedure:
    """Return the model that ships with CaseMesh."""
    return Procedure(person_effects(), node_orders())


def _given(effect: PersonEffect, flags: Mapping[str, bool]) -> bool:
    if effect.given is None:
        return True
    says = flags.get(effect.given.key) is effect.given.flag
    return not says if effect.given.says_not else says


def _findings(order: NodeOrder, person: PersonState) -> Iterator[OrderFinding]:
    if order.at and person.stage and person.stage not in order.at:
        stages = "、".join(sorted(order.at))
        yield OrderFinding(
            OrderReason.STAGE,
            person.party,
            f"当事人处于 {person.stage} 阶段, 该节点用于 {stages} 阶段; 请核对阶段或选用其他节点",
            f"the person is at {person.stage}, the node is for {stages}; check the stage or choose another node",
        )
    if order.after and not any(step.node in order.after for step in person.steps):
        codes = ", ".join(order.after)
        yield OrderFinding(
            OrderReason.PRECEDING,
            person.party,
            f"该节点之前应有 {codes} 之一; 如已以纸质办理, 请补录",
            f"one of {codes} goes before this node; if it was done on paper, enter it",
        )
    if order.custody is not None and person.custody and person.custody != order.custody:
        yield OrderFinding(
            OrderReason.CUSTODY,
            person.party,
            f"当事人羁押状态为 {person.custody}, 该节点要求 {order.custody}; 请待羁押机关反馈",
            f"the person is {person.custody}, the node asks for {order.custody}; wait for the custodian's feedback",
        )
    if order.at_most:
        times = sum(step.node == order.node and step.state != "WITHDRAWN" for step in person.steps)
        if times >= order.at_most:
            yield OrderFinding(
                OrderReason.TOO_OFTEN,
                person.party,
                f"该节点对同一人以 {order.at_most} 次为限, 已有 {times} 次 ({order.why})",
                f"the node may be used {order.at_most} times for one person and was {times} times ({order.why})",
            )
