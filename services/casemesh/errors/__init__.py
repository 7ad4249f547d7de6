"""The error tree and its way across the wire."""

from casemesh.errors.status import from_rpc_error, from_status, to_status
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
    not_found,
)

__all__ = [
    "AlreadyExists",
    "CaseMeshError",
    "Conflict",
    "DataLoss",
    "DeadlineExceeded",
    "FailedPrecondition",
    "FieldViolation",
    "InvalidArgument",
    "NotFound",
    "OutOfRange",
    "PermissionDenied",
    "ResourceExhausted",
    "Unauthenticated",
    "Unavailable",
    "from_rpc_error",
    "from_status",
    "not_found",
    "to_status",
]
