"""Which of other cases a caller may know of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from casemesh.errors import PermissionDenied, not_found
from casemesh.identity.v1 import access_service_pb2, case_access_pb2
from casemesh.routing.case_store import case_of
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.v1 import case_pb2
from casemesh.runtime.access import bearer
from casemesh.runtime.call import Caller

if TYPE_CHECKING:
    from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceAsyncStub

VIEW_PROGRESS = case_access_pb2.CASE_PERMISSION_VIEW_PROGRESS
VIEW_CASE = case_access_pb2.CASE_PERMISSION_VIEW_CASE
CHANGE_CASE = case_access_pb2.CASE_PERMISSION_SUBMIT_EXCHANGE
"""The right of those who work on a case; it also lets them change who is in it."""
_BATCH = 100


class CaseVisibility:
    """Asks identity about cases that the policy of a call did not decide on."""

    def __init__(self, access: AccessServiceAsyncStub) -> None:
        self._access = access

    async def allowed(
        self, caller: Caller, cases: Iterable[str], permission: case_access_pb2.CasePermission
    ) -> set[str]:
        """Return those of `cases` on which the caller has a right. Raises Unavailable."""
        return {
            case
            for case, decision in await self._decisions(caller, list(dict.fromkeys(cases)), permission)
            if decision.allowed
        }

    async def require(self, caller: Caller, cases: Sequence[str], permission: case_access_pb2.CasePermission) -> None:
        """Check that the caller has a right on each of `cases`.

        Raises NotFound, PermissionDenied (PERMISSION_MISSING), Unavailable.
        """
        for _, decision in await self._decisions(caller, cases, permission):
            if not decision.visible:
                raise not_found()
            if not decision.allowed:
                name = case_access_pb2.CasePermission.Name(permission).removeprefix("CASE_PERMISSION_")
                raise PermissionDenied(
                    "PERMISSION_MISSING", f"this needs the right {name} on each of the cases", {"permission": name}
                )

    async def hide_others(self, caller: Caller, case: case_pb2.Case) -> None:
        """Take out of a case what names other cases that the caller may not know of."""
        held: list[case_pb2.Case | case_pb2.Party] = [case, *case.parties]
        named = {case_of(name) for each in held for name in (*each.predecessors, *each.successors)} - {case.name}
        seen = await self.allowed(caller, named, VIEW_PROGRESS) | {case.name}
        for each in held:
            for names in (each.predecessors, each.successors):
                names[:] = [name for name in names if case_of(name) in seen]

    async def _decisions(
        self, caller: Caller, cases: Sequence[str], permission: case_access_pb2.CasePermission
    ) -> list[tuple[str, access_service_pb2.CheckAccessResponse]]:
        decisions: list[tuple[str, access_service_pb2.CheckAccessResponse]] = []
        for start in range(0, len(cases), _BATCH):
            batch = cases[start : start + _BATCH]
            request = access_service_pb2.BatchCheckAccessRequest(
                checks=[access_service_pb2.CheckAccessRequest(case=case, permission=permission) for case in batch]
            )
            with asking("identity"):
                answer = await self._access.BatchCheckAccess(request, metadata=bearer(caller), timeout=TIMEOUT_SECONDS)
            decisions += zip(batch, answer.decisions, strict=True)
        return decisions
