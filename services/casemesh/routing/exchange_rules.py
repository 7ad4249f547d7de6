"""Who of those on a case may see or decide an exchange, and which states allow a step."""

from __future__ import annotations

from casemesh.errors import FailedPrecondition, PermissionDenied, not_found
from casemesh.routing.exchange_states import State, Step, allows
from casemesh.routing.v1 import exchange_pb2


def require_side(exchange: exchange_pb2.Exchange | None, agency: str) -> exchange_pb2.Exchange:
    """Return an exchange that `agency` sent or received, or has a copy of.

    Raises NotFound for any other: an agency on the case learns nothing of exchanges between two others, nor of one that
    is held but by its sender.
    """
    if exchange is None or agency not in (exchange.sender, exchange.recipient, *exchange.copies_to):
        raise not_found()
    if exchange.state == exchange_pb2.EXCHANGE_STATE_HELD and agency != exchange.sender:
        raise not_found()
    return exchange


def require_recipient(exchange: exchange_pb2.Exchange | None, agency: str) -> exchange_pb2.Exchange:
    """Return an exchange that `agency` received.

    Raises PermissionDenied (PERMISSION_MISSING) to its sender, NotFound to anybody else.
    """
    exchange = require_side(exchange, agency)
    if agency != exchange.recipient:
        raise PermissionDenied(
            "PERMISSION_MISSING",
            "only officers of the recipient decide on an exchange",
            {"permission": "DECIDE_EXCHANGE"},
        )
    return exchange


def require_open(exchange: exchange_pb2.Exchange) -> None:
    """Check that an exchange may be answered: it has reached the recipient and no final answer was given.

    Raises FailedPrecondition (EXCHANGE_STATE_WRONG).
    """
    require_allowed(Step.ANSWER, exchange)


def require_sender(exchange: exchange_pb2.Exchange | None, agency: str) -> exchange_pb2.Exchange:
    """Return an exchange that `agency` sent.

    Raises PermissionDenied (PERMISSION_MISSING) to its recipient, NotFound to anybody else.
    """
    exchange = require_side(exchange, agency)
    if agency != exchange.sender:
        raise PermissionDenied(
            "PERMISSION_MISSING",
            "only officers of the sender mend an exchange or take it back",
            {"permission": "SUBMIT_EXCHANGE"},
        )
    return exchange


def require_allowed(step: Step, exchange: exchange_pb2.Exchange) -> None:
    """Check that a step may start from the exchange's state. Compare-and-set decides once more when it is made.

    Raises FailedPrecondition (EXCHANGE_STATE_WRONG).
    """
    if not allows(step, state_of(exchange)):
        raise state_wrong(exchange)


def state_of(exchange: exchange_pb2.Exchange) -> State:
    """Return the state of a committed exchange."""
    return State(exchange_pb2.ExchangeState.Name(exchange.state).removeprefix("EXCHANGE_STATE_"))


def state_wrong(exchange: exchange_pb2.Exchange) -> FailedPrecondition:
    """Return the error for a step that the exchange's state does not allow."""
    name = exchange_pb2.ExchangeState.Name(exchange.state).removeprefix("EXCHANGE_STATE_")
    return FailedPrecondition(
        "EXCHANGE_STATE_WRONG", f"the exchange is {name}; that does not allow this step", {"state": name}
    )
