"""Errors cross the wire whole."""

import pytest
from google.rpc import code_pb2, status_pb2

from casemesh.errors import (
    CaseMeshError,
    Conflict,
    DataLoss,
    FieldViolation,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    from_status,
    not_found,
    to_status,
)

ERRORS = [
    InvalidArgument("FIELD_INVALID", "case must be set", violations=[FieldViolation("case", "must be set")]),
    Unauthenticated("TOKEN_EXPIRED", "get another"),
    NotFound("NOT_FOUND", "no such resource"),
    Conflict("CHUNK_OFFSET_MISMATCH", "go on at 7", {"expected_offset_bytes": 7}),
    ResourceExhausted("LIMIT_EXCEEDED", "too many", retry_after_seconds=2.5),
    ResourceExhausted("DOSSIER_TOO_LARGE", "over 20 GB"),
    Unavailable("DATABASE_UNAVAILABLE", "try again", retry_after_seconds=1.0),
    DataLoss("CONTENT_CORRUPT", "stored bytes do not verify", {"document_index": 3}),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.reason)
def test_an_error_comes_back_whole_over_the_wire(error: CaseMeshError) -> None:
    back = from_status(status_pb2.Status.FromString(to_status(error).SerializeToString()))
    assert type(error) is type(back)
    assert vars(error) == vars(back)


def test_a_status_that_is_not_ours_keeps_its_code_and_says_so() -> None:
    back = from_status(status_pb2.Status(code=code_pb2.UNAVAILABLE, message="upstream reset"))
    assert isinstance(back, Unavailable)
    assert (back.reason, back.message) == ("UNKNOWN", "upstream reset")


def test_absent_and_forbidden_are_one_answer() -> None:
    assert to_status(not_found()) == to_status(not_found())
    assert not_found().metadata == {}
