"""Exit codes of `casemesh`: stable, so that scripts can act on them. They stand in docs/cli.md as well."""

from __future__ import annotations

from enum import IntEnum

from casemesh.errors import (
    AlreadyExists,
    CaseMeshError,
    Conflict,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)


class ExitCode(IntEnum):
    """What a run ended with."""

    OK = 0
    FAILED = 1
    """A fault of the platform or of this machine."""
    USAGE = 2
    """Wrong use: unknown option, missing profile."""
    NOT_FOUND_OR_DENIED = 3
    """No such thing, or no right to it; the platform does not say which."""
    INVALID_INPUT = 4
    """The input or the state of the matter does not allow this; repeating it does not help."""
    UNAVAILABLE = 5
    """Not now; the same command may go through later."""
    VERIFICATION_FAILED = 6
    """Bytes, a signature or a proof do not hold."""
    BLOCKED = 7
    """A check found what must not leave so."""
    INTERRUPTED = 130
    """Stopped by the user."""


def exit_code_of(error: CaseMeshError) -> ExitCode:
    """Return the exit code for a failure of the platform."""
    match error:
        case NotFound() | PermissionDenied() | Unauthenticated():
            return ExitCode.NOT_FOUND_OR_DENIED
        case InvalidArgument() | FailedPrecondition() | AlreadyExists() | OutOfRange():
            return ExitCode.INVALID_INPUT
        case Unavailable() | DeadlineExceeded() | Conflict():
            return ExitCode.UNAVAILABLE
        case ResourceExhausted():
            return ExitCode.UNAVAILABLE if error.retry_after_seconds is not None else ExitCode.INVALID_INPUT
        case DataLoss():
            return ExitCode.VERIFICATION_FAILED
        case _:
            return ExitCode.FAILED
