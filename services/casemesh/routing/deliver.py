"""Putting deliveries before their recipient, and taking acknowledgements."""

from __future__ import annotations

from collections.abc import Sequence

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DELIVERY, EXCHANGE
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, not_found
from casemesh.routing.delivery_store import DeliveryStore, LockedDelivery, lock_delivery, mark_acknowledged
from casemesh.routing.exchange_store import mark_delivered
from casemesh.routing.paging import fitting
from casemesh.routing.v1 import exchange_pb2, exchange_service_pb2
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
        self, database: Database, clock: Clock, store: DeliveryStore, outbox: OutboxRelay, lease_seconds: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._outbox = outbox
        self.lease_seconds = lease_seconds

    async def lease(self, caller: Caller, lease_id: str, limit: int) -> list[exchange_pb2.Delivery]:
        """Take up to `limit` due deliveries of the caller's agency, at most LEASE_BATCH."""
        return await self._store.lease(
            caller.agency,
            caller.system,
            lease_id=lease_id,
            lease_seconds=self.lease_seconds,
            limit=min(limit, LEASE_BATCH),
        )

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        """Give back deliveries that were leased and not acknowledged, so that they come again at once."""
        if names:
            await self._store.end_leases(names, lease_id)

    async def pull(self, caller: Caller, most: int) -> list[exchange_pb2.Delivery]:
        """Take up to `most` due deliveries, no more than fit one message."""
        lease_id = new_id()
        pulled: list[exchange_pb2.Delivery] = []
        while len(pulled) < most:
            leased = await self.lease(caller, lease_id, most - len(pulled))
            pulled += leased
            count = fitting(pulled)
            if count < len(pulled):
                await self.end_leases([delivery.name for delivery in pulled[count:]], lease_id)
                return pulled[:count]
            if len(leased) < LEASE_BATCH:
                break
        return pulled

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
        caller = call.require_caller()
        delivery = await _locked(transaction, name)
        if delivery is None or delivery.recipient != caller.agency or delivery.attempt == 0:
            raise not_found()
        if delivery.acknowledged:
            return
        if delivery.leased and delivery.lease_holder != caller.system:
            raise FailedPrecondition(
                "DELIVERY_LEASE_LOST", "the lease ended and another system of the agency holds the delivery now"
            )
        now = self._clock.now()
        await mark_acknowledged(transaction, name, now)
        await mark_delivered(transaction, EXCHANGE.parse(delivery.exchange)["exchange"], now)
        details = {"delivery": name, "recipient": delivery.recipient, "attempt": str(delivery.attempt)}
        event = event_of(
            call, self._clock, "exchange.delivered", delivery.exchange, case=delivery.case, details=details
        )
        await record(transaction, call, event)


async def _locked(transaction: Transaction, name: str) -> LockedDelivery | None:
    try:
        DELIVERY.parse(name)
    except ValueError:
        rule = f"must be a resource name of the form {DELIVERY.pattern}"
        raise InvalidArgument(
            "FIELD_INVALID", f"delivery {rule}", violations=[FieldViolation("delivery", rule)]
        ) from None
    return await lock_delivery(transaction, name)
