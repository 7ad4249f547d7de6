"""Registering a case with its parties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from google.type import date_pb2

from casemesh.common.v1 import coded_value_pb2
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.data.number_formats import read_number
from casemesh.routing.case_store import CHINA, insert_case
from casemesh.routing.coding import Coding
from casemesh.routing.obligation_store import Obligation, insert_obligation
from casemesh.routing.obligations import Obligations
from casemesh.routing.payload import drafted_charges, require_fitting, require_parties
from casemesh.routing.v1 import case_pb2, case_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import first_answer, recall, remember

_Response = case_service_pb2.RegisterCaseResponse


class Registration:
    """Registers cases."""

    def __init__(
        self, database: Database, clock: Clock, coding: Coding, obligations: Obligations, outbox: OutboxRelay
    ) -> None:
        self._database = database
        self._clock = clock
        self._coding = coding
        self._obligations = obligations
        self._outbox = outbox

    async def register(self, call: Call, request: case_service_pb2.RegisterCaseRequest) -> _Response:
        """Register the case, then let the officer into it; answer once both hold.

        Raises InvalidArgument (FIELD_INVALID, PAYLOAD_CODE_UNKNOWN); ResourceExhausted; Unavailable, also when the case
        is registered and the officer is not in it yet: the repeat with the same request_id finishes that.
        """
        response = await first_answer(self._database, call, request, _Response)
        if response is None:
            require_parties(request.parties)
            displays = await self._coding.displays(drafted_charges(request.parties))
            response = await self._commit(call, request, displays)
        await self._obligations.settle(response.case.name)
        return response

    async def _commit(
        self, call: Call, request: case_service_pb2.RegisterCaseRequest, displays: list[str]
    ) -> _Response:
        caller = call.require_caller()
        case = _case(request, caller.agency, displays, self._clock.now())
        require_fitting(case, "case")
        response = _Response(case=case)
        owed = Obligation(
            resource=case.name,
            case=case.name,
            agency=caller.agency,
            joins=True,
            officer=caller.officer or "",
            traceparent=call.traceparent,
        )
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Response)
            if stored is not None:
                return stored
            await insert_case(transaction, case)
            await insert_obligation(transaction, owed)
            details = {"parties": str(len(case.parties))}
            event = event_of(call, self._clock, "case.registered", case.name, case=case.name, details=details)
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response


def _case(
    request: case_service_pb2.RegisterCaseRequest, agency: str, displays: list[str], now: datetime
) -> case_pb2.Case:
    name = CASE.format(case=new_id())
    case = case_pb2.Case(
        name=name, title=request.title, agency=agency, parties=new_parties(name, request.parties, displays, now)
    )
    case.create_time.FromDatetime(now)
    if request.local_number:
        number = case.local_numbers.add(
            agency=agency, number=request.local_number, format=read_number(request.local_number).format
        )
        number.link_time.FromDatetime(now)
    return case


def new_parties(
    case: str, drafts: Iterable[case_service_pb2.PartyDraft], displays: Iterable[str], now: datetime
) -> list[case_pb2.Party]:
    """Return parties of a case as they are registered. `displays` are the names of their charges, in order; a measure
    without a day counts from today on."""
    shown = iter(displays)
    return [_party(case, draft, shown, now.astimezone(CHINA).date()) for draft in drafts]


def _party(case: str, draft: case_service_pb2.PartyDraft, shown: Iterator[str], today: date) -> case_pb2.Party:
    party = case_pb2.Party(
        name=f"{case}/parties/{new_id()}",
        kind=draft.kind,
        display_name=draft.display_name,
        charges=[
            coded_value_pb2.CodedValue(code_system=charge.code_system, code=charge.code, display=next(shown))
            for charge in draft.charges
        ],
        stage=draft.stage,
        identity_unknown=draft.identity_unknown,
    )
    if draft.custody.state:
        party.custody.CopyFrom(draft.custody)
        if not party.custody.HasField("since"):
            party.custody.since.CopyFrom(date_pb2.Date(year=today.year, month=today.month, day=today.day))
    return party
