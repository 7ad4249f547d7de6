"""Returning an exchange for correction, mending it, taking it back (退回补正、补正、撤回)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from casemesh.core.clock import Clock
from casemesh.data.procedure import Moment
from casemesh.data.return_reasons import SEE_REMARK, return_reasons
from casemesh.errors import CaseMeshError, FailedPrecondition, FieldViolation, InvalidArgument
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.endings import end, tell
from casemesh.routing.exchange_rules import require_allowed, require_recipient, require_sender
from casemesh.routing.exchange_states import Step
from casemesh.routing.exchange_store import (
    ExchangeStore,
    digest_of,
    lock_exchange,
    mark_returned,
    mark_withdrawn,
    supplement,
)
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.obligation_store import Obligation
from casemesh.routing.obligations import Obligations
from casemesh.routing.payload import require_fitting
from casemesh.routing.person_effects import apply_effects, take_back_effects
from casemesh.routing.placing import OPEN_OBLIGATION, Purpose, delivery_of, place, place_owing
from casemesh.routing.preflight import Draft, Preflight
from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction, Writes
from casemesh.runtime.requests import first_answer, recall, remember

log = structlog.get_logger(__name__)

_Returned = pb2.ReturnExchangeResponse
_Supplemented = pb2.SupplementExchangeResponse
_Withdrawn = pb2.WithdrawExchangeResponse


class Correction:
    """Moves exchanges back and forth between their two sides before they are accepted."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalogues: NodeCatalogues,
        exchanges: ExchangeStore,
        preflight: Preflight,
        obligations: Obligations,
        arrivals: Arrivals,
        outbox: OutboxRelay,
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalogues = catalogues
        self._exchanges = exchanges
        self._preflight = preflight
        self._obligations = obligations
        self._arrivals = arrivals
        self._outbox = outbox

    async def give_back(self, call: Call, request: pb2.ReturnExchangeRequest) -> _Returned:
        """Move a delivered exchange to RETURNED and tell its sender what to mend.

        Raises NotFound; PermissionDenied to the sender; InvalidArgument (RETURN_REASON_UNKNOWN, FIELD_INVALID);
        FailedPrecondition (EXCHANGE_STATE_WRONG).
        """
        require_recipient(await self._exchanges.get(request.exchange), call.require_caller().agency)
        _require_reasons(request)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Returned)
            if stored is not None:
                return stored
            returned = exchange_pb2.ExchangeReturn(defects=request.defects)
            returned.return_time.FromDatetime(self._clock.now())
            await self._require(transaction, Step.RETURN, request.exchange)
            exchange = await mark_returned(transaction, request.exchange, returned)
            assert exchange is not None
            codes = ",".join(dict.fromkeys(defect.code for defect in request.defects))
            await self._record(transaction, call, "exchange.returned", exchange, {"codes": codes})
            await tell(transaction, exchange, exchange.sender)
            response = _Returned(exchange=exchange)
            await remember(transaction, call, request, response)
        self._announce(exchange.sender)
        return response

    async def take_back(self, call: Call, request: pb2.WithdrawExchangeRequest) -> _Withdrawn:
        """Move an exchange that nobody accepted to WITHDRAWN and tell its recipient and who has a copy, unless it never
        reached them: then they get neither it nor the access it would have brought.

        Raises NotFound; PermissionDenied to the recipient; FailedPrecondition (EXCHANGE_STATE_WRONG).
        """
        require_sender(await self._exchanges.get(request.exchange), call.require_caller().agency)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Withdrawn)
            if stored is not None:
                return stored
            await self._require(transaction, Step.WITHDRAW, request.exchange)
            exchange = await mark_withdrawn(transaction, request.exchange, self._clock.now(), request.ground)
            assert exchange is not None
            await take_back_effects(transaction, exchange, exchange.parties, self._clock.now(), reason="withdrawn")
            await self._record(transaction, call, "exchange.withdrawn", exchange, {})
            told = await end(transaction, exchange, tell_sender=False)
            response = _Withdrawn(exchange=exchange)
            await remember(transaction, call, request, response)
        self._announce(*told)
        return response

    async def mend(self, call: Call, request: pb2.SupplementExchangeRequest) -> _Supplemented:
        """Put new content in the place of what a returned exchange held, and put it before its recipient again.

        Raises as `Preflight.check`; NotFound; PermissionDenied to the recipient; FailedPrecondition
        (EXCHANGE_STATE_WRONG), also where it was mended and returned anew meanwhile.
        """
        stored = await first_answer(self._database, call, request, _Supplemented)
        if stored is not None:
            return stored
        caller = call.require_caller()
        before = require_sender(await self._exchanges.get(request.exchange), caller.agency)
        require_allowed(Step.SUPPLEMENT, before)
        catalogue = self._catalogues.of_exchange(before)
        draft = Draft(
            catalogue=catalogue,
            case=before.case,
            node=catalogue.get(before.node),
            sender=before.sender,
            recipient=before.recipient,
            parties=request.parties or before.parties,
            fields=request.fields,
            dossier_version=request.dossier_version or before.dossier_version,
            continues=True,
        )
        mended = exchange_pb2.Exchange()
        mended.CopyFrom(before)
        for field in ("parties", "fields", "translations"):
            mended.ClearField(field)
        examination = await self._preflight.check(draft, caller)
        mended.translations.extend(examination.translations)
        mended.parties.extend(draft.parties)
        mended.fields.extend(draft.fields)
        mended.dossier_version = draft.dossier_version
        mended.state, mended.revision = exchange_pb2.EXCHANGE_STATE_SUPPLEMENTED, before.revision + 1
        require_fitting(mended, "exchange")
        async with self._database.transaction() as transaction:
            earlier = await recall(transaction, call, request, _Supplemented)
            if earlier is not None:
                return earlier
            current = await self._require(transaction, Step.SUPPLEMENT, request.exchange)
            if current.revision != before.revision:
                raise FailedPrecondition(
                    "EXCHANGE_STATE_WRONG",
                    "the exchange was mended and returned anew meanwhile; read what is to be mended now",
                    {"state": "RETURNED"},
                )
            now = self._clock.now()
            exchange = await supplement(transaction, mended, now, dossier_root=examination.dossier_root)
            assert exchange is not None
            await _restate_effects(transaction, before, exchange, now)
            details = {"revision": str(exchange.revision), "sha256": digest_of(mended).hex()}
            if exchange.dossier_version:
                details["dossier_version"] = exchange.dossier_version
            await self._record(transaction, call, "exchange.supplemented", exchange, details)
            owed = _owed(exchange, call)
            writes = Writes()
            place_owing(writes, exchange, owed)
            for agency in exchange.copies_to:
                place(writes, exchange, agency, Purpose.COPY)
            is_open = await transaction.write(writes, OPEN_OBLIGATION) is not None
            response = _Supplemented(exchange=exchange)
            await remember(transaction, call, request, response)
        self._announce(exchange.recipient, *exchange.copies_to)
        if is_open:
            try:
                await self._obligations.carry_out(owed)
            except CaseMeshError as error:
                # Committed all the same; the worker goes on.
                log.warning("obligation.left_to_worker", resource=exchange.name, reason=error.reason)
        return response

    async def _require(self, transaction: Transaction, step: Step, name: str) -> exchange_pb2.Exchange:
        """Lock the exchange, check once more that the step may start from where it stands now, and return it."""
        current = await lock_exchange(transaction, name)
        assert current is not None
        require_allowed(step, current)
        return current

    async def _record(
        self,
        transaction: Transaction,
        call: Call,
        action: str,
        exchange: exchange_pb2.Exchange,
        details: Mapping[str, str],
    ) -> None:
        told = {"node": exchange.node, "sender": exchange.sender, "recipient": exchange.recipient, **details}
        event = event_of(call, self._clock, action, exchange.name, case=exchange.case, details=told)
        await record(transaction, call, event)

    def _announce(self, *agencies: str) -> None:
        self._outbox.wake()
        for agency in agencies:
            self._arrivals.announce(agency)


async def _restate_effects(
    transaction: Transaction, before: exchange_pb2.Exchange, mended: exchange_pb2.Exchange, at: datetime
) -> None:
    """Let what was stated of parties that are no longer named not hold, and state of the others what holds now."""
    left = [party for party in before.parties if party not in set(mended.parties)]
    if left:
        await take_back_effects(transaction, mended, left, at, reason="supplemented")
    await apply_effects(transaction, mended, Moment.SUBMITTED, at)


def _require_reasons(request: pb2.ReturnExchangeRequest) -> None:
    known = return_reasons()
    for index, defect in enumerate(request.defects):
        if defect.code not in known:
            raise InvalidArgument(
                "RETURN_REASON_UNKNOWN",
                f"defects[{index}].code is no reason to return; ListReturnReasons shows them",
                {"code": defect.code},
                [FieldViolation(f"defects[{index}].code", "must be a code of ListReturnReasons")],
            )
        if defect.code == SEE_REMARK and not defect.mend.strip():
            rule = "must say what to do, since the reason does not"
            field = f"defects[{index}].mend"
            raise InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])


def _owed(exchange: exchange_pb2.Exchange, call: Call) -> Obligation:
    return Obligation(
        resource=delivery_of(exchange.name),
        case=exchange.case,
        agency=exchange.recipient,
        dossier_version=exchange.dossier_version,
        sender=exchange.sender if exchange.dossier_version else "",
        traceparent=call.traceparent,
    )
