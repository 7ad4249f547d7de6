"""The rules of case access against an oracle that shares no code with them, and what happens to broken rules."""

from __future__ import annotations

from importlib.resources import files
from itertools import product
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.core.ids import new_id
from casemesh.identity.access_rules import AccessRules, AccessRulesError, CaseFacts
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.case_access_pb2 import CasePermission

AGENCY, SYSTEM, WORKSTATION, OFFICER, CASE, PARTICIPATION, ASSIGNMENT = (new_id() for _ in range(7))
POLICIES = (files("casemesh.identity") / "access_rules.cedar").read_text(encoding="utf-8")
SCHEMA = (files("casemesh.identity") / "access_rules.cedarschema").read_text(encoding="utf-8")
RULES = AccessRules(POLICIES, SCHEMA)
BY_SYSTEM = Subject(AGENCY, "system", SYSTEM, OFFICER)
BY_WORKSTATION = Subject(AGENCY, "workstation", WORKSTATION, OFFICER)
ITSELF = Subject(AGENCY, "system", SYSTEM, None)
SUBJECTS = (BY_SYSTEM, BY_WORKSTATION, ITSELF)
PERMISSIONS = [cast(CasePermission, value) for value in CasePermission.values() if value]
VIEW_CASE = CasePermission.CASE_PERMISSION_VIEW_CASE

# Written down from the statement of who may do what, not from the rules.
OFFICERS_MAY = {
    "VIEW_CASE",
    "VIEW_DOSSIER",
    "CHANGE_DOSSIER",
    "SUBMIT_EXCHANGE",
    "DECIDE_EXCHANGE",
    "VIEW_TRAIL",
    "MANAGE_ACCESS",
}
SYSTEMS_MAY = {"VIEW_CASE", "RECEIVE_EXCHANGE", "MANAGE_ACCESS"}


def facts(
    *, client: bool = True, officer: bool = True, takes_part: bool = True, assigned: bool = True, case: str = CASE
) -> CaseFacts:
    return CaseFacts(case, client, officer, PARTICIPATION if takes_part else None, ASSIGNMENT if assigned else None)


def expected(subject: Subject, permission: CasePermission, given_facts: CaseFacts) -> str | None:
    """Return the basis when it is allowed, None when it is not."""
    name = CasePermission.Name(permission).removeprefix("CASE_PERMISSION_")
    if not given_facts.client_active or not given_facts.participation_id:
        return None
    if subject.officer_id is None:
        return f"system-of-participant: participation {PARTICIPATION}" if name in SYSTEMS_MAY else None
    if not given_facts.officer_active or not given_facts.assignment_id:
        return None
    return f"officer-assigned: assignment {ASSIGNMENT}" if name in OFFICERS_MAY else None


@pytest.mark.parametrize("permission", PERMISSIONS, ids=CasePermission.Name)
@pytest.mark.parametrize("subject", SUBJECTS, ids=["officer by system", "officer by workstation", "system"])
def test_every_combination_of_facts_is_decided_as_the_oracle_says(subject: Subject, permission: CasePermission) -> None:
    for client, officer, takes_part, assigned in product((True, False), repeat=4):
        given_facts = facts(client=client, officer=officer, takes_part=takes_part, assigned=assigned)
        (verdict,) = RULES.decide(subject, [(permission, given_facts)])
        basis = expected(subject, permission, given_facts)
        assert (basis is not None, basis or "", ()) == (verdict.allowed, verdict.basis, verdict.errors), given_facts


flags = st.booleans()
questions = st.lists(
    st.tuples(st.sampled_from(PERMISSIONS), flags, flags, st.uuids(version=4).map(str)),
    max_size=12,
    unique_by=lambda question: question[3],
)


@given(subject=st.sampled_from(SUBJECTS), client=flags, officer=flags, batch=questions)
def test_many_cases_at_once_are_decided_each_on_its_own(
    subject: Subject, client: bool, officer: bool, batch: list[tuple[CasePermission, bool, bool, str]]
) -> None:
    asked = [
        (permission, facts(client=client, officer=officer, takes_part=takes_part, assigned=assigned, case=case))
        for permission, takes_part, assigned, case in batch
    ]
    verdicts = RULES.decide(subject, asked)
    assert [expected(subject, *question) or "" for question in asked] == [verdict.basis for verdict in verdicts]
    assert [bool(verdict.basis) for verdict in verdicts] == [verdict.allowed for verdict in verdicts]


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
    assert AccessRules(ALLOWING, SCHEMA).decide(BY_SYSTEM, [(VIEW_CASE, facts())])[0].allowed
    (verdict,) = AccessRules(ALLOWING + forbid, SCHEMA).decide(BY_SYSTEM, [(VIEW_CASE, facts())])
    assert (verdict.allowed, verdict.basis) == (False, "")
    assert verdict.errors


def test_a_forbidding_rule_wins_over_a_permitting_one() -> None:
    rules = AccessRules(ALLOWING + '@id("nobody") forbid (principal, action, resource);', SCHEMA)
    assert not rules.decide(ITSELF, [(VIEW_CASE, facts())])[0].allowed


def test_the_basis_names_every_rule_that_permits() -> None:
    rules = AccessRules(ALLOWING + POLICIES, SCHEMA)
    (verdict,) = rules.decide(BY_SYSTEM, [(VIEW_CASE, facts())])
    assert f"everybody: participation {PARTICIPATION}; officer-assigned: assignment {ASSIGNMENT}" == verdict.basis


@pytest.mark.parametrize(
    ("policies", "schema", "named"),
    [
        (POLICIES + '@id("x") permit (principal', SCHEMA, "parse"),
        (POLICIES, SCHEMA + "entity Agency", "parse"),
        (POLICIES.replace("principal.active", "principal.activ"), SCHEMA, "activ"),
        (POLICIES.replace('Action::"VIEW_TRAIL"', 'Action::"VIEW_TRIAL"'), SCHEMA, "VIEW_TRIAL"),
        (POLICIES.replace('@id("officer-assigned")', ""), SCHEMA, "@id"),
        (POLICIES.replace('@id("officer-assigned")', '@id("client-not-active")'), SCHEMA, "client-not-active"),
        (POLICIES.replace('@fact("assignment")', ""), SCHEMA, "officer-assigned"),
        (POLICIES.replace('@fact("assignment")', '@fact("hearsay")'), SCHEMA, "hearsay"),
        (POLICIES, SCHEMA.replace("active: Bool", "active?: Bool"), "active"),
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
    for permission, subject in product(PERMISSIONS, SUBJECTS):
        question = [(permission, facts())]
        assert RULES.decide(subject, question) == shipped.decide(subject, question)


def test_no_question_has_no_answer() -> None:
    assert RULES.decide(ITSELF, []) == []
