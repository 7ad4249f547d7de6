"""Submitting an exchange, and answering one."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import EXCHANGE, NODE
from casemesh.errors import CaseMeshError
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.delivery_store import release
from casemesh.routing.exchange_rules import require_open, require_recipient
from casemesh.routing.exchange_store import ExchangeStore, digest_of, insert_exchange, lock_exchange, mark_answered
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.obligation_store import Obligation, insert_obligation
from casemesh.routing.obligations import Obligations
from casemesh.routing.payload import require_fitting
from casemesh.routing.preflight import Draft, Preflight
from casemesh.routing.v1 import exchange_pb2, exchange_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import first_answer, recall, remember

log = structlog.get_logger(__name__)

_Submitted = exchange_service_pb2.SubmitExchangeResponse
_Answered = exchange_service_pb2.AnswerExchangeResponse


@dataclass(frozen=True)
class _Answer:
    """What an answer does to the exchange it answers."""

    exchange: str
    final: bool


class Submission:
    """Commits exchanges, then gives their recipients the access they bring."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalogue: NodeCatalogue,
        exchanges: ExchangeStore,
        preflight: Preflight,
        obligations: Obligations,
        arrivals: Arrivals,
        outbox: OutboxRelay,
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalogue = catalogue
        self._exchanges = exchanges
        self._preflight = preflight
        self._obligations = obligations
        self._arrivals = arrivals
        self._outbox = outbox

    async def submit(self, call: Call, request: exchange_service_pb2.SubmitExchangeRequest) -> _Submitted:
        """Check, translate and commit an exchange that opens a chain.

        Returns once it is committed. Its access is then asked for; when that fails the worker goes on, and the exchange
        stays SUBMITTED and is put before nobody until it is there.

        Raises as `Preflight.check`; NotFound (NODE_UNKNOWN); FailedPrecondition (NODE_ANSWERS_ONLY).
        """
        stored = await first_answer(self._database, call, request, _Submitted)
        if stored is not None:
            return stored
        node = self._catalogue.get(request.node)
        self._catalogue.require_opening(node)
        caller = call.require_caller()
        draft = Draft(
            case=request.case,
            node=node,
            sender=caller.agency,
            recipient=request.recipient,
            parties=request.parties,
            fields=request.fields,
            dossier_version=request.dossier_version,
        )
        exchange = await self._exchange(draft, call)
        response = _Submitted(exchange=exchange)
        owed = _owed(exchange, call, joins=True)
        async with self._database.transaction() as transaction:
            earlier = await recall(transaction, call, request, _Submitted)
            if earlier is not None:
                return earlier
            await self._commit(transaction, call, exchange, owed)
            await remember(transaction, call, request, response)
        await self._after_commit(exchange, owed)
        return response

    async def answer(self, call: Call, request: exchange_service_pb2.AnswerExchangeRequest) -> _Answered:
        """Commit an exchange back to the sender of the one answered, about the same parties.

        A final answer moves the answered exchange to ANSWERED in the same transaction. An interim one (a note of
        receipt, a call for what is missing) leaves it as it is, so that the decision can follow. The sender of the
        answered exchange takes part in the case already and gains nothing but the dossier version that goes along.

        Raises as `submit`; FailedPrecondition (NODE_NOT_AN_ANSWER, EXCHANGE_STATE_WRONG); PermissionDenied to the
        sender.
        """
        stored = await first_answer(self._database, call, request, _Answered)
        if stored is not None:
            return stored
        caller = call.require_caller()
        answered = require_recipient(await self._exchanges.get(request.exchange), caller.agency)
        asked, node = self._catalogue.get(answered.node), self._catalogue.get(request.node)
        self._catalogue.require_answer(asked, node)
        require_open(answered)
        draft = Draft(
            case=answered.case,
            node=node,
            sender=caller.agency,
            recipient=answered.sender,
            parties=answered.parties,
            fields=request.fields,
            dossier_version=request.dossier_version,
        )
        exchange = await self._exchange(draft, call, answers=answered.name)
        response = _Answered(exchange=exchange)
        owed = _owed(exchange, call, joins=False) if exchange.dossier_version else None
        answer = _Answer(answered.name, final=not self._catalogue.is_interim(asked, node))
        async with self._database.transaction() as transaction:
            earlier = await recall(transaction, call, request, _Answered)
            if earlier is not None:
                return earlier
            await self._close(transaction, call, exchange, answer)
            await self._commit(transaction, call, exchange, owed)
            await remember(transaction, call, request, response)
        await self._after_commit(exchange, owed)
        return response

    async def _exchange(self, draft: Draft, call: Call, answers: str = "") -> exchange_pb2.Exchange:
        translations = await self._preflight.check(draft, call.require_caller())
        exchange = exchange_pb2.Exchange(
            name=EXCHANGE.format(exchange=new_id()),
            case=draft.case,
            node=NODE.format(node=draft.node.code),
            sender=draft.sender,
            recipient=draft.recipient,
            parties=draft.parties,
            fields=draft.fields,
            translations=translations,
            dossier_version=draft.dossier_version,
            answers=answers,
            state=exchange_pb2.EXCHANGE_STATE_SUBMITTED,
        )
        exchange.submit_time.FromDatetime(self._clock.now())
        require_fitting(exchange, "exchange")
        return exchange

    async def _commit(
        self, transaction: Transaction, call: Call, exchange: exchange_pb2.Exchange, owed: Obligation | None
    ) -> None:
        await insert_exchange(transaction, exchange, f"{exchange.name}/deliveries/{new_id()}")
        if owed is not None:
            await insert_obligation(transaction, owed)
        else:
            await release(transaction, EXCHANGE.parse(exchange.name)["exchange"], exchange.case, exchange.recipient)
        details = {
            "node": exchange.node,
            "sender": exchange.sender,
            "recipient": exchange.recipient,
            "sha256": digest_of(exchange).hex(),
        }
        if exchange.dossier_version:
            details["dossier_version"] = exchange.dossier_version
        if exchange.answers:
            details["answers"] = exchange.answers
        event = event_of(call, self._clock, "exchange.submitted", exchange.name, case=exchange.case, details=details)
        await record(transaction, call, event)

    async def _close(
        self, transaction: Transaction, call: Call, exchange: exchange_pb2.Exchange, answer: _Answer
    ) -> None:
        answered = await lock_exchange(transaction, answer.exchange)
        assert answered is not None
        require_open(answered)
        if not answer.final:
            return
        await mark_answered(transaction, answer.exchange, self._clock.now())
        details = {"node": exchange.node, "answer": exchange.name}
        event = event_of(call, self._clock, "exchange.answered", answer.exchange, case=exchange.case, details=details)
        await record(transaction, call, event)

    async def _after_commit(self, exchange: exchange_pb2.Exchange, owed: Obligation | None) -> None:
        self._outbox.wake()
        if owed is None:
            self._arrivals.announce(exchange.recipient)
            return
        try:
            await self._obligations.carry_out(owed)
        except CaseMeshError as error:
            # The exchange is committed and the worker goes on: to fail here would say the opposite of what happened.
            log.warning("obligation.left_to_worker", resource=exchange.name, reason=error.reason)


def _owed(exchange: exchange_pb2.Exchange, call: Call, *, joins: bool) -> Obligation:
    return Obligation(
        resource=exchange.name,
        case=exchange.case,
        agency=exchange.recipient,
        joins=joins,
        dossier_version=exchange.dossier_version,
        sender=exchange.sender if exchange.dossier_version else "",
        traceparent=call.traceparent,
    )
