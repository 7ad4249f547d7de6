"""Pages of lists ordered by a key that a token can be checked against."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from casemesh.core.ids import is_uuid
from casemesh.runtime.paging import decode_token, encode_token, invalid_token

FIRST_UUID = "00000000-0000-0000-0000-000000000000"
LAST_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_AGENCY_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
T = TypeVar("T")


def is_agency_code(text: str) -> bool:
    """Say whether `text` has the form of an agency's code."""
    return _AGENCY_CODE.fullmatch(text) is not None


def is_pair_of_uuids(text: str) -> bool:
    """Say whether `text` is two UUIDs with a slash between them."""
    first, _, second = text.partition("/")
    return is_uuid(first) and is_uuid(second)


def read_page_token(token: str, first: str, is_key: Callable[[str], bool] = is_uuid) -> str:
    """Return the key to go on after; `first` when there is no token.

    Raises InvalidArgument for a token that no list of this kind gave.
    """
    if not token:
        return first
    key = decode_token(token)
    if not is_key(key):
        raise invalid_token()
    return key


def cut_page(items: Sequence[T], page_size: int, key: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """Return the page and its `next_page_token` from up to `page_size` + 1 items."""
    page = items[:page_size]
    if len(items) <= page_size:
        return page, ""
    return page, encode_token(key(page[-1]))
