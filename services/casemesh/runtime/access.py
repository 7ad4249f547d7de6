"""Decisions on cases and on whether a caller may act at all, asked of identity.

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
from casemesh.errors import (
    CaseMeshError,
    DeadlineExceeded,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    not_found,
)
from casemesh.identity.v1 import access_service_pb2, case_access_pb2, standing_service_pb2
from casemesh.runtime.call import Caller

if TYPE_CHECKING:
    from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceAsyncStub
    from casemesh.identity.v1.standing_service_pb2_grpc import StandingServiceAsyncStub

_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class Decision:
    """A decision: whether it is allowed, whether the case is visible at all, and the rule and fact behind it."""

    allowed: bool
    visible: bool
    basis: str
    reading: str = ""
    """The identifier under which identity counted the reading, where it was asked about one."""
    through_agency: str = ""
    """The agency whose view of the case is to be shown, where the right was given by that one alone."""


Decide = Callable[[Caller, str, case_access_pb2.CasePermission], Awaitable[Decision]]


class Decider(Protocol):
    """Decides what a caller may do with a case."""

    async def decide(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        """Return the decision now. A case that does not exist must give the same as one that is not visible."""
        ...

    async def decide_again(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        """Return the decision now for an open stream, whose token may have ended."""
        ...

    async def decide_reading(
        self, caller: Caller, case: str, permission: case_access_pb2.CasePermission, purpose: str
    ) -> Decision:
        """Return the decision now on a reading for a kind of purpose; one that is allowed is counted.

        Raises ResourceExhausted (READING_LIMIT_REACHED) for one that is allowed and too many.
        """
        ...


class RemoteDecider:
    """Asks identity."""

    def __init__(self, stub: AccessServiceAsyncStub) -> None:
        self._stub = stub

    async def decide(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        return await self.decide_reading(caller, case, permission, "")

    async def decide_reading(
        self, caller: Caller, case: str, permission: case_access_pb2.CasePermission, purpose: str
    ) -> Decision:
        request = access_service_pb2.CheckAccessRequest(case=case, permission=permission, purpose=purpose)
        with _identity_or_unavailable():
            answer = await self._stub.CheckAccess(request, metadata=bearer(caller), timeout=_TIMEOUT_SECONDS)
        return Decision(answer.allowed, answer.visible, answer.basis, answer.reading, answer.through_agency)

    async def decide_again(self, caller: Caller, case: str, permission: case_access_pb2.CasePermission) -> Decision:
        request = access_service_pb2.RecheckAccessRequest(
            case=case,
            permission=permission,
            system=caller.system,
            officer=caller.officer or "",
            certificate_sha256=caller.certificate or b"",
        )
        with _identity_or_unavailable():
            answer = await self._stub.RecheckAccess(request, timeout=_TIMEOUT_SECONDS)
        return Decision(answer.allowed, answer.visible, answer.basis)


InactivePart = Callable[[Caller], Awaitable[str]]
"""Returns what of a caller is not active now: `agency`, `client`, `certificate` or `officer`; empty when all are."""


def ask_standing(stub: StandingServiceAsyncStub) -> InactivePart:
    """Return what asks identity, each time anew."""

    async def inactive_part(caller: Caller) -> str:
        request = standing_service_pb2.CheckStandingRequest(
            system=caller.system, officer=caller.officer or "", certificate_sha256=caller.certificate or b""
        )
        with _identity_or_unavailable():
            answer = await stub.CheckStanding(request, timeout=_TIMEOUT_SECONDS)
        return answer.inactive_part

    return inactive_part


async def require_active(inactive_part: InactivePart, caller: Caller) -> None:
    """Raises Unauthenticated (CALLER_NOT_ACTIVE) when anything of the caller is suspended or revoked."""
    part = await inactive_part(caller)
    if part:
        raise Unauthenticated("CALLER_NOT_ACTIVE", f"the {part} behind the call is not active", {"part": part})


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
