"""Errors across the wire, both directions side by side.

A status carries one `ErrorInfo` (domain `casemesh`) and, where the class has more to say, `BadRequest` or `RetryInfo`.
"""

from __future__ import annotations

from typing import Protocol

from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from casemesh.errors.tree import (
    AlreadyExists,
    CaseMeshError,
    Conflict,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)

DOMAIN = "casemesh"
DETAILS_KEY = "grpc-status-details-bin"
_CLASSES: dict[int, type[CaseMeshError]] = {
    cls.code: cls
    for cls in (
        InvalidArgument,
        Unauthenticated,
        PermissionDenied,
        NotFound,
        AlreadyExists,
        FailedPrecondition,
        OutOfRange,
        Conflict,
        ResourceExhausted,
        Unavailable,
        DeadlineExceeded,
        DataLoss,
    )
}


class RpcFailure(Protocol):
    """What we read of a failed call: grpc.aio.AioRpcError has it."""

    def code(self) -> object: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> object: ...


def to_status(error: CaseMeshError) -> status_pb2.Status:
    """Return the status that carries `error`; `from_status` gives it back whole."""
    status = status_pb2.Status(code=error.code, message=error.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    if isinstance(error, InvalidArgument) and error.violations:
        bad_request = error_details_pb2.BadRequest()
        for violation in error.violations:
            bad_request.field_violations.add(field=violation.field, description=violation.description)
        status.details.add().Pack(bad_request)
    if isinstance(error, ResourceExhausted | Unavailable) and error.retry_after_seconds is not None:
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def from_status(status: status_pb2.Status) -> CaseMeshError:
    """Return the error a status carries.

    A status without our `ErrorInfo` (from a proxy, or gRPC itself) becomes an error of its
    code's class with the reason `UNKNOWN`.
    """
    info = error_details_pb2.ErrorInfo(reason="UNKNOWN")
    bad_request = error_details_pb2.BadRequest()
    retry: error_details_pb2.RetryInfo | None = None
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            detail.Unpack(bad_request)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
    metadata = dict(info.metadata)
    cls = _CLASSES.get(status.code, CaseMeshError)
    if issubclass(cls, InvalidArgument):
        violations = [FieldViolation(item.field, item.description) for item in bad_request.field_violations]
        return cls(info.reason, status.message, metadata, violations)
    if issubclass(cls, ResourceExhausted | Unavailable):
        delay = retry.retry_delay.ToMilliseconds() / 1000 if retry is not None else None
        return cls(info.reason, status.message, metadata, delay)
    return cls(info.reason, status.message, metadata)


def from_rpc_error(error: RpcFailure) -> CaseMeshError:
    """Return the error behind a failed call: from its status details, or from its bare code where it has none."""
    metadata = error.trailing_metadata() or ()
    for key, value in metadata:  # type: ignore[attr-defined]
        if key == DETAILS_KEY and isinstance(value, bytes):
            return from_status(status_pb2.Status.FromString(value))
    code = error.code()
    number: int = code.value[0] if code is not None else 2  # type: ignore[attr-defined]
    return from_status(status_pb2.Status(code=number, message=error.details() or "the call failed"))
