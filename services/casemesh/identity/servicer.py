"""The gRPC services of identity: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.core.names import AGENCY, CASE
from casemesh.errors import FieldViolation, InvalidArgument, Unauthenticated, not_found
from casemesh.identity.access_store import AccessStore
from casemesh.identity.assertions import asserted_subject, officer_id_of
from casemesh.identity.case_access import CaseAccessChanges
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.directory_store import DirectoryStore
from casemesh.identity.enrolment import Enrolment
from casemesh.identity.page_tokens import (
    FIRST_UUID,
    LAST_UUID,
    cut_page,
    is_agency_code,
    read_page_token,
)
from casemesh.identity.subjects import subject_of
from casemesh.identity.token_issuer import TokenIssuer
from casemesh.identity.v1 import (
    access_admin_service_pb2,
    access_admin_service_pb2_grpc,
    access_service_pb2,
    access_service_pb2_grpc,
    case_participation_service_pb2,
    case_participation_service_pb2_grpc,
    directory_admin_service_pb2,
    directory_admin_service_pb2_grpc,
    directory_service_pb2,
    directory_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import page_size_of


class DirectoryServicer(directory_service_pb2_grpc.DirectoryServiceServicer):
    """casemesh.identity.v1.DirectoryService."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store

    async def GetAgency(
        self, request: directory_service_pb2.GetAgencyRequest, context: Any
    ) -> directory_service_pb2.GetAgencyResponse:
        agency = await self._store.agency(AGENCY.parse(request.name)["agency"])
        if agency is None:
            raise not_found()
        return directory_service_pb2.GetAgencyResponse(agency=agency)

    async def ListAgencies(
        self, request: directory_service_pb2.ListAgenciesRequest, context: Any
    ) -> directory_service_pb2.ListAgenciesResponse:
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, "", is_agency_code)
        page, token = cut_page(await self._store.agencies(after, size + 1), size, lambda agency: agency.code)
        return directory_service_pb2.ListAgenciesResponse(agencies=page, next_page_token=token)

    async def ListOfficers(
        self, request: directory_service_pb2.ListOfficersRequest, context: Any
    ) -> directory_service_pb2.ListOfficersResponse:
        agency_id = AGENCY.parse(current_call().require_caller().agency)["agency"]
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, FIRST_UUID)
        officers = await self._store.officers(agency_id, after, size + 1)
        page, token = cut_page(officers, size, lambda officer: officer.name.rsplit("/", 1)[1])
        return directory_service_pb2.ListOfficersResponse(officers=page, next_page_token=token)


class DirectoryAdminServicer(directory_admin_service_pb2_grpc.DirectoryAdminServiceServicer):
    """casemesh.identity.v1.DirectoryAdminService."""

    def __init__(self, enrolment: Enrolment) -> None:
        self._enrolment = enrolment

    async def CreateAgency(
        self, request: directory_admin_service_pb2.CreateAgencyRequest, context: Any
    ) -> directory_admin_service_pb2.CreateAgencyResponse:
        return await self._enrolment.create_agency(current_call(), request)

    async def CreateSystem(
        self, request: directory_admin_service_pb2.CreateSystemRequest, context: Any
    ) -> directory_admin_service_pb2.CreateSystemResponse:
        return await self._enrolment.create_system(current_call(), request)

    async def CreateWorkstation(
        self, request: directory_admin_service_pb2.CreateWorkstationRequest, context: Any
    ) -> directory_admin_service_pb2.CreateWorkstationResponse:
        return await self._enrolment.create_workstation(current_call(), request)

    async def CreateOfficer(
        self, request: directory_admin_service_pb2.CreateOfficerRequest, context: Any
    ) -> directory_admin_service_pb2.CreateOfficerResponse:
        return await self._enrolment.create_officer(current_call(), request)


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """casemesh.identity.v1.TokenService."""

    def __init__(self, store: DirectoryStore, issuer: TokenIssuer) -> None:
        self._store = store
        self._issuer = issuer

    async def IssueToken(
        self, request: token_service_pb2.IssueTokenRequest, context: Any
    ) -> token_service_pb2.IssueTokenResponse:
        certificate = current_call().client_fingerprint
        assert certificate is not None
        holder = await self._store.certificate_holder(certificate, officer_id_of(request.officer))
        if holder is None:
            raise Unauthenticated(
                "CERTIFICATE_UNKNOWN", "the certificate is not that of an active system or workstation"
            )
        subject = asserted_subject(holder, request.officer)
        issued = self._issuer.issue(subject, certificate)
        response = token_service_pb2.IssueTokenResponse(
            access_token=issued.token, agency=subject.agency, subject=subject.name
        )
        response.expire_time.FromSeconds(issued.expires_at)
        return response

    async def GetSigningKeys(
        self, request: token_service_pb2.GetSigningKeysRequest, context: Any
    ) -> token_service_pb2.GetSigningKeysResponse:
        return token_service_pb2.GetSigningKeysResponse(jwks_json=self._issuer.key_set())


class AccessServicer(access_service_pb2_grpc.AccessServiceServicer):
    """casemesh.identity.v1.AccessService."""

    def __init__(self, decider: CaseAccessDecider) -> None:
        self._decider = decider

    async def CheckAccess(
        self, request: access_service_pb2.CheckAccessRequest, context: Any
    ) -> access_service_pb2.CheckAccessResponse:
        caller = current_call().require_caller()
        decision = await self._decider.decide(caller, request.case, request.permission)
        return access_service_pb2.CheckAccessResponse(
            allowed=decision.allowed, visible=decision.visible, basis=decision.basis
        )

    async def RecheckAccess(
        self, request: access_service_pb2.RecheckAccessRequest, context: Any
    ) -> access_service_pb2.RecheckAccessResponse:
        try:
            subject = subject_of(request.system, request.officer or None)
        except ValueError:
            description = "must be a system, or a workstation with its officer, and officer of the same agency"
            raise InvalidArgument(
                "FIELD_INVALID", f"system {description}", violations=[FieldViolation("system", description)]
            ) from None
        decision = await self._decider.decide_for(subject, request.case, request.permission)
        return access_service_pb2.RecheckAccessResponse(
            allowed=decision.allowed, visible=decision.visible, basis=decision.basis
        )

    async def ListAccessibleCases(
        self, request: access_service_pb2.ListAccessibleCasesRequest, context: Any
    ) -> access_service_pb2.ListAccessibleCasesResponse:
        caller = current_call().require_caller()
        size = page_size_of(request.page_size)
        before = read_page_token(request.page_token, LAST_UUID)
        visible = await self._decider.visible_cases(subject_of(caller.system, caller.officer), before, size + 1)
        page, token = cut_page(visible, size, lambda case_id: case_id)
        return access_service_pb2.ListAccessibleCasesResponse(
            cases=[CASE.format(case=case_id) for case_id in page], next_page_token=token
        )


class AccessAdminServicer(access_admin_service_pb2_grpc.AccessAdminServiceServicer):
    """casemesh.identity.v1.AccessAdminService."""

    def __init__(self, store: AccessStore, changes: CaseAccessChanges) -> None:
        self._store = store
        self._changes = changes

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


class CaseParticipationServicer(case_participation_service_pb2_grpc.CaseParticipationServiceServicer):
    """casemesh.identity.v1.CaseParticipationService."""

    def __init__(self, changes: CaseAccessChanges) -> None:
        self._changes = changes

    async def AddParticipation(
        self, request: case_participation_service_pb2.AddParticipationRequest, context: Any
    ) -> case_participation_service_pb2.AddParticipationResponse:
        return await self._changes.add_participation(current_call(), request)
