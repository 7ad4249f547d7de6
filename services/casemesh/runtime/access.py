"""Decisions on cases, asked of identity with the token of the one who acts.

Nothing is cached: a revoked right is gone at the next question. When identity does not answer, the call fails with
UNAVAILABLE; it is never let through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.errors import CaseMeshError, DeadlineExceeded, PermissionDenied, Unavailable, not_found
from casemesh.identity.v1 import access_service_pb2, case_access_pb2
from casemesh.runtime.call import Caller

if TYPE_CHECKING:
    from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceAsyncStub

_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class Decision:
    """A decision: whether it is allowed, whether the case is visible at all, and the rule and fact behind it."""

    allowed: bool
    visible: bool
    basis: str


Decide = Callable[[Caller, str, case_access_pb2.CasePermission], Awaitable[Decision]]


class Decider(Protocol):
    """Decides what a caller may do with a case."""

    async def decide(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        """Return the decision now. A case that does not exist must give the same as one that is not visible."""
        ...

    async def decide_again(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        """Return the decision now for an open stream, whose token may have ended."""
        ...


class RemoteDecider:
    """Asks identity."""

    def __init__(self, stub: AccessServiceAsyncStub) -> None:
        self._stub = stub

    async def decide(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        request = access_service_pb2.CheckAccessRequest(case=case, permission=permission)
        with _identity_or_unavailable():
            answer = await self._stub.CheckAccess(request, metadata=bearer(caller), timeout=_TIMEOUT_SECONDS)
        return Decision(answer.allowed, answer.visible, answer.basis)

    async def decide_again(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        request = access_service_pb2.RecheckAccessRequest(
            case=case, permission=permission, system=caller.system, officer=caller.officer or ""
        )
        with _identity_or_unavailable():
            answer = await self._stub.RecheckAccess(request, timeout=_TIMEOUT_SECONDS)
        return Decision(answer.allowed, answer.visible, answer.basis)


@contextmanager
def _identity_or_unavailable() -> Iterator[None]:
    try:
        yield
    except CaseMeshError as error:
        if isinstance(error, Unavailable | DeadlineExceeded) or error.reason == "UNKNOWN":
            raise Unavailable(
                "DEPENDENCY_UNAVAILABLE", "identity does not answer; try again", {"dependency": "identity"}
            ) from error
        raise


def bearer(caller: Caller) -> list[tuple[str, str]]:
    """Return the metadata that relays a caller's token to a service whose policy lists us."""
    return [("authorization", f"Bearer {caller.token}")]


async def authorize(
    decide: Decide, caller: Caller, case: str | None, permission: case_access_pb2.CasePermission
) -> Decision:
    """Return the decision that allows it.

    `case` None stands for a resource that does not exist: identity is asked all the same, about a case nobody has, so
    that the two take alike.

    Raises NotFound to one who may not see the case, PermissionDenied to one who may see it but not do this.
    """
    decision = await decide(caller, case or CASE.format(case=new_id()), permission)
    if decision.allowed and case is not None:
        return decision
    if not decision.visible or case is None:
        raise not_found()
    name = case_access_pb2.CasePermission.Name(permission).removeprefix("CASE_PERMISSION_")
    raise PermissionDenied("PERMISSION_MISSING", f"this needs the right {name} on the case", {"permission": name})
