"""Page tokens and pages that fit a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.errors import InvalidArgument
from casemesh.routing.paging import decode_token, encode_token, fitting
from casemesh.routing.v1.exchange_pb2 import Exchange


@given(st.text(max_size=100))
def test_a_token_gives_its_key_back(key: str) -> None:
    assert key == decode_token(encode_token(key))


@pytest.mark.parametrize("token", ["=", "a", "!!!!", "YQ==", "_w", "YR", "Y Q"])
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        decode_token(token)
    assert [violation.field for violation in refusal.value.violations] == ["page_token"]


def test_a_page_holds_what_fits_and_never_nothing() -> None:
    small, large = Exchange(name="x"), Exchange(name="x" * 1000)
    assert fitting([], budget=100) == 0
    assert fitting([large, small], budget=100) == 1
    assert fitting([small, small, large, small], budget=100) == 2
    assert fitting([small, small, small], budget=100) == 3
