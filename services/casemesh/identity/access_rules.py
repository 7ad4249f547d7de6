"""Decisions on case access: facts in, verdicts out. The rules are Cedar policies beside this file.

A policy whose condition fails to evaluate is skipped by Cedar, a forbidding one included; so a verdict allows only
what was decided without any error. The rules are validated strictly against their schema when they are read.

Source: Cedar policy language, sections on authorization and validation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast

import cedarpy

from casemesh.core.names import CASE
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.case_access_pb2 import CasePermission

VIEW_CASE = CasePermission.CASE_PERMISSION_VIEW_CASE
_PREFIX = "CASE_PERMISSION_"
_FACTS = frozenset({"participation", "assignment"})


class AccessRulesError(RuntimeError):
    """The rules do not hold together; the message names the rule."""


@dataclass(frozen=True)
class CaseFacts:
    """What is in force now between one subject and one case, whether or not such a case exists."""

    case_id: str
    client_active: bool
    """The subject's client is registered with its agency, active, and may speak for its officer."""
    officer_active: bool
    """The officer is registered with the agency and active. False when there is none."""
    participation_id: str | None
    """The fact that the subject's agency takes part."""
    assignment_id: str | None
    """The fact that the officer is assigned."""


@dataclass(frozen=True)
class Verdict:
    """A decision, and the rules and facts that permit it; `basis` is empty when it is denied.

    `errors` says what failed to evaluate; then nothing is allowed.
    """

    allowed: bool
    basis: str
    errors: tuple[str, ...] = ()


class AccessRules:
    """A validated set of rules. Stateless: the same question has the same answer.

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
        self._require_actions()

    @classmethod
    def shipped(cls) -> AccessRules:
        """Return the rules that ship with the service."""
        folder = files("casemesh.identity")
        return cls(
            (folder / "access_rules.cedar").read_text(encoding="utf-8"),
            (folder / "access_rules.cedarschema").read_text(encoding="utf-8"),
        )

    def decide(self, subject: Subject, questions: Sequence[tuple[CasePermission, CaseFacts]]) -> list[Verdict]:
        """Return a verdict for each question, in their order. All facts must be of one moment."""
        if not questions:
            return []
        results = cedarpy.is_authorized_batch(
            [_request(subject, permission, facts) for permission, facts in questions],
            self._policies,
            json.dumps(_entities(subject, [facts for _, facts in questions])),
            self._schema,
        )
        return [self._verdict(result, facts) for result, (_, facts) in zip(results, questions, strict=True)]

    def _verdict(self, result: cedarpy.AuthzResult, facts: CaseFacts) -> Verdict:
        errors = tuple(result.diagnostics.errors)
        if errors or result.decision is not cedarpy.Decision.Allow:
            return Verdict(False, "", errors)
        rules = sorted(result.diagnostics.id_annotations_by_reason.values())
        return Verdict(True, "; ".join(f"{rule}: {self._fact(rule, facts)}" for rule in rules))

    def _fact(self, rule: str, facts: CaseFacts) -> str:
        kind = self._facts[rule]
        return f"{kind} {facts.assignment_id if kind == 'assignment' else facts.participation_id}"

    def _require_actions(self) -> None:
        """Ask each permission once of nobody: a permission that is no action of the schema is an error there."""
        nobody = Subject(_NOBODY, "system", _NOBODY, None)
        facts = CaseFacts(_NOBODY, False, False, None, None)
        for name, number in CasePermission.items():
            permission = cast(CasePermission, number)
            if permission == CasePermission.CASE_PERMISSION_UNSPECIFIED:
                continue
            (verdict,) = self.decide(nobody, [(permission, facts)])
            if verdict.errors:
                raise AccessRulesError(f"{name}: {'; '.join(verdict.errors)}")


_NOBODY = "00000000-0000-0000-0000-000000000000"


def _facts_by_rule(parsed: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for position, policy in parsed["staticPolicies"].items():
        annotations = policy.get("annotations", {})
        rule = annotations.get("id")
        if not rule or rule in found:
            raise AccessRulesError(f"{position}: each rule needs an @id of its own, not {rule!r}")
        fact = annotations.get("fact", "")
        if policy["effect"] == "permit" and fact not in _FACTS:
            raise AccessRulesError(f"{rule}: a permission needs a @fact of {', '.join(sorted(_FACTS))}, not {fact!r}")
        found[rule] = fact
    return found


def _principal(subject: Subject) -> dict[str, str]:
    return {"type": "Officer" if subject.officer_id is not None else "System", "id": subject.name}


def _request(subject: Subject, permission: CasePermission, facts: CaseFacts) -> dict[str, Any]:
    return {
        "principal": _principal(subject),
        "action": {"type": "Action", "id": CasePermission.Name(permission).removeprefix(_PREFIX)},
        "resource": {"type": "Case", "id": CASE.format(case=facts.case_id)},
        "context": {"client_active": facts.client_active},
    }


def _entities(subject: Subject, slices: Sequence[CaseFacts]) -> list[dict[str, Any]]:
    agency = {"__entity": {"type": "Agency", "id": subject.agency}}
    principal = _principal(subject)
    attributes: dict[str, Any] = {"agency": agency}
    if subject.officer_id is not None:
        attributes["active"] = slices[0].officer_active
    entities = [{"uid": principal, "attrs": attributes, "parents": []}]
    for facts in {facts.case_id: facts for facts in slices}.values():
        assigned = subject.officer_id is not None and facts.assignment_id is not None
        entities.append(
            {
                "uid": {"type": "Case", "id": CASE.format(case=facts.case_id)},
                "attrs": {
                    "agencies": [agency] if facts.participation_id is not None else [],
                    "officers": [{"__entity": principal}] if assigned else [],
                },
                "parents": [],
            }
        )
    return entities
