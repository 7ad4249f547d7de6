"""Passing rights on to a colleague (委托), and taking them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE
from casemesh.errors import FailedPrecondition, not_found
from casemesh.identity import fact_store
from casemesh.identity.access_rules import UNCONNECTED, AccessRules
from casemesh.identity.recording import calling_officer, event_of_fact, expiry, own_officer
from casemesh.identity.v1.access_admin_service_pb2 import (
    DelegateAccessRequest,
    DelegateAccessResponse,
    EndDelegationRequest,
    EndDelegationResponse,
)
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember


class Delegating:
    """Begins and ends delegations. `wake` is called after each commit."""

    def __init__(self, database: Database, rules: AccessRules, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._wake = wake

    async def delegate(self, call: Call, request: DelegateAccessRequest) -> DelegateAccessResponse:
        """Pass rights of the calling officer's assignment on, to hold while that assignment does.

        Raises PermissionDenied (OFFICER_NOT_ASSERTABLE) for an officer of another agency, NotFound for one that the
        own agency does not have, FailedPrecondition for oneself (SAME_OFFICER), without an assignment or for a right
        that it does not give or that cannot be passed on (RIGHT_NOT_OWN), InvalidArgument for an end that is out of
        range.
        """
        agency_id, giver_id = calling_officer(call)
        _, officer_id = own_officer(call, request.officer)
        case_id, until = CASE.parse(request.case)["case"], expiry(request.expire_time, self._clock.now())
        if officer_id == giver_id:
            raise FailedPrecondition("SAME_OFFICER", "rights are passed on to a colleague, not to oneself")
        self._require_delegable(request)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, DelegateAccessResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            if await fact_store.open_assignment(transaction, case_id, agency_id, giver_id) is None:
                raise _not_own(request.permissions[0])
            if not await fact_store.officer_exists(transaction, agency_id, officer_id):
                raise not_found()
            rights = sorted(set(request.permissions))
            fact = await fact_store.insert_delegation(
                transaction, case_id, agency_id, officer_id, giver_id, new_id(), rights, request.reason, until
            )
            event = event_of_fact(call, self._clock, "access.delegation.added", fact, request.reason)
            await record(transaction, call, event)
            response = DelegateAccessResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def end(self, call: Call, request: EndDelegationRequest) -> EndDelegationResponse:
        """Raises NotFound when the caller's agency has no such delegation in the case."""
        agency_id = AGENCY.parse(call.require_caller().agency)["agency"]
        case_id = CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, EndDelegationResponse)) is not None:
                return answered
            ended_by = call.require_caller().subject
            fact = await fact_store.end_delegation(
                transaction, request.fact, case_id, agency_id, ended_by, request.reason
            )
            if fact is not None:
                event = event_of_fact(call, self._clock, "access.delegation.ended", fact, request.reason)
                await record(transaction, call, event)
            else:
                fact = await fact_store.delegation(transaction, request.fact, case_id, agency_id)
                if fact is None:
                    raise not_found()
            response = EndDelegationResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    def _require_delegable(self, request: DelegateAccessRequest) -> None:
        """Refuse what the rules do not give by an assignment, or do not give by a delegation and by that alone."""
        for right in request.permissions:
            if not right or not (
                self._allowed(right, assigned=True)
                and self._allowed(right, delegated=True)
                and not self._allowed(right)
            ):
                raise _not_own(right)

    def _allowed(self, right: CasePermission, *, assigned: bool = False, delegated: bool = False) -> bool:
        circumstances = replace(UNCONNECTED, takes_part=True, at_stage=True, assigned=assigned, delegated=delegated)
        return self._rules.rule(right, circumstances, officer=True).allowed


def _not_own(right: CasePermission) -> FailedPrecondition:
    name = CasePermission.Name(right).removeprefix("CASE_PERMISSION_")
    return FailedPrecondition(
        "RIGHT_NOT_OWN", f"{name} is not a right of your own assignment that can be passed on", {"permission": name}
    )
