"""The receipt of reading: an officer of a recipient opens an exchange for the first time."""

from __future__ import annotations

from casemesh.core.clock import Clock
from casemesh.routing.receipt_store import ReceiptStore, insert_receipt
from casemesh.routing.receipts import Kind, Receipts
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Taken, Writes


class Reading:
    """Attests first readings."""

    def __init__(
        self, database: Database, clock: Clock, store: ReceiptStore, receipts: Receipts, outbox: OutboxRelay
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._receipts = receipts
        self._outbox = outbox

    async def opened(self, call: Call, exchange: exchange_pb2.Exchange) -> None:
        """Keep that the calling officer's agency has opened `exchange`, before it is shown. Once for each agency;
        systems and the sender do not read."""
        caller = call.require_caller()
        if caller.officer is None or caller.agency == exchange.sender:
            return
        digests = await self._store.unread(exchange.name, caller.agency)
        if digests is None:
            return
        details = {"node": exchange.node, "sender": exchange.sender, "recipient": caller.agency}
        event = event_of(call, self._clock, "exchange.read", exchange.name, case=exchange.case, details=details)
        writes = Writes()
        await insert_receipt(writes, self._receipts.issue(Kind.READING, call, exchange, event, digests))
        await record(writes, call, event)
        try:
            await self._database.write(writes)
        except Taken:
            # Another officer opened it in the same moment.
            return
        self._outbox.wake()
