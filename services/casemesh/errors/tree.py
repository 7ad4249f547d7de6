"""The errors of CaseMesh, one class per gRPC status code, each with a reason from `error_reason.proto`.

A message names the field and the remedy and holds no personal data: it crosses the wire and reaches logs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from google.rpc import code_pb2


@dataclass(frozen=True)
class FieldViolation:
    """One field of a request that breaks a rule: its path and what it must be."""

    field: str
    description: str


class CaseMeshError(Exception):
    """An error with a stable reason.

    `reason` is a value of `ErrorReason` without its prefix; `metadata` are the keys its comment lists.
    """

    code: ClassVar[int] = code_pb2.INTERNAL

    def __init__(self, reason: str, message: str, metadata: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = {key: str(value) for key, value in (metadata or {}).items()}

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class InvalidArgument(CaseMeshError):
    """The request itself is wrong; repeating it does not help."""

    code = code_pb2.INVALID_ARGUMENT

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, object] | None = None,
        violations: Sequence[FieldViolation] = (),
    ) -> None:
        super().__init__(reason, message, metadata)
        self.violations = tuple(violations)


class Unauthenticated(CaseMeshError):
    """Who calls is not proved."""

    code = code_pb2.UNAUTHENTICATED


class PermissionDenied(CaseMeshError):
    """Who calls is known and may not do this."""

    code = code_pb2.PERMISSION_DENIED


class NotFound(CaseMeshError):
    """There is no such resource, or the caller may not know of it."""

    code = code_pb2.NOT_FOUND


class AlreadyExists(CaseMeshError):
    """Another resource has this identifier."""

    code = code_pb2.ALREADY_EXISTS


class FailedPrecondition(CaseMeshError):
    """The state does not allow this step."""

    code = code_pb2.FAILED_PRECONDITION


class OutOfRange(CaseMeshError):
    """A position lies beyond the end."""

    code = code_pb2.OUT_OF_RANGE


class Conflict(CaseMeshError):
    """Somebody else was first: read again, then retry."""

    code = code_pb2.ABORTED


class ResourceExhausted(CaseMeshError):
    """A stated limit is reached. `retry_after_seconds` is when to come back; None when waiting does not help."""

    code = code_pb2.RESOURCE_EXHAUSTED

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, object] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason, message, metadata)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(CaseMeshError):
    """Something needed does not answer now; the same call may go through later."""

    code = code_pb2.UNAVAILABLE

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, object] | None = None,
        retry_after_seconds: float | None = 1.0,
    ) -> None:
        super().__init__(reason, message, metadata)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(CaseMeshError):
    """The call's time ran out before its answer; with the same `request_id` it can be repeated."""

    code = code_pb2.DEADLINE_EXCEEDED


class DataLoss(CaseMeshError):
    """Stored bytes do not verify."""

    code = code_pb2.DATA_LOSS


def not_found() -> NotFound:
    """Return the one answer to a resource that does not exist and to one the caller may not know of.

    Permission before existence: one message and no metadata, so that the two cannot be told apart.
    """
    return NotFound("NOT_FOUND", "no such resource, or you have no access to it")
