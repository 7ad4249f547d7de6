"""Keeping exchanges that are being prepared, and ending them."""

from __future__ import annotations

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import EXCHANGE
from casemesh.errors import not_found
from casemesh.routing.draft_store import DraftStore, discard_draft, insert_draft, replace_draft
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.payload import require_fitting
from casemesh.routing.v1 import exchange_draft_service_pb2 as pb2
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_Saved = pb2.SaveExchangeDraftResponse
_Discarded = pb2.DiscardExchangeDraftResponse


class Drafting:
    """Saves and discards drafts."""

    def __init__(
        self, database: Database, clock: Clock, catalogues: NodeCatalogues, drafts: DraftStore, outbox: OutboxRelay
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalogues = catalogues
        self._drafts = drafts
        self._outbox = outbox

    async def save(self, call: Call, request: pb2.SaveExchangeDraftRequest) -> _Saved:
        """Keep a draft as it is: preflight says what is at fault in it, and submitting it checks it.

        Raises NotFound (NODE_UNKNOWN, or no such draft of the agency on the case); ResourceExhausted.
        """
        self._catalogues.of(call.require_caller().agency).get(request.node)
        draft = exchange_pb2.Exchange(
            name=request.exchange or EXCHANGE.format(exchange=new_id()),
            case=request.case,
            node=request.node,
            sender=call.require_caller().agency,
            recipient=request.recipient,
            parties=request.parties,
            fields=request.fields,
            dossier_version=request.dossier_version,
            state=exchange_pb2.EXCHANGE_STATE_DRAFT,
        )
        require_fitting(draft, "exchange")
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Saved)
            if stored is not None:
                return stored
            if not request.exchange:
                await insert_draft(transaction, draft)
            elif not await replace_draft(transaction, draft):
                raise not_found()
            event = event_of(
                call, self._clock, "exchange.drafted", draft.name, case=draft.case, details={"node": draft.node}
            )
            await record(transaction, call, event)
            response = _Saved(exchange=draft)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def discard(self, call: Call, request: pb2.DiscardExchangeDraftRequest) -> _Discarded:
        """End a draft.

        Raises NotFound.
        """
        sender = call.require_caller().agency
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Discarded)
            if stored is not None:
                return stored
            if not await discard_draft(transaction, request.exchange, sender):
                raise not_found()
            event = event_of(
                call, self._clock, "exchange.draft_discarded", request.exchange, case=call.case or "", details={}
            )
            await record(transaction, call, event)
            response = _Discarded(exchange=request.exchange)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response
