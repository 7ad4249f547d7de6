"""Asking another agency for access, and deciding on it, over real mTLS; heads of units; what a grant shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import NotFound
from casemesh.identity.v1 import access_service_pb2 as access_pb2
from casemesh.identity.v1 import directory_admin_service_pb2 as directory_pb2
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_pb2 import UnitRole
from tests.support.access import (
    PERMISSIONS,
    TIMEOUT,
    Person,
    actions,
    add_participation,
    from_now,
    names,
    new_case,
    refusal,
    sql,
)
from tests.support.clock import FakeClock
from tests.support.dossiers import DossierDesk, documents_of
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import COURT, POLICE

FILED, APPROVED, REFUSED, EXPIRED = 1, 2, 3, 4
SEEING = ["VIEW_PROGRESS", "VIEW_CASE", "VIEW_DOSSIER"]


async def organs(mesh: Mesh) -> tuple[Person, Person, Person, Person, str]:
    """An officer of the court who asks; of the police, who handles the case, a colleague and a supervisor; the case."""
    police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某", "丙某"])
    court = await mesh.enrol(COURT, "FY", ["丁某"])
    handler, colleague, chief = (Person(mesh, police, name) for name in ("甲某", "乙某", "丙某"))
    await Person(mesh, police, None).protect.AppointSupervisor(officer=chief.name)
    case = new_case()
    await add_participation(mesh, case, police, "甲某")
    return Person(mesh, court, "丁某"), handler, colleague, chief, case


async def ask(asker: Person, agency: Agency, case: str, rights: Sequence[str] = SEEING, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "case": case,
        "agency": agency.name,
        "permissions": [PERMISSIONS[right] for right in rights],
        "purpose": "hearing",
        "until_time": from_now(days=7),
    }
    return (await asker.asking.FileAccessRequest(**{**fields, **changes})).access_request


async def test_the_answer_to_asking_is_the_same_whether_or_not_there_is_such_a_case(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, *_, case = await organs(mesh)
        until, absent = from_now(days=1), new_case()
        there = await ask(judge, handler.agency, case, until_time=until)
        not_there = await ask(judge, handler.agency, absent, until_time=until)
        own = (await judge.asking.ListAccessRequests()).access_requests
        assert [not_there, there] == list(own)
        for one in (there, not_there):
            for own_field in ("request", "case", "create_time", "expire_time"):
                one.ClearField(own_field)
        assert there == not_there
        assert (FILED, "hearing", judge.name) == (there.state, there.purpose, there.officer)
        assert set() == await judge.may(case)
        # Nobody of the agency asked has a right on a case that is not there.
        pending = (await handler.deciding.ListPendingAccessRequests()).access_requests
        assert [case] == [one.case for one in pending]


async def test_what_is_approved_holds_from_then_on_and_can_be_taken_back(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, _, _, case = await organs(mesh)
        asked = await ask(judge, handler.agency, case)
        request_id, until = new_id(), from_now(days=1)
        fields = {
            "access_request": asked.request,
            "permissions": [PERMISSIONS["VIEW_PROGRESS"], PERMISSIONS["VIEW_DOSSIER"]],
            "until_time": until,
        }
        first = await handler.deciding.ApproveAccessRequest(request_id=request_id, **fields)
        again = await handler.deciding.ApproveAccessRequest(request_id=request_id, **fields)
        assert first == again
        assert {"VIEW_PROGRESS", "VIEW_DOSSIER"} == await judge.may(case)
        assert [case] == await judge.cases("VIEW_DOSSIER")
        (own,) = (await judge.asking.ListAccessRequests()).access_requests
        assert (APPROVED, until) == (own.state, own.access.valid_until.ToDatetime(tzinfo=until.tzinfo))
        assert {"VIEW_PROGRESS", "VIEW_DOSSIER"} == names(own.access.permissions)
        assert (handler.agency.name, "") == (own.decided_by, own.access.given_by)
        listed = (await handler.admin.ListCaseAccess(case=case)).access
        assert own.access.fact in [fact.fact for fact in listed]
        assert "granted-on-request: grant" in (await judge.check(case, "VIEW_DOSSIER")).basis
        assert handler.agency.name == (await judge.check(case, "VIEW_DOSSIER")).through_agency
        ended = [await handler.deciding.EndAccessGrant(case=case, fact=own.access.fact) for _ in range(2)]
        assert ended[0] == ended[1]
        assert set() == await judge.may(case)
        recorded = await actions(mesh)
        assert ["access.request.filed", "access.request.approved", "access.grant.ended"] == recorded[-3:]


async def test_only_who_manages_or_reviews_access_decides_and_others_find_no_request(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, colleague, chief, case = await organs(mesh)
        asked = await ask(judge, handler.agency, case)
        for person, sees in ((handler, True), (chief, True), (colleague, False), (judge, False)):
            pending = (await person.deciding.ListPendingAccessRequests()).access_requests
            assert ([asked.request] if sees else []) == [one.request for one in pending], person.officer
        for person in (colleague, judge):
            for access_request in (asked.request, new_id()):
                approving = person.deciding.ApproveAccessRequest(access_request=access_request)
                assert "NOT_FOUND" == await refusal(approving)
                assert "NOT_FOUND" == await refusal(person.deciding.RefuseAccessRequest(access_request=access_request))
        refused = (await chief.deciding.RefuseAccessRequest(access_request=asked.request)).access_request
        assert (REFUSED, "因工作需要, 见内部审批单") == (refused.state, refused.decide_reason)
        assert "ACCESS_REQUEST_DECIDED" == await refusal(
            handler.deciding.ApproveAccessRequest(access_request=asked.request)
        )
        assert set() == await judge.may(case)
        assert "NOT_FOUND" == await refusal(handler.deciding.EndAccessGrant(case=case, fact=new_id()))
        assert "NOT_FOUND" == await refusal(judge.deciding.EndAccessGrant(case=case, fact=new_id()))


async def test_no_more_and_no_longer_is_approved_than_was_asked_for(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, *_, case = await organs(mesh)
        asked = await ask(judge, handler.agency, case, ["VIEW_CASE"])
        for more in ({"permissions": [PERMISSIONS["VIEW_DOSSIER"]]}, {"until_time": from_now(days=8)}):
            approving = handler.deciding.ApproveAccessRequest(access_request=asked.request, **more)
            assert "ACCESS_REQUEST_EXCEEDED" == await refusal(approving)
        for right in ("CHANGE_DOSSIER", "MANAGE_ACCESS", "VIEW_TRAIL", "REVIEW_ACCESS", "RECEIVE_EXCHANGE"):
            assert "FIELD_INVALID" == await refusal(ask(judge, handler.agency, case, [right])), right
        for wrong in (
            {"purpose": "curiosity"},
            {"until_time": from_now(days=31)},
            {"until_time": from_now(days=-1)},
        ):
            assert "FIELD_INVALID" == await refusal(ask(judge, handler.agency, case, **wrong)), wrong
        assert "FIELD_INVALID" == await refusal(ask(judge, judge.agency, case))
        nobody = replace(handler.agency, name=f"agencies/{new_id()}")
        assert "NOT_FOUND" == await refusal(ask(judge, nobody, case))


async def test_a_request_that_nobody_decides_expires(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, *_, case = await organs(mesh)
        asked = await ask(judge, handler.agency, case)
        await sql(mesh, "UPDATE access_request SET expires_at = now()")
        assert [] == list((await handler.deciding.ListPendingAccessRequests()).access_requests)
        approving = handler.deciding.ApproveAccessRequest(access_request=asked.request)
        assert "ACCESS_REQUEST_DECIDED" == await refusal(approving)
        (own,) = (await judge.asking.ListAccessRequests()).access_requests
        assert EXPIRED == own.state


async def test_a_request_expires_when_the_time_it_asked_for_is_over(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, *_, case = await organs(mesh)
        until = from_now(days=3)
        asked = await ask(judge, handler.agency, case, until_time=until)
        assert until == asked.expire_time.ToDatetime(tzinfo=until.tzinfo)
        approving = handler.deciding.ApproveAccessRequest(access_request=asked.request, until_time=from_now(days=-1))
        assert "FIELD_INVALID" == await refusal(approving)
        later = await ask(judge, handler.agency, case, until_time=from_now(days=30))
        assert later.expire_time.ToDatetime(tzinfo=UTC) < from_now(days=15)


async def test_repeating_a_request_gives_the_first_answer_also_when_its_time_is_over(mesh_of: MeshOf) -> None:
    clock = FakeClock(datetime.now(UTC))
    async with mesh_of("identity", clock=clock) as mesh:
        judge, handler, *_, case = await organs(mesh)
        fields = {"request_id": new_id(), "until_time": from_now(days=1)}
        first = await ask(judge, handler.agency, case, **fields)
        clock.move(2 * 86_400)
        assert first == await ask(judge, handler.agency, case, **fields)


async def test_an_officer_has_at_most_twenty_requests_waiting(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, *_ = await organs(mesh)
        for _ in range(20):
            await ask(judge, handler.agency, new_case())
        assert "ACCESS_REQUESTS_TOO_MANY" == await refusal(ask(judge, handler.agency, new_case()))
        await sql(mesh, "UPDATE access_request SET expires_at = now() WHERE id = (SELECT min(id::text)::uuid FROM"
                        " access_request)")  # fmt: skip
        await ask(judge, handler.agency, new_case())
        own = await judge.asking.ListAccessRequests(page_size=20)
        rest = await judge.asking.ListAccessRequests(page_size=20, page_token=own.next_page_token)
        assert (20, 1) == (len(own.access_requests), len(rest.access_requests))


async def test_a_grant_ends_by_itself_opens_no_seal_and_ends_with_the_agency_that_gave_it(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        judge, handler, _, chief, case = await organs(mesh)
        asked = await ask(judge, handler.agency, case)
        await handler.deciding.ApproveAccessRequest(access_request=asked.request)
        assert {"VIEW_CASE"} <= await judge.may(case)
        await chief.protect.SealCase(case=case, kind=1)
        assert set() == await judge.may(case)
        await chief.protect.LiftSeal(case=case, kind=1)
        await sql(mesh, "UPDATE participation SET valid_until = clock_timestamp()")
        assert set() == await judge.may(case)
        await sql(mesh, "UPDATE participation SET valid_until = NULL")
        assert {"VIEW_CASE"} <= await judge.may(case)
        await sql(mesh, "UPDATE officer_grant SET valid_until = clock_timestamp()")
        assert set() == await judge.may(case)


async def test_a_grant_shows_the_dossiers_of_the_agency_that_gave_it(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    desk = dossier_desk
    version = await desk.version(documents_of(tmp_path, [100, 200]))
    asker = Person(desk.mesh, desk.procuratorate, "chen")
    reading = desk.as_caller(DossierReadServiceStub, await desk.mesh.metadata(desk.procuratorate, "chen"))
    request = read_pb.ReadDocumentRequest(version=version.name, document_index=0)
    with pytest.raises(NotFound):
        await reading.ReadDocument(request)
    asked = await ask(asker, desk.police, desk.case)
    await Person(desk.mesh, desk.police, "lin").deciding.ApproveAccessRequest(access_request=asked.request)
    assert (await reading.ReadDocument(request)).data == (await desk.reading.ReadDocument(request)).data
    (listed,) = (await reading.ListDossiers(read_pb.ListDossiersRequest(case=desk.case))).dossiers
    assert version.name == listed.version


async def test_who_heads_a_unit_sees_the_progress_of_cases_its_members_work_on_and_no_more(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某", "丙某"])
        directory = mesh.operator("identity", DirectoryAdminServiceStub)
        units = []
        for name in ("刑侦大队", "经侦大队"):
            create = directory_pb2.CreateUnitRequest(request_id=new_id(), parent=police.name, display_name=name)
            units.append((await directory.CreateUnit(create, timeout=TIMEOUT)).unit.name)

        async def place(officer: str, unit: str, role: UnitRole) -> None:
            request = directory_pb2.PlaceOfficerRequest(
                request_id=new_id(), officer=police.officers[officer], unit=unit, role=role
            )
            await directory.PlaceOfficer(request, timeout=TIMEOUT)

        head, member = Person(mesh, police, "丙某"), Person(mesh, police, "甲某")
        await place("丙某", units[0], UnitRole.UNIT_ROLE_SUPERVISOR)
        await place("甲某", units[0], UnitRole.UNIT_ROLE_MEMBER)
        await place("乙某", units[1], UnitRole.UNIT_ROLE_MEMBER)
        of_unit, of_other = new_case(), new_case()
        await add_participation(mesh, of_unit, police, "甲某")
        await add_participation(mesh, of_other, police, "乙某")
        assert {"VIEW_PROGRESS", "BREAK_GLASS"} == await head.may(of_unit)
        assert {"BREAK_GLASS"} == await head.may(of_other)
        assert ([of_unit], []) == (await head.cases("VIEW_PROGRESS"), await head.cases("VIEW_CASE"))
        assert "supervisor-of-unit: unit_supervision" in (await head.check(of_unit, "VIEW_PROGRESS")).basis
        assert {"VIEW_CASE"} <= await member.may(of_unit)
        assert {"BREAK_GLASS"} == await Person(mesh, police, "乙某").may(of_unit)
        # The member moves to the other unit.
        await place("甲某", units[1], UnitRole.UNIT_ROLE_MEMBER)
        assert {"BREAK_GLASS"} == await head.may(of_unit)
        assert [] == await head.cases("VIEW_PROGRESS")


async def test_a_certificate_past_its_end_decides_nothing(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        officer, case = Person(mesh, police, "甲某"), new_case()
        await add_participation(mesh, case, police, "甲某")
        stub, metadata = AccessServiceStub(mesh.channel("identity", "dossier")), await officer.relayed()
        request = access_pb2.CheckAccessRequest(case=case, permission=PERMISSIONS["VIEW_CASE"])
        assert (await stub.CheckAccess(request, metadata=metadata, timeout=TIMEOUT)).allowed
        await sql(mesh, "UPDATE client_certificate SET not_after = now()")
        assert not (await stub.CheckAccess(request, metadata=metadata, timeout=TIMEOUT)).allowed
