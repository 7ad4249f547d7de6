"""Accepting an exchange: an officer of the recipient takes the matter on."""

from __future__ import annotations

from casemesh.core.clock import Clock
from casemesh.data.procedure import Moment
from casemesh.errors import not_found
from casemesh.routing.case_store import link_number
from casemesh.routing.exchange_rules import require_recipient, state_wrong
from casemesh.routing.exchange_store import ExchangeStore, lock_exchange, mark_accepted
from casemesh.routing.person_effects import apply_effects
from casemesh.routing.receipt_store import digests_of, insert_receipt
from casemesh.routing.receipts import Kind, Receipts
from casemesh.routing.v1 import exchange_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_Response = exchange_service_pb2.AcceptExchangeResponse


class Acceptance:
    """Accepts exchanges."""

    def __init__(
        self, database: Database, clock: Clock, exchanges: ExchangeStore, receipts: Receipts, outbox: OutboxRelay
    ) -> None:
        self._database = database
        self._clock = clock
        self._exchanges = exchanges
        self._receipts = receipts
        self._outbox = outbox

    async def accept(self, call: Call, request: exchange_service_pb2.AcceptExchangeRequest) -> _Response:
        """Move a delivered exchange to ACCEPTED, and link the recipient's own case number if one is given.

        Raises NotFound; PermissionDenied to the sender; FailedPrecondition (EXCHANGE_STATE_WRONG).
        """
        caller = call.require_caller()
        require_recipient(await self._exchanges.get(request.exchange), caller.agency)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Response)
            if stored is not None:
                return stored
            now = self._clock.now()
            exchange = await mark_accepted(transaction, request.exchange, now)
            if exchange is None:
                current = await lock_exchange(transaction, request.exchange)
                raise state_wrong(current) if current is not None else not_found()
            await apply_effects(transaction, exchange, Moment.ACCEPTED, now)
            if request.local_number:
                await link_number(transaction, exchange.case, caller.agency, request.local_number, now)
            event = event_of(
                call,
                self._clock,
                "exchange.accepted",
                exchange.name,
                case=exchange.case,
                details={"node": exchange.node, "sender": exchange.sender, "recipient": exchange.recipient},
            )
            digests = await digests_of(transaction, exchange.name)
            await insert_receipt(transaction, self._receipts.issue(Kind.ACCEPTANCE, call, exchange, event, digests))
            await record(transaction, call, event)
            response = _Response(exchange=exchange)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response
