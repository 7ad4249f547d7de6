"""Putting deliveries before their recipient, and taking acknowledgements."""

from __future__ import annotations

from collections.abc import Sequence

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DELIVERY, EXCHANGE
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, not_found
from casemesh.routing.delivery_store import (
    Acknowledgement,
    DeliveryStore,
    Leased,
    LockedDelivery,
    lock_delivery,
    mark_acknowledged,
)
from casemesh.routing.exchange_store import mark_delivered
from casemesh.routing.paging import fitting
from casemesh.routing.placing import Purpose
from casemesh.routing.receipt_store import insert_receipt
from casemesh.routing.receipts import Kind, Receipts
from casemesh.routing.v1 import delivery_pb2, exchange_pb2, exchange_service_pb2
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

LEASE_BATCH = 16
"""Most deliveries leased in one statement; an exchange may take 3 MiB, so this bounds what waits in memory."""

_Response = exchange_service_pb2.AcknowledgeDeliveryResponse


class Deliveries:
    """The deliveries of agencies."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: DeliveryStore,
        receipts: Receipts,
        outbox: OutboxRelay,
        lease_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._receipts = receipts
        self._outbox = outbox
        self.lease_seconds = lease_seconds

    async def lease(self, caller: Caller, lease_id: str, limit: int, heavy_limit: int) -> list[Leased]:
        """Take up to `limit` due deliveries of the caller's agency, at most LEASE_BATCH; up to `heavy_limit` of them
        heavy."""
        return await self._store.lease(
            caller.agency,
            caller.system,
            lease_id=lease_id,
            lease_seconds=self.lease_seconds,
            limit=min(limit, LEASE_BATCH),
            heavy_limit=min(limit, LEASE_BATCH, heavy_limit),
        )

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        """Give back deliveries that were leased and not acknowledged, so that they come again soon."""
        if names:
            await self._store.end_leases(names, lease_id)

    async def pull(self, caller: Caller, most: int) -> list[exchange_pb2.Delivery]:
        """Take up to `most` due deliveries, no more than fit one message."""
        lease_id = new_id()
        pulled: list[exchange_pb2.Delivery] = []
        while len(pulled) < most:
            room = most - len(pulled)
            leased = await self.lease(caller, lease_id, room, room)
            pulled += [each.message for each in leased]
            count = fitting(pulled)
            if count < len(pulled):
                await self.end_leases([delivery.name for delivery in pulled[count:]], lease_id)
                return pulled[:count]
            if len(leased) < LEASE_BATCH:
                break
        return pulled

    async def acknowledge_leased(self, call: Call, lease_id: str, leased: Sequence[Leased]) -> None:
        """Keep that the caller's agency has stored these deliveries, which `lease_id` took, each but once.

        What another system took meanwhile, or was acknowledged elsewhere, is decided as by `acknowledge`. Raises as
        that.
        """
        kept = {each.message.name: self._acknowledgement(call, each) for each in leased}
        done = await self._store.acknowledge(call, lease_id, kept, self._clock.now())
        self._outbox.wake()
        for name in kept:
            if name not in done:
                await self.acknowledge(call, name)

    async def acknowledge(self, call: Call, name: str) -> None:
        """Keep that the caller's agency has stored a delivery. Doing it again changes nothing.

        A late acknowledgement counts as long as no other system of the agency holds the delivery meanwhile: what was
        stored is stored. Raises InvalidArgument for what is no delivery's name, NotFound for one of another agency, or
        never put before it; FailedPrecondition (DELIVERY_LEASE_LOST).
        """
        async with self._database.transaction() as transaction:
            await self._acknowledge(transaction, call, name)
        self._outbox.wake()

    async def acknowledge_once(self, call: Call, request: exchange_service_pb2.AcknowledgeDeliveryRequest) -> _Response:
        """As `acknowledge`, under the request's id."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Response)
            if stored is not None:
                return stored
            await self._acknowledge(transaction, call, request.delivery)
            response = _Response(delivery=request.delivery)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def _acknowledge(self, transaction: Transaction, call: Call, name: str) -> None:
        delivery = await locked_of_caller(transaction, call, name)
        if delivery.acknowledged:
            return
        require_lease(delivery, call.require_caller())
        now = self._clock.now()
        await mark_acknowledged(transaction, name, now)
        if delivery.leased.message.purpose == delivery_pb2.DELIVERY_PURPOSE_HANDLE:
            await mark_delivered(transaction, EXCHANGE.parse(delivery.leased.message.exchange.name)["exchange"], now)
        kept = self._acknowledgement(call, delivery.leased)
        await insert_receipt(transaction, kept.receipt)
        await record(transaction, call, kept.event)

    def _acknowledgement(self, call: Call, leased: Leased) -> Acknowledgement:
        delivery = leased.message
        details = {
            "delivery": delivery.name,
            "recipient": call.require_caller().agency,
            "attempt": str(delivery.attempt),
        }
        if delivery.purpose != delivery_pb2.DELIVERY_PURPOSE_HANDLE:
            details["purpose"] = Purpose(
                delivery_pb2.DeliveryPurpose.Name(delivery.purpose).removeprefix("DELIVERY_PURPOSE_")
            ).value
        exchange = delivery.exchange
        event = event_of(call, self._clock, "exchange.delivered", exchange.name, case=exchange.case, details=details)
        receipt = self._receipts.issue(Kind.DELIVERY, call, exchange, event, leased.digests, delivery=delivery.name)
        return Acknowledgement(event, receipt)


async def locked_of_caller(transaction: Transaction, call: Call, name: str) -> LockedDelivery:
    """Return a delivery that was put before the caller's agency, locked.

    Raises InvalidArgument for what is no delivery's name, NotFound for any other.
    """
    delivery = await locked_delivery(transaction, name)
    if delivery is None or delivery.recipient != call.require_caller().agency or delivery.leased.message.attempt == 0:
        raise not_found()
    return delivery


async def locked_delivery(transaction: Transaction, name: str) -> LockedDelivery | None:
    """Return a delivery, locked; None when there is none.

    Raises InvalidArgument for what is no delivery's name.
    """
    try:
        DELIVERY.parse(name)
    except ValueError:
        rule = f"must be a resource name of the form {DELIVERY.pattern}"
        raise InvalidArgument(
            "FIELD_INVALID", f"delivery {rule}", violations=[FieldViolation("delivery", rule)]
        ) from None
    return await lock_delivery(transaction, name)


def require_lease(delivery: LockedDelivery, caller: Caller) -> None:
    """Check that no other system of the agency holds the delivery.

    Raises FailedPrecondition (DELIVERY_LEASE_LOST).
    """
    if delivery.lease_runs and delivery.lease_holder != caller.system:
        raise FailedPrecondition(
            "DELIVERY_LEASE_LOST", "the lease ended and another system of the agency holds the delivery now"
        )
