"""Suspending, resuming and revoking: each step in one transaction with its event, once per request id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CERTIFICATE, OFFICER, SYSTEM, WORKSTATION
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, not_found
from casemesh.identity import standing_store
from casemesh.identity.standing_store import Member
from casemesh.identity.v1.directory_admin_service_pb2 import (
    ResumeRequest,
    ResumeResponse,
    RevokeRequest,
    RevokeResponse,
    SuspendRequest,
    SuspendResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_FORMS = (
    ("agency", AGENCY),
    ("system", SYSTEM),
    ("workstation", WORKSTATION),
    ("officer", OFFICER),
    ("certificate", CERTIFICATE),
)
# What each state may become; becoming what it is changes nothing. Revoked is for good.
_NEXT = {
    "registered": {"revoked"},
    "active": {"suspended", "revoked"},
    "suspended": {"active", "revoked"},
    "revoked": set[str](),
}

Request = SuspendRequest | ResumeRequest | RevokeRequest
R = TypeVar("R", SuspendResponse, ResumeResponse, RevokeResponse)


def member_of(name: str, field: str = "name") -> Member:
    """Return what a resource name stands for.

    Raises InvalidArgument that names `field` when it is not the name of anything that has a state.
    """
    for kind, form in _FORMS:
        try:
            segments = form.parse(name)
        except ValueError:
            continue
        return Member(kind, name, segments["agency"], segments[kind] if kind != "agency" else None)
    rule = "must name an agency, system, workstation, officer or certificate"
    raise InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])


class StandingChanges:
    """Changes states. `wake` is called after each commit that left an event to send.

    A change holds from its commit: decisions read the state each time and keep nothing.
    """

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def suspend(self, call: Call, request: SuspendRequest) -> SuspendResponse:
        """Raises NotFound; FailedPrecondition (ENROLMENT_STATE_WRONG) for what is revoked."""
        return await self._change(call, request, SuspendResponse, "suspended", "identity.suspended")

    async def resume(self, call: Call, request: ResumeRequest) -> ResumeResponse:
        """Raises as `suspend`."""
        return await self._change(call, request, ResumeResponse, "active", "identity.resumed")

    async def revoke(self, call: Call, request: RevokeRequest) -> RevokeResponse:
        """Raises NotFound."""
        return await self._change(call, request, RevokeResponse, "revoked", "identity.revoked")

    async def _change(self, call: Call, request: Request, form: type[R], state: str, action: str) -> R:
        member = member_of(request.name)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, form)) is not None:
                return answered
            before = await standing_store.lock_state(transaction, member)
            if before is None:
                raise not_found()
            if before != state:
                if state not in _NEXT[before]:
                    raise FailedPrecondition(
                        "ENROLMENT_STATE_WRONG", f"it is {before} and cannot become {state}", {"state": before}
                    )
                await standing_store.set_state(transaction, member, state, new_id(), request.reason, call.peer_name)
                details = {"before": before, "reason": request.reason}
                await record(transaction, call, event_of(call, self._clock, action, member.name, details=details))
            standing = await standing_store.standing_in(transaction, member, state)
            response = form(standing=standing)
            await remember(transaction, call, request, response)
        self._wake()
        return response
