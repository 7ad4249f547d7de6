"""Enrolment by certificate request over real mTLS: four eyes, and renewal that interrupts nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.errors import (
    AlreadyExists,
    CaseMeshError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
)
from casemesh.identity.enrolment import Enrolment
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import directory_pb2, directory_service_pb2, enrolment_service_pb2, token_service_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.identity.v1.enrolment_service_pb2_grpc import EnrolmentServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.runtime.call import Call
from tests.support.enrolment import der_of, requested
from tests.support.mesh import Mesh, MeshOf, forwarded
from tests.support.pki import COURT, POLICE

TIMEOUT = 10.0
STATES = directory_pb2.EnrolmentState


def administrator(mesh: Mesh) -> tuple[str, Any]:
    """A new administrator's name in the log, and the stub with that certificate."""
    name = f"admin-{new_id()[-12:]}"
    mesh.pki.issue_administrator(name)
    return f"operator/{name}", DirectoryAdminServiceStub(mesh.channel("identity", f"operator-{name}"))


async def agency(mesh: Mesh, code: str = POLICE, *, with_authority: bool = True) -> str:
    authority = der_of(mesh.pki.layout.agency(code).certificate) if with_authority else b""
    request = admin_pb2.CreateAgencyRequest(
        request_id=new_id(), code=code, display_name="北湖市公安局", organ="GA", authority_certificate=authority
    )
    stub = mesh.operator("identity", DirectoryAdminServiceStub)
    return str((await stub.CreateAgency(request, timeout=TIMEOUT)).agency.name)


def registration(parent: str, asked: bytes, certificate: bytes) -> admin_pb2.RegisterSystemRequest:
    return admin_pb2.RegisterSystemRequest(
        request_id=new_id(), parent=parent, display_name="cms", certificate_request=asked, certificate=certificate
    )


def approval(name: str) -> admin_pb2.ApproveEnrolmentRequest:
    return admin_pb2.ApproveEnrolmentRequest(request_id=new_id(), name=name)


async def token(mesh: Mesh, certificate: Path) -> str:
    answer = await TokenServiceStub(mesh.channel("identity", "gateway")).IssueToken(
        token_service_pb2.IssueTokenRequest(), metadata=forwarded(certificate), timeout=TIMEOUT
    )
    return str(answer.access_token)


async def metadata_of(mesh: Mesh, certificate: Path) -> list[tuple[str, str]]:
    return [*forwarded(certificate), ("authorization", f"Bearer {await token(mesh, certificate)}")]


async def reason_of(call: Awaitable[Any]) -> str:
    try:
        await call
    except CaseMeshError as error:
        return error.reason
    return "answered"


async def events(mesh: Mesh) -> list[Event]:
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        rows = await connection.fetch("SELECT event FROM outbox ORDER BY id")
    finally:
        await connection.close()
    return [Event.FromString(row["event"]) for row in rows]


async def enrolled(mesh: Mesh, folder: Path, code: str = POLICE) -> tuple[str, Path]:
    """A system that one administrator registered and another approved, and its certificate."""
    asked, certificate, path = requested(mesh.pki, code, "cms", folder)
    _, first = administrator(mesh)
    _, second = administrator(mesh)
    system = await first.RegisterSystem(registration(await agency(mesh, code), asked, certificate), timeout=TIMEOUT)
    await second.ApproveEnrolment(approval(system.system.name), timeout=TIMEOUT)
    return system.system.name, path


async def test_a_system_may_do_nothing_until_a_second_administrator_approves_it(
    mesh_of: MeshOf, tmp_path: Path
) -> None:
    async with mesh_of("identity") as mesh:
        parent = await agency(mesh)
        asked, certificate, path = requested(mesh.pki, POLICE, "cms", tmp_path / "cms")
        one, first = administrator(mesh)
        other, second = administrator(mesh)
        made = (await first.RegisterSystem(registration(parent, asked, certificate), timeout=TIMEOUT)).system
        assert made.state == STATES.ENROLMENT_STATE_REGISTERED
        assert await reason_of(token(mesh, path)) == "CERTIFICATE_UNKNOWN"

        with pytest.raises(PermissionDenied) as refused:
            await first.ApproveEnrolment(approval(made.name), timeout=TIMEOUT)
        assert refused.value.reason == "SECOND_ADMINISTRATOR_NEEDED"
        assert await reason_of(token(mesh, path)) == "CERTIFICATE_UNKNOWN"

        approved = await second.ApproveEnrolment(approval(made.name), timeout=TIMEOUT)
        assert approved.standing.state == STATES.ENROLMENT_STATE_ACTIVE
        assert await reason_of(token(mesh, path)) == "answered"
        # What is active already stays as it is.
        assert approved == await second.ApproveEnrolment(approval(made.name), timeout=TIMEOUT)
        assert [
            ("identity.system.registered", one),
            ("identity.enrolment.approved", other),
        ] == [(event.action, event.actor.peer) for event in (await events(mesh))[1:]]


async def test_the_common_operator_cannot_be_both_administrators(mesh_of: MeshOf, tmp_path: Path) -> None:
    async with mesh_of("identity") as mesh:
        asked, certificate, _ = requested(mesh.pki, POLICE, "cms", tmp_path / "cms")
        operator = mesh.operator("identity", DirectoryAdminServiceStub)
        request = registration(await agency(mesh), asked, certificate)
        made = (await operator.RegisterSystem(request, timeout=TIMEOUT)).system
        assert made == (await operator.RegisterSystem(request, timeout=TIMEOUT)).system
        assert await reason_of(operator.ApproveEnrolment(approval(made.name), timeout=TIMEOUT)) == (
            "SECOND_ADMINISTRATOR_NEEDED"
        )


async def test_a_workstation_is_enrolled_in_the_same_way_for_its_one_officer(mesh_of: MeshOf, tmp_path: Path) -> None:
    async with mesh_of("identity") as mesh:
        parent = await agency(mesh)
        _, first = administrator(mesh)
        _, second = administrator(mesh)
        officer = await first.CreateOfficer(
            admin_pb2.CreateOfficerRequest(request_id=new_id(), parent=parent, display_name="甲某"), timeout=TIMEOUT
        )
        asked, certificate, path = requested(mesh.pki, POLICE, "desk-1", tmp_path / "desk", kind="workstation")
        made = await first.RegisterWorkstation(
            admin_pb2.RegisterWorkstationRequest(
                request_id=new_id(),
                officer=officer.officer.name,
                certificate_request=asked,
                certificate=certificate,
            ),
            timeout=TIMEOUT,
        )
        assert await reason_of(token(mesh, path)) == "CERTIFICATE_UNKNOWN"
        await second.ApproveEnrolment(approval(made.workstation.name), timeout=TIMEOUT)
        assert await reason_of(token(mesh, path)) == "answered"


async def test_what_does_not_hold_is_refused_and_leaves_nothing(mesh_of: MeshOf, tmp_path: Path) -> None:
    async with mesh_of("identity") as mesh:
        police = await agency(mesh)
        bare = await agency(mesh, COURT, with_authority=False)
        operator = mesh.operator("identity", DirectoryAdminServiceStub)
        asked, certificate, _ = requested(mesh.pki, POLICE, "cms", tmp_path / "police")
        of_court, by_court, _ = requested(mesh.pki, COURT, "cms", tmp_path / "court")
        before = await events(mesh)
        with pytest.raises(InvalidArgument) as foreign:
            await operator.RegisterSystem(registration(police, of_court, by_court), timeout=TIMEOUT)
        assert ("CERTIFICATE_NOT_ACCEPTABLE", {"check": "issuer"}) == (foreign.value.reason, foreign.value.metadata)
        with pytest.raises(FailedPrecondition) as unknown:
            await operator.RegisterSystem(registration(bare, of_court, by_court), timeout=TIMEOUT)
        assert unknown.value.reason == "AGENCY_AUTHORITY_MISSING"
        with pytest.raises(NotFound):
            await operator.RegisterSystem(registration(f"agencies/{new_id()}", asked, certificate), timeout=TIMEOUT)
        with pytest.raises(InvalidArgument) as no_authority:
            await operator.CreateAgency(
                admin_pb2.CreateAgencyRequest(
                    request_id=new_id(), code="x", display_name="x", organ="GA", authority_certificate=certificate
                ),
                timeout=TIMEOUT,
            )
        assert no_authority.value.metadata == {"check": "form"}
        assert await events(mesh) == before

        made = (await operator.RegisterSystem(registration(police, asked, certificate), timeout=TIMEOUT)).system
        with pytest.raises(AlreadyExists) as taken:
            await operator.RegisterSystem(registration(police, asked, certificate), timeout=TIMEOUT)
        assert taken.value.metadata == {"field": "certificate"}
        await operator.Revoke(
            admin_pb2.RevokeRequest(request_id=new_id(), name=made.name, reason="refused"), timeout=TIMEOUT
        )
        _, second = administrator(mesh)
        assert await reason_of(second.ApproveEnrolment(approval(made.name), timeout=TIMEOUT)) == (
            "ENROLMENT_STATE_WRONG"
        )
        with pytest.raises(NotFound):
            await second.ApproveEnrolment(approval(f"{police}/systems/{new_id()}"), timeout=TIMEOUT)


async def test_where_a_second_administrator_is_asked_for_nobody_enrols_by_fingerprint() -> None:
    # Refused before the database is touched: there is none.
    enrolment = Enrolment(cast(Any, None), SystemClock(), lambda: None, direct=False)
    for call in (
        enrolment.create_system(Call("m"), admin_pb2.CreateSystemRequest(parent=f"agencies/{new_id()}")),
        enrolment.create_workstation(
            Call("m"),
            admin_pb2.CreateWorkstationRequest(officer=f"agencies/{new_id()}/officers/{new_id()}"),
        ),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            await call
        assert refused.value.reason == "DIRECT_ENROLMENT_OFF"


def renewal(asked: bytes, certificate: bytes) -> enrolment_service_pb2.RenewCertificateRequest:
    return enrolment_service_pb2.RenewCertificateRequest(
        request_id=new_id(), certificate_request=asked, certificate=certificate
    )


async def test_a_renewed_certificate_and_the_one_before_are_valid_side_by_side_and_no_call_is_lost(
    mesh_of: MeshOf, tmp_path: Path
) -> None:
    async with mesh_of("identity") as mesh:
        system, old = await enrolled(mesh, tmp_path / "cms")
        directory = mesh.agency_stub("identity", DirectoryServiceStub)
        stop = asyncio.Event()

        async def calls(metadata: list[tuple[str, str]]) -> int:
            done = 0
            while not stop.is_set() or done == 0:
                await directory.ListAgencies(
                    directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT
                )
                done += 1
            return done

        before = await metadata_of(mesh, old)
        at_work = asyncio.create_task(calls(before))
        asked, certificate, new = requested(mesh.pki, POLICE, "cms", tmp_path / "new")
        enrolment = mesh.agency_stub("identity", EnrolmentServiceStub)
        request = renewal(asked, certificate)
        renewed = (await enrolment.RenewCertificate(request, metadata=before, timeout=TIMEOUT)).certificate
        assert (system, STATES.ENROLMENT_STATE_ACTIVE) == (renewed.holder, renewed.state)
        assert renewed.HasField("expire_time")
        again = await enrolment.RenewCertificate(request, metadata=before, timeout=TIMEOUT)
        assert renewed == again.certificate
        both = [asyncio.create_task(calls(await metadata_of(mesh, new))), at_work]
        stop.set()
        assert all(done > 0 for done in await asyncio.gather(*both))

        operator = mesh.operator("identity", DirectoryAdminServiceStub)
        listed = await operator.ListCertificates(admin_pb2.ListCertificatesRequest(holder=system), timeout=TIMEOUT)
        assert renewed.name == listed.certificates[1].name
        await operator.Revoke(
            admin_pb2.RevokeRequest(request_id=new_id(), name=listed.certificates[0].name, reason="replaced"),
            timeout=TIMEOUT,
        )
        further = renewal(*requested(mesh.pki, POLICE, "cms", tmp_path / "further")[:2])
        assert await reason_of(enrolment.RenewCertificate(further, metadata=before, timeout=TIMEOUT)) == (
            "CALLER_NOT_ACTIVE"
        )
        assert await reason_of(token(mesh, new)) == "answered"


async def test_a_renewal_keeps_name_agency_and_kind_and_is_bounded_in_number(mesh_of: MeshOf, tmp_path: Path) -> None:
    async with mesh_of("identity") as mesh:
        _, old = await enrolled(mesh, tmp_path / "cms")
        await agency(mesh, COURT)
        metadata = await metadata_of(mesh, old)
        enrolment = mesh.agency_stub("identity", EnrolmentServiceStub)
        for number, (code, name, kind, check) in enumerate(
            (
                (POLICE, "other", "system", "name"),
                (POLICE, "cms", "workstation", "name"),
                (COURT, "cms", "system", "issuer"),
            )
        ):
            made = requested(mesh.pki, code, name, tmp_path / f"bad-{number}", kind=kind)
            with pytest.raises(InvalidArgument) as refused:
                await enrolment.RenewCertificate(renewal(*made[:2]), metadata=metadata, timeout=TIMEOUT)
            assert refused.value.metadata == {"check": check}
        for number in range(4):
            made = requested(mesh.pki, POLICE, "cms", tmp_path / f"good-{number}")
            await enrolment.RenewCertificate(renewal(*made[:2]), metadata=metadata, timeout=TIMEOUT)
        made = requested(mesh.pki, POLICE, "cms", tmp_path / "one too many")
        with pytest.raises(ResourceExhausted) as full:
            await enrolment.RenewCertificate(renewal(*made[:2]), metadata=metadata, timeout=TIMEOUT)
        assert full.value.metadata == {"limit": "certificates"}


async def test_a_certificate_past_its_end_gets_no_token_and_stands_for_nobody(mesh_of: MeshOf, tmp_path: Path) -> None:
    async with mesh_of("identity") as mesh:
        _, certificate = await enrolled(mesh, tmp_path / "cms")
        metadata = await metadata_of(mesh, certificate)
        connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
        try:
            await connection.execute("UPDATE client_certificate SET not_after = now()")
        finally:
            await connection.close()
        assert await reason_of(token(mesh, certificate)) == "CERTIFICATE_UNKNOWN"
        use = mesh.agency_stub("identity", DirectoryServiceStub).ListAgencies(
            directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT
        )
        assert await reason_of(use) == "CALLER_NOT_ACTIVE"
