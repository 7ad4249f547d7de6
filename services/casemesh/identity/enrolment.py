"""Enrolling: each step in one transaction with its event, once per request id."""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, OFFICER
from casemesh.data import organ_kinds
from casemesh.errors import AlreadyExists, FailedPrecondition, FieldViolation, InvalidArgument, not_found
from casemesh.identity import directory_store
from casemesh.identity.certificate_requests import read_authority
from casemesh.identity.directory_store import LEVELS, certificate_taken
from casemesh.identity.v1.directory_admin_service_pb2 import (
    CreateAgencyRequest,
    CreateAgencyResponse,
    CreateOfficerRequest,
    CreateOfficerResponse,
    CreateSystemRequest,
    CreateSystemResponse,
    CreateWorkstationRequest,
    CreateWorkstationResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

_TRUST_DOMAIN = "{code}.agency.casemesh"


class Enrolment:
    """Registers who takes part. `wake` is called after each commit that left an event to send.

    Names of persons go into the directory and nowhere else: not into events, not into logs. `direct` says whether
    systems and workstations may be registered by fingerprint, active at once.
    """

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None], *, direct: bool) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._direct = direct

    async def create_agency(self, call: Call, request: CreateAgencyRequest) -> CreateAgencyResponse:
        """Raises InvalidArgument for a kind of organ that the shipped table does not have, AlreadyExists for a code
        that is taken, InvalidArgument (CERTIFICATE_NOT_ACCEPTABLE) for a certificate that is no CA's, NotFound
        without such a parent, InvalidArgument for one that is not of a higher level."""
        _require_organ(request.organ)
        level = next((name for name, value in LEVELS.items() if value == request.level), None)
        if request.authority_certificate:
            read_authority(request.authority_certificate)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, CreateAgencyResponse)) is not None:
                return answered
            parent_id = await self._parent(transaction, request.parent, level) if request.parent else None
            agency = await directory_store.insert_agency(
                transaction,
                new_id(),
                request.code,
                request.display_name,
                request.organ,
                _TRUST_DOMAIN.format(code=request.code),
                request.authority_certificate or None,
                parent_id,
                level,
            )
            if agency is None:
                raise AlreadyExists("ALREADY_EXISTS", "code is that of another agency", {"field": "code"})
            details = {"code": agency.code, "organ": agency.organ, "trust_domain": agency.trust_domain}
            event = event_of(call, self._clock, "identity.agency.created", agency.name, details=details)
            await record(transaction, call, event)
            response = CreateAgencyResponse(agency=agency)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def create_officer(self, call: Call, request: CreateOfficerRequest) -> CreateOfficerResponse:
        """Raises NotFound when there is no such agency."""
        agency_id = AGENCY.parse(request.parent)["agency"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, CreateOfficerResponse)) is not None:
                return answered
            officer = await directory_store.insert_officer(transaction, new_id(), agency_id, request.display_name)
            if officer is None:
                raise not_found()
            await record(transaction, call, event_of(call, self._clock, "identity.officer.created", officer.name))
            response = CreateOfficerResponse(officer=officer)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def create_system(self, call: Call, request: CreateSystemRequest) -> CreateSystemResponse:
        """Raises NotFound when there is no such agency, AlreadyExists when the certificate is registered,
        FailedPrecondition (DIRECT_ENROLMENT_OFF)."""
        self._require_direct()
        agency_id, system_id = AGENCY.parse(request.parent)["agency"], new_id()
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, CreateSystemResponse)) is not None:
                return answered
            system = await directory_store.insert_system(
                transaction, system_id, agency_id, request.display_name, "active"
            )
            if system is None:
                raise not_found()
            if await directory_store.insert_certificate(transaction, request.certificate_sha256, system_id) is None:
                raise certificate_taken("certificate_sha256")
            system.certificate_sha256 = request.certificate_sha256
            details = {"certificate_sha256": request.certificate_sha256.hex()}
            event = event_of(call, self._clock, "identity.system.created", system.name, details=details)
            await record(transaction, call, event)
            response = CreateSystemResponse(system=system)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def create_workstation(self, call: Call, request: CreateWorkstationRequest) -> CreateWorkstationResponse:
        """Raises NotFound when there is no such officer, otherwise as `create_system`."""
        self._require_direct()
        officer, workstation_id = OFFICER.parse(request.officer), new_id()
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, CreateWorkstationResponse)) is not None:
                return answered
            workstation = await directory_store.insert_workstation(
                transaction, workstation_id, officer["agency"], officer["officer"], "active"
            )
            if workstation is None:
                raise not_found()
            if (
                await directory_store.insert_certificate(transaction, request.certificate_sha256, workstation_id)
                is None
            ):
                raise certificate_taken("certificate_sha256")
            workstation.certificate_sha256 = request.certificate_sha256
            details = {"officer": workstation.officer, "certificate_sha256": request.certificate_sha256.hex()}
            event = event_of(call, self._clock, "identity.workstation.created", workstation.name, details=details)
            await record(transaction, call, event)
            response = CreateWorkstationResponse(workstation=workstation)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _parent(self, transaction: Transaction, parent: str, level: str | None) -> str:
        """Return the identifier of an agency that may stand above one of `level`."""
        parent_id = AGENCY.parse(parent)["agency"]
        found = await directory_store.level_of(transaction, parent_id)
        if found is None:
            raise not_found()
        order = list(LEVELS)
        if level is None or found[0] is None or order.index(found[0]) >= order.index(level):
            rule = "must be an agency of a higher level than the new one"
            raise InvalidArgument("FIELD_INVALID", f"parent {rule}", violations=[FieldViolation("parent", rule)])
        return parent_id

    def _require_direct(self) -> None:
        if not self._direct:
            raise FailedPrecondition(
                "DIRECT_ENROLMENT_OFF",
                "register it by its certificate request and have another administrator approve it",
            )


def _require_organ(organ: str) -> None:
    if organ not in {kind.code for kind in organ_kinds()}:
        description = "must be a code of the shipped table of kinds of organ, e.g. GA"
        raise InvalidArgument(
            "FIELD_INVALID", f"organ {description}", violations=[FieldViolation("organ", description)]
        )
