"""Decisions on case access: facts in, verdicts out. The rules are Cedar policies beside this file.

A policy whose condition fails to evaluate is skipped by Cedar, a forbidding one included; so a verdict allows only
what was decided without any error. The rules are validated strictly against their schema when they are read.

The rules see of the facts only whether each is there (`Circumstances`), so there are few different questions. Each is
put to Cedar once and its answer kept: rules do not change while the service runs, and facts are never kept.

Source: Cedar policy language, sections on authorization and validation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from typing import Any, NamedTuple, cast

import cedarpy

from casemesh.identity.v1.case_access_pb2 import CasePermission

_PREFIX = "CASE_PERMISSION_"


class AccessRulesError(RuntimeError):
    """The rules do not hold together; the message names the rule."""


@dataclass(frozen=True)
class Circumstances:
    """What the rules see of one question; the attributes of the schema's context."""

    client_active: bool
    officer_active: bool
    takes_part: bool
    at_stage: bool
    assigned: bool
    supervises: bool
    supervises_unit: bool
    granted: bool
    delegated: bool
    glass_broken: bool
    glass_approved: bool
    sealed: bool
    seal_opened: bool


UNCONNECTED = Circumstances(
    client_active=True,
    officer_active=True,
    takes_part=False,
    at_stage=False,
    assigned=False,
    supervises=False,
    supervises_unit=False,
    granted=False,
    delegated=False,
    glass_broken=False,
    glass_approved=False,
    sealed=False,
    seal_opened=False,
)
"""An active officer and a case that nothing connects: to ask with `replace` what one fact alone would give."""


class Grant(NamedTuple):
    """A right given upon a request, and the agency that gave it."""

    fact_id: str
    giver_agency_id: str


@dataclass(frozen=True)
class CaseFacts:
    """What is in force at one moment between one subject and one case, whether or not such a case exists.

    Facts are given by their identifiers; None is that there is none.
    """

    case_id: str
    is_officer: bool
    """The subject is an officer, by whatever client; else a system acting for itself."""
    client_active: bool
    """The subject's client is registered with its agency, active, and may speak for its officer."""
    officer_active: bool
    """The officer is registered with the agency and active. False when there is none."""
    participation_id: str | None = None
    """The subject's agency takes part."""
    at_stage: bool = False
    """It takes part at every stage, or at one at which the case is."""
    assignment_id: str | None = None
    supervision_id: str | None = None
    unit_supervision_id: str | None = None
    """The officer's place at the head of a unit whose members work on the case."""
    delegations: Mapping[CasePermission, str] | None = None
    """The delegation to the officer that passes a right on, by right."""
    grants: Mapping[CasePermission, Grant] | None = None
    """What another agency that takes part gave the officer upon a request, by right."""
    break_glass_id: str | None = None
    glass_approved: bool = False
    """A second officer approved that use of break-glass."""
    seal_id: str | None = None
    opening_id: str | None = None
    """What opened the sealed case to the officer."""
    decoy_agency_ids: tuple[str, ...] = ()
    """The agencies to which it tells something that the subject looks: they made the case a decoy. The rules do not see
    them: they change no decision."""

    def circumstances(self, permission: CasePermission) -> Circumstances:
        """Return what the rules see when `permission` is asked for."""
        return Circumstances(
            client_active=self.client_active,
            officer_active=self.officer_active,
            takes_part=self.participation_id is not None,
            at_stage=self.at_stage,
            assigned=self.assignment_id is not None,
            supervises=self.supervision_id is not None,
            supervises_unit=self.unit_supervision_id is not None,
            granted=permission in (self.grants or {}),
            delegated=permission in (self.delegations or {}),
            glass_broken=self.break_glass_id is not None,
            glass_approved=self.glass_approved,
            sealed=self.seal_id is not None,
            seal_opened=self.opening_id is not None,
        )

    def fact_id(self, kind: str, permission: CasePermission) -> str | None:
        """Return the fact of a kind that a rule's `@fact` names, where `permission` is what it permits."""
        if kind == "delegation":
            return (self.delegations or {}).get(permission)
        if kind == "grant":
            grant = (self.grants or {}).get(permission)
            return grant.fact_id if grant is not None else None
        return {
            "participation": self.participation_id,
            "assignment": self.assignment_id,
            "supervision": self.supervision_id,
            "unit_supervision": self.unit_supervision_id,
            "break_glass": self.break_glass_id,
        }[kind]


_FACT_KINDS = (
    "participation", "assignment", "supervision", "unit_supervision", "delegation", "grant", "break_glass"
)  # fmt: skip


@dataclass(frozen=True)
class Ruling:
    """What the rules say: whether it is allowed, and by which rules, or by which it is forbidden.

    `errors` says what failed to evaluate; then nothing is allowed.
    """

    allowed: bool
    permitted_by: tuple[str, ...]
    forbidden_by: tuple[str, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """A decision on one case. `grounds` are pairs of a rule and the identifier of its fact; empty when denied."""

    allowed: bool
    grounds: tuple[tuple[str, str], ...]
    basis: str
    """The grounds as the log has them: `rule: kind identifier`, separated by semicolons; empty when denied."""
    forbidden_by: tuple[str, ...]
    errors: tuple[str, ...]
    through_agency_id: str = ""
    """Where it rests on a grant alone: the agency that gave it. What that agency sees of the case is then shown."""


class AccessRules:
    """A validated set of rules. The same question has the same answer.

    Raises AccessRulesError when the texts do not parse, the rules do not pass the schema, a rule has no `@id` of its
    own, a permission names no known `@fact`, or a permission of the contract is no action of the schema.
    """

    def __init__(self, policies: str, schema: str) -> None:
        try:
            self._schema = cedarpy.Schema.from_str(schema)
            self._policies = cedarpy.PolicySet.from_str(policies)
            parsed = json.loads(cedarpy.policies_to_json_str(policies))
        except ValueError as error:
            raise AccessRulesError(f"the access rules do not parse: {error}") from error
        result = cedarpy.validate_policies(policies, self._schema)
        if not result.validation_passed:
            raise AccessRulesError("; ".join(str(item) for item in result.errors))
        self._facts = _facts_by_rule(parsed)
        self._rulings: dict[tuple[bool, CasePermission, Circumstances], Ruling] = {}
        self._require_actions()

    @classmethod
    def shipped(cls) -> AccessRules:
        """Return the rules that ship with the service."""
        folder = files("casemesh.identity")
        return cls(
            (folder / "access_rules.cedar").read_text(encoding="utf-8"),
            (folder / "access_rules.cedarschema").read_text(encoding="utf-8"),
        )

    def decide(self, permission: CasePermission, facts: CaseFacts) -> Verdict:
        """Return the verdict on one right under these facts."""
        ruling = self.rule(permission, facts.circumstances(permission), officer=facts.is_officer)
        grounds = tuple((rule, cast(str, facts.fact_id(self._facts[rule], permission))) for rule in ruling.permitted_by)
        basis = "; ".join(f"{rule}: {self._facts[rule]} {fact}" for rule, fact in grounds)
        through = ""
        if grounds and all(self._facts[rule] == "grant" for rule, _ in grounds):
            through = (facts.grants or {})[permission].giver_agency_id
        return Verdict(ruling.allowed, grounds, basis, ruling.forbidden_by, ruling.errors, through)

    def rule(self, permission: CasePermission, circumstances: Circumstances, *, officer: bool) -> Ruling:
        """Return what the rules say of an officer, or of a system acting for itself."""
        question = (officer, permission, circumstances)
        ruling = self._rulings.get(question)
        if ruling is None:
            ruling = self._rulings[question] = self._ask(*question)
        return ruling

    def _ask(self, officer: bool, permission: CasePermission, circumstances: Circumstances) -> Ruling:
        request = {
            "principal": {"type": "Officer" if officer else "System", "id": "asking"},
            "action": {"type": "Action", "id": CasePermission.Name(permission).removeprefix(_PREFIX)},
            "resource": {"type": "Case", "id": "asked"},
            "context": asdict(circumstances),
        }
        result = cedarpy.is_authorized(request, self._policies, "[]", self._schema)
        errors = tuple(result.diagnostics.errors)
        rules = tuple(sorted(result.diagnostics.id_annotations_by_reason.values()))
        allowed = result.decision is cedarpy.Decision.Allow and not errors
        denied = result.decision is cedarpy.Decision.Deny
        return Ruling(allowed, rules if allowed else (), rules if denied else (), errors)

    def _require_actions(self) -> None:
        """Ask each permission once of nobody: a permission that is no action of the schema is an error there."""
        nobody = Circumstances(*(False,) * len(fields(Circumstances)))
        for name, number in CasePermission.items():
            permission = cast(CasePermission, number)
            if permission == CasePermission.CASE_PERMISSION_UNSPECIFIED:
                continue
            ruling = self.rule(permission, nobody, officer=False)
            if ruling.errors:
                raise AccessRulesError(f"{name}: {'; '.join(ruling.errors)}")


def _facts_by_rule(parsed: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for position, policy in parsed["staticPolicies"].items():
        annotations = policy.get("annotations", {})
        rule = annotations.get("id")
        if not rule or rule in found:
            raise AccessRulesError(f"{position}: each rule needs an @id of its own, not {rule!r}")
        fact = annotations.get("fact", "")
        if policy["effect"] == "permit" and fact not in _FACT_KINDS:
            raise AccessRulesError(f"{rule}: a permission needs a @fact of {', '.join(_FACT_KINDS)}, not {fact!r}")
        found[rule] = fact
    return found
