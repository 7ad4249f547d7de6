"""Who of those on a case may see or decide an exchange, and which states allow a step."""

from __future__ import annotations

from casemesh.errors import FailedPrecondition, PermissionDenied, not_found
from casemesh.routing.v1 import exchange_pb2

_OPEN = frozenset({exchange_pb2.EXCHANGE_STATE_DELIVERED, exchange_pb2.EXCHANGE_STATE_ACCEPTED})


def require_side(exchange: exchange_pb2.Exchange | None, agency: str) -> exchange_pb2.Exchange:
    """Return an exchange that `agency` sent or received.

    Raises NotFound for any other: an agency on the case learns nothing of exchanges between two others.
    """
    if exchange is None or agency not in (exchange.sender, exchange.recipient):
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
    if exchange.state not in _OPEN:
        raise state_wrong(exchange)


def state_wrong(exchange: exchange_pb2.Exchange) -> FailedPrecondition:
    """Return the error for a step that the exchange's state does not allow."""
    name = exchange_pb2.ExchangeState.Name(exchange.state).removeprefix("EXCHANGE_STATE_")
    return FailedPrecondition(
        "EXCHANGE_STATE_WRONG", f"the exchange is {name}; that does not allow this step", {"state": name}
    )
