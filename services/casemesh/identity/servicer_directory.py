"""The gRPC services of the directory: decode, call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from casemesh.core.names import AGENCY
from casemesh.core.units import MIB
from casemesh.errors import FieldViolation, InvalidArgument, not_found
from casemesh.identity.directory_store import DirectoryStore
from casemesh.identity.enrolment import Enrolment
from casemesh.identity.page_tokens import FIRST_UUID, cut_page, is_agency_code, read_page_token
from casemesh.identity.placing import Placing
from casemesh.identity.publishing import DirectoryPublisher
from casemesh.identity.registration import Registration
from casemesh.identity.standing import StandingChanges, member_of
from casemesh.identity.standing_store import StandingStore
from casemesh.identity.subjects import subject_of
from casemesh.identity.unit_store import UnitStore
from casemesh.identity.v1 import (
    directory_admin_service_pb2,
    directory_admin_service_pb2_grpc,
    directory_service_pb2,
    directory_service_pb2_grpc,
    enrolment_service_pb2,
    enrolment_service_pb2_grpc,
    standing_service_pb2,
    standing_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import page_size_of


class DirectoryServicer(directory_service_pb2_grpc.DirectoryServiceServicer):
    """casemesh.identity.v1.DirectoryService."""

    def __init__(self, store: DirectoryStore, units: UnitStore, publisher: DirectoryPublisher) -> None:
        self._store = store
        self._units = units
        self._publisher = publisher

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

    async def ListUnits(
        self, request: directory_service_pb2.ListUnitsRequest, context: Any
    ) -> directory_service_pb2.ListUnitsResponse:
        agency_id = AGENCY.parse(current_call().require_caller().agency)["agency"]
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, FIRST_UUID)
        units = await self._units.units(agency_id, after, size + 1)
        page, token = cut_page(units, size, lambda unit: unit.name.rsplit("/", 1)[1])
        return directory_service_pb2.ListUnitsResponse(units=page, next_page_token=token)

    async def DownloadDirectory(
        self, request: directory_service_pb2.DownloadDirectoryRequest, context: Any
    ) -> AsyncIterator[directory_service_pb2.DownloadDirectoryResponse]:
        envelope = await self._publisher.envelope(current_call(), request.version)
        for start in range(0, len(envelope), MIB):
            yield directory_service_pb2.DownloadDirectoryResponse(data=envelope[start : start + MIB])


class DirectoryAdminServicer(directory_admin_service_pb2_grpc.DirectoryAdminServiceServicer):
    """casemesh.identity.v1.DirectoryAdminService."""

    def __init__(
        self,
        enrolment: Enrolment,
        placing: Placing,
        registration: Registration,
        changes: StandingChanges,
        standings: StandingStore,
    ) -> None:
        self._enrolment = enrolment
        self._placing = placing
        self._registration = registration
        self._changes = changes
        self._standings = standings

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

    async def CreateUnit(
        self, request: directory_admin_service_pb2.CreateUnitRequest, context: Any
    ) -> directory_admin_service_pb2.CreateUnitResponse:
        return await self._placing.create_unit(current_call(), request)

    async def PlaceOfficer(
        self, request: directory_admin_service_pb2.PlaceOfficerRequest, context: Any
    ) -> directory_admin_service_pb2.PlaceOfficerResponse:
        return await self._placing.place_officer(current_call(), request)

    async def RegisterSystem(
        self, request: directory_admin_service_pb2.RegisterSystemRequest, context: Any
    ) -> directory_admin_service_pb2.RegisterSystemResponse:
        return await self._registration.register_system(current_call(), request)

    async def RegisterWorkstation(
        self, request: directory_admin_service_pb2.RegisterWorkstationRequest, context: Any
    ) -> directory_admin_service_pb2.RegisterWorkstationResponse:
        return await self._registration.register_workstation(current_call(), request)

    async def ApproveEnrolment(
        self, request: directory_admin_service_pb2.ApproveEnrolmentRequest, context: Any
    ) -> directory_admin_service_pb2.ApproveEnrolmentResponse:
        return await self._registration.approve(current_call(), request)

    async def Suspend(
        self, request: directory_admin_service_pb2.SuspendRequest, context: Any
    ) -> directory_admin_service_pb2.SuspendResponse:
        return await self._changes.suspend(current_call(), request)

    async def Resume(
        self, request: directory_admin_service_pb2.ResumeRequest, context: Any
    ) -> directory_admin_service_pb2.ResumeResponse:
        return await self._changes.resume(current_call(), request)

    async def Revoke(
        self, request: directory_admin_service_pb2.RevokeRequest, context: Any
    ) -> directory_admin_service_pb2.RevokeResponse:
        return await self._changes.revoke(current_call(), request)

    async def GetStanding(
        self, request: directory_admin_service_pb2.GetStandingRequest, context: Any
    ) -> directory_admin_service_pb2.GetStandingResponse:
        standing = await self._standings.standing(member_of(request.name))
        if standing is None:
            raise not_found()
        return directory_admin_service_pb2.GetStandingResponse(standing=standing)

    async def ListCertificates(
        self, request: directory_admin_service_pb2.ListCertificatesRequest, context: Any
    ) -> directory_admin_service_pb2.ListCertificatesResponse:
        found = await self._standings.certificates(member_of(request.holder, "holder"))
        if not found:
            raise not_found()
        return directory_admin_service_pb2.ListCertificatesResponse(certificates=found)


class EnrolmentServicer(enrolment_service_pb2_grpc.EnrolmentServiceServicer):
    """casemesh.identity.v1.EnrolmentService."""

    def __init__(self, registration: Registration) -> None:
        self._registration = registration

    async def RenewCertificate(
        self, request: enrolment_service_pb2.RenewCertificateRequest, context: Any
    ) -> enrolment_service_pb2.RenewCertificateResponse:
        return await self._registration.renew(current_call(), request)


class StandingServicer(standing_service_pb2_grpc.StandingServiceServicer):
    """casemesh.identity.v1.StandingService."""

    def __init__(self, store: StandingStore) -> None:
        self._store = store

    async def CheckStanding(
        self, request: standing_service_pb2.CheckStandingRequest, context: Any
    ) -> standing_service_pb2.CheckStandingResponse:
        try:
            subject = subject_of(request.system, request.officer or None, request.certificate_sha256)
        except ValueError:
            rule = "must be a system, or a workstation with its officer, and officer of the same agency"
            raise InvalidArgument(
                "FIELD_INVALID", f"system {rule}", violations=[FieldViolation("system", rule)]
            ) from None
        part = await self._store.inactive_part(subject)
        return standing_service_pb2.CheckStandingResponse(active=not part, inactive_part=part)
