"""Submitting an exchange, and answering one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import EXCHANGE, NODE
from casemesh.data.procedure import Moment
from casemesh.errors import CaseMeshError, FailedPrecondition, not_found
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.copies import require_copies
from casemesh.routing.draft_store import DraftStore, delete_draft, lock_draft
from casemesh.routing.exchange_rules import require_open, require_recipient
from casemesh.routing.exchange_store import ExchangeStore, digest_of, insert_exchange, lock_exchange, mark_answered
from casemesh.routing.held_store import hold
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.obligation_store import Obligation
from casemesh.routing.obligations import Obligations
from casemesh.routing.payload import require_fitting
from casemesh.routing.person_effects import state_effects
from casemesh.routing.placing import OPEN_OBLIGATION, Purpose, delivery_of, place, place_owing
from casemesh.routing.preflight import Draft, Preflight
from casemesh.routing.receipt_store import ExchangeDigests, insert_receipt
from casemesh.routing.receipts import Kind, Receipts
from casemesh.routing.single_tracks import SingleTracks
from casemesh.routing.v1 import exchange_draft_service_pb2, exchange_pb2, exchange_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction, Writes
from casemesh.runtime.requests import first_answer, recall, remember, write_once
from casemesh.translation.v1 import translation_pb2

log = structlog.get_logger(__name__)

_NOTHING_OWED = "SELECT WHERE false"

_Submitted = exchange_service_pb2.SubmitExchangeResponse
_Answered = exchange_service_pb2.AnswerExchangeResponse
_Drafted = exchange_draft_service_pb2.SubmitExchangeDraftResponse


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
        catalogues: NodeCatalogues,
        tracks: SingleTracks,
        exchanges: ExchangeStore,
        drafts: DraftStore,
        preflight: Preflight,
        obligations: Obligations,
        receipts: Receipts,
        arrivals: Arrivals,
        outbox: OutboxRelay,
        hold_at: Sequence[str] = (),
    ) -> None:
        """`hold_at` are codes of nodes; see `holding`."""
        self._hold_at = frozenset(hold_at)
        self._database = database
        self._clock = clock
        self._catalogues = catalogues
        self._tracks = tracks
        self._exchanges = exchanges
        self._drafts = drafts
        self._preflight = preflight
        self._obligations = obligations
        self._receipts = receipts
        self._arrivals = arrivals
        self._outbox = outbox

    async def submit(self, call: Call, request: exchange_service_pb2.SubmitExchangeRequest) -> _Submitted:
        """Check, translate and commit an exchange that opens a chain.

        Returns once it is committed, also where it is held for a code. Its access is then asked for; when that fails
        the worker goes on, and the exchange stays SUBMITTED and is put before nobody until it is there.

        Raises as `Preflight.check`; NotFound (NODE_UNKNOWN); FailedPrecondition (NODE_ANSWERS_ONLY).
        """
        stored = await first_answer(self._database, call, request, _Submitted)
        if stored is not None:
            return stored
        exchange, digests = await self._opening(call, request)
        response = _Submitted(exchange=exchange)
        owed = owed_by(exchange, call, joins=True)
        writes, asked = await self._writes(call, exchange, digests, owed)
        answer, still_owed = await write_once(self._database, call, request, response, writes, asked)
        if answer is response:
            await self.follow_up(exchange, owed if still_owed is not None else None)
        return answer

    async def submit_draft(
        self, call: Call, request: exchange_draft_service_pb2.SubmitExchangeDraftRequest
    ) -> _Drafted:
        """Commit a draft of the caller's agency under its own name, as `submit` does; the draft is gone with it.

        Raises as `submit`; NotFound for what is no such draft, also since another call has just submitted it;
        FailedPrecondition (EXCHANGE_STATE_WRONG) where it was saved anew while it was checked.
        """
        stored = await first_answer(self._database, call, request, _Drafted)
        if stored is not None:
            return stored
        draft = await self._drafts.get(request.exchange, call.require_caller().agency)
        if draft is None:
            raise not_found()
        asked = exchange_service_pb2.SubmitExchangeRequest(
            case=draft.case,
            node=draft.node,
            recipient=draft.recipient,
            parties=draft.parties,
            fields=draft.fields,
            dossier_version=draft.dossier_version,
        )
        exchange, digests = await self._opening(call, asked, name=draft.name)
        response = _Drafted(exchange=exchange)
        owed = owed_by(exchange, call, joins=True)
        writes, question = await self._writes(call, exchange, digests, owed)
        async with self._database.transaction() as transaction:
            earlier = await recall(transaction, call, request, _Drafted)
            if earlier is not None:
                return earlier
            current = await lock_draft(transaction, draft.name, exchange.sender)
            if current is None:
                raise not_found()
            if current != draft:
                raise FailedPrecondition(
                    "EXCHANGE_STATE_WRONG",
                    "the draft was saved anew while it was checked; look at it and submit it again",
                    {"state": "DRAFT"},
                )
            await delete_draft(transaction, draft.name, exchange.sender)
            still_owed = await transaction.write(writes, question)
            await remember(transaction, call, request, response)
        await self.follow_up(exchange, owed if still_owed is not None else None)
        return response

    async def _opening(
        self, call: Call, request: exchange_service_pb2.SubmitExchangeRequest, *, name: str = ""
    ) -> tuple[exchange_pb2.Exchange, ExchangeDigests]:
        """Return the checked exchange that opens a chain."""
        copies_to = list(request.copies_to)
        await require_copies(
            self._obligations.store, request.case, call.require_caller().agency, request.recipient, copies_to
        )
        catalogue = self._catalogues.of(call.require_caller().agency)
        node = catalogue.get(request.node)
        caller = call.require_caller()
        draft = Draft(
            catalogue=catalogue,
            case=request.case,
            node=node,
            sender=caller.agency,
            recipient=request.recipient,
            parties=request.parties,
            fields=request.fields,
            dossier_version=request.dossier_version,
            paper=request.paper if request.HasField("paper") else None,
            answer_by=request.answer_by if request.HasField("answer_by") else None,
        )
        return await self._exchange(draft, call, name=name, copies_to=copies_to)

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
        catalogue = self._catalogues.of_exchange(answered)
        asked, node = catalogue.get(answered.node), catalogue.get(request.node)
        catalogue.require_answer(asked, node)
        require_open(answered)
        draft = Draft(
            catalogue=catalogue,
            case=answered.case,
            node=node,
            sender=caller.agency,
            recipient=answered.sender,
            parties=answered.parties,
            fields=request.fields,
            dossier_version=request.dossier_version,
            continues=True,
        )
        exchange, digests = await self._exchange(draft, call, answers=answered.name)
        response = _Answered(exchange=exchange)
        owed = owed_by(exchange, call, joins=False)
        writes, question = await self._writes(call, exchange, digests, owed)
        answer = _Answer(answered.name, final=not catalogue.is_interim(asked, node))
        async with self._database.transaction() as transaction:
            earlier = await recall(transaction, call, request, _Answered)
            if earlier is not None:
                return earlier
            await self._close(transaction, call, exchange, answer)
            still_owed = await transaction.write(writes, question)
            await remember(transaction, call, request, response)
        await self.follow_up(exchange, owed if still_owed is not None else None)
        return response

    async def _exchange(
        self, draft: Draft, call: Call, *, name: str = "", answers: str = "", copies_to: Sequence[str] = ()
    ) -> tuple[exchange_pb2.Exchange, ExchangeDigests]:
        examined = await self._preflight.check(draft, call.require_caller())
        exchange = exchange_pb2.Exchange(
            name=name or EXCHANGE.format(exchange=new_id()),
            case=draft.case,
            node=NODE.format(node=draft.node.code),
            sender=draft.sender,
            recipient=draft.recipient,
            parties=draft.parties,
            fields=draft.fields,
            translations=examined.translations,
            dossier_version=draft.dossier_version,
            answers=answers,
            state=exchange_pb2.EXCHANGE_STATE_SUBMITTED,
            copies_to=copies_to,
            catalogue_version=draft.catalogue.version,
            single_track="" if draft.paper else self._tracks.agreement(draft.node.code, draft.sender, draft.recipient),
            paper=draft.paper,
            answer_by=draft.answer_by,
        )
        exchange.submit_time.FromDatetime(self._clock.now())
        require_fitting(exchange, "exchange")
        digests = ExchangeDigests(digest_of(exchange), examined.dossier_root)
        if not draft.continues and draft.node.code in self._hold_at and any(map(waits, exchange.translations)):
            exchange.state = exchange_pb2.EXCHANGE_STATE_HELD
        return exchange, digests

    async def _writes(
        self, call: Call, exchange: exchange_pb2.Exchange, digests: ExchangeDigests, owed: Obligation
    ) -> tuple[Writes, str]:
        """Return what commits an exchange, and what to ask of it: a row of the answer says that access is still
        owed."""
        writes = Writes()
        await insert_exchange(writes, exchange, digests)
        if held := exchange.state == exchange_pb2.EXCHANGE_STATE_HELD:
            await hold(writes, exchange.name)
            question = _NOTHING_OWED
        else:
            question = set_out(writes, exchange, owed, self._clock.now())
        details = {
            "node": exchange.node,
            "sender": exchange.sender,
            "recipient": exchange.recipient,
            "sha256": digests.sha256.hex(),
        }
        if exchange.dossier_version:
            details["dossier_version"] = exchange.dossier_version
        if exchange.answers:
            details["answers"] = exchange.answers
        if exchange.HasField("paper"):
            details["paper"] = "yes"
        if exchange.single_track:
            details["single_track"] = "yes"
        if held:
            details["held"] = "yes"
        event = event_of(call, self._clock, "exchange.submitted", exchange.name, case=exchange.case, details=details)
        await insert_receipt(writes, self._receipts.issue(Kind.SUBMISSION, call, exchange, event, digests))
        await record(writes, call, event)
        return writes, question

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

    async def follow_up(self, exchange: exchange_pb2.Exchange, owed: Obligation | None) -> None:
        """Wake who waits for a committed exchange, and give its recipient what access is still owed."""
        self._outbox.wake()
        for agency in exchange.copies_to:
            self._arrivals.announce(agency)
        if owed is None:
            self._arrivals.announce(exchange.recipient)
            return
        try:
            await self._obligations.carry_out(owed)
        except CaseMeshError as error:
            # The exchange is committed and the worker goes on: to fail here would say the opposite of what happened.
            log.warning("obligation.left_to_worker", resource=exchange.name, reason=error.reason)


def waits(entry: exchange_pb2.FieldTranslation) -> bool:
    """Say whether nobody has decided yet what a value stands for in the recipient's table."""
    unmapped = entry.translation.outcome == translation_pb2.TRANSLATION_OUTCOME_UNMAPPED
    return unmapped and not entry.translation.no_counterpart


def set_out(writes: Writes, exchange: exchange_pb2.Exchange, owed: Obligation, at: datetime) -> str:
    """Add to `writes` what a submitted exchange brings about: what it states of persons, its deliveries, the access
    `owed`. Return the question whose row says that access is still owed."""
    state_effects(writes, exchange, Moment.SUBMITTED, at)
    place_owing(writes, exchange, owed)
    for agency in exchange.copies_to:
        place(writes, exchange, agency, Purpose.COPY)
    return OPEN_OBLIGATION


def owed_by(exchange: exchange_pb2.Exchange, call: Call, *, joins: bool) -> Obligation:
    """Return what access a new delivery of an exchange to its recipient may have to bring first."""
    return Obligation(
        resource=delivery_of(exchange.name),
        case=exchange.case,
        agency=exchange.recipient,
        joins=joins,
        dossier_version=exchange.dossier_version,
        sender=exchange.sender if exchange.dossier_version else "",
        traceparent=call.traceparent,
    )
