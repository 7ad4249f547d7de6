"""Page tokens give back their key and refuse what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.errors import InvalidArgument
from casemesh.runtime.paging import decode_token, encode_token, page_size_of


@given(st.text(max_size=100))
def test_a_token_gives_its_key_back(key: str) -> None:
    assert key == decode_token(encode_token(key))


@pytest.mark.parametrize("token", ["=", "a", "!!!!", "YQ==", "_w", "YR", "Y Q", "é"])
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        decode_token(token)
    assert [violation.field for violation in refusal.value.violations] == ["page_token"]


def test_an_unset_page_size_is_a_hundred() -> None:
    assert (page_size_of(0), page_size_of(7)) == (100, 7)
