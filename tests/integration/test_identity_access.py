"""Case access over real mTLS: facts come and go, decisions follow at once, and nothing is learned without a right."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.identity.v1 import access_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import access_service_pb2 as access_pb2
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb2
from casemesh.identity.v1 import directory_admin_service_pb2 as directory_pb2
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from tests.support.clock import FakeClock
from tests.support.mesh import Agency, Mesh, MeshOf, forwarded
from tests.support.pki import COURT, POLICE, PROCURATORATE

TIMEOUT = 10.0
OFFICERS_MAY = {
    "VIEW_CASE",
    "VIEW_DOSSIER",
    "CHANGE_DOSSIER",
    "SUBMIT_EXCHANGE",
    "DECIDE_EXCHANGE",
    "MANAGE_ACCESS",
    "VIEW_TRAIL",
    "VIEW_PROGRESS",
}
SYSTEMS_MAY = {"VIEW_CASE", "VIEW_PROGRESS", "RECEIVE_EXCHANGE", "MANAGE_ACCESS"}
PERMISSIONS = {
    name.removeprefix("CASE_PERMISSION_"): cast(CasePermission, number)
    for name, number in CasePermission.items()
    if number
}
ANSWERS_TO_NOBODY = access_pb2.CheckAccessResponse()


def new_case() -> str:
    return f"cases/{new_id()}"


async def sql(mesh: Mesh, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """Run a statement as the owner of identity's database."""
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


async def access_events(mesh: Mesh) -> list[Event]:
    rows = await sql(mesh, "SELECT event FROM outbox ORDER BY id")
    events = [Event.FromString(row["event"]) for row in rows]
    return [event for event in events if event.action.startswith("access.") and event.case]


async def add_participation(mesh: Mesh, case: str, agency: Agency, officer: str = "", **changes: Any) -> Any:
    stub = CaseParticipationServiceStub(mesh.channel("identity", "routing"))
    fields = {
        "request_id": new_id(),
        "case": case,
        "agency": agency.name,
        "officer": agency.officers[officer] if officer else "",
        "cause": case,
        **changes,
    }
    return await stub.AddParticipation(participation_pb2.AddParticipationRequest(**fields), timeout=TIMEOUT)


async def relayed(mesh: Mesh, agency: Agency, officer: str | None = None) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {await mesh.token(agency, officer)}")]


async def check(mesh: Mesh, token: list[tuple[str, str]], case: str, permission: str = "VIEW_CASE") -> Any:
    stub = AccessServiceStub(mesh.channel("identity", "dossier"))
    request = access_pb2.CheckAccessRequest(case=case, permission=PERMISSIONS[permission])
    return await stub.CheckAccess(request, metadata=token, timeout=TIMEOUT)


async def recheck(mesh: Mesh, case: str, system: str, officer: str = "", permission: str = "VIEW_CASE") -> Any:
    stub = AccessServiceStub(mesh.channel("identity", "dossier"))
    request = access_pb2.RecheckAccessRequest(
        case=case, permission=PERMISSIONS[permission], system=system, officer=officer
    )
    return await stub.RecheckAccess(request, timeout=TIMEOUT)


async def cases_of(mesh: Mesh, token: list[tuple[str, str]], page_size: int = 0) -> list[list[str]]:
    """Return the pages of the list of accessible cases."""
    stub = AccessServiceStub(mesh.channel("identity", "routing"))
    pages: list[list[str]] = []
    page_token = ""
    while not pages or page_token:
        request = access_pb2.ListAccessibleCasesRequest(page_size=page_size, page_token=page_token)
        answer = await stub.ListAccessibleCases(request, metadata=token, timeout=TIMEOUT)
        pages.append(list(answer.cases))
        page_token = answer.next_page_token
    return pages


async def assign(mesh: Mesh, metadata: list[tuple[str, str]], case: str, officer: str, **changes: Any) -> Any:
    fields = {"request_id": new_id(), "case": case, "officer": officer, **changes}
    return await mesh.agency_stub("identity", AccessAdminServiceStub).AssignOfficer(
        admin_pb2.AssignOfficerRequest(**fields), metadata=metadata, timeout=TIMEOUT
    )


async def end(mesh: Mesh, metadata: list[tuple[str, str]], case: str, officer: str, **changes: Any) -> Any:
    fields = {"request_id": new_id(), "case": case, "officer": officer, **changes}
    return await mesh.agency_stub("identity", AccessAdminServiceStub).EndAssignment(
        admin_pb2.EndAssignmentRequest(**fields), metadata=metadata, timeout=TIMEOUT
    )


async def refusal(call: Any) -> CaseMeshError:
    with pytest.raises(CaseMeshError) as error:
        await call
    return error.value


async def test_rights_follow_from_facts_and_the_basis_names_them(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        (fact,) = await sql(
            mesh, "SELECT (SELECT id FROM participation) AS participation, (SELECT id FROM assignment) AS assignment"
        )
        expected = {
            ("甲某", POLICE): (OFFICERS_MAY, f"officer-assigned: assignment {fact['assignment']}"),
            (None, POLICE): (SYSTEMS_MAY, f"system-of-participant: participation {fact['participation']}"),
            ("乙某", POLICE): (set(), ""),
            ("丁某", COURT): (set(), ""),
            (None, COURT): (set(), ""),
        }
        for (officer, code), (permissions, basis) in expected.items():
            token = await relayed(mesh, police if code == POLICE else court, officer)
            for permission in PERMISSIONS:
                answer = await check(mesh, token, case, permission)
                # Any officer of an agency that takes part may open the case in an emergency.
                emergency = permission == "BREAK_GLASS" and officer is not None and code == POLICE
                opening = f"break-glass-open-to-participants: participation {fact['participation']}"
                assert answer.allowed == (permission in permissions or emergency), (officer, code, permission)
                assert answer.visible == bool(permissions)
                assert answer.basis == (opening if emergency else basis if answer.allowed else "")


async def test_a_case_that_is_not_there_answers_as_one_that_is_not_visible(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        token = await relayed(mesh, court, "丁某")
        for permission in PERMISSIONS:
            assert await check(mesh, token, case, permission) == ANSWERS_TO_NOBODY
            assert await check(mesh, token, new_case(), permission) == ANSWERS_TO_NOBODY
        assert await cases_of(mesh, token) == [[]]
        metadata = await mesh.metadata(court, "丁某")
        admin = mesh.agency_stub("identity", AccessAdminServiceStub)
        seen = set()
        for name in (case, new_case()):
            for call in (
                assign(mesh, metadata, name, court.officers["丁某"]),
                end(mesh, metadata, name, court.officers["丁某"]),
                admin.ListCaseAccess(admin_pb2.ListCaseAccessRequest(case=name), metadata=metadata, timeout=TIMEOUT),
            ):
                error = await refusal(call)
                assert isinstance(error, NotFound)
                seen.add((error.reason, error.message, tuple(error.metadata)))
        assert len(seen) == 1
        assert {event.case for event in await access_events(mesh)} == {case}


async def test_an_agency_that_takes_part_assigns_and_ends_and_each_takes_effect_at_once(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        case = new_case()
        await add_participation(mesh, case, police)
        as_system, as_second = await mesh.metadata(police), await relayed(mesh, police, "乙某")
        assert not (await check(mesh, as_second, case)).visible

        # The system assigns the first officer, and that officer the second.
        first = await assign(mesh, as_system, case, police.officers["甲某"], reason="承办")
        assert (first.access.case, first.access.agency) == (case, police.name)
        assert (first.access.officer, first.access.cause) == (police.officers["甲某"], police.system)
        as_first = await mesh.metadata(police, "甲某")
        second = await assign(mesh, as_first, case, police.officers["乙某"])
        assert second.access.cause == police.officers["甲某"]
        assert not second.access.HasField("valid_until")
        assert (await check(mesh, as_second, case)).allowed

        ended = await end(mesh, as_first, case, police.officers["乙某"], reason="调离")
        assert ended.access.valid_from == second.access.valid_from
        assert ended.access.valid_until.ToNanoseconds() >= ended.access.valid_from.ToNanoseconds()
        assert not (await check(mesh, as_second, case)).visible
        assert await cases_of(mesh, as_second) == [[]]
        # An officer may end the own assignment, and then sees the case no more.
        await end(mesh, as_first, case, police.officers["甲某"])
        assert isinstance(await refusal(assign(mesh, as_first, case, police.officers["乙某"])), NotFound)

        again = await assign(mesh, as_system, case, police.officers["乙某"])
        assert again.access.valid_from.ToNanoseconds() >= ended.access.valid_until.ToNanoseconds()
        assert (await check(mesh, as_second, case)).allowed

        events = await access_events(mesh)
        assert [(event.action, event.resource) for event in events] == [
            ("access.participation.added", police.name),
            ("access.assignment.added", police.officers["甲某"]),
            ("access.assignment.added", police.officers["乙某"]),
            ("access.assignment.ended", police.officers["乙某"]),
            ("access.assignment.ended", police.officers["甲某"]),
            ("access.assignment.added", police.officers["乙某"]),
        ]
        assert {event.case for event in events} == {case}
        assert events[1].basis.startswith("system-of-participant: participation ")
        assert events[1].details["reason"] == "承办"
        assert events[2].basis == f"officer-assigned: assignment {events[1].details['assignment']}"
        assert (events[2].actor.officer, events[2].actor.system) == (police.officers["甲某"], police.system)


async def test_what_is_there_is_not_added_again_and_what_has_ended_does_not_end_again(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        case, officer = new_case(), police.officers["甲某"]
        first = await add_participation(mesh, case, police, "甲某")
        again = await add_participation(mesh, case, police, "甲某", cause=f"exchanges/{new_id()}")
        assert again == first
        metadata = await mesh.metadata(police)
        assert (await assign(mesh, metadata, case, officer)).access == first.access[1]
        ended = await end(mesh, metadata, case, officer)
        assert await end(mesh, metadata, case, officer) == ended
        assert [event.action for event in await access_events(mesh)] == [
            "access.participation.added",
            "access.assignment.added",
            "access.assignment.ended",
        ]


async def test_the_same_fact_added_by_many_at_once_is_one_fact(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        case = new_case()
        added = await asyncio.gather(*(add_participation(mesh, case, police, "甲某") for _ in range(8)))
        assert all(answer == added[0] for answer in added)
        metadata = await mesh.metadata(police)
        ended = await asyncio.gather(*(end(mesh, metadata, case, police.officers["甲某"]) for _ in range(8)))
        assert all(answer == ended[0] for answer in ended)
        assert len(await access_events(mesh)) == 3


async def test_a_request_id_has_one_effect_and_its_answer_outlives_it(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        case, officer = new_case(), police.officers["甲某"]
        request_id = new_id()
        await add_participation(mesh, case, police, request_id=request_id)
        with_officer = add_participation(mesh, case, police, "甲某", request_id=request_id)
        assert (await refusal(with_officer)).reason == "REQUEST_ID_REUSED"
        metadata = await mesh.metadata(police)
        first = await assign(mesh, metadata, case, officer, request_id=request_id)
        ended = await end(mesh, metadata, case, officer, request_id=request_id)
        assert await assign(mesh, metadata, case, officer, request_id=request_id) == first
        assert await end(mesh, metadata, case, officer, request_id=request_id) == ended
        assert not (await check(mesh, await relayed(mesh, police, "甲某"), case)).visible
        other = assign(mesh, metadata, case, police.officers["乙某"], request_id=request_id)
        assert isinstance(await refusal(other), FailedPrecondition)


async def test_nobody_assigns_officers_of_another_agency(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        await add_participation(mesh, case, court, "丁某")
        metadata = await mesh.metadata(police, "甲某")
        stranger, judge = f"agencies/{new_id()}/officers/{new_id()}", court.officers["丁某"]
        seen = set()
        for change in (assign, end):
            for officer in (judge, stranger):
                error = await refusal(change(mesh, metadata, case, officer))
                assert isinstance(error, PermissionDenied)
                seen.add((error.reason, error.message))
        assert {reason for reason, _ in seen} == {"OFFICER_NOT_ASSERTABLE"}
        assert len(seen) == 1
        for officer in (f"{police.name}/officers/{new_id()}", judge.replace(court.name, police.name)):
            assert isinstance(await refusal(assign(mesh, metadata, case, officer)), NotFound)
            assert isinstance(await refusal(end(mesh, metadata, case, officer)), NotFound)
        assert (await check(mesh, await relayed(mesh, court, "丁某"), case)).allowed


async def test_participation_names_an_agency_and_an_officer_that_exist_and_fit(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = new_case()
        await add_participation(mesh, case, court)
        judge = Agency(police.name, POLICE, "", police.credentials, court.officers)
        mismatch = await refusal(add_participation(mesh, case, judge, "丁某"))
        assert isinstance(mismatch, InvalidArgument)
        assert [violation.field for violation in mismatch.violations] == ["officer"]
        for number, name in enumerate((f"{police.name}/officers/{new_id()}", court.officers["丁某"])):
            renamed = name.replace(court.name, police.name)
            nobody = Agency(police.name, POLICE, "", police.credentials, {"无": renamed})
            assert isinstance(await refusal(add_participation(mesh, case, nobody, "无")), NotFound), number
        nowhere = Agency(f"agencies/{new_id()}", "", "", police.credentials)
        assert isinstance(await refusal(add_participation(mesh, case, nowhere)), NotFound)
        # The refused ones left nothing, not even the half that was in order.
        assert [event.resource for event in await access_events(mesh)] == [court.name]


async def test_an_agency_sees_its_own_assignments_and_everybodys_participation(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        await add_participation(mesh, case, court, "丁某", cause=f"exchanges/{new_id()}")
        as_police = await mesh.metadata(police, "甲某")
        await assign(mesh, as_police, case, police.officers["乙某"])
        await end(mesh, as_police, case, police.officers["乙某"])
        stub = mesh.agency_stub("identity", AccessAdminServiceStub)

        async def listed(metadata: list[tuple[str, str]]) -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = []
            token = ""
            while not found or token:
                request = admin_pb2.ListCaseAccessRequest(case=case, page_size=1, page_token=token)
                page = await stub.ListCaseAccess(request, metadata=metadata, timeout=TIMEOUT)
                (access,) = page.access
                assert access.case == case
                found.append((access.agency, access.officer))
                token = page.next_page_token
            return found

        assert sorted(await listed(as_police)) == sorted(
            [(police.name, ""), (police.name, police.officers["甲某"]), (court.name, "")]
        )
        assert sorted(await listed(await mesh.metadata(court))) == sorted(
            [(police.name, ""), (court.name, ""), (court.name, court.officers["丁某"])]
        )


async def test_the_list_of_cases_is_what_check_allows_newest_first_in_whole_pages(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        cases = sorted((new_case() for _ in range(11)), reverse=True)
        for number, case in enumerate(cases):
            await add_participation(mesh, case, police, "甲某" if number % 2 else "乙某")
        await add_participation(mesh, new_case(), court, "丁某")
        # An assignment whose agency takes part no longer opens nothing, and must not leave a hole in a page.
        await sql(
            mesh, "UPDATE participation SET valid_until = clock_timestamp() WHERE case_id = $1", cases[3].split("/")[1]
        )
        left = [case for case in cases if case != cases[3]]
        for officer, visible in (
            (None, left),
            ("甲某", [case for case in left if cases.index(case) % 2]),
            ("乙某", [case for case in left if not cases.index(case) % 2]),
        ):
            token = await relayed(mesh, police, officer)
            pages = await cases_of(mesh, token, page_size=2)
            assert [case for page in pages for case in page] == visible
            assert all(len(page) == 2 for page in pages[:-1])
            assert [case for case in cases if (await check(mesh, token, case)).visible] == visible


async def test_a_subject_given_as_data_is_decided_like_its_token(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        for officer in (None, "甲某", "乙某"):
            token = await relayed(mesh, police, officer)
            for permission in PERMISSIONS:
                by_token = await check(mesh, token, case, permission)
                by_name = await recheck(
                    mesh, case, police.system, police.officers[officer] if officer else "", permission
                )
                assert (by_name.allowed, by_name.visible, by_name.basis) == (
                    by_token.allowed,
                    by_token.visible,
                    by_token.basis,
                )
        # A system that is not registered with the officer's agency speaks for nobody there.
        unknown = f"{police.name}/systems/{new_id()}"
        borrowed = court.system.replace(court.name, police.name)
        workstation = police.system.replace("/systems/", "/workstations/")
        for system in (unknown, borrowed, workstation):
            assert not (await recheck(mesh, case, system, police.officers["甲某"])).visible
        for system, officer in (
            ("nonsense", ""),
            (workstation, ""),
            (court.system, police.officers["甲某"]),
            (police.officers["甲某"], police.officers["甲某"]),
        ):
            error = await refusal(recheck(mesh, case, system, officer))
            assert isinstance(error, InvalidArgument)
            assert [violation.field for violation in error.violations] == ["system"]


async def test_a_workstation_has_the_rights_of_its_officer_and_of_no_colleague(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        await assign(mesh, await mesh.metadata(police), case, police.officers["乙某"])
        answer = await mesh.operator("identity", DirectoryAdminServiceStub).CreateWorkstation(
            directory_pb2.CreateWorkstationRequest(
                request_id=new_id(), officer=police.officers["甲某"], certificate_sha256=bytes(32)
            ),
            timeout=TIMEOUT,
        )
        desk = answer.workstation.name
        assert (await recheck(mesh, case, desk, police.officers["甲某"], "VIEW_DOSSIER")).allowed
        assert not (await recheck(mesh, case, desk, police.officers["乙某"])).visible
        assert (await recheck(mesh, case, police.system, police.officers["乙某"])).visible


async def test_the_log_takes_every_event_of_identity(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", "audit") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        await end(mesh, await mesh.metadata(police), case, police.officers["甲某"], reason="调离" * 250)
        async with asyncio.timeout(TIMEOUT):
            while await sql(mesh, "SELECT 1 FROM outbox WHERE sent_at IS NULL"):
                await asyncio.sleep(0.05)
        numbers = await sql(mesh, "SELECT source_sequence FROM outbox ORDER BY id")
        assert [row["source_sequence"] for row in numbers] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("state", ["suspended", "revoked"])
@pytest.mark.parametrize("table", ["officer", "client"])
async def test_an_officer_or_system_that_is_not_active_loses_every_right_at_the_next_question(
    mesh_of: MeshOf, table: str, state: str
) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        case, officer = new_case(), police.officers["甲某"]
        await add_participation(mesh, case, police, "甲某")
        token = await relayed(mesh, police, "甲某")
        assert (await check(mesh, token, case)).allowed
        await sql(mesh, f"UPDATE {table} SET state = $1", state)
        assert await check(mesh, token, case) == ANSWERS_TO_NOBODY
        assert await cases_of(mesh, token) == [[]]
        assert not (await recheck(mesh, case, police.system, officer)).visible
        metadata = [*forwarded(police.credentials.directory / "tls.pem"), *token]
        assert isinstance(await refusal(assign(mesh, metadata, case, officer)), NotFound)


async def test_a_fact_holds_from_its_beginning_to_its_end_by_the_databases_clock(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", clock=FakeClock()) as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        token = await relayed(mesh, police, "甲某")
        for fact in ("participation", "assignment"):
            for begins, ends, holds in (
                ("-1 hour", "1 hour", True),
                ("-2 hours", "-1 hour", False),
                ("1 hour", "2 hours", False),
                ("1 hour", None, False),
                ("-1 hour", None, True),
            ):
                await sql(
                    mesh,
                    f"UPDATE {fact} SET valid_from = now() + $1::text::interval,"
                    " valid_until = now() + $2::text::interval",
                    begins,
                    ends,
                )
                assert (await check(mesh, token, case)).allowed == holds, (fact, begins, ends)
                assert await cases_of(mesh, token) == [[case] if holds else []]


async def test_a_relayed_token_must_be_good_and_relayed_by_a_service_on_the_list(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        await mesh.enrol(PROCURATORATE, "JCY")
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        token = await relayed(mesh, police, "甲某")
        assert (await check(mesh, token, case)).allowed
        request = access_pb2.CheckAccessRequest(case=case, permission=PERMISSIONS["VIEW_CASE"])
        for peer in ("gateway", "operator", "monitor", "identity"):
            stub = AccessServiceStub(mesh.channel("identity", peer))
            call = stub.CheckAccess(request, metadata=token, timeout=TIMEOUT)
            assert (await refusal(call)).reason == "CALLER_NOT_ALLOWED"
        assert (await refusal(check(mesh, [], case))).reason == "TOKEN_MISSING"
        assert (await refusal(check(mesh, [("authorization", "Bearer x.y.z")], case))).reason == "TOKEN_INVALID"
        clock.move(306)
        assert (await refusal(check(mesh, token, case))).reason == "TOKEN_EXPIRED"
        # An open stream's rights are asked for without the token.
        assert (await recheck(mesh, case, police.system, police.officers["甲某"])).allowed
