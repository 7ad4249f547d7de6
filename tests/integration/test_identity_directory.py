"""Enrolment and the directory over real mTLS."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import asyncpg
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.ids import new_id
from casemesh.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import directory_service_pb2 as directory_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import COURT, POLICE, PROCURATORATE

TIMEOUT = 10.0
CERTIFICATE = hashlib.sha256(b"an invented certificate").digest()


async def events(mesh: Mesh) -> list[Event]:
    """Return what identity has written for the log, oldest first."""
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        rows = await connection.fetch("SELECT event FROM outbox ORDER BY id")
    finally:
        await connection.close()
    return [Event.FromString(row["event"]) for row in rows]


def agency_request(code: str = POLICE, **changes: Any) -> admin_pb2.CreateAgencyRequest:
    fields = {"request_id": new_id(), "code": code, "display_name": "北湖市公安局", "organ": "GA", **changes}
    return admin_pb2.CreateAgencyRequest(**fields)


async def create_agency(mesh: Mesh, code: str = POLICE, **changes: Any) -> Any:
    stub = mesh.operator("identity", DirectoryAdminServiceStub)
    return (await stub.CreateAgency(agency_request(code, **changes), timeout=TIMEOUT)).agency


async def test_what_the_operator_enrols_stands_in_the_directory_and_in_the_log(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        admin = mesh.operator("identity", DirectoryAdminServiceStub)
        agency = await create_agency(mesh)
        assert (agency.code, agency.display_name, agency.organ) == (POLICE, "北湖市公安局", "GA")
        assert agency.trust_domain == f"{POLICE}.agency.casemesh"
        system = await admin.CreateSystem(
            admin_pb2.CreateSystemRequest(
                request_id=new_id(), parent=agency.name, display_name="cms", certificate_sha256=CERTIFICATE
            ),
            timeout=TIMEOUT,
        )
        officer = await admin.CreateOfficer(
            admin_pb2.CreateOfficerRequest(request_id=new_id(), parent=agency.name, display_name="甲某"),
            timeout=TIMEOUT,
        )
        workstation = await admin.CreateWorkstation(
            admin_pb2.CreateWorkstationRequest(
                request_id=new_id(), officer=officer.officer.name, certificate_sha256=bytes(32)
            ),
            timeout=TIMEOUT,
        )
        assert system.system.name.startswith(f"{agency.name}/systems/")
        assert (system.system.display_name, system.system.certificate_sha256) == ("cms", CERTIFICATE)
        assert officer.officer.name.startswith(f"{agency.name}/officers/")
        assert workstation.workstation.name.startswith(f"{agency.name}/workstations/")
        assert (workstation.workstation.officer, workstation.workstation.certificate_sha256) == (
            officer.officer.name,
            bytes(32),
        )
        assert all(item.HasField("create_time") for item in (agency, system.system, officer.officer))

        logged = await events(mesh)
        assert [(event.action, event.resource) for event in logged] == [
            ("identity.agency.created", agency.name),
            ("identity.system.created", system.system.name),
            ("identity.officer.created", officer.officer.name),
            ("identity.workstation.created", workstation.workstation.name),
        ]
        assert {event.actor.peer for event in logged} == {"operator"}
        assert "甲某" not in str(logged)
        assert logged[1].details["certificate_sha256"] == CERTIFICATE.hex()


async def test_a_request_repeated_has_one_effect_and_one_answer(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        admin = mesh.operator("identity", DirectoryAdminServiceStub)
        agency = await create_agency(mesh)
        requests: list[tuple[Any, Any]] = [
            (admin.CreateAgency, agency_request(COURT, organ="FY")),
            (
                admin.CreateSystem,
                admin_pb2.CreateSystemRequest(
                    request_id=new_id(), parent=agency.name, display_name="cms", certificate_sha256=CERTIFICATE
                ),
            ),
            (
                admin.CreateOfficer,
                admin_pb2.CreateOfficerRequest(request_id=new_id(), parent=agency.name, display_name="甲某"),
            ),
        ]
        for method, request in requests:
            first, *others = await asyncio.gather(*(method(request, timeout=TIMEOUT) for _ in range(4)))
            assert all(other == first for other in others)
            again: Any = type(request).FromString(request.SerializeToString())
            again.display_name = "another name"
            with pytest.raises(FailedPrecondition) as error:
                await method(again, timeout=TIMEOUT)
            assert error.value.reason == "REQUEST_ID_REUSED"
        officer = admin_pb2.CreateOfficerResponse.FromString(first.SerializeToString()).officer.name
        workstation = admin_pb2.CreateWorkstationRequest(
            request_id=new_id(), officer=officer, certificate_sha256=bytes(32)
        )
        assert await admin.CreateWorkstation(workstation, timeout=TIMEOUT) == await admin.CreateWorkstation(
            workstation, timeout=TIMEOUT
        )
        assert [event.action.split(".")[1] for event in await events(mesh)] == [
            "agency",
            "agency",
            "system",
            "officer",
            "workstation",
        ]


async def test_what_is_taken_or_absent_is_refused_by_field_and_leaves_nothing(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        admin = mesh.operator("identity", DirectoryAdminServiceStub)
        agency = await create_agency(mesh)
        officer = await admin.CreateOfficer(
            admin_pb2.CreateOfficerRequest(request_id=new_id(), parent=agency.name, display_name="甲某"),
            timeout=TIMEOUT,
        )
        system = admin_pb2.CreateSystemRequest(
            request_id=new_id(), parent=agency.name, display_name="cms", certificate_sha256=CERTIFICATE
        )
        await admin.CreateSystem(system, timeout=TIMEOUT)
        before = await events(mesh)

        with pytest.raises(AlreadyExists) as code_taken:
            await admin.CreateAgency(agency_request(), timeout=TIMEOUT)
        assert code_taken.value.metadata == {"field": "code"}
        system.request_id = new_id()
        workstation = admin_pb2.CreateWorkstationRequest(
            request_id=new_id(), officer=officer.officer.name, certificate_sha256=CERTIFICATE
        )
        for method, request in ((admin.CreateSystem, system), (admin.CreateWorkstation, workstation)):
            with pytest.raises(AlreadyExists) as certificate_taken:
                await method(request, timeout=TIMEOUT)
            assert certificate_taken.value.metadata == {"field": "certificate_sha256"}
        with pytest.raises(InvalidArgument) as organ:
            await admin.CreateAgency(agency_request(COURT, organ="COURT"), timeout=TIMEOUT)
        assert [violation.field for violation in organ.value.violations] == ["organ"]

        nowhere = f"agencies/{new_id()}"
        for absent in (
            admin.CreateSystem(
                admin_pb2.CreateSystemRequest(
                    request_id=new_id(), parent=nowhere, display_name="x", certificate_sha256=bytes(32)
                ),
                timeout=TIMEOUT,
            ),
            admin.CreateOfficer(
                admin_pb2.CreateOfficerRequest(request_id=new_id(), parent=nowhere, display_name="x"), timeout=TIMEOUT
            ),
            # The officer exists, in another agency than the name says.
            admin.CreateWorkstation(
                admin_pb2.CreateWorkstationRequest(
                    request_id=new_id(),
                    officer=officer.officer.name.replace(agency.name, nowhere),
                    certificate_sha256=bytes(32),
                ),
                timeout=TIMEOUT,
            ),
        ):
            with pytest.raises(NotFound):
                await absent
        assert await events(mesh) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Beihu"}, "code"),
        ({"code": "a" * 41}, "code"),
        ({"code": ""}, "code"),
        ({"display_name": ""}, "display_name"),
        ({"organ": "ga"}, "organ"),
        ({"request_id": "1"}, "request_id"),
    ],
    ids=str,
)
async def test_a_field_that_breaks_its_rule_is_named(mesh_of: MeshOf, changes: dict[str, str], field: str) -> None:
    async with mesh_of("identity") as mesh:
        with pytest.raises(InvalidArgument) as error:
            await create_agency(mesh, **changes)
        assert [violation.field for violation in error.value.violations] == [field]


async def test_agencies_are_known_to_all_and_officers_to_their_own_agency(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某", "丙某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        await mesh.enrol(PROCURATORATE, "JCY")
        stub = mesh.agency_stub("identity", DirectoryServiceStub)
        as_police, as_court = await mesh.metadata(police, "甲某"), await mesh.metadata(court)

        got = await stub.GetAgency(directory_pb2.GetAgencyRequest(name=court.name), metadata=as_police, timeout=TIMEOUT)
        assert (got.agency.code, got.agency.organ) == (COURT, "FY")
        for_routing = await DirectoryServiceStub(mesh.channel("identity", "routing")).GetAgency(
            directory_pb2.GetAgencyRequest(name=court.name), timeout=TIMEOUT
        )
        assert for_routing == got
        with pytest.raises(NotFound):
            await stub.GetAgency(
                directory_pb2.GetAgencyRequest(name=f"agencies/{new_id()}"), metadata=as_police, timeout=TIMEOUT
            )

        codes, token = [], ""
        for _ in range(2):
            page = await stub.ListAgencies(
                directory_pb2.ListAgenciesRequest(page_size=2, page_token=token), metadata=as_court, timeout=TIMEOUT
            )
            codes.append([agency.code for agency in page.agencies])
            token = page.next_page_token
        assert codes == [[COURT, POLICE], [PROCURATORATE]]
        assert token == ""

        officers = await stub.ListOfficers(
            directory_pb2.ListOfficersRequest(page_size=2), metadata=as_police, timeout=TIMEOUT
        )
        rest = await stub.ListOfficers(
            directory_pb2.ListOfficersRequest(page_size=2, page_token=officers.next_page_token),
            metadata=as_police,
            timeout=TIMEOUT,
        )
        names = {officer.display_name: officer.name for officer in (*officers.officers, *rest.officers)}
        assert names == police.officers
        foreign = await stub.ListOfficers(directory_pb2.ListOfficersRequest(), metadata=as_court, timeout=TIMEOUT)
        assert {officer.display_name for officer in foreign.officers} == {"丁某"}
        with pytest.raises(InvalidArgument) as bad_token:
            await stub.ListAgencies(
                directory_pb2.ListAgenciesRequest(page_token="x"), metadata=as_police, timeout=TIMEOUT
            )
        assert [violation.field for violation in bad_token.value.violations] == ["page_token"]
