"""Sealing the records of a case (封存), opening them to an officer, lifting the seal."""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE, OFFICER
from casemesh.errors import FailedPrecondition, not_found
from casemesh.identity import fact_store
from casemesh.identity.facts import Fact
from casemesh.identity.recording import calling_officer, event_of_fact, expiry
from casemesh.identity.v1.case_access_pb2 import SealKind
from casemesh.identity.v1.case_protection_service_pb2 import (
    LiftSealRequest,
    LiftSealResponse,
    OpenSealRequest,
    OpenSealResponse,
    SealCaseRequest,
    SealCaseResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

_ANY = SealKind.SEAL_KIND_UNSPECIFIED


class Sealing:
    """Seals and opens. `wake` is called after each commit."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def seal(self, call: Call, request: SealCaseRequest) -> SealCaseResponse:
        """Seal the case for the caller's agency."""
        agency_id, case_id = _agency_of(call), CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, SealCaseResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            fact = await fact_store.last_seal(transaction, case_id, agency_id, request.kind)
            if fact is None or fact.valid_until is not None:
                sealed_by = call.require_caller().subject
                fact = await fact_store.insert_seal(
                    transaction, case_id, agency_id, request.kind, new_id(), sealed_by, request.reason
                )
                await self._record(transaction, call, "access.seal.added", fact, request.reason)
            response = SealCaseResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def open(self, call: Call, request: OpenSealRequest) -> OpenSealResponse:
        """Open the own agency's seals to one officer.

        Raises FailedPrecondition when the agency has not sealed the case (CASE_NOT_SEALED) and for oneself
        (SAME_OFFICER), NotFound when there is no such officer, InvalidArgument for an end that is out of range.
        """
        giver, officer = calling_officer(call), OFFICER.parse(request.officer)
        case_id, until = CASE.parse(request.case)["case"], expiry(request.expire_time, self._clock.now())
        if officer["officer"] == giver[1]:
            raise FailedPrecondition("SAME_OFFICER", "nobody opens a seal to himself")
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, OpenSealResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            seal = await fact_store.last_seal(transaction, case_id, giver[0], _ANY)
            if seal is None or seal.valid_until is not None:
                raise FailedPrecondition("CASE_NOT_SEALED", "the case is not sealed by your agency")
            if not await fact_store.officer_exists(transaction, officer["agency"], officer["officer"]):
                raise not_found()
            fact = await fact_store.insert_opening(
                transaction, case_id, (officer["agency"], officer["officer"]), giver, new_id(), request.reason, until
            )
            await self._record(transaction, call, "access.seal.opened", fact, request.reason)
            response = OpenSealResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def lift(self, call: Call, request: LiftSealRequest) -> LiftSealResponse:
        """Lift the own agency's seal of a ground. Raises FailedPrecondition (CASE_NOT_SEALED) when it never was."""
        agency_id, case_id = _agency_of(call), CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, LiftSealResponse)) is not None:
                return answered
            await fact_store.lock_case(transaction, case_id)
            lifted_by = call.require_caller().subject
            fact = await fact_store.lift_seal(transaction, case_id, agency_id, request.kind, lifted_by, request.reason)
            if fact is not None:
                await self._record(transaction, call, "access.seal.lifted", fact, request.reason)
            else:
                fact = await fact_store.last_seal(transaction, case_id, agency_id, request.kind)
                if fact is None:
                    raise FailedPrecondition("CASE_NOT_SEALED", "the case is not sealed by your agency")
            response = LiftSealResponse(access=fact.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def _record(self, transaction: Transaction, call: Call, action: str, fact: Fact, reason: str) -> None:
        await record(transaction, call, event_of_fact(call, self._clock, action, fact, reason))


def _agency_of(call: Call) -> str:
    return AGENCY.parse(call.require_caller().agency)["agency"]
