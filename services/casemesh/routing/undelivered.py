"""Deliveries that do not arrive: given up after so many attempts, refused by their recipient, or waiting too long.

One that is set aside leaves the case's later deliveries alone. Its sender is told, and it goes on when its recipient or
the platform's operator re-drives it, under the same name, so that nobody stores it twice.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from casemesh.core.clock import Clock
from casemesh.core.names import DELIVERY_REPORT
from casemesh.errors import CaseMeshError, FailedPrecondition, FieldViolation, InvalidArgument, not_found
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.deliver import locked_delivery, locked_of_caller, require_lease
from casemesh.routing.undelivered_store import (
    Undelivered,
    UndeliveredStore,
    acknowledge_report,
    has_report,
    insert_report,
    redrive,
    set_aside,
    status_of,
    take_exhausted,
    take_overdue,
)
from casemesh.routing.v1 import delivery_pb2, delivery_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0
_BATCH = 100
_BY_SERVICE = Call("routing deliveries", peer=Peer.ROUTING)
_REJECTIONS = frozenset(
    number for number in delivery_pb2.UndeliveredReason.values() if number >= delivery_pb2.UNDELIVERED_REASON_UNREADABLE
)

_Rejected = delivery_service_pb2.RejectDeliveryResponse
_Redriven = delivery_service_pb2.RedriveDeliveryResponse
_Reported = delivery_service_pb2.AcknowledgeReportResponse


class UndeliveredWatch:
    """Sets aside, reports and re-drives. Deliveries get `max_attempts`, and a report after `overdue_seconds`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: UndeliveredStore,
        deliveries_due: Arrivals,
        reports_due: Arrivals,
        outbox: OutboxRelay,
        *,
        max_attempts: int,
        overdue_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._deliveries_due = deliveries_due
        self._reports_due = reports_due
        self._outbox = outbox
        self._max_attempts = max_attempts
        self._overdue = timedelta(seconds=overdue_seconds)

    async def run(self) -> None:
        """Look for what does not arrive until cancelled, on any number of replicas. A database that does not answer is
        asked again."""
        while True:
            try:
                found = await self.look()
            except CaseMeshError as error:
                log.warning("undelivered.waiting", reason=error.reason)
                found = 0
            if found < _BATCH:
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> int:
        """Set aside what failed too often and report what waits too long, a batch of it; return how many."""
        async with self._database.transaction() as transaction:
            found = await take_exhausted(transaction, self._max_attempts, _BATCH)
            found += await take_overdue(transaction, self._clock.now() - self._overdue, _BATCH)
            told = {await self._report(transaction, _BY_SERVICE, undelivered) for undelivered in found}
        self._tell(told)
        return len(found)

    async def reports(self, agency: str, *, after: str = "") -> list[delivery_pb2.DeliveryReport]:
        """Return reports that `agency` has not acknowledged, oldest first, after the one named `after`; a part of them
        where they are many."""
        return await self._store.reports(agency, after=after, limit=_BATCH)

    async def reject(self, call: Call, request: delivery_service_pb2.RejectDeliveryRequest) -> _Rejected:
        """Set aside what the caller's system cannot process. Doing it again changes nothing.

        Raises InvalidArgument, NotFound; FailedPrecondition (DELIVERY_LEASE_LOST, DELIVERY_ACKNOWLEDGED).
        """
        if request.reason not in _REJECTIONS:
            rule = "must be UNREADABLE or one of the reasons after it"
            raise InvalidArgument("FIELD_INVALID", f"reason {rule}", violations=[FieldViolation("reason", rule)])
        told = set()
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Rejected)
            if stored is not None:
                return stored
            delivery = await locked_of_caller(transaction, call, request.delivery)
            if delivery.acknowledged:
                raise FailedPrecondition(
                    "DELIVERY_ACKNOWLEDGED", "the delivery is acknowledged; return the exchange instead"
                )
            require_lease(delivery, call.require_caller())
            if not delivery.set_aside:
                reason = delivery_pb2.UndeliveredReason.Name(request.reason).removeprefix("UNDELIVERED_REASON_")
                undelivered = await set_aside(transaction, request.delivery, reason, request.detail)
                told.add(await self._report(transaction, call, undelivered))
            response = _Rejected(delivery=await status_of(transaction, request.delivery))
            await remember(transaction, call, request, response)
        self._tell(told)
        return response

    async def redrive(self, call: Call, request: delivery_service_pb2.RedriveDeliveryRequest) -> _Redriven:
        """Put a delivery that was set aside before its recipient again; any other is left as it is.

        Agencies do so with their own deliveries, the operator with any. Raises InvalidArgument, NotFound.
        """
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Redriven)
            if stored is not None:
                return stored
            if call.caller is not None:
                delivery = await locked_of_caller(transaction, call, request.delivery)
            elif (found := await locked_delivery(transaction, request.delivery)) is not None:
                delivery = found
            else:
                raise not_found()
            exchange = delivery.leased.message.exchange
            if delivery.set_aside and not delivery.acknowledged:
                await redrive(transaction, request.delivery)
                details = {"delivery": request.delivery, "recipient": delivery.recipient}
                event = event_of(
                    call, self._clock, "exchange.redriven", exchange.name, case=exchange.case, details=details
                )
                await record(transaction, call, event)
            response = _Redriven(delivery=await status_of(transaction, request.delivery))
            await remember(transaction, call, request, response)
        self._outbox.wake()
        self._deliveries_due.announce(delivery.recipient)
        return response

    async def acknowledge_report(self, call: Call, request: delivery_service_pb2.AcknowledgeReportRequest) -> _Reported:
        """Keep that the caller's agency knows of a report, under the request's id. Raises as `know_report`."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Reported)
            if stored is not None:
                return stored
            await self._know_report(transaction, call, request.report)
            response = _Reported(report=request.report)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def know_report(self, call: Call, name: str) -> None:
        """Keep that the caller's agency knows of a report; it does not come again. Raises InvalidArgument, NotFound."""
        async with self._database.transaction() as transaction:
            await self._know_report(transaction, call, name)
        self._outbox.wake()

    async def _know_report(self, transaction: Transaction, call: Call, name: str) -> None:
        try:
            DELIVERY_REPORT.parse(name)
        except ValueError:
            rule = f"must be a resource name of the form {DELIVERY_REPORT.pattern}"
            raise InvalidArgument(
                "FIELD_INVALID", f"report {rule}", violations=[FieldViolation("report", rule)]
            ) from None
        agency = call.require_caller().agency
        case = await acknowledge_report(transaction, name, agency)
        if case is not None:
            event = event_of(call, self._clock, "exchange.undelivered.known", name, case=case)
            await record(transaction, call, event)
        elif not await has_report(transaction, name, agency):
            raise not_found()

    async def _report(self, transaction: Transaction, call: Call, undelivered: Undelivered) -> str:
        told = await insert_report(transaction, undelivered, self._clock.now())
        details = {
            "delivery": undelivered.name,
            "recipient": undelivered.recipient,
            "reason": undelivered.reason,
            "attempt": str(undelivered.attempt),
        }
        event = event_of(
            call, self._clock, "exchange.undelivered", undelivered.exchange, case=undelivered.case, details=details
        )
        await record(transaction, call, event)
        return told

    def _tell(self, agencies: set[str]) -> None:
        if agencies:
            self._outbox.wake()
        for agency in agencies:
            self._reports_due.announce(agency)
