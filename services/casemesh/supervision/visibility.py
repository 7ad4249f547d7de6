"""Who may see a warning: those who may see the progress of its case, of an agency that it concerns; and supervisors,
who review access to the case.

Identity decides on the case each time. To all others there is no such warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from casemesh.errors import CaseMeshError, NotFound, PermissionDenied, Unauthenticated, Unavailable, not_found
from casemesh.identity.v1 import access_service_pb2
from casemesh.identity.v1.case_access_pb2 import (
    CASE_PERMISSION_REVIEW_ACCESS,
    CASE_PERMISSION_VIEW_PROGRESS,
    CasePermission,
)
from casemesh.runtime.access import Decider, bearer
from casemesh.runtime.call import Caller
from casemesh.supervision.warning_store import StoredWarning

if TYPE_CHECKING:
    from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceAsyncStub

_TIMEOUT_SECONDS = 3.0
_BATCH = 100


class Visibility:
    """Asks identity who may see what."""

    def __init__(self, access: AccessServiceAsyncStub, decider: Decider) -> None:
        self._access = access
        self._decider = decider

    async def seen(self, caller: Caller, warnings: Sequence[StoredWarning]) -> list[StoredWarning]:
        """Return those the caller may see, in their order. Raises Unavailable."""
        questions = list(dict.fromkeys((warning.case, _right_on(warning, caller)) for warning in warnings))
        allowed: set[tuple[str, CasePermission]] = set()
        for start in range(0, len(questions), _BATCH):
            batch = questions[start : start + _BATCH]
            checks = [
                access_service_pb2.CheckAccessRequest(case=case, permission=permission) for case, permission in batch
            ]
            try:
                answer = await self._access.BatchCheckAccess(
                    access_service_pb2.BatchCheckAccessRequest(checks=checks),
                    metadata=bearer(caller),
                    timeout=_TIMEOUT_SECONDS,
                )
            except CaseMeshError as error:
                raise _unanswered(error) from error
            allowed |= {
                question for question, decision in zip(batch, answer.decisions, strict=True) if decision.allowed
            }
        return [warning for warning in warnings if (warning.case, _right_on(warning, caller)) in allowed]

    async def seen_on_stream(self, caller: Caller, warnings: Sequence[StoredWarning]) -> list[StoredWarning]:
        """The same for a stream, whose token may have ended. Raises Unavailable."""
        decided: dict[tuple[str, CasePermission], bool] = {}
        for warning in warnings:
            question = (warning.case, _right_on(warning, caller))
            if question not in decided:
                decided[question] = (await self._decider.decide_again(caller, *question)).allowed
        return [warning for warning in warnings if decided[warning.case, _right_on(warning, caller)]]

    async def require(self, caller: Caller, warning: StoredWarning | None) -> StoredWarning:
        """Return a warning whose case's progress the caller may see, which its policy asked for. Raises NotFound."""
        if warning is None:
            raise not_found()
        if not warning.concerns(caller.agency) and not await self.seen(caller, [warning]):
            raise not_found()
        return warning

    async def reviews_any(self, caller: Caller) -> bool:
        """Say whether there is a case to which the caller reviews access. Raises Unavailable."""
        try:
            answer = await self._access.ListAccessibleCases(
                access_service_pb2.ListAccessibleCasesRequest(page_size=1, permission=CASE_PERMISSION_REVIEW_ACCESS),
                metadata=bearer(caller),
                timeout=_TIMEOUT_SECONDS,
            )
        except CaseMeshError as error:
            raise _unanswered(error) from error
        return bool(answer.cases)


def _right_on(warning: StoredWarning, caller: Caller) -> CasePermission:
    return CASE_PERMISSION_VIEW_PROGRESS if warning.concerns(caller.agency) else CASE_PERMISSION_REVIEW_ACCESS


def _unanswered(error: CaseMeshError) -> CaseMeshError:
    """Return what the caller is told: a token that ended is his to renew, all else is the platform's."""
    if isinstance(error, Unauthenticated) and error.reason == "TOKEN_EXPIRED":
        return error
    if isinstance(error, NotFound | PermissionDenied) and error.reason not in ("UNKNOWN", "CALLER_NOT_ALLOWED"):
        return error
    return Unavailable("DEPENDENCY_UNAVAILABLE", "identity does not answer; try again", {"dependency": "identity"})
