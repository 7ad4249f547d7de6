"""Failures of the services this one asks, as its own callers should see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from casemesh.errors import CaseMeshError, Unauthenticated, Unavailable

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 3.0
"""Deadline of every call to another service."""

# A bare status without our reason, and a table of callers that does not list us: faults between services.
_NO_ANSWER = frozenset({"UNKNOWN", "CALLER_NOT_ALLOWED"})


@contextmanager
def asking(service: str, *answers: type[CaseMeshError]) -> Iterator[None]:
    """Let pass what is an answer of `service` to the caller: errors of the classes `answers`, and a token that ended.

    Anything else is a failure of the platform and not of the caller: raises Unavailable (DEPENDENCY_UNAVAILABLE).
    """
    try:
        yield
    except CaseMeshError as error:
        token_ended = isinstance(error, Unauthenticated) and error.reason == "TOKEN_EXPIRED"
        if token_ended or (isinstance(error, answers) and error.reason not in _NO_ANSWER):
            raise
        log.warning("dependency.failed", dependency=service, reason=error.reason, code=error.code)
        raise Unavailable(
            "DEPENDENCY_UNAVAILABLE", f"{service} does not answer; try again", {"dependency": service}
        ) from error
