"""Who may see and decide an exchange, and which states allow an answer."""

import pytest

from casemesh.errors import FailedPrecondition, NotFound, PermissionDenied
from casemesh.routing.exchange_rules import require_open, require_recipient, require_side
from casemesh.routing.v1 import exchange_pb2

EXCHANGE = exchange_pb2.Exchange(name="exchanges/1", sender="agencies/a", recipient="agencies/b")


def test_both_sides_see_an_exchange() -> None:
    assert EXCHANGE == require_side(EXCHANGE, "agencies/a") == require_side(EXCHANGE, "agencies/b")


def test_to_others_it_looks_as_if_it_did_not_exist() -> None:
    with pytest.raises(NotFound) as forbidden:
        require_side(EXCHANGE, "agencies/c")
    with pytest.raises(NotFound) as absent:
        require_side(None, "agencies/c")
    assert (absent.value.message, absent.value.metadata) == (forbidden.value.message, forbidden.value.metadata)
    with pytest.raises(NotFound):
        require_recipient(EXCHANGE, "agencies/c")


def test_the_sender_does_not_decide() -> None:
    assert require_recipient(EXCHANGE, "agencies/b") == EXCHANGE
    with pytest.raises(PermissionDenied) as refusal:
        require_recipient(EXCHANGE, "agencies/a")
    assert (refusal.value.reason, refusal.value.metadata) == ("PERMISSION_MISSING", {"permission": "DECIDE_EXCHANGE"})


@pytest.mark.parametrize(("state", "is_open"), [("SUBMITTED", False), ("DELIVERED", True), ("ACCEPTED", True)])
def test_an_exchange_is_answered_after_it_arrived(state: str, is_open: bool) -> None:
    exchange = exchange_pb2.Exchange(state=f"EXCHANGE_STATE_{state}")
    if is_open:
        require_open(exchange)
        return
    with pytest.raises(FailedPrecondition) as refusal:
        require_open(exchange)
    assert ("EXCHANGE_STATE_WRONG", {"state": state}) == (refusal.value.reason, refusal.value.metadata)


def test_a_final_answer_is_the_last() -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        require_open(exchange_pb2.Exchange(state=exchange_pb2.EXCHANGE_STATE_ANSWERED))
    assert refusal.value.metadata == {"state": "ANSWERED"}
