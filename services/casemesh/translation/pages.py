"""Pages of a list ordered by identifier. The token is the last identifier of a page, so that a list goes on where it
was however it changed meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from casemesh.errors import FieldViolation, InvalidArgument

DEFAULT_PAGE_SIZE = 100


def page_of(identifiers: Sequence[str], page_size: int, page_token: str) -> tuple[Sequence[str], str]:
    """Return a page of sorted identifiers and the token of the next, empty on the last. `page_size` 0 is the default.

    Raises InvalidArgument (FIELD_INVALID) for a token that is none.
    """
    after = _read(page_token)
    rest = [identifier for identifier in identifiers if identifier > after]
    page = rest[: page_size or DEFAULT_PAGE_SIZE]
    return page, base64.urlsafe_b64encode(page[-1].encode()).decode() if len(page) < len(rest) else ""


def _read(page_token: str) -> str:
    try:
        return base64.b64decode(page_token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        description = "must be next_page_token of the page before"
        raise InvalidArgument(
            "FIELD_INVALID", f"page_token {description}", violations=[FieldViolation("page_token", description)]
        ) from None
