"""Pages of lists: opaque tokens, and pages that fit a message."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from google.protobuf.message import Message

from casemesh.core.units import MIB
from casemesh.errors import FieldViolation, InvalidArgument

DEFAULT_PAGE_SIZE = 100
PAGE_MAX_BYTES = 3 * MIB + MIB // 2
"""Most bytes of one page; below the 4 MiB of a message and above the largest single record."""


def page_size_of(asked: int) -> int:
    """Return how many items to return when `asked` were asked for."""
    return asked or DEFAULT_PAGE_SIZE


def encode_token(key: str) -> str:
    """Return the token of the page after the item with this key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_token(token: str) -> str:
    """Return the key in a token, or "" for the first page.

    Raises InvalidArgument (FIELD_INVALID) for one that this service did not make.
    """
    try:
        key = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid_token() from None
    if encode_token(key) != token:
        raise invalid_token()
    return key


def invalid_token() -> InvalidArgument:
    """Return the error for a page token that is none of ours."""
    rule = "must be the next_page_token of the page before"
    return InvalidArgument("FIELD_INVALID", f"page_token {rule}", violations=[FieldViolation("page_token", rule)])


def fitting(items: Sequence[Message], budget: int = PAGE_MAX_BYTES) -> int:
    """Return how many of the first items fit one page together; at least one where there is any."""
    total = 0
    for count, item in enumerate(items):
        total += item.ByteSize() + 16  # tag and length beside each
        if total > budget and count:
            return count
    return len(items)
