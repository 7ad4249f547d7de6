"""The rules of case access against an oracle that shares no code with them, and what happens to broken rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from importlib.resources import files
from itertools import product
from typing import cast

import pytest

from casemesh.core.ids import new_id
from casemesh.identity.access_rules import AccessRules, AccessRulesError, CaseFacts, Circumstances, Grant
from casemesh.identity.v1.case_access_pb2 import CasePermission
from tests.support import access_oracle as oracle
from tests.support.access_oracle import Officer, Span

POLICIES = (files("casemesh.identity") / "access_rules.cedar").read_text(encoding="utf-8")
SCHEMA = (files("casemesh.identity") / "access_rules.cedarschema").read_text(encoding="utf-8")
RULES = AccessRules(POLICIES, SCHEMA)
PERMISSIONS = [cast(CasePermission, value) for value in CasePermission.values() if value]
VIEW_CASE, VIEW_DOSSIER = CasePermission.CASE_PERMISSION_VIEW_CASE, CasePermission.CASE_PERMISSION_VIEW_DOSSIER
PARTICIPATION, ASSIGNMENT, SUPERVISION, DELEGATION, BREAK_GLASS, SEAL, OPENING, CASE = (new_id() for _ in range(8))
HEADSHIP, GRANT, GIVER = (new_id() for _ in range(3))
IDS = {
    "participation": PARTICIPATION,
    "assignment": ASSIGNMENT,
    "supervision": SUPERVISION,
    "unit_supervision": HEADSHIP,
    "grant": GRANT,
    "delegation": DELEGATION,
    "break_glass": BREAK_GLASS,
}
POLICE = "police"
ASKING, COLLEAGUE, CHIEF = Officer("asking", POLICE), Officer("colleague", POLICE), Officer("chief", POLICE)
MEMBER, JUDGE = Officer("member", POLICE), Officer("judge", "court")
NOW, IN_FORCE, OVER, ALWAYS = 0, Span(-10, 10), Span(-10, 0), Span(-100)
LET_IN = frozenset({"VIEW_PROGRESS", "VIEW_DOSSIER", "VIEW_TRAIL", "CHANGE_DOSSIER"})
PASSED_ON = frozenset({"VIEW_CASE", "CHANGE_DOSSIER", "MANAGE_ACCESS", "RECEIVE_EXCHANGE"})


def name_of(permission: CasePermission) -> str:
    return CasePermission.Name(permission).removeprefix("CASE_PERMISSION_")


def situations() -> Iterator[tuple[Officer | None, oracle.World, CaseFacts]]:
    """Every combination of who asks and of each fact, as the oracle has it and as the store gives it."""
    flags = (True, False)
    subjects = (ASKING, None)
    # Participation: none, at every stage, at the stage of the case, at one that is over.
    for subject, part, client, officer, assigned, supervises, delegated, glass, seal in product(
        subjects,
        (None, 0, 1, 2),
        flags,
        flags,
        flags,
        ("nothing", "the agency", "a unit"),
        (
            "none",
            "passed",
            "giver unassigned",
            "giver assigned anew",
            "giver suspended",
            "let in",
            "let in by an agency that left",
            "passed and let in",
        ),
        ("none", "open", "approved", "closed"),
        ("none", "sealed", "opened", "opened by another agency", "lifted"),
    ):
        suspended = {ASKING} if not officer else set()
        if delegated == "giver suspended":
            suspended.add(COLLEAGUE)
        assignments = [oracle.Assignment(ASKING)] if assigned else []
        if delegated in ("passed", "giver suspended", "passed and let in"):
            assignments.append(oracle.Assignment(COLLEAGUE, Span(-20)))
        elif delegated == "giver assigned anew":
            assignments += [oracle.Assignment(COLLEAGUE, Span(-20, -5)), oracle.Assignment(COLLEAGUE, Span(-4))]
        let_in = "let in" in delegated
        if supervises == "a unit":
            assignments.append(oracle.Assignment(MEMBER))
        opener = CHIEF if seal == "opened" else Officer("other", "court")
        world = oracle.World(
            participations=(
                oracle.Participation("court", 0, OVER if delegated == "let in by an agency that left" else ALWAYS),
                *((oracle.Participation(POLICE, part),) if part is not None else ()),
            ),
            stages=((1, IN_FORCE), (2, OVER)),
            assignments=tuple(assignments),
            supervisions=(oracle.Supervision(ASKING),) if supervises == "the agency" else (),
            granted=(oracle.Granted(JUDGE, ASKING, LET_IN, IN_FORCE),) if let_in else (),
            places=(oracle.Place(ASKING, "squad", True), oracle.Place(MEMBER, "squad", False))
            if supervises == "a unit"
            else (),
            delegations=(oracle.Delegation(COLLEAGUE, ASKING, PASSED_ON, IN_FORCE),)
            if delegated != "none" and (not let_in or "passed" in delegated)
            else (),
            seals={"none": (), "lifted": (oracle.Seal(POLICE, OVER),)}.get(seal, (oracle.Seal(POLICE),)),
            openings=(oracle.Opening(opener, ASKING, IN_FORCE),) if seal.startswith("opened") else (),
            broken=(oracle.BrokenGlass(ASKING, glass == "approved", OVER if glass == "closed" else IN_FORCE),)
            if glass != "none"
            else (),
            suspended_officers=frozenset(suspended),
            suspended_clients=frozenset() if client else frozenset({POLICE}),
        )
        of_officer = subject is not None
        passed = {number: DELEGATION for number in PERMISSIONS if name_of(number) in PASSED_ON}
        given = {number: Grant(GRANT, GIVER) for number in PERMISSIONS if name_of(number) in LET_IN}
        facts = CaseFacts(
            case_id=CASE,
            is_officer=of_officer,
            client_active=client,
            officer_active=of_officer and officer,
            participation_id=PARTICIPATION if part is not None else None,
            at_stage=part in (0, 1),
            assignment_id=ASSIGNMENT if of_officer and assigned else None,
            supervision_id=SUPERVISION if of_officer and supervises == "the agency" else None,
            unit_supervision_id=HEADSHIP if of_officer and supervises == "a unit" else None,
            delegations=passed if of_officer and delegated in ("passed", "passed and let in") else {},
            grants=given if of_officer and delegated in ("let in", "passed and let in") else {},
            break_glass_id=BREAK_GLASS if of_officer and glass in ("open", "approved") else None,
            glass_approved=of_officer and glass == "approved",
            seal_id=SEAL if seal not in ("none", "lifted") else None,
            opening_id=OPENING if of_officer and seal == "opened" else None,
        )
        yield subject, world, facts


def test_at_least_a_hundred_thousand_questions_are_decided_as_the_oracle_says() -> None:
    asked = 0
    for subject, world, facts in situations():
        for permission in PERMISSIONS:
            expected = oracle.may(world, POLICE, subject, name_of(permission), NOW)
            verdict = RULES.decide(permission, facts)
            assert (expected, ()) == (verdict.allowed, verdict.errors), (name_of(permission), facts)
            assert expected == bool(verdict.grounds)
            assert all(fact in IDS.values() for _, fact in verdict.grounds)
            asked += 1
    assert asked >= 100_000


def test_the_operations_of_the_oracle_are_those_of_the_contract() -> None:
    assert oracle.OPERATIONS == {name_of(permission) for permission in PERMISSIONS}


def given_facts(**changes: object) -> CaseFacts:
    facts = {
        "case_id": CASE,
        "is_officer": True,
        "client_active": True,
        "officer_active": True,
        "participation_id": PARTICIPATION,
        "at_stage": True,
        "assignment_id": ASSIGNMENT,
        **changes,
    }
    return CaseFacts(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "permission", "basis"),
    [
        ({}, "VIEW_DOSSIER", f"officer-assigned: assignment {ASSIGNMENT}"),
        (
            {"is_officer": False, "assignment_id": None},
            "VIEW_CASE",
            f"system-of-participant: participation {PARTICIPATION}",
        ),
        (
            {"assignment_id": None, "supervision_id": SUPERVISION},
            "VIEW_PROGRESS",
            f"supervisor-of-participant: supervision {SUPERVISION}",
        ),
        (
            {"assignment_id": None, "unit_supervision_id": HEADSHIP},
            "VIEW_PROGRESS",
            f"supervisor-of-unit: unit_supervision {HEADSHIP}",
        ),
        (
            {"participation_id": None, "assignment_id": None, "grants": {VIEW_DOSSIER: Grant(GRANT, GIVER)}},
            "VIEW_DOSSIER",
            f"granted-on-request: grant {GRANT}",
        ),
        (
            {"assignment_id": None, "delegations": {VIEW_DOSSIER: DELEGATION}},
            "VIEW_DOSSIER",
            f"delegated: delegation {DELEGATION}",
        ),
        (
            {"break_glass_id": BREAK_GLASS},
            "VIEW_CASE",
            f"glass-broken: break_glass {BREAK_GLASS}; officer-assigned: assignment {ASSIGNMENT}",
        ),
        ({}, "REVIEW_ACCESS", ""),
    ],
    ids=lambda value: value.partition(" ")[0] if isinstance(value, str) else "",
)
def test_the_basis_names_every_rule_that_permits_and_its_fact(
    changes: dict[str, object], permission: str, basis: str
) -> None:
    number = CasePermission.Value(f"CASE_PERMISSION_{permission}")
    verdict = RULES.decide(number, given_facts(**changes))
    assert (bool(basis), basis) == (verdict.allowed, verdict.basis)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"grants": {VIEW_DOSSIER: Grant(GRANT, GIVER)}}, ""),
        ({"assignment_id": None, "grants": {VIEW_DOSSIER: Grant(GRANT, GIVER)}}, GIVER),
        ({"assignment_id": None, "seal_id": SEAL, "grants": {VIEW_DOSSIER: Grant(GRANT, GIVER)}}, ""),
    ],
    ids=["own right", "own right and a grant", "a grant alone", "a grant on a sealed case"],
)
def test_what_another_agency_sees_is_shown_where_it_alone_gave_the_right(
    changes: dict[str, object], expected: str
) -> None:
    assert expected == RULES.decide(VIEW_DOSSIER, given_facts(**changes)).through_agency_id


@pytest.mark.parametrize(
    ("changes", "forbidden_by"),
    [
        ({"seal_id": SEAL}, ("sealed",)),
        ({"at_stage": False}, ("stage-over",)),
        ({"client_active": False, "officer_active": False}, ("client-not-active", "officer-not-active")),
        ({"assignment_id": None}, ()),
        ({}, ()),
    ],
)
def test_a_refusal_names_the_rules_that_forbid(changes: dict[str, object], forbidden_by: tuple[str, ...]) -> None:
    verdict = RULES.decide(CasePermission.CASE_PERMISSION_CHANGE_DOSSIER, given_facts(**changes))
    assert forbidden_by == verdict.forbidden_by


ALLOWING = """
@id("everybody") @fact("participation")
permit (principal, action, resource);
"""


@pytest.mark.parametrize(
    "condition",
    [
        "when { context.client_active && 9223372036854775807 + 1 > 0 }",
        "unless { !context.client_active || 9223372036854775807 * 2 < 0 }",
    ],
)
def test_a_forbidding_rule_that_cannot_be_evaluated_denies(condition: str) -> None:
    forbid = f'@id("overflow") forbid (principal, action, resource) {condition};'
    assert AccessRules(ALLOWING, SCHEMA).decide(VIEW_CASE, given_facts()).allowed
    verdict = AccessRules(ALLOWING + forbid, SCHEMA).decide(VIEW_CASE, given_facts())
    assert (False, "") == (verdict.allowed, verdict.basis)
    assert verdict.errors


def test_a_forbidding_rule_wins_over_a_permitting_one() -> None:
    rules = AccessRules(ALLOWING + '@id("nobody") forbid (principal, action, resource);', SCHEMA)
    assert not rules.decide(VIEW_CASE, given_facts()).allowed


def test_an_answer_that_is_kept_is_the_one_cedar_gives() -> None:
    fresh = AccessRules(POLICIES, SCHEMA)
    kept = [RULES.decide(permission, given_facts()) for _ in range(2) for permission in PERMISSIONS]
    assert [fresh.decide(permission, given_facts()) for permission in PERMISSIONS] * 2 == kept


@pytest.mark.parametrize(
    ("policies", "schema", "named"),
    [
        (POLICIES + '@id("x") permit (principal', SCHEMA, "parse"),
        (POLICIES, SCHEMA + "entity Agency", "parse"),
        (POLICIES.replace("context.assigned", "context.asigned"), SCHEMA, "asigned"),
        (POLICIES.replace('Action::"VIEW_TRAIL"', 'Action::"VIEW_TRIAL"'), SCHEMA, "VIEW_TRIAL"),
        (POLICIES.replace('@id("officer-assigned")', ""), SCHEMA, "@id"),
        (POLICIES.replace('@id("officer-assigned")', '@id("client-not-active")'), SCHEMA, "client-not-active"),
        (POLICIES.replace('@fact("assignment")', ""), SCHEMA, "officer-assigned"),
        (POLICIES.replace('@fact("assignment")', '@fact("hearsay")'), SCHEMA, "hearsay"),
        (POLICIES, SCHEMA.replace("sealed: Bool", "sealed?: Bool"), "sealed"),
        (ALLOWING, SCHEMA.replace("  VIEW_TRAIL", "  VIEW_TRIAL"), "VIEW_TRAIL"),
    ],
    ids=[
        "rule does not parse",
        "schema does not parse",
        "unknown attribute",
        "unknown action",
        "rule without id",
        "id twice",
        "permission without fact",
        "unknown fact",
        "attribute that may be absent",
        "permission without action",
    ],
)
def test_rules_that_do_not_hold_together_refuse_to_be_read(policies: str, schema: str, named: str) -> None:
    with pytest.raises(AccessRulesError, match=named):
        AccessRules(policies, schema)


def test_the_shipped_rules_are_the_ones_tested_here() -> None:
    shipped = AccessRules.shipped()
    for permission, officer in product(PERMISSIONS, (True, False)):
        for missing in (None, *(field.name for field in fields(Circumstances))):
            seen = Circumstances(**{field.name: field.name != missing for field in fields(Circumstances)})
            assert RULES.rule(permission, seen, officer=officer) == shipped.rule(permission, seen, officer=officer)
