"""Which failed calls may be made again, and when.

A call is repeated only when that cannot have a second effect: it changes nothing, or it carries a `request_id`, under
which the platform gives the first answer again. Streams are never repeated here; their owners go on from what was
committed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from google.protobuf.message import Message

from casemesh.errors import CaseMeshError, Unavailable

MAX_ATTEMPTS = 4
_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 5.0
_RENEWABLE = frozenset({"TOKEN_EXPIRED", "TOKEN_CERTIFICATE_MISMATCH"})


def is_repeatable(request: Message) -> bool:
    """Say whether a unary call with this request may be made twice.

    In the contract every mutation has a `request_id`, so a request type without that field is a read (or hands out
    something short-lived: a token, a lease on deliveries). One with the field unset is a mistake and is not repeated.
    """
    if "request_id" not in request.DESCRIPTOR.fields_by_name:
        return True
    return bool(request.request_id)  # type: ignore[attr-defined]


def asks_for_new_token(error: CaseMeshError) -> bool:
    """Say whether the call was refused only because of a token that this client can replace."""
    return error.reason in _RENEWABLE


def asks_for_fresh_login(error: CaseMeshError) -> bool:
    """Say whether the call was refused because it binds the officer, whose login is too old or not stated."""
    return error.reason == "LOGIN_NOT_FRESH"


def pauses(jitter: random.Random | None = None) -> Iterator[float]:
    """Yield the seconds to wait before each further attempt.

    Random below a ceiling that doubles, so that the clients of a platform that was down do not come back all at once.
    """
    source = jitter or random.Random()  # noqa: S311 - spreads load, guards nothing
    ceiling = _FIRST_SECONDS
    for _ in range(MAX_ATTEMPTS - 1):
        yield source.uniform(ceiling / 2, ceiling)
        ceiling = min(ceiling * 2, _LONGEST_SECONDS)


def pause_after(error: CaseMeshError, pause: float) -> float:
    """Return the seconds to wait after `error`: at least what the platform asked for, if it did."""
    asked = error.retry_after_seconds if isinstance(error, Unavailable) else None
    return max(pause, min(asked or 0.0, _LONGEST_SECONDS))
