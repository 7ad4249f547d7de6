"""Alerts on browsing out of the ordinary: raised once a rule, officer, case and day, resolved by a supervisor.

An alert is not in the trail of any case, and neither is a decoy: those who work on a case read its trail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from casemesh.core.clock import CHINA, Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE
from casemesh.errors import FailedPrecondition, not_found
from casemesh.identity import alert_store, fact_store
from casemesh.identity.alert_store import StoredDecoy
from casemesh.identity.browsing import names
from casemesh.identity.facts import officer_name
from casemesh.identity.recording import calling_officer
from casemesh.identity.v1.access_monitoring_service_pb2 import (
    AccessAlertResolution,
    AccessAlertRule,
    MarkDecoyRequest,
    MarkDecoyResponse,
    ResolveAccessAlertRequest,
    ResolveAccessAlertResponse,
    UnmarkDecoyRequest,
    UnmarkDecoyResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

_MOST_REMEMBERED = 100_000


class Sign(NamedTuple):
    """What was seen: a rule, the officer by agency and own identifier, whose supervisors are told, the case where the
    rule names one, what was counted and from where on it counts."""

    rule: AccessAlertRule
    officer: tuple[str, str]
    told_agency_id: str
    case_id: str | None = None
    observed: int = 0
    limit: int = 0


class Alerts:
    """Raises and resolves. `wake` is called after each commit."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        # What was raised today: looking again must take as long as looking at what raises nothing.
        self._raised: set[tuple[object, ...]] = set()

    async def raise_alert(self, call: Call, sign: Sign) -> None:
        """Raise an alert unless there is one of the day already. It is kept when this returns."""
        key = (self._clock.now().astimezone(CHINA).date(), *sign[:4])
        if key in self._raised:
            return
        async with self._database.transaction() as transaction:
            await self.raise_in(transaction, call, sign)
        if len(self._raised) >= _MOST_REMEMBERED:
            self._raised.clear()
        self._raised.add(key)
        self._wake()

    async def raise_in(self, transaction: Transaction, call: Call, sign: Sign) -> None:
        """The same in the transaction of what it tells of."""
        alert_id = new_id()
        new = await alert_store.insert(
            transaction, alert_id, sign.told_agency_id, sign.rule, sign.officer, sign.case_id, sign.observed, sign.limit
        )
        if new:
            told = AGENCY.format(agency=sign.told_agency_id)
            details = {"alert": alert_id, "rule": names([sign.rule]), "agency": told}
            event = event_of(call, self._clock, "access.alert.raised", officer_name(*sign.officer), details=details)
            await record(transaction, call, event)

    async def resolve(self, call: Call, request: ResolveAccessAlertRequest) -> ResolveAccessAlertResponse:
        """Raises NotFound for an alert of another agency or about oneself, and to who does not supervise,
        FailedPrecondition (ALERT_RESOLVED)."""
        agency_id, officer_id = calling_officer(call)
        async with self._database.transaction() as transaction:
            if await alert_store.lock(transaction, agency_id, officer_id, request.alert) is None:
                raise not_found()
            if (answered := await recall(transaction, call, request, ResolveAccessAlertResponse)) is not None:
                return answered
            alert = await alert_store.resolve(
                transaction, request.alert, request.resolution, officer_id, request.reason
            )
            if alert is None:
                raise FailedPrecondition("ALERT_RESOLVED", "somebody has said already what came of the alert")
            resolution = AccessAlertResolution.Name(alert.resolution).removeprefix("ACCESS_ALERT_RESOLUTION_")
            details = {"alert": alert.alert_id, "resolution": resolution, "reason": request.reason}
            officer = officer_name(alert.officer_agency_id, alert.officer_id)
            await record(
                transaction, call, event_of(call, self._clock, "access.alert.resolved", officer, details=details)
            )
            response = ResolveAccessAlertResponse(alert=alert.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response


class Decoys:
    """Marks and unmarks cases. `wake` is called after each commit."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def mark(self, call: Call, request: MarkDecoyRequest) -> MarkDecoyResponse:
        """Make the case a decoy of the caller's agency."""
        (agency_id, officer_id), case_id = calling_officer(call), CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, MarkDecoyResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            decoy = await alert_store.last_decoy(transaction, case_id, agency_id)
            if decoy is None or decoy.valid_until is not None:
                decoy = await alert_store.insert_decoy(
                    transaction, new_id(), case_id, agency_id, officer_id, request.reason
                )
                await self._record(transaction, call, "access.decoy.marked", decoy, request.reason)
            response = MarkDecoyResponse(decoy=decoy.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def unmark(self, call: Call, request: UnmarkDecoyRequest) -> UnmarkDecoyResponse:
        """Raises NotFound for a case that never was a decoy of the caller's agency."""
        (agency_id, _), case_id = calling_officer(call), CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, UnmarkDecoyResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            ended_by = call.require_caller().subject
            decoy = await alert_store.end_decoy(transaction, case_id, agency_id, ended_by, request.reason)
            if decoy is not None:
                await self._record(transaction, call, "access.decoy.unmarked", decoy, request.reason)
            else:
                decoy = await alert_store.last_decoy(transaction, case_id, agency_id)
                if decoy is None:
                    raise not_found()
            response = UnmarkDecoyResponse(decoy=decoy.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _record(self, transaction: Transaction, call: Call, action: str, decoy: StoredDecoy, reason: str) -> None:
        details = {"decoy": decoy.decoy_id, "reason": reason}
        event = event_of(call, self._clock, action, AGENCY.format(agency=decoy.agency_id), details=details)
        await record(transaction, call, event)
