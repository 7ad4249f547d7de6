"""Decides on cases and watches over it: counts readings, refuses those beyond the limits, raises alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.errors import ResourceExhausted
from casemesh.identity.alerts import Alerts, Sign
from casemesh.identity.browsing import Limit, Limits, Refusals, UsualHours
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.reading_store import Admission, ReadingStore
from casemesh.identity.subjects import Subject, subject_of
from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlertRule
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.access import Decision
from casemesh.runtime.call import Caller, current_call

_AT_LEAST_SECONDS = 1.0


class Watch:
    """A decider (`casemesh.runtime.access.Decider`) that answers as the rules do and watches officers over it.

    Systems acting for themselves are not: they read no dossiers. An alert that cannot be kept fails the call.
    """

    def __init__(
        self,
        decider: CaseAccessDecider,
        readings: ReadingStore,
        alerts: Alerts,
        limits: Limits,
        refusals: Refusals,
        usual_hours: UsualHours | None,
        clock: Clock,
    ) -> None:
        self._decider = decider
        self._readings = readings
        self._alerts = alerts
        self._limits = limits
        self._refusals = refusals
        self._usual_hours = usual_hours
        self._clock = clock

    async def decide(self, caller: Caller, case: str, permission: CasePermission) -> Decision:
        """Return the decision now, for the subject of a verified token."""
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        decision, decoy_agency_ids = await self._decider.look(subject, case, permission)
        if subject.officer_id is not None:
            officer = (subject.agency_id, subject.officer_id)
            # Watching over a decoy is no look at it.
            watching = decision.allowed and permission == CasePermission.CASE_PERMISSION_REVIEW_ACCESS
            if decoy_agency_ids and not watching:
                await self._tell_of_decoy(officer, decoy_agency_ids, CASE.parse(case)["case"])
            if not decision.allowed and self._refusals.count(subject.officer_id, self._clock.monotonic()):
                await self._tell(officer, AccessAlertRule.ACCESS_ALERT_RULE_REFUSALS, self._refusals.most)
        return decision

    async def decide_again(self, caller: Caller, case: str, permission: CasePermission) -> Decision:
        """Return the decision now; it does not depend on the token's end."""
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        return await self._decider.decide_for(subject, case, permission)

    async def decide_reading(self, caller: Caller, case: str, permission: CasePermission, purpose: str) -> Decision:
        """Return the decision on a reading that is about to begin, with its identifier where it is allowed.

        Raises ResourceExhausted (READING_LIMIT_REACHED) for one that is allowed and too many.
        """
        decision = await self.decide(caller, case, permission)
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        if not decision.allowed or subject.officer_id is None:
            return decision
        return replace(decision, reading=await self._admit(subject, subject.officer_id, case, purpose))

    async def _admit(self, subject: Subject, officer_id: str, case: str, purpose: str) -> str:
        reading_id, officer = new_id(), (subject.agency_id, officer_id)
        admission = await self._readings.admit(reading_id, *officer, CASE.parse(case)["case"], purpose, self._limits)
        if not admission.admitted:
            refused = self._limits.refusing(admission.counts)
            # The statement compared with the same figures.
            assert refused is not None
            limit, observed = refused
            await self._tell(officer, limit.reached, limit.refuse_at, observed)
            raise self._too_many(limit, admission)
        for limit, observed in self._limits.neared(admission.counts):
            await self._tell(officer, limit.neared, limit.alert_at, observed)
        if self._usual_hours is not None and not self._usual_hours.include(self._clock.now()):
            await self._tell(officer, AccessAlertRule.ACCESS_ALERT_RULE_UNUSUAL_HOUR)
        return reading_id

    def _too_many(self, limit: Limit, admission: Admission) -> ResourceExhausted:
        left = admission.hour_left if limit is self._limits.reads else admission.day_left
        seconds = max((left or timedelta(0)).total_seconds(), _AT_LEAST_SECONDS)
        return ResourceExhausted(
            "READING_LIMIT_REACHED",
            f"you have reached the limit {limit.name} ({limit.refuse_at}); go on later, or ask your supervisor",
            {"limit": limit.name},
            retry_after_seconds=seconds,
        )

    async def _tell(self, officer: tuple[str, str], rule: AccessAlertRule, limit: int = 0, observed: int = 0) -> None:
        sign = Sign(rule, officer, officer[0], observed=observed or limit, limit=limit)
        await self._alerts.raise_alert(current_call(), sign)

    async def _tell_of_decoy(self, officer: tuple[str, str], decoy_agency_ids: Sequence[str], case_id: str) -> None:
        rule = AccessAlertRule.ACCESS_ALERT_RULE_DECOY_LOOKED_AT
        for agency_id in decoy_agency_ids:
            await self._alerts.raise_alert(current_call(), Sign(rule, officer, agency_id, case_id))
        if officer[0] not in decoy_agency_ids:
            # The officer's own agency is told of the officer, not of the other agency's decoy.
            await self._alerts.raise_alert(current_call(), Sign(rule, officer, officer[0]))
