"""The tree of agencies, their units, and where officers are placed, over real mTLS."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.ids import new_id
from casemesh.errors import InvalidArgument, NotFound
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import directory_pb2, directory_service_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import COURT, POLICE

TIMEOUT = 10.0
LEVEL, ROLE = directory_pb2.AgencyLevel, directory_pb2.UnitRole


async def rows(mesh: Mesh, sql: str) -> list[Any]:
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def agency(mesh: Mesh, code: str, level: Any = None, parent: str = "") -> Any:
    request = admin_pb2.CreateAgencyRequest(
        request_id=new_id(), code=code, display_name=code, organ="GA", level=level, parent=parent
    )
    return (await mesh.operator("identity", DirectoryAdminServiceStub).CreateAgency(request, timeout=TIMEOUT)).agency


async def unit(mesh: Mesh, parent: str, name: str, above: str = "") -> Any:
    request = admin_pb2.CreateUnitRequest(request_id=new_id(), parent=parent, display_name=name, parent_unit=above)
    return (await mesh.operator("identity", DirectoryAdminServiceStub).CreateUnit(request, timeout=TIMEOUT)).unit


async def place(mesh: Mesh, officer: str, where: str, role: Any = ROLE.UNIT_ROLE_MEMBER) -> Any:
    request = admin_pb2.PlaceOfficerRequest(request_id=new_id(), officer=officer, unit=where, role=role)
    answer = await mesh.operator("identity", DirectoryAdminServiceStub).PlaceOfficer(request, timeout=TIMEOUT)
    return answer.placement


async def field_at_fault(call: Any) -> list[str]:
    with pytest.raises(InvalidArgument) as refused:
        await call
    return [violation.field for violation in refused.value.violations]


async def test_agencies_form_a_tree_in_which_the_parent_is_of_a_higher_level(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        province = await agency(mesh, "donghai-police", LEVEL.AGENCY_LEVEL_PROVINCE)
        city = await agency(mesh, "donghai-city-police", LEVEL.AGENCY_LEVEL_CITY, province.name)
        county = await agency(mesh, "donghai-county-police", LEVEL.AGENCY_LEVEL_COUNTY, city.name)
        assert ("", province.name, city.name) == (province.parent, city.parent, county.parent)
        assert (LEVEL.AGENCY_LEVEL_CITY, LEVEL.AGENCY_LEVEL_COUNTY) == (city.level, county.level)
        bare = await agency(mesh, "without-level")
        for level, parent in (
            (LEVEL.AGENCY_LEVEL_CITY, city.name),
            (LEVEL.AGENCY_LEVEL_PROVINCE, city.name),
            (None, province.name),
            (LEVEL.AGENCY_LEVEL_COUNTY, bare.name),
        ):
            assert await field_at_fault(agency(mesh, "x", level, parent)) == ["parent"]
        with pytest.raises(NotFound):
            await agency(mesh, "x", LEVEL.AGENCY_LEVEL_COUNTY, f"agencies/{new_id()}")
        police = await mesh.enrol(POLICE, "GA")
        got = await mesh.agency_stub("identity", DirectoryServiceStub).GetAgency(
            directory_service_pb2.GetAgencyRequest(name=city.name),
            metadata=await mesh.metadata(police),
            timeout=TIMEOUT,
        )
        assert got.agency == city


async def test_an_officer_is_of_one_unit_at_a_time_and_former_places_keep_their_dates(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        squad = await unit(mesh, police.name, "刑侦大队")
        team = await unit(mesh, police.name, "刑侦一中队", squad.name)
        assert team.parent == squad.name
        officer = police.officers["甲某"]
        first = await place(mesh, officer, team.name)
        assert first == await place(mesh, officer, team.name)
        second = await place(mesh, officer, squad.name, ROLE.UNIT_ROLE_SUPERVISOR)
        assert (squad.name, ROLE.UNIT_ROLE_SUPERVISOR) == (second.unit, second.role)

        kept = await rows(mesh, "SELECT role, valid_from, valid_until FROM unit_placement ORDER BY valid_from")
        assert ["member", "supervisor"] == [row["role"] for row in kept]
        assert kept[0]["valid_from"] <= kept[0]["valid_until"] <= kept[1]["valid_from"]
        assert kept[1]["valid_until"] is None
        events = [Event.FromString(row["event"]) for row in await rows(mesh, "SELECT event FROM outbox ORDER BY id")]
        placed = [event for event in events if event.action == "identity.officer.placed"]
        assert [(officer, team.name), (officer, squad.name)] == [
            (event.resource, event.details["unit"]) for event in placed
        ]

        stub = mesh.agency_stub("identity", DirectoryServiceStub)
        metadata = await mesh.metadata(police)
        listed = await stub.ListOfficers(
            directory_service_pb2.ListOfficersRequest(), metadata=metadata, timeout=TIMEOUT
        )
        assert {"甲某": (squad.name, ROLE.UNIT_ROLE_SUPERVISOR), "乙某": ("", ROLE.UNIT_ROLE_UNSPECIFIED)} == {
            item.display_name: (item.unit, item.unit_role) for item in listed.officers
        }
        page = await stub.ListUnits(
            directory_service_pb2.ListUnitsRequest(page_size=1), metadata=metadata, timeout=TIMEOUT
        )
        rest = await stub.ListUnits(
            directory_service_pb2.ListUnitsRequest(page_token=page.next_page_token), metadata=metadata, timeout=TIMEOUT
        )
        assert [squad, team] == [*page.units, *rest.units]
        theirs = await stub.ListUnits(
            directory_service_pb2.ListUnitsRequest(), metadata=await mesh.metadata(court), timeout=TIMEOUT
        )
        assert list(theirs.units) == []


async def test_two_moves_of_one_officer_at_once_leave_one_place(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        units = [await unit(mesh, police.name, f"{number}") for number in range(4)]
        await asyncio.gather(*(place(mesh, police.officers["甲某"], each.name) for each in units))
        found = await rows(
            mesh, "SELECT count(*) FILTER (WHERE valid_until IS NULL) AS open, count(*) FROM unit_placement"
        )
        assert (1, 4) == (found[0]["open"], found[0]["count"])


async def test_units_and_places_stay_within_their_agency(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY")
        division = await unit(mesh, court.name, "刑事审判庭")
        assert await field_at_fault(unit(mesh, police.name, "x", division.name)) == ["parent_unit"]
        assert await field_at_fault(place(mesh, police.officers["甲某"], division.name)) == ["unit"]
        assert await field_at_fault(
            place(mesh, police.officers["甲某"], division.name, ROLE.UNIT_ROLE_UNSPECIFIED)
        ) == ["role"]
        absent = f"{police.name}/units/{new_id()}"
        for call in (
            unit(mesh, f"agencies/{new_id()}", "x"),
            unit(mesh, police.name, "x", absent),
            place(mesh, police.officers["甲某"], absent),
            place(mesh, f"{court.name}/officers/{new_id()}", division.name),
        ):
            with pytest.raises(NotFound):
                await call
