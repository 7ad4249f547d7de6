"""Page tokens give back their key and refuse what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.errors import InvalidArgument
from casemesh.runtime.paging import decode_number, decode_token, encode_token, page_size_of


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100))
def test_a_token_gives_its_key_back(key: str) -> None:
    assert key == decode_token(encode_token(key))


@pytest.mark.parametrize("token", ["=", "a", "!!!!", "YQ==", "_w", "YR", "Y Q", "é", "YQBi"])
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        decode_token(token)
    assert [violation.field for violation in refusal.value.violations] == ["page_token"]


HOSTILE_KEYS = ("9" * 19, "9" * 400, "-1", "+1", " 1", "1_0", "1.0", "1e3", "٣", "²", "0x1", "a\nb", "' OR 1=1 --")


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_what_no_list_numbers_is_refused(key: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        decode_number(encode_token(key))
    assert [violation.field for violation in refusal.value.violations] == ["page_token"]


def test_a_number_in_a_token_fits_the_database() -> None:
    assert (None, 0, 10**18 - 1) == tuple(
        decode_number(encode_token(key)) if key else decode_number("") for key in ("", "0", "9" * 18)
    )


def test_an_unset_page_size_is_a_hundred() -> None:
    assert (page_size_of(0), page_size_of(7)) == (100, 7)
