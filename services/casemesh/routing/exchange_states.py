"""The states of an exchange and its lawful moves, as one table.

A move is made by compare-and-set on the state it starts from, so of two that race one is made, and the other is told
the state as it then stands. No move here has an effect on a clock of the law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType


class State(StrEnum):
    """How far an exchange has come; the names of the contract's ExchangeState without their prefix.

    A draft is none of these: it is kept apart and becomes an exchange when it is submitted.
    """

    SUBMITTED = "SUBMITTED"
    DELIVERED = "DELIVERED"
    ACCEPTED = "ACCEPTED"
    ANSWERED = "ANSWERED"
    RETURNED = "RETURNED"
    SUPPLEMENTED = "SUPPLEMENTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    HELD = "HELD"


class Step(StrEnum):
    """What is done to an exchange after its submission."""

    DELIVER = "deliver"
    ACCEPT = "accept"
    RETURN = "return"
    SUPPLEMENT = "supplement"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    RELEASE = "release"


class Side(Enum):
    """Who may take a step."""

    SENDER = auto()
    RECIPIENT = auto()
    PLATFORM = auto()


@dataclass(frozen=True)
class Move:
    """A step, the states it may start from, the state it leads to and who may take it."""

    sources: frozenset[State]
    target: State
    by: Side


def _move(by: Side, target: State, *sources: State) -> Move:
    return Move(frozenset(sources), target, by)


MOVES: Mapping[Step, Move] = MappingProxyType(
    {
        Step.DELIVER: _move(Side.RECIPIENT, State.DELIVERED, State.SUBMITTED, State.SUPPLEMENTED),
        Step.ACCEPT: _move(Side.RECIPIENT, State.ACCEPTED, State.DELIVERED),
        Step.RETURN: _move(Side.RECIPIENT, State.RETURNED, State.DELIVERED),
        Step.SUPPLEMENT: _move(Side.SENDER, State.SUPPLEMENTED, State.RETURNED),
        # An interim answer leaves the state as it is.
        Step.ANSWER: _move(Side.RECIPIENT, State.ANSWERED, State.DELIVERED, State.ACCEPTED),
        Step.WITHDRAW: _move(
            Side.SENDER,
            State.WITHDRAWN,
            State.HELD,
            State.SUBMITTED,
            State.DELIVERED,
            State.RETURNED,
            State.SUPPLEMENTED,
        ),
        Step.EXPIRE: _move(
            Side.PLATFORM,
            State.EXPIRED,
            State.HELD,
            State.SUBMITTED,
            State.DELIVERED,
            State.ACCEPTED,
            State.RETURNED,
            State.SUPPLEMENTED,
        ),
        # Its codes were decided on.
        Step.RELEASE: _move(Side.PLATFORM, State.SUBMITTED, State.HELD),
    }
)


def allows(step: Step, state: State) -> bool:
    """Say whether a step may start from a state."""
    return state in MOVES[step].sources


def is_terminal(state: State) -> bool:
    """Say whether no step leads on from a state."""
    return not any(allows(step, state) for step in Step)
