"""Changing the facts of case access: each step in one transaction with its events, once per request id."""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE, OFFICER
from casemesh.errors import FieldViolation, InvalidArgument, not_found
from casemesh.identity import fact_store
from casemesh.identity.facts import Fact
from casemesh.identity.recording import event_of_fact, own_officer
from casemesh.identity.v1.access_admin_service_pb2 import (
    AssignOfficerRequest,
    AssignOfficerResponse,
    EndAssignmentRequest,
    EndAssignmentResponse,
)
from casemesh.identity.v1.case_access_pb2 import CaseStage
from casemesh.identity.v1.case_participation_service_pb2 import (
    AddParticipationRequest,
    AddParticipationResponse,
    SetCaseStagesRequest,
    SetCaseStagesResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember


class CaseAccessChanges:
    """Adds and ends facts. Adding what is in force and ending what has ended change nothing and leave no event.

    `wake` is called after each commit. Changes to one case wait for each other; different cases do not.
    """

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def add_participation(self, call: Call, request: AddParticipationRequest) -> AddParticipationResponse:
        """Raises NotFound when there is no such agency or officer, InvalidArgument for an officer of another."""
        agency_id, case_id = AGENCY.parse(request.agency)["agency"], CASE.parse(request.case)["case"]
        officer_id = _officer_of(request, agency_id)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, AddParticipationResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            facts = [await self._participate(transaction, call, case_id, agency_id, request.cause, request.stage)]
            if officer_id is not None:
                facts.append(await self._assign(transaction, call, case_id, agency_id, officer_id, request.cause, ""))
            response = AddParticipationResponse(access=[fact.message() for fact in facts])
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def set_stages(self, call: Call, request: SetCaseStagesRequest) -> SetCaseStagesResponse:
        """Begin and end stages of a case, until it is at those asked for and no other."""
        case_id, wanted = CASE.parse(request.case)["case"], set(request.stages) - {CaseStage.CASE_STAGE_UNSPECIFIED}
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, SetCaseStagesResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            standing = await fact_store.open_stages(transaction, case_id)
            if standing != wanted:
                await fact_store.end_stages(transaction, case_id, sorted(standing - wanted))
                for stage in sorted(wanted - standing):
                    await fact_store.insert_stage(transaction, case_id, stage, new_id(), request.cause)
                names = ",".join(CaseStage.Name(stage).removeprefix("CASE_STAGE_") for stage in sorted(wanted))
                details = {"stages": names, "cause": request.cause}
                event = event_of(
                    call, self._clock, "access.stages.set", request.case, case=request.case, details=details
                )
                await record(transaction, call, event)
            response = SetCaseStagesResponse(stages=sorted(wanted))
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def assign_officer(self, call: Call, request: AssignOfficerRequest) -> AssignOfficerResponse:
        """Assign an officer of the caller's agency; the caller is the cause.

        Raises PermissionDenied (OFFICER_NOT_ASSERTABLE) for an officer of another agency, NotFound for one that the
        own agency does not have.
        """
        agency_id, officer_id = own_officer(call, request.officer)
        case_id = CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, AssignOfficerResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            cause = call.require_caller().subject
            fact = await self._assign(transaction, call, case_id, agency_id, officer_id, cause, request.reason)
            response = AssignOfficerResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def end_assignment(self, call: Call, request: EndAssignmentRequest) -> EndAssignmentResponse:
        """End an assignment in the caller's agency.

        Raises PermissionDenied (OFFICER_NOT_ASSERTABLE) for an officer of another agency, NotFound for one who never
        was assigned.
        """
        agency_id, officer_id = own_officer(call, request.officer)
        case_id = CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, EndAssignmentResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            ended_by = call.require_caller().subject
            fact = await fact_store.end_assignment(
                transaction, case_id, agency_id, officer_id, ended_by, request.reason
            )
            if fact is not None:
                await self._record(transaction, call, "access.assignment.ended", fact, request.reason)
            else:
                fact = await fact_store.last_assignment(transaction, case_id, agency_id, officer_id)
                if fact is None:
                    raise not_found()
            response = EndAssignmentResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _participate(
        self, transaction: Transaction, call: Call, case_id: str, agency_id: str, cause: str, stage: CaseStage
    ) -> Fact:
        fact = await fact_store.open_participation(transaction, case_id, agency_id, stage)
        if fact is not None:
            return fact
        fact = await fact_store.insert_participation(transaction, case_id, agency_id, new_id(), cause, stage)
        if fact is None:
            raise not_found()
        await self._record(transaction, call, "access.participation.added", fact, "")
        return fact

    async def _assign(
        self,
        transaction: Transaction,
        call: Call,
        case_id: str,
        agency_id: str,
        officer_id: str,
        cause: str,
        reason: str,
    ) -> Fact:
        fact = await fact_store.open_assignment(transaction, case_id, agency_id, officer_id)
        if fact is not None:
            return fact
        if not await fact_store.officer_exists(transaction, agency_id, officer_id):
            raise not_found()
        fact = await fact_store.insert_assignment(transaction, case_id, agency_id, officer_id, new_id(), cause, reason)
        await self._record(transaction, call, "access.assignment.added", fact, reason)
        return fact

    async def _record(self, transaction: Transaction, call: Call, action: str, fact: Fact, reason: str) -> None:
        await record(transaction, call, event_of_fact(call, self._clock, action, fact, reason))


def _officer_of(request: AddParticipationRequest, agency_id: str) -> str | None:
    if not request.officer:
        return None
    officer = OFFICER.parse(request.officer)
    if officer["agency"] != agency_id:
        description = "must be an officer of agency"
        raise InvalidArgument(
            "FIELD_INVALID", f"officer {description}", violations=[FieldViolation("officer", description)]
        )
    return officer["officer"]
