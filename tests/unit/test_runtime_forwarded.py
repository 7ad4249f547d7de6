"""Of `x-forwarded-client-cert` only the first hash is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.errors import Unauthenticated
from casemesh.runtime.forwarded import HEADER, fingerprint

HASH = "ab" * 32
OTHER = "cd" * 32


def test_the_first_hash_is_the_certificates() -> None:
    assert bytes.fromhex(HASH) == fingerprint([(HEADER, f"Hash={HASH}")])
    assert bytes.fromhex(HASH) == fingerprint([(HEADER, f"Hash={HASH};URI=spiffe://a/b,Hash={OTHER}")])


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [(HEADER, f"Hash={HASH}"), (HEADER, f"Hash={HASH}")],
        [(HEADER, "")],
        [(HEADER, f"Hash={HASH[:-2]}")],
        [(HEADER, f"URI=spiffe://a/b;Hash={OTHER}")],
        [(HEADER, f"By=x;XHash={HASH}")],
    ],
)
def test_a_missing_doubled_or_injected_header_is_refused(metadata: list[tuple[str, str]]) -> None:
    with pytest.raises(Unauthenticated):
        fingerprint(metadata)


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_whatever_stands_in_the_uri_the_hash_stays_the_first(uri: str) -> None:
    assert bytes.fromhex(HASH) == fingerprint([(HEADER, f"Hash={HASH};URI={uri};Hash={OTHER}")])
