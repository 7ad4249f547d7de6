"""Opening a case in an emergency (break-glass): at once, or where it is sealed with a second
officer; reviewed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.errors import FailedPrecondition, not_found
from casemesh.identity import break_glass_store, fact_store
from casemesh.identity.alerts import Alerts, Sign
from casemesh.identity.break_glass_store import BreakGlassStore, Use
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.recording import calling_officer
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlertRule
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.v1.case_protection_service_pb2 import (
    ApproveBreakGlassRequest,
    ApproveBreakGlassResponse,
    BreakGlassOutcome,
    BreakGlassRequest,
    BreakGlassResponse,
    ReviewBreakGlassRequest,
    ReviewBreakGlassResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

_LIFE = timedelta(hours=1)
_BATCH = 200


class Emergencies:
    """Opens, approves, reviews. `wake` is called after each commit."""

    def __init__(
        self,
        database: Database,
        decider: CaseAccessDecider,
        alerts: Alerts,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._alerts = alerts
        self._store = BreakGlassStore(database)
        self._decider = decider
        self._clock = clock
        self._wake = wake

    async def break_glass(self, call: Call, request: BreakGlassRequest) -> BreakGlassResponse:
        """Open the case to the calling officer for an hour, or leave it to a second officer where it is sealed.

        A use that is open, or waits, is given again.
        """
        (agency_id, officer_id), case_id = calling_officer(call), CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, BreakGlassResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            sealed = await break_glass_store.is_sealed(transaction, case_id)
            use = await break_glass_store.standing_use(transaction, case_id, agency_id, officer_id, sealed=sealed)
            if use is None:
                use = await break_glass_store.insert_use(
                    transaction, new_id(), case_id, agency_id, officer_id, request.reason, _LIFE, waits=sealed
                )
                action = "access.break_glass.asked" if sealed else "access.break_glass.opened"
                await self._record(transaction, call, action, use, {"reason": request.reason})
                rule = AccessAlertRule.ACCESS_ALERT_RULE_BREAK_GLASS
                sign = Sign(rule, (agency_id, officer_id), agency_id, case_id)
                await self._alerts.raise_in(transaction, call, sign)
            response = BreakGlassResponse(use=use.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def approve(self, call: Call, request: ApproveBreakGlassRequest) -> ApproveBreakGlassResponse:
        """Raises NotFound when the agency has no such use on the case, FailedPrecondition for one's own use
        (SAME_OFFICER) and for one that does not wait (USE_DECIDED)."""
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, ApproveBreakGlassResponse)) is not None:
                return answered
            asked, approver_id = await self._use_of_another(transaction, call, request.case, request.fact)
            use = await break_glass_store.approve(transaction, asked.fact_id, approver_id, _LIFE)
            if use is None:
                raise _decided()
            await self._record(transaction, call, "access.break_glass.approved", use, {})
            response = ApproveBreakGlassResponse(use=use.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def review(self, call: Call, request: ReviewBreakGlassRequest) -> ReviewBreakGlassResponse:
        """Raises NotFound when the agency has no such use on the case, FailedPrecondition for one's own use
        (SAME_OFFICER) and for one reviewed before (USE_DECIDED)."""
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, ReviewBreakGlassResponse)) is not None:
                return answered
            asked, reviewer_id = await self._use_of_another(transaction, call, request.case, request.fact)
            use = await break_glass_store.review(
                transaction, asked.fact_id, request.outcome, reviewer_id, request.reason
            )
            if use is None:
                raise _decided()
            outcome = BreakGlassOutcome.Name(use.outcome).removeprefix("BREAK_GLASS_OUTCOME_")
            details = {"outcome": outcome, "reason": request.reason}
            await self._record(transaction, call, "access.break_glass.reviewed", use, details)
            response = ReviewBreakGlassResponse(use=use.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def queue(self, subject: Subject, after_id: str, limit: int) -> Sequence[Use]:
        """Return up to `limit` uses in the subject's agency that wait for review and that the subject may review,
        oldest first, those after `after_id`."""
        found: list[Use] = []
        while len(found) < limit:
            uses = await self._store.to_review(subject.agency_id, after_id, _BATCH)
            asked = [(use.case, CasePermission.CASE_PERMISSION_REVIEW_ACCESS) for use in uses]
            decisions = await self._decider.decide_many(subject, asked)
            found += [use for use, decision in zip(uses, decisions, strict=True) if decision.allowed]
            if len(uses) < _BATCH:
                break
            after_id = uses[-1].fact_id
        return found[:limit]

    async def _use_of_another(self, transaction: Transaction, call: Call, case: str, use_id: str) -> tuple[Use, str]:
        (agency_id, caller_id), case_id = calling_officer(call), CASE.parse(case)["case"]
        await fact_store.lock_case(transaction, case_id)
        use = await break_glass_store.use_of(transaction, use_id, case_id, agency_id)
        if use is None:
            raise not_found()
        if use.officer_id == caller_id:
            raise FailedPrecondition("SAME_OFFICER", "a second officer has to look at it")
        return use, caller_id

    async def _record(
        self, transaction: Transaction, call: Call, action: str, use: Use, details: dict[str, str]
    ) -> None:
        event = event_of(
            call,
            self._clock,
            action,
            use.message().officer,
            case=use.case,
            details={"break_glass": use.fact_id, **details},
        )
        await record(transaction, call, event)


def _decided() -> FailedPrecondition:
    return FailedPrecondition("USE_DECIDED", "the use was decided already")
