"""Delegation, stages, supervision, seals and break-glass over real mTLS: each gives what it says, and no more."""

from __future__ import annotations

import asyncpg
import pytest

from casemesh.core.ids import new_id
from tests.support.access import (
    SEEING,
    Person,
    actions,
    add_participation,
    from_now,
    names,
    new_case,
    refusal,
    set_stages,
    sql,
)
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import COURT, POLICE

ASSIGNED = SEEING | {
    "CHANGE_DOSSIER",
    "SUBMIT_EXCHANGE",
    "DECIDE_EXCHANGE",
    "MANAGE_ACCESS",
    "VIEW_TRAIL",
    "BREAK_GLASS",
}
JUVENILE, PRIVACY = 1, 3


async def people(mesh: Mesh) -> tuple[Person, Person, Person, Person, str]:
    """The officer on a case of the police, a colleague, a supervisor, the system; and the case."""
    police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某", "丙某"])
    lin, colleague, chief, system = (Person(mesh, police, name) for name in ("甲某", "乙某", "丙某", None))
    await system.protect.AppointSupervisor(officer=chief.name)
    case = new_case()
    await add_participation(mesh, case, police, "甲某")
    return lin, colleague, chief, system, case


async def test_a_delegate_has_the_rights_passed_on_and_passes_none_on(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, chief, _, case = await people(mesh)
        rights = {"VIEW_CASE": 1, "VIEW_DOSSIER": 2}
        fields = {
            "case": case,
            "officer": colleague.name,
            "permissions": rights.values(),
            "expire_time": from_now(days=1),
        }
        first = await lin.admin.DelegateAccess(request_id=(request_id := new_id()), **fields)
        again = await lin.admin.DelegateAccess(request_id=request_id, **fields)
        assert first == again
        assert (lin.name, colleague.name) == (first.access.given_by, first.access.officer)
        assert {*rights, "BREAK_GLASS"} == await colleague.may(case)
        assert "NOT_FOUND" == await refusal(colleague.admin.DelegateAccess(**{**fields, "officer": chief.name}))
        assert [case] == await colleague.cases("VIEW_DOSSIER")
        ended = [await lin.admin.EndDelegation(case=case, fact=first.access.fact) for _ in range(2)]
        assert ended[0] == ended[1]
        assert {"BREAK_GLASS"} == await colleague.may(case)
        assert "NOT_FOUND" == await refusal(lin.admin.EndDelegation(case=case, fact=new_id()))
        added = ["access.supervision.added", "access.participation.added", "access.assignment.added"]
        assert [*added, "access.delegation.added", "access.delegation.ended"] == await actions(mesh)


async def test_a_delegation_ends_with_the_assignment_it_comes_from_and_does_not_come_back(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, _, system, case = await people(mesh)
        await lin.admin.DelegateAccess(case=case, officer=colleague.name, permissions=[1], expire_time=from_now(days=1))
        assert "VIEW_CASE" in await colleague.may(case)
        await sql(mesh, "UPDATE officer SET state = 'suspended' WHERE display_name = '甲某'")
        assert {"BREAK_GLASS"} == await colleague.may(case)
        await sql(mesh, "UPDATE officer SET state = 'active'")
        assert "VIEW_CASE" in await colleague.may(case)
        await system.admin.EndAssignment(case=case, officer=lin.name)
        assert {"BREAK_GLASS"} == await colleague.may(case)
        await system.admin.AssignOfficer(case=case, officer=lin.name)
        assert {"BREAK_GLASS"} == await colleague.may(case)


async def test_nobody_passes_on_what_is_not_his_to_pass_on(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, _, system, case = await people(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        fields = {"case": case, "officer": colleague.name, "permissions": [1], "expire_time": from_now(days=1)}
        for permission in (5, 7, 10, 11):
            assert "RIGHT_NOT_OWN" == await refusal(
                lin.admin.DelegateAccess(**{**fields, "permissions": [1, permission]})
            )
        assert "SAME_OFFICER" == await refusal(lin.admin.DelegateAccess(**{**fields, "officer": lin.name}))
        judge = court.officers["丁某"]
        assert "OFFICER_NOT_ASSERTABLE" == await refusal(lin.admin.DelegateAccess(**{**fields, "officer": judge}))
        nobody = f"{lin.agency.name}/officers/{new_id()}"
        assert "NOT_FOUND" == await refusal(lin.admin.DelegateAccess(**{**fields, "officer": nobody}))
        assert "TOKEN_SUBJECT_WRONG" == await refusal(system.admin.DelegateAccess(**fields))
        for end in (from_now(seconds=-1), from_now(days=31)):
            assert "FIELD_INVALID" == await refusal(lin.admin.DelegateAccess(**{**fields, "expire_time": end}))
        assert {"BREAK_GLASS"} == await colleague.may(case)


async def test_an_agency_acts_while_the_case_is_at_its_stage_and_goes_on_seeing(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        lin, case = Person(mesh, police, "甲某"), new_case()
        await add_participation(mesh, case, police, "甲某", stage=1)
        acting = {"CHANGE_DOSSIER", "SUBMIT_EXCHANGE"}
        assert ASSIGNED - acting == await lin.may(case)
        for stages, expected in (
            ((1,), ASSIGNED),
            ((2, 1), ASSIGNED),
            ((2,), ASSIGNED - acting),
            ((), ASSIGNED - acting),
        ):
            for _ in range(2):
                assert sorted(stages) == list((await set_stages(mesh, case, *stages)).stages)
            assert expected == await lin.may(case)
        await add_participation(mesh, case, police, stage=0)
        assert await lin.may(case) == ASSIGNED
        assert ["access.stages.set"] * 4 == [action for action in await actions(mesh) if "stages" in action]


async def test_a_supervisor_sees_progress_and_watches_over_access_and_sees_no_evidence(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        _, colleague, chief, system, case = await people(mesh)
        court = await mesh.enrol(COURT, "FY")
        elsewhere, both = new_case(), new_case()
        await add_participation(mesh, elsewhere, court)
        await add_participation(mesh, both, court)
        await add_participation(mesh, both, chief.agency)
        assert {"VIEW_PROGRESS", "REVIEW_ACCESS", "BREAK_GLASS"} == await chief.may(case)
        assert set() == await chief.may(elsewhere)
        assert sorted([case, both], reverse=True) == await chief.cases("VIEW_PROGRESS")
        assert [] == await chief.cases("VIEW_CASE")
        assert (await chief.check(case, "VIEW_DOSSIER")).visible
        # Only the agency itself says who supervises it.
        assert "TOKEN_SUBJECT_WRONG" == await refusal(chief.protect.AppointSupervisor(officer=colleague.name))
        strangers = Person(mesh, court, None)
        assert "OFFICER_NOT_ASSERTABLE" == await refusal(strangers.protect.AppointSupervisor(officer=chief.name))
        nobody = f"{chief.agency.name}/officers/{new_id()}"
        assert "NOT_FOUND" == await refusal(system.protect.AppointSupervisor(officer=nobody))
        assert "NOT_FOUND" == await refusal(system.protect.EndSupervision(officer=colleague.name))
        ended = [await system.protect.EndSupervision(officer=chief.name) for _ in range(2)]
        assert ended[0] == ended[1]
        assert {"BREAK_GLASS"} == await chief.may(case)


async def test_a_sealed_case_is_as_one_that_is_not_there_even_to_those_who_work_on_it(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, chief, system, case = await people(mesh)
        first, again = [await chief.protect.SealCase(case=case, kind=JUVENILE) for _ in range(2)]
        assert first == again
        for person in (lin, system):
            absent = await person.check(new_case(), "VIEW_CASE")
            assert absent == await person.check(case, "VIEW_CASE")
            assert [] == await person.cases("VIEW_CASE")
        assert "NOT_FOUND" == await refusal(lin.admin.ListCaseAccess(case=case))
        # Opened to one officer, who has his own rights again, and no more.
        for officer, expected in ((lin, ASSIGNED), (colleague, {"BREAK_GLASS"})):
            await chief.protect.OpenSeal(case=case, officer=officer.name, expire_time=from_now(days=1))
            assert expected == await officer.may(case)
        assert set() == await system.may(case)
        assert "SAME_OFFICER" == await refusal(
            chief.protect.OpenSeal(case=case, officer=chief.name, expire_time=from_now(days=1))
        )
        lifted = [await chief.protect.LiftSeal(case=case, kind=JUVENILE) for _ in range(2)]
        assert lifted[0] == lifted[1]
        assert "VIEW_CASE" in await system.may(case)
        assert ["access.seal.added", "access.seal.opened", "access.seal.opened", "access.seal.lifted"] == [
            action for action in await actions(mesh) if "seal" in action
        ]


async def test_each_agency_opens_and_lifts_its_own_seals_alone(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, _, chief, _, case = await people(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某", "戊某"])
        president = Person(mesh, court, "戊某")
        await Person(mesh, court, None).protect.AppointSupervisor(officer=president.name)
        opening = {"case": case, "officer": lin.name, "expire_time": from_now(days=1)}
        assert "NOT_FOUND" == await refusal(president.protect.SealCase(case=case, kind=PRIVACY))
        await add_participation(mesh, case, court, "丁某")
        await chief.protect.SealCase(case=case, kind=JUVENILE)
        for call in (president.protect.OpenSeal(**opening), president.protect.LiftSeal(case=case, kind=JUVENILE)):
            assert "CASE_NOT_SEALED" == await refusal(call)
        await president.protect.SealCase(case=case, kind=PRIVACY)
        await chief.protect.OpenSeal(**opening)
        assert {"BREAK_GLASS"} == await lin.may(case)
        await president.protect.OpenSeal(**opening)
        assert ASSIGNED == await lin.may(case)
        await president.protect.LiftSeal(case=case, kind=PRIVACY)
        assert {"BREAK_GLASS"} == await Person(mesh, court, "丁某").may(case)
        await chief.protect.LiftSeal(case=case, kind=JUVENILE)
        assert ASSIGNED == await Person(mesh, court, "丁某").may(case)


async def test_glass_breaks_at_once_to_see_and_not_to_change_and_waits_for_review(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, chief, system, case = await people(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        use = (await colleague.protect.BreakGlass(case=case)).use
        assert use == (await colleague.protect.BreakGlass(case=case)).use
        assert 3600 == use.valid_until.seconds - use.valid_from.seconds
        assert SEEING | {"BREAK_GLASS"} == await colleague.may(case)
        assert [case] == await colleague.cases("VIEW_DOSSIER")
        # Of another agency, or of a case that is not there: the same answer.
        for person, other in ((Person(mesh, court, "丁某"), case), (colleague, new_case())):
            assert "NOT_FOUND" == await refusal(person.protect.BreakGlass(case=other))
        assert "TOKEN_SUBJECT_WRONG" == await refusal(system.protect.BreakGlass(case=case))
        assert "FIELD_INVALID" == await refusal(colleague.protect.BreakGlass(case=case, reason="急"))

        await lin.protect.BreakGlass(case=case)
        for person, expected in ((chief, [colleague.name, lin.name]), (colleague, [])):
            queue = await person.protect.ListBreakGlassUses()
            assert expected == [waiting.officer for waiting in queue.uses]
        pages = await chief.protect.ListBreakGlassUses(page_size=1)
        rest = await chief.protect.ListBreakGlassUses(page_size=1, page_token=pages.next_page_token)
        assert [use.fact, lin.name, ""] == [pages.uses[0].fact, rest.uses[0].officer, rest.next_page_token]
        reviewed = (await chief.protect.ReviewBreakGlass(case=case, fact=use.fact, outcome=2)).use
        assert (chief.name, 2) == (reviewed.reviewed_by, reviewed.outcome)
        # An unjustified use ends with its review, and leaves the queue.
        assert {"BREAK_GLASS"} == await colleague.may(case)
        assert [lin.name] == [left.officer for left in (await chief.protect.ListBreakGlassUses()).uses]
        assert "USE_DECIDED" == await refusal(chief.protect.ReviewBreakGlass(case=case, fact=use.fact, outcome=1))
        recorded = [action for action in await actions(mesh) if "break_glass" in action]
        assert ["opened", "opened", "reviewed"] == [action.rpartition(".")[2] for action in recorded]


async def test_the_glass_of_a_sealed_case_needs_a_second_officer(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, chief, _, case = await people(mesh)
        await chief.protect.SealCase(case=case, kind=JUVENILE)
        use = (await lin.protect.BreakGlass(case=case)).use
        assert not use.HasField("valid_from")
        assert {"BREAK_GLASS"} == await lin.may(case)
        assert "NOT_FOUND" == await refusal(colleague.protect.ApproveBreakGlass(case=case, fact=use.fact))
        own = (await chief.protect.BreakGlass(case=case)).use
        for call in (
            chief.protect.ApproveBreakGlass(case=case, fact=own.fact),
            chief.protect.ReviewBreakGlass(case=case, fact=own.fact, outcome=1),
        ):
            assert "SAME_OFFICER" == await refusal(call)
        assert "NOT_FOUND" == await refusal(chief.protect.ApproveBreakGlass(case=case, fact=new_id()))
        opened = (await chief.protect.ApproveBreakGlass(case=case, fact=use.fact)).use
        assert chief.name == opened.approved_by
        # An emergency shows; what the officer may change otherwise stays sealed.
        assert SEEING | {"BREAK_GLASS"} == await lin.may(case)
        assert "USE_DECIDED" == await refusal(chief.protect.ApproveBreakGlass(case=case, fact=use.fact))
        await sql(mesh, "UPDATE break_glass SET valid_from = now() - '2h'::interval, valid_until = now()")
        assert {"BREAK_GLASS"} == await lin.may(case)


async def test_glass_broken_before_a_seal_opens_nothing_after_it(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        _, colleague, chief, _, case = await people(mesh)
        before = (await colleague.protect.BreakGlass(case=case)).use
        await chief.protect.SealCase(case=case, kind=JUVENILE)
        assert {"BREAK_GLASS"} == await colleague.may(case)
        after = (await colleague.protect.BreakGlass(case=case)).use
        assert before.fact != after.fact
        assert not after.HasField("valid_from")


async def test_an_explanation_names_rule_and_fact_or_what_forbids(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, chief, _, case = await people(mesh)
        answer = await chief.admin.ExplainAccess(case=case, officer=lin.name, permission=2)
        assert answer.allowed
        assert [("officer-assigned", lin.name)] == [(ground.rule, ground.fact.officer) for ground in answer.grounds]
        assert {1, 2} == {fact.kind for fact in answer.facts}
        nothing = await chief.admin.ExplainAccess(case=case, officer=colleague.name, permission=2)
        assert (False, [], []) == (nothing.allowed, list(nothing.grounds), list(nothing.forbidden_by))
        await chief.protect.SealCase(case=case, kind=JUVENILE)
        sealed = await chief.admin.ExplainAccess(case=case, officer=lin.name, permission=2)
        assert (False, ["sealed"]) == (sealed.allowed, list(sealed.forbidden_by))
        assert "NOT_FOUND" == await refusal(lin.admin.ExplainAccess(case=case, permission=2))
        of_system = await chief.admin.ExplainAccess(case=case, permission=5)
        assert ["sealed"] == list(of_system.forbidden_by)


async def test_who_could_see_a_case_is_answered_for_any_time(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        lin, colleague, chief, system, case = await people(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        start = from_now()
        await add_participation(mesh, case, court, "丁某")
        await system.admin.AssignOfficer(case=case, officer=colleague.name)
        between = from_now()
        await system.admin.EndAssignment(case=case, officer=colleague.name)

        async def viewers(person: Person = chief, **fields: object) -> dict[str, set[str]]:
            found, token = {}, ""
            while True:
                page = await person.admin.ListCaseViewers(case=case, page_size=1, page_token=token, **fields)
                found.update({viewer.officer or viewer.agency: names(viewer.permissions) for viewer in page.viewers})
                token = page.next_page_token
                if not token:
                    return found

        police, watching = lin.agency.name, {"VIEW_PROGRESS", "REVIEW_ACCESS", "BREAK_GLASS"}
        systems = {"VIEW_PROGRESS", "VIEW_CASE", "RECEIVE_EXCHANGE", "MANAGE_ACCESS"}
        at_first = {police: systems, lin.name: ASSIGNED, chief.name: watching}
        assert at_first == await viewers(time=start)
        # Of another agency its taking part is shown, not its officers.
        meanwhile = {**at_first, court.name: systems, colleague.name: ASSIGNED}
        assert meanwhile == await viewers(time=between)
        now = {who: rights for who, rights in meanwhile.items() if who != colleague.name}
        assert now == await viewers()
        assert {} == await viewers(time=from_now(days=-1))
        await chief.protect.SealCase(case=case, kind=JUVENILE)
        assert {} == {who: rights for who, rights in (await viewers()).items() if "VIEW_PROGRESS" in rights}
        assert meanwhile == await viewers(time=between)
        assert "NOT_FOUND" == await refusal(viewers(lin))
        assert "FIELD_INVALID" == await refusal(chief.admin.ListCaseViewers(case=case, page_token="x"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM seal",
        "UPDATE seal SET reason = ''",
        "UPDATE officer_grant SET permissions = '{2}'",
        "UPDATE break_glass SET officer_id = NULL",
        "UPDATE supervision SET valid_from = now()",
        "DELETE FROM case_stage",
    ],
)
async def test_the_service_itself_cannot_rewrite_facts(mesh_of: MeshOf, statement: str) -> None:
    async with mesh_of("identity") as mesh:
        connection = await asyncpg.connect(mesh.databases["identity"].runtime_dsn)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        finally:
            await connection.close()
