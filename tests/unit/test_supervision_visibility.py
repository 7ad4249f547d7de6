"""A warning shows itself to the agencies it concerns and to who reviews access to the case; to others there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from casemesh.errors import CaseMeshError, NotFound, Unauthenticated, Unavailable
from casemesh.identity.v1 import access_service_pb2 as pb2
from casemesh.identity.v1.case_access_pb2 import CASE_PERMISSION_REVIEW_ACCESS, CASE_PERMISSION_VIEW_PROGRESS
from casemesh.runtime.call import Caller
from casemesh.supervision.visibility import Visibility
from casemesh.supervision.warning_store import OPEN, StoredWarning

NOW = datetime(2026, 7, 1, tzinfo=UTC)
POLICE, COURT = (f"01990000-0000-7000-8000-0000000000{number}" for number in ("aa", "bb"))


def case_id(number: int) -> str:
    return f"01990000-0000-7000-8000-{number:012}"


def a_warning(number: int = 1, concerned: Iterable[str] = (POLICE,)) -> StoredWarning:
    texts = dict.fromkeys(
        ("finding_key", "rule", "rule_version", "kind", "subject", "title_zh", "title_en", "explanation_zh"), "x"
    )
    return StoredWarning(
        **texts,
        warning_id=case_id(number + 1_000_000),
        case_id=case_id(number),
        rank=1,
        standing=1,
        state=OPEN,
        explanation_en="x",
        legal_basis="",
        due_time=None,
        concerned=tuple(concerned),
        owner="",
        create_time=NOW,
        update_time=NOW,
        acknowledge_time=None,
        escalate_at=NOW,
        escalate_time=None,
        close_time=None,
        close_reason="",
    )


class Identity:
    """Decides by a set of (case, permission); raises `error` instead where there is one."""

    def __init__(self, allowed: Iterable[tuple[str, int]] = (), error: CaseMeshError | None = None) -> None:
        self.allowed = set(allowed)
        self.error = error
        self.batches: list[int] = []

    async def BatchCheckAccess(self, request: pb2.BatchCheckAccessRequest, **_: Any) -> pb2.BatchCheckAccessResponse:
        if self.error is not None:
            raise self.error
        self.batches.append(len(request.checks))
        return pb2.BatchCheckAccessResponse(
            decisions=[
                pb2.CheckAccessResponse(allowed=(check.case, check.permission) in self.allowed)
                for check in request.checks
            ]
        )


def through(identity: Identity) -> Visibility:
    return Visibility(cast(Any, identity), cast(Any, None))


def of(agency: str) -> Caller:
    return Caller(f"agencies/{agency}", f"agencies/{agency}/systems/{case_id(9)}", None, "token", 0.0)


async def test_progress_is_enough_where_the_agency_is_concerned_and_nowhere_else() -> None:
    visibility = through(Identity({(a_warning().case, CASE_PERMISSION_VIEW_PROGRESS)}))
    assert [a_warning()] == await visibility.seen(of(POLICE), [a_warning()])
    assert [] == await visibility.seen(of(COURT), [a_warning()])
    with pytest.raises(NotFound):
        await visibility.require(of(COURT), a_warning())
    with pytest.raises(NotFound):
        await visibility.require(of(COURT), None)


async def test_who_reviews_access_to_the_case_sees_what_concerns_others() -> None:
    visibility = through(Identity({(a_warning().case, CASE_PERMISSION_REVIEW_ACCESS)}))
    assert a_warning() == await visibility.require(of(COURT), a_warning())
    assert [] == await visibility.seen(of(POLICE), [a_warning()])


async def test_many_warnings_of_a_case_are_one_question_and_a_hundred_questions_one_call() -> None:
    identity = Identity({(a_warning(number).case, CASE_PERMISSION_VIEW_PROGRESS) for number in range(150)})
    warnings = [a_warning(number) for number in range(200)]
    doubled = [*warnings, *(replace(warning, rule="y") for warning in warnings)]
    seen = await through(identity).seen(of(POLICE), doubled)
    assert ([100, 100], [*doubled[:150], *doubled[200:350]]) == (identity.batches, seen)


async def test_a_token_that_ended_is_the_callers_to_renew_and_all_else_the_platforms() -> None:
    with pytest.raises(Unauthenticated):
        await through(Identity(error=Unauthenticated("TOKEN_EXPIRED", "over"))).seen(of(POLICE), [a_warning()])
    for error in (Unavailable("UNKNOWN", "down"), NotFound("UNKNOWN", "no such method")):
        with pytest.raises(Unavailable) as told:
            await through(Identity(error=error)).seen(of(POLICE), [a_warning()])
        assert {"dependency": "identity"} == told.value.metadata
