"""Page tokens: the key of the last item of a page, so that a list goes on where it was however it changed meanwhile."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from casemesh.core.ids import is_uuid
from casemesh.errors import FieldViolation, InvalidArgument

DEFAULT_PAGE_SIZE = 100
FIRST_UUID = "00000000-0000-0000-0000-000000000000"
LAST_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_AGENCY_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
T = TypeVar("T")


def is_agency_code(text: str) -> bool:
    """Say whether `text` has the form of an agency's code."""
    return _AGENCY_CODE.fullmatch(text) is not None


def page_size_of(asked: int) -> int:
    """Return how many items a page has when a request asks for `asked`; zero stands for unset."""
    return asked or DEFAULT_PAGE_SIZE


def read_page_token(token: str, first: str, is_key: Callable[[str], bool] = is_uuid) -> str:
    """Return the key to go on after; `first` when there is no token.

    Raises InvalidArgument for a token that no list of this kind gave.
    """
    if not token:
        return first
    try:
        key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not is_key(key):
        description = "must be next_page_token of the page before"
        raise InvalidArgument(
            "FIELD_INVALID", f"page_token {description}", violations=[FieldViolation("page_token", description)]
        )
    return key


def cut_page(items: Sequence[T], page_size: int, key: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """Return the page and its `next_page_token` from up to `page_size` + 1 items."""
    page = items[:page_size]
    if len(items) <= page_size:
        return page, ""
    return page, base64.urlsafe_b64encode(key(page[-1]).encode()).decode()
