"""Enrolment by certificate request: one administrator registers, another approves, the system renews by itself.

Each step in one transaction with its event, once per request id.
"""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, OFFICER
from casemesh.errors import (
    FailedPrecondition,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    not_found,
)
from casemesh.identity import directory_store, standing_store
from casemesh.identity.certificate_requests import AcceptedCertificate, accept, read_authority
from casemesh.identity.standing import member_of
from casemesh.identity.standing_store import Member
from casemesh.identity.v1.directory_admin_service_pb2 import (
    ApproveEnrolmentRequest,
    ApproveEnrolmentResponse,
    RegisterSystemRequest,
    RegisterSystemResponse,
    RegisterWorkstationRequest,
    RegisterWorkstationResponse,
)
from casemesh.identity.v1.directory_pb2 import Certificate
from casemesh.identity.v1.enrolment_service_pb2 import RenewCertificateRequest, RenewCertificateResponse
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

MAX_CERTIFICATES = 5
"""Certificates of one system or workstation that may be valid side by side."""


class Registration:
    """Registers, approves and renews. `wake` is called after each commit that left an event to send."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def register_system(self, call: Call, request: RegisterSystemRequest) -> RegisterSystemResponse:
        """Register a system that may do nothing yet.

        Raises NotFound when there is no such agency; as `_accepted`; AlreadyExists when the certificate is registered.
        """
        agency_id = AGENCY.parse(request.parent)["agency"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, RegisterSystemResponse)) is not None:
                return answered
            accepted = await self._accepted(transaction, agency_id, "system", request)
            system = await directory_store.insert_system(
                transaction, new_id(), agency_id, request.display_name, "registered"
            )
            if system is None:
                raise not_found()
            await self._register(transaction, call, system.name, accepted, "identity.system.registered")
            system.certificate_sha256 = accepted.sha256
            response = RegisterSystemResponse(system=system)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def register_workstation(
        self, call: Call, request: RegisterWorkstationRequest
    ) -> RegisterWorkstationResponse:
        """Register an officer's workstation that may do nothing yet. Raises as `register_system`."""
        officer = OFFICER.parse(request.officer)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, RegisterWorkstationResponse)) is not None:
                return answered
            accepted = await self._accepted(transaction, officer["agency"], "workstation", request)
            workstation = await directory_store.insert_workstation(
                transaction, new_id(), officer["agency"], officer["officer"], "registered"
            )
            if workstation is None:
                raise not_found()
            await self._register(transaction, call, workstation.name, accepted, "identity.workstation.registered")
            workstation.certificate_sha256 = accepted.sha256
            response = RegisterWorkstationResponse(workstation=workstation)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def approve(self, call: Call, request: ApproveEnrolmentRequest) -> ApproveEnrolmentResponse:
        """Make what another administrator registered active.

        Raises NotFound; PermissionDenied (SECOND_ADMINISTRATOR_NEEDED); FailedPrecondition (ENROLMENT_STATE_WRONG) for
        what is suspended or revoked.
        """
        member = member_of(request.name)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, ApproveEnrolmentResponse)) is not None:
                return answered
            state = await standing_store.lock_state(transaction, member)
            if state is None:
                raise not_found()
            if state == "registered":
                await self._approve(transaction, call, member)
            elif state != "active":
                raise FailedPrecondition("ENROLMENT_STATE_WRONG", f"it is {state}, not registered", {"state": state})
            response = ApproveEnrolmentResponse(
                standing=await standing_store.standing_in(transaction, member, "active")
            )
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def renew(self, call: Call, request: RenewCertificateRequest) -> RenewCertificateResponse:
        """Register a further certificate of the caller, with the name of the present one where that is known.

        Raises as `_accepted`; AlreadyExists when it is registered; ResourceExhausted when five are valid already.
        """
        caller = call.require_caller()
        member = member_of(caller.system)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, RenewCertificateResponse)) is not None:
                return answered
            # The pipeline has asked before; what was revoked meanwhile must not vouch for anything.
            if await standing_store.lock_state(transaction, member) != "active":
                raise Unauthenticated(
                    "CALLER_NOT_ACTIVE", "the client behind the call is not active", {"part": "client"}
                )
            accepted = await self._accepted(transaction, member.agency_id, member.kind, request)
            present = await directory_store.spiffe_id_of(transaction, caller.certificate)
            if present not in (None, accepted.spiffe_id):
                raise InvalidArgument(
                    "CERTIFICATE_NOT_ACCEPTABLE", f"certificate must be for {present}", {"check": "name"}
                )
            if await directory_store.count_valid_certificates(transaction, member.key[-1]) >= MAX_CERTIFICATES:
                raise ResourceExhausted(
                    "LIMIT_EXCEEDED",
                    f"at most {MAX_CERTIFICATES} certificates may be valid side by side; have one revoked",
                    {"limit": "certificates"},
                )
            certificate = await self._insert(transaction, call, member.key[-1], accepted, "active")
            details = {"certificate_sha256": accepted.sha256.hex(), "not_after": accepted.not_after.isoformat()}
            event = event_of(call, self._clock, "identity.certificate.renewed", caller.system, details=details)
            await record(transaction, call, event)
            response = RenewCertificateResponse(certificate=certificate)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _accepted(
        self,
        transaction: Transaction,
        agency_id: str,
        kind: str,
        request: RegisterSystemRequest | RegisterWorkstationRequest | RenewCertificateRequest,
    ) -> AcceptedCertificate:
        """Raises NotFound when there is no such agency, FailedPrecondition (AGENCY_AUTHORITY_MISSING), InvalidArgument
        (CERTIFICATE_NOT_ACCEPTABLE)."""
        found = await directory_store.authority_of(transaction, agency_id)
        if found is None:
            raise not_found()
        authority, trust_domain = found
        if authority is None:
            raise FailedPrecondition(
                "AGENCY_AUTHORITY_MISSING", "the agency was registered without the certificate of its CA"
            )
        return accept(
            request.certificate_request,
            request.certificate,
            authority=read_authority(authority),
            trust_domain=trust_domain,
            kind=kind,
            now=self._clock.now(),
        )

    async def _register(
        self, transaction: Transaction, call: Call, name: str, accepted: AcceptedCertificate, action: str
    ) -> None:
        await self._insert(transaction, call, member_of(name).key[-1], accepted, "registered")
        details = {"certificate_sha256": accepted.sha256.hex(), "spiffe_id": accepted.spiffe_id}
        await record(transaction, call, event_of(call, self._clock, action, name, details=details))

    async def _insert(
        self, transaction: Transaction, call: Call, client_id: str, accepted: AcceptedCertificate, state: str
    ) -> Certificate:
        by = call.caller.system if call.caller is not None else call.peer_name
        certificate = await directory_store.insert_certificate(
            transaction,
            accepted.sha256,
            client_id,
            state=state,
            spiffe_id=accepted.spiffe_id,
            not_after=accepted.not_after,
            registered_by=by,
        )
        if certificate is None:
            raise directory_store.certificate_taken("certificate")
        return certificate

    async def _approve(self, transaction: Transaction, call: Call, member: Member) -> None:
        registered_by = await directory_store.registered_by(transaction, member.key[-1])
        if registered_by == call.peer_name:
            raise PermissionDenied(
                "SECOND_ADMINISTRATOR_NEEDED", "you registered it; another administrator must approve it"
            )
        await directory_store.activate_certificates(transaction, member.key[-1])
        await standing_store.set_state(transaction, member, "active", new_id(), "approved", call.peer_name)
        details = {"registered_by": registered_by}
        await record(
            transaction, call, event_of(call, self._clock, "identity.enrolment.approved", member.name, details=details)
        )
