"""Asking an agency to see one of its cases, and deciding on that.

Asking looks at nothing of the case: the answer is the same whether or not there is one, and takes the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE
from casemesh.data.viewing_purposes import viewing_purposes
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, ResourceExhausted, not_found
from casemesh.identity import access_request_store, fact_store
from casemesh.identity.access_request_store import AccessRequestStore, StoredRequest
from casemesh.identity.access_rules import UNCONNECTED, AccessRules
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.recording import calling_officer, event_of_fact, instant_ahead, moment
from casemesh.identity.subjects import Subject, subject_of
from casemesh.identity.v1.access_decision_service_pb2 import (
    ApproveAccessRequestRequest,
    ApproveAccessRequestResponse,
    EndAccessGrantRequest,
    EndAccessGrantResponse,
    RefuseAccessRequestRequest,
    RefuseAccessRequestResponse,
)
from casemesh.identity.v1.access_request_service_pb2 import FileAccessRequestRequest, FileAccessRequestResponse
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

WAITS: Final = timedelta(days=14)
"""How long a request waits for somebody to decide, or until the time asked for where that is earlier."""
MOST_WAITING: Final = 20
"""Requests of one officer that may wait at once: enough for a case with many agencies, too few to search for cases."""
_BATCH: Final = 100
_ENTITLING: Final = (CasePermission.CASE_PERMISSION_MANAGE_ACCESS, CasePermission.CASE_PERMISSION_REVIEW_ACCESS)


class AccessRequests:
    """Files requests. `wake` is called after each commit."""

    def __init__(self, database: Database, rules: AccessRules, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._wake = wake

    async def file(self, call: Call, request: FileAccessRequestRequest) -> FileAccessRequestResponse:
        """Raises InvalidArgument for the own agency, an unknown purpose, a right that cannot be given, or an end out of
        range, NotFound for an unknown agency, ResourceExhausted (ACCESS_REQUESTS_TOO_MANY)."""
        asker, asked = calling_officer(call), AGENCY.parse(request.agency)["agency"]
        case_id = CASE.parse(request.case)["case"]
        if asked == asker[0]:
            raise _invalid("agency", "must be another than your own; there an officer assigns or delegates")
        if request.purpose not in viewing_purposes():
            raise _invalid("purpose", f"must be one of {', '.join(viewing_purposes())}")
        rights = sorted(set(request.permissions))
        if wrong := next((right for right in rights if not right or not self._can_be_given(right)), None):
            raise _invalid("permissions", f"{CasePermission.Name(wrong)} cannot be given to another agency")
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, FileAccessRequestResponse)) is not None:
                return answered
            now = self._clock.now()
            until = instant_ahead(request.until_time, "until_time", now)
            await fact_store.lock_officer(transaction, asker[1])
            if await access_request_store.waiting_count(transaction, asker[1]) >= MOST_WAITING:
                raise ResourceExhausted(
                    "ACCESS_REQUESTS_TOO_MANY",
                    f"{MOST_WAITING} of your requests wait; ask again when one was decided",
                    {"limit": MOST_WAITING},
                )
            filed = await access_request_store.insert(
                transaction, new_id(), case_id, asked, asker, rights, request.purpose, request.reason, until,
                min(now + WAITS, until),
            )  # fmt: skip
            if filed is None:
                raise not_found()
            details = {
                "request": filed.request_id,
                "agency": request.agency,
                "permissions": _names(rights),
                "purpose": request.purpose,
                "reason": request.reason,
            }
            event = event_of(
                call, self._clock, "access.request.filed", filed.officer, case=request.case, details=details
            )
            await record(transaction, call, event)
            response = FileAccessRequestResponse(access_request=filed.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    def _can_be_given(self, right: CasePermission) -> bool:
        return self._rules.rule(right, replace(UNCONNECTED, granted=True), officer=True).allowed


class AccessDecisions:
    """Decides requests, for the agency asked. `wake` is called after each commit."""

    def __init__(
        self,
        database: Database,
        store: AccessRequestStore,
        decider: CaseAccessDecider,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._store = store
        self._decider = decider
        self._clock = clock
        self._wake = wake

    async def waiting(self, subject: Subject, after_id: str, limit: int) -> Sequence[StoredRequest]:
        """Return up to `limit` that wait and that the subject may decide, oldest first, those after `after_id`."""
        found: list[StoredRequest] = []
        while len(found) < limit:
            waiting = await self._store.waiting(subject.agency_id, after_id, _BATCH)
            found += await self._decidable(subject, waiting)
            if len(waiting) < _BATCH:
                break
            after_id = waiting[-1].request_id
        return found[:limit]

    async def approve(self, call: Call, request: ApproveAccessRequestRequest) -> ApproveAccessRequestResponse:
        """Raises NotFound, FailedPrecondition (ACCESS_REQUEST_DECIDED, ACCESS_REQUEST_EXCEEDED), InvalidArgument."""
        asked = await self._entitled(call, request.access_request)
        rights = sorted(set(request.permissions)) or sorted(asked.permissions)
        if not set(rights) <= set(asked.permissions):
            raise _exceeded("permissions", "only rights that were asked for can be given")
        until = moment(request.until_time, "until_time") if request.HasField("until_time") else asked.until
        if until > asked.until:
            raise _exceeded("until_time", "no longer than asked for can be given")
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, ApproveAccessRequestResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, asked.case_id)
            if until <= self._clock.now():
                raise _decided() if until == asked.until else _invalid("until_time", "must lie ahead")
            giver, taker = calling_officer(call), (asked.agency_id, asked.officer_id)
            grant = await fact_store.insert_grant(
                transaction, asked.case_id, taker, giver, new_id(), rights, asked.reason, until
            )
            decided = await access_request_store.decide(transaction, asked.request_id, giver[1], "", grant)
            if decided is None:
                raise _decided()
            event = event_of_fact(call, self._clock, "access.request.approved", grant, asked.reason)
            event.details["request"] = asked.request_id
            await record(transaction, call, event)
            response = ApproveAccessRequestResponse(access_request=decided.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def refuse(self, call: Call, request: RefuseAccessRequestRequest) -> RefuseAccessRequestResponse:
        """Raises NotFound, FailedPrecondition (ACCESS_REQUEST_DECIDED)."""
        asked = await self._entitled(call, request.access_request)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, RefuseAccessRequestResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, asked.case_id)
            decider = calling_officer(call)[1]
            decided = await access_request_store.decide(transaction, asked.request_id, decider, request.reason, None)
            if decided is None:
                raise _decided()
            details = {"request": asked.request_id, "reason": request.reason}
            await self._record(transaction, call, "access.request.refused", asked, details)
            response = RefuseAccessRequestResponse(access_request=decided.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def end(self, call: Call, request: EndAccessGrantRequest) -> EndAccessGrantResponse:
        """Raises NotFound when the caller's agency gave no such thing in the case, or the caller may not take it
        back."""
        case_id, (agency_id, _) = CASE.parse(request.case)["case"], calling_officer(call)
        await self._require_entitled(call, request.case)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, EndAccessGrantResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            ended_by = call.require_caller().subject
            fact = await fact_store.end_grant(transaction, request.fact, case_id, agency_id, ended_by, request.reason)
            if fact is not None:
                event = event_of_fact(call, self._clock, "access.grant.ended", fact, request.reason)
                await record(transaction, call, event)
            else:
                fact = await fact_store.grant(transaction, request.fact, case_id, agency_id)
                if fact is None:
                    raise not_found()
            response = EndAccessGrantResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _entitled(self, call: Call, request_id: str) -> StoredRequest:
        """Return a request to the caller's agency that the caller may decide. Raises NotFound."""
        asked = await self._store.one(request_id, calling_officer(call)[0])
        # Identity is asked all the same for a request that is not there, about a case nobody has.
        await self._require_entitled(call, asked.case if asked is not None else CASE.format(case=new_id()))
        if asked is None:
            raise not_found()
        return asked

    async def _require_entitled(self, call: Call, case: str) -> None:
        caller = call.require_caller()
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        decisions = await self._decider.decide_many(subject, [(case, right) for right in _ENTITLING])
        basis = next((decision.basis for decision in decisions if decision.allowed), None)
        if basis is None:
            raise not_found()
        call.case, call.basis = case, basis

    async def _decidable(self, subject: Subject, waiting: Sequence[StoredRequest]) -> list[StoredRequest]:
        questions = [(one.case, right) for one in waiting for right in _ENTITLING]
        decisions = await self._decider.decide_many(subject, questions)
        allowed = {case for (case, _), decision in zip(questions, decisions, strict=True) if decision.allowed}
        return [one for one in waiting if one.case in allowed]

    async def _record(
        self, transaction: Transaction, call: Call, action: str, asked: StoredRequest, details: dict[str, str]
    ) -> None:
        event = event_of(call, self._clock, action, asked.officer, case=asked.case, details=details)
        await record(transaction, call, event)


def _names(rights: Sequence[CasePermission]) -> str:
    return ",".join(CasePermission.Name(right).removeprefix("CASE_PERMISSION_") for right in rights)


def _decided() -> FailedPrecondition:
    return FailedPrecondition("ACCESS_REQUEST_DECIDED", "the request was decided, or it expired")


def _exceeded(field: str, why: str) -> FailedPrecondition:
    return FailedPrecondition("ACCESS_REQUEST_EXCEEDED", why, {"field": field})


def _invalid(field: str, rule: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
