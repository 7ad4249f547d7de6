"""Deciding on case access: the facts of this moment, then the rules."""

from __future__ import annotations

import structlog

from casemesh.core.names import CASE
from casemesh.identity.access_rules import VIEW_CASE, AccessRules, CaseFacts, Verdict
from casemesh.identity.access_store import AccessStore
from casemesh.identity.subjects import Subject, subject_of
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.access import Decision
from casemesh.runtime.call import Caller

log = structlog.get_logger(__name__)

_MAX_BATCH = 200


class CaseAccessDecider:
    """Decides from the database and the rules, and nothing in between: a right that ended is gone at the next question.

    Identity decides on its own calls with it (`casemesh.runtime.access.Decider`) and answers others with it.
    """

    def __init__(self, store: AccessStore, rules: AccessRules) -> None:
        self._store = store
        self._rules = rules

    async def decide(self, caller: Caller, case: str, permission: CasePermission) -> Decision:
        """Return the decision now, for the subject of a verified token."""
        return await self.decide_for(subject_of(caller.system, caller.officer), case, permission)

    async def decide_again(self, caller: Caller, case: str, permission: CasePermission) -> Decision:
        """Return the decision now; it does not depend on the token's end."""
        return await self.decide(caller, case, permission)

    async def decide_for(self, subject: Subject, case: str, permission: CasePermission) -> Decision:
        """Return the decision now. A case that nobody knows is decided like one without any fact about the subject."""
        facts = await self._store.case_facts(subject, CASE.parse(case)["case"])
        asked = dict.fromkeys((permission, VIEW_CASE))
        verdicts = self._decide(subject, [(question, facts) for question in asked])
        return Decision(verdicts[0].allowed, verdicts[-1].allowed, verdicts[0].basis)

    async def visible_cases(self, subject: Subject, before_id: str, limit: int) -> list[str]:
        """Return identifiers of up to `limit` cases the subject may see, falling, those before `before_id`.

        What may be seen is decided first and cut to a page after, so that a page is never short of what exists.
        """
        found: list[str] = []
        batch = min(limit, _MAX_BATCH)
        while len(found) < limit:
            candidates = await self._store.open_cases(subject, before_id, batch)
            verdicts = self._decide(subject, [(VIEW_CASE, facts) for facts in candidates])
            found += [facts.case_id for facts, verdict in zip(candidates, verdicts, strict=True) if verdict.allowed]
            if len(candidates) < batch:
                break
            before_id = candidates[-1].case_id
        return found[:limit]

    def _decide(self, subject: Subject, questions: list[tuple[CasePermission, CaseFacts]]) -> list[Verdict]:
        verdicts = self._rules.decide(subject, questions)
        failed = [verdict for verdict in verdicts if verdict.errors]
        if failed:
            # Denied already; but a rule that cannot be evaluated is a fault of ours that somebody must see.
            log.error("access.rules_failed", count=len(failed), first=failed[0].errors[0][:500])
        return verdicts
