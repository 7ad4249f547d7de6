"""Deciding on case access: the facts of this moment, then the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import structlog

from casemesh.core.names import AGENCY, CASE
from casemesh.identity.access_rules import UNCONNECTED, AccessRules, CaseFacts, Verdict
from casemesh.identity.access_store import AccessStore, Connected
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.access import Decision

log = structlog.get_logger(__name__)

VIEW_PROGRESS = CasePermission.CASE_PERMISSION_VIEW_PROGRESS
PERMISSIONS = tuple(cast(CasePermission, number) for number in CasePermission.values() if number)
_MAX_BATCH = 200


@dataclass(frozen=True)
class Viewer:
    """Somebody who could see a case or its progress, what else the viewer could do, and the basis of seeing it."""

    who: Connected
    permissions: Sequence[CasePermission]
    basis: str


class CaseAccessDecider:
    """Decides from the database and the rules, and nothing in between: a right that ended is gone at the next question.

    `watching.Watch` decides on calls with it, identity's own and others'.
    """

    def __init__(self, store: AccessStore, rules: AccessRules) -> None:
        self._store = store
        self._rules = rules

    async def look(self, subject: Subject, case: str, permission: CasePermission) -> tuple[Decision, tuple[str, ...]]:
        """Return the decision now, as `decide_for` gives it, and the agencies to whose decoy it is a look."""
        (facts,) = await self._store.case_facts(subject, [CASE.parse(case)["case"]])
        return self._decision(permission, facts), facts.decoy_agency_ids

    async def decide_for(self, subject: Subject, case: str, permission: CasePermission) -> Decision:
        """Return the decision now. A case that nobody knows is decided like one without any fact about the subject."""
        (decision,) = await self.decide_many(subject, [(case, permission)])
        return decision

    async def decide_many(self, subject: Subject, questions: Sequence[tuple[str, CasePermission]]) -> list[Decision]:
        """Return the decisions of one moment in the order of the questions, each as `decide_for` gives it."""
        case_ids = list(dict.fromkeys(CASE.parse(case)["case"] for case, _ in questions))
        about = dict(zip(case_ids, await self._store.case_facts(subject, case_ids), strict=True))
        return [self._decision(permission, about[CASE.parse(case)["case"]]) for case, permission in questions]

    async def accessible_cases(
        self, subject: Subject, permission: CasePermission, before_id: str, limit: int
    ) -> list[str]:
        """Return identifiers of up to `limit` cases on which the subject has the right, falling, those before
        `before_id`.

        What is allowed is decided first and cut to a page after, so that a page is never short of what exists.
        """
        found: list[str] = []
        batch = min(limit, _MAX_BATCH)
        supervised = self._rules.rule(permission, replace(_NOTHING, supervises=True), officer=True).allowed
        unit_supervised = self._rules.rule(permission, replace(_NOTHING, supervises_unit=True), officer=True).allowed
        while len(found) < limit:
            candidates = await self._store.open_cases(
                subject, before_id, batch, supervised=supervised, unit_supervised=unit_supervised
            )
            slices = await self._store.case_facts(subject, candidates)
            found += [facts.case_id for facts in slices if self._verdict(permission, facts).allowed]
            if len(candidates) < batch:
                break
            before_id = candidates[-1]
        return found[:limit]

    async def explain(self, who: Connected, case_id: str, permission: CasePermission) -> Verdict:
        """Return the verdict now, with its grounds, for an officer or an agency's systems through an active client."""
        (facts,) = await self._store.facts_then(case_id, [who], None)
        return self._verdict(permission, facts)

    async def viewers(
        self, case_id: str, agency_id: str, at: datetime | None, after: tuple[str, str], limit: int
    ) -> list[Viewer]:
        """Return up to `limit` who could see the case or its progress at a time (None is now), those after `after`: the
        systems of all agencies, officers of one and those whom it let in.

        Decided by the rules that hold now; who was suspended then could not see it.
        """
        found: list[Viewer] = []
        while len(found) < limit:
            connected = await self._store.connected(case_id, agency_id, at, after, _MAX_BATCH)
            for who, facts in zip(connected, await self._store.facts_then(case_id, connected, at), strict=True):
                seeing = self._verdict(VIEW_PROGRESS, facts)
                if seeing.allowed:
                    rights = [right for right in PERMISSIONS if self._verdict(right, facts).allowed]
                    found.append(Viewer(who, rights, seeing.basis))
            if len(connected) < _MAX_BATCH:
                break
            after = connected[-1].key
        return found[:limit]

    def _decision(self, permission: CasePermission, facts: CaseFacts) -> Decision:
        verdict = self._verdict(permission, facts)
        through = AGENCY.format(agency=verdict.through_agency_id) if verdict.through_agency_id else ""
        return Decision(verdict.allowed, self._verdict(VIEW_PROGRESS, facts).allowed, verdict.basis, "", through)

    def _verdict(self, permission: CasePermission, facts: CaseFacts) -> Verdict:
        verdict = self._rules.decide(permission, facts)
        if verdict.errors:
            # Denied already; but a rule that cannot be evaluated is a fault of ours that somebody must see.
            log.error("access.rules_failed", first=verdict.errors[0][:500])
        return verdict


# Whether supervision alone opens anything decides whether all cases of a supervisor's agency, or unit, are looked at.
_NOTHING = replace(UNCONNECTED, takes_part=True, at_stage=True)
