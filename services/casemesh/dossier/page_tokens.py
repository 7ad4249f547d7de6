"""Page tokens of the dossier service's lists: the last item's number, or its id. The runtime's are for other keys."""

from __future__ import annotations

from typing import Final

from casemesh.core.names import DOSSIER
from casemesh.runtime.paging import invalid_token

_FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"


def index_of(page_token: str) -> int:
    """The number of the last item before the page, -1 before the first. Raises InvalidArgument (FIELD_INVALID)."""
    if not page_token:
        return -1
    if not page_token.isascii() or not page_token.isdigit() or len(page_token) > 9:
        raise invalid_token()
    return int(page_token)


def id_of(page_token: str) -> str:
    """The id of the last item before the page, the lowest before the first. Raises InvalidArgument (FIELD_INVALID)."""
    if not page_token:
        return _FIRST_ID
    try:
        return DOSSIER.parse(DOSSIER.format(dossier=page_token))["dossier"]
    except ValueError:
        raise invalid_token() from None
