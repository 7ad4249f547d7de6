"""Pages of a list ordered by identifier."""

from __future__ import annotations

from collections.abc import Sequence

from casemesh.runtime.paging import decode_token, encode_token, page_size_of


def page_of(identifiers: Sequence[str], page_size: int, page_token: str) -> tuple[Sequence[str], str]:
    """Return a page of sorted identifiers and the token of the next, empty on the last. `page_size` 0 is the default.

    Raises InvalidArgument (FIELD_INVALID) for a token that is none.
    """
    after = decode_token(page_token)
    rest = [identifier for identifier in identifiers if identifier > after]
    page = rest[: page_size_of(page_size)]
    return page, encode_token(page[-1]) if len(page) < len(rest) else ""
