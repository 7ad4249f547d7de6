"""The gRPC services of case access: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.core.names import AGENCY, CASE
from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.identity.access_store import AccessStore, Connected
from casemesh.identity.case_access import CaseAccessChanges
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.delegating import Delegating
from casemesh.identity.facts import officer_name
from casemesh.identity.page_tokens import FIRST_UUID, LAST_UUID, cut_page, is_pair_of_uuids, read_page_token
from casemesh.identity.reading_store import ReadingStore
from casemesh.identity.recording import moment, own_officer
from casemesh.identity.subjects import subject_of
from casemesh.identity.v1 import (
    access_admin_service_pb2,
    access_admin_service_pb2_grpc,
    access_service_pb2,
    access_service_pb2_grpc,
    case_participation_service_pb2,
    case_participation_service_pb2_grpc,
)
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.watching import Watch
from casemesh.runtime.access import Decision
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import page_size_of


class AccessServicer(access_service_pb2_grpc.AccessServiceServicer):
    """casemesh.identity.v1.AccessService."""

    def __init__(self, decider: CaseAccessDecider, watch: Watch, readings: ReadingStore) -> None:
        self._decider = decider
        self._watch = watch
        self._readings = readings

    async def CheckAccess(
        self, request: access_service_pb2.CheckAccessRequest, context: Any
    ) -> access_service_pb2.CheckAccessResponse:
        caller = current_call().require_caller()
        if request.purpose:
            decision = await self._watch.decide_reading(caller, request.case, request.permission, request.purpose)
        else:
            decision = await self._watch.decide(caller, request.case, request.permission)
        return _answer(decision)

    async def RecheckAccess(
        self, request: access_service_pb2.RecheckAccessRequest, context: Any
    ) -> access_service_pb2.RecheckAccessResponse:
        try:
            subject = subject_of(request.system, request.officer or None, request.certificate_sha256 or None)
        except ValueError:
            description = "must be a system, or a workstation with its officer, and officer of the same agency"
            raise InvalidArgument(
                "FIELD_INVALID", f"system {description}", violations=[FieldViolation("system", description)]
            ) from None
        decision = await self._decider.decide_for(subject, request.case, request.permission)
        return access_service_pb2.RecheckAccessResponse(
            allowed=decision.allowed, visible=decision.visible, basis=decision.basis
        )

    async def BatchCheckAccess(
        self, request: access_service_pb2.BatchCheckAccessRequest, context: Any
    ) -> access_service_pb2.BatchCheckAccessResponse:
        caller = current_call().require_caller()
        decisions = await self._decider.decide_many(
            subject_of(caller.system, caller.officer, caller.certificate),
            [(check.case, check.permission) for check in request.checks],
        )
        return access_service_pb2.BatchCheckAccessResponse(decisions=[_answer(decision) for decision in decisions])

    async def RecordReadingSize(
        self, request: access_service_pb2.RecordReadingSizeRequest, context: Any
    ) -> access_service_pb2.RecordReadingSizeResponse:
        await self._readings.set_size(request.reading, request.size_bytes)
        return access_service_pb2.RecordReadingSizeResponse()

    async def ListAccessibleCases(
        self, request: access_service_pb2.ListAccessibleCasesRequest, context: Any
    ) -> access_service_pb2.ListAccessibleCasesResponse:
        caller = current_call().require_caller()
        size = page_size_of(request.page_size)
        before = read_page_token(request.page_token, LAST_UUID)
        permission = request.permission or CasePermission.CASE_PERMISSION_VIEW_CASE
        visible = await self._decider.accessible_cases(
            subject_of(caller.system, caller.officer, caller.certificate), permission, before, size + 1
        )
        page, token = cut_page(visible, size, lambda case_id: case_id)
        return access_service_pb2.ListAccessibleCasesResponse(
            cases=[CASE.format(case=case_id) for case_id in page], next_page_token=token
        )


def _answer(decision: Decision) -> access_service_pb2.CheckAccessResponse:
    return access_service_pb2.CheckAccessResponse(
        allowed=decision.allowed,
        visible=decision.visible,
        basis=decision.basis,
        reading=decision.reading,
        through_agency=decision.through_agency,
    )


class AccessAdminServicer(access_admin_service_pb2_grpc.AccessAdminServiceServicer):
    """casemesh.identity.v1.AccessAdminService."""

    def __init__(
        self, store: AccessStore, decider: CaseAccessDecider, changes: CaseAccessChanges, delegating: Delegating
    ) -> None:
        self._store = store
        self._decider = decider
        self._changes = changes
        self._delegating = delegating

    async def AssignOfficer(
        self, request: access_admin_service_pb2.AssignOfficerRequest, context: Any
    ) -> access_admin_service_pb2.AssignOfficerResponse:
        return await self._changes.assign_officer(current_call(), request)

    async def EndAssignment(
        self, request: access_admin_service_pb2.EndAssignmentRequest, context: Any
    ) -> access_admin_service_pb2.EndAssignmentResponse:
        return await self._changes.end_assignment(current_call(), request)

    async def ListCaseAccess(
        self, request: access_admin_service_pb2.ListCaseAccessRequest, context: Any
    ) -> access_admin_service_pb2.ListCaseAccessResponse:
        agency_id = AGENCY.parse(current_call().require_caller().agency)["agency"]
        case_id = CASE.parse(request.case)["case"]
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, FIRST_UUID)
        facts = await self._store.case_access(case_id, agency_id, after, size + 1)
        page, token = cut_page(facts, size, lambda fact: fact.fact_id)
        return access_admin_service_pb2.ListCaseAccessResponse(
            access=[fact.message() for fact in page], next_page_token=token
        )

    async def DelegateAccess(
        self, request: access_admin_service_pb2.DelegateAccessRequest, context: Any
    ) -> access_admin_service_pb2.DelegateAccessResponse:
        return await self._delegating.delegate(current_call(), request)

    async def EndDelegation(
        self, request: access_admin_service_pb2.EndDelegationRequest, context: Any
    ) -> access_admin_service_pb2.EndDelegationResponse:
        return await self._delegating.end(current_call(), request)

    async def ExplainAccess(
        self, request: access_admin_service_pb2.ExplainAccessRequest, context: Any
    ) -> access_admin_service_pb2.ExplainAccessResponse:
        call = current_call()
        who = Connected(AGENCY.parse(call.require_caller().agency)["agency"], None)
        if request.officer:
            who = Connected(*own_officer(call, request.officer))
        case_id = CASE.parse(request.case)["case"]
        verdict = await self._decider.explain(who, case_id, request.permission)
        facts = await self._store.subject_facts(case_id, who.agency_id, who.officer_id)
        by_id = {fact.fact_id: fact.message() for fact in facts}
        return access_admin_service_pb2.ExplainAccessResponse(
            allowed=verdict.allowed,
            grounds=[
                access_admin_service_pb2.AccessGround(rule=rule, fact=by_id.get(fact_id))
                for rule, fact_id in verdict.grounds
            ],
            forbidden_by=verdict.forbidden_by,
            facts=by_id.values(),
        )

    async def ListCaseViewers(
        self, request: access_admin_service_pb2.ListCaseViewersRequest, context: Any
    ) -> access_admin_service_pb2.ListCaseViewersResponse:
        agency_id = AGENCY.parse(current_call().require_caller().agency)["agency"]
        case_id = CASE.parse(request.case)["case"]
        at = moment(request.time, "time") if request.HasField("time") else None
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, f"{FIRST_UUID}/{FIRST_UUID}", is_pair_of_uuids).split("/")
        viewers = await self._decider.viewers(case_id, agency_id, at, (after[0], after[1]), size + 1)
        page, token = cut_page(viewers, size, lambda viewer: "/".join(viewer.who.key))
        return access_admin_service_pb2.ListCaseViewersResponse(
            viewers=[
                access_admin_service_pb2.CaseViewer(
                    agency=AGENCY.format(agency=viewer.who.agency_id),
                    officer=officer_name(viewer.who.agency_id, viewer.who.officer_id),
                    permissions=viewer.permissions,
                    basis=viewer.basis,
                )
                for viewer in page
            ],
            next_page_token=token,
        )


class CaseParticipationServicer(case_participation_service_pb2_grpc.CaseParticipationServiceServicer):
    """casemesh.identity.v1.CaseParticipationService."""

    def __init__(self, changes: CaseAccessChanges) -> None:
        self._changes = changes

    async def AddParticipation(
        self, request: case_participation_service_pb2.AddParticipationRequest, context: Any
    ) -> case_participation_service_pb2.AddParticipationResponse:
        return await self._changes.add_participation(current_call(), request)

    async def SetCaseStages(
        self, request: case_participation_service_pb2.SetCaseStagesRequest, context: Any
    ) -> case_participation_service_pb2.SetCaseStagesResponse:
        return await self._changes.set_stages(current_call(), request)
