"""Who supervises an agency."""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import not_found
from casemesh.identity import fact_store
from casemesh.identity.facts import Fact
from casemesh.identity.recording import event_of_fact, own_officer
from casemesh.identity.v1.case_protection_service_pb2 import (
    AppointSupervisorRequest,
    AppointSupervisorResponse,
    EndSupervisionRequest,
    EndSupervisionResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember


class Supervising:
    """Begins and ends supervision. `wake` is called after each commit."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def appoint(self, call: Call, request: AppointSupervisorRequest) -> AppointSupervisorResponse:
        """Raises PermissionDenied (OFFICER_NOT_ASSERTABLE) for an officer of another agency, NotFound for one that the
        own agency does not have."""
        agency_id, officer_id = own_officer(call, request.officer)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, AppointSupervisorResponse)) is not None:
                return answered
            await fact_store.lock_agency(transaction, agency_id)
            fact = await fact_store.last_supervision(transaction, agency_id, officer_id)
            if fact is None or fact.valid_until is not None:
                if not await fact_store.officer_exists(transaction, agency_id, officer_id):
                    raise not_found()
                cause = call.require_caller().subject
                fact = await fact_store.insert_supervision(
                    transaction, agency_id, officer_id, new_id(), cause, request.reason
                )
                await self._record(transaction, call, "access.supervision.added", fact, request.reason)
            response = AppointSupervisorResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def end(self, call: Call, request: EndSupervisionRequest) -> EndSupervisionResponse:
        """Raises PermissionDenied (OFFICER_NOT_ASSERTABLE) for an officer of another agency, NotFound for one who never
        supervised."""
        agency_id, officer_id = own_officer(call, request.officer)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, EndSupervisionResponse)) is not None:
                return answered
            await fact_store.lock_agency(transaction, agency_id)
            ended_by = call.require_caller().subject
            fact = await fact_store.end_supervision(transaction, agency_id, officer_id, ended_by, request.reason)
            if fact is not None:
                await self._record(transaction, call, "access.supervision.ended", fact, request.reason)
            else:
                fact = await fact_store.last_supervision(transaction, agency_id, officer_id)
                if fact is None:
                    raise not_found()
            response = EndSupervisionResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _record(self, transaction: Transaction, call: Call, action: str, fact: Fact, reason: str) -> None:
        await record(transaction, call, event_of_fact(call, self._clock, action, fact, reason))
