"""Page tokens of lists: opaque to callers, the key of the last item to us, so that a list goes on where it was however
it changed meanwhile.
"""

from __future__ import annotations

import base64

from casemesh.errors import FieldViolation, InvalidArgument

DEFAULT_PAGE_SIZE = 100
_MOST_DIGITS = 18


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
    except ValueError:
        raise invalid_token() from None
    # PostgreSQL keeps no NUL in a text.
    if encode_token(key) != token or "\0" in key:
        raise invalid_token()
    return key


def decode_number(token: str) -> int | None:
    """Return the number in a token, or None for the first page: from 0 to what a bigint of PostgreSQL holds.

    Raises InvalidArgument (FIELD_INVALID) for one that this service did not make.
    """
    key = decode_token(token)
    if not key:
        return None
    if not key.isascii() or not key.isdigit() or len(key) > _MOST_DIGITS:
        raise invalid_token()
    return int(key)


def invalid_token() -> InvalidArgument:
    """Return the error for a page token that is none of ours."""
    rule = "must be the next_page_token of the page before"
    return InvalidArgument("FIELD_INVALID", f"page_token {rule}", violations=[FieldViolation("page_token", rule)])
