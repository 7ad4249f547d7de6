"""Parties as they become known: added later, their identity completed, their charges stated anew.

A person of unknown identity is lawful (刑事诉讼法 160), and charges change from stage to stage. What was stated before
stays in the party's history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.clock import Clock
from casemesh.core.names import PARTY
from casemesh.errors import FieldViolation, InvalidArgument, not_found
from casemesh.routing.case_order import require_standing
from casemesh.routing.case_store import (
    CaseStore,
    add_parties,
    case_of,
    charges_in,
    charges_text,
    day_begins,
    lock_cases,
)
from casemesh.routing.coding import Coding
from casemesh.routing.payload import CodedPlace, require_parties
from casemesh.routing.person_store import (
    CHARGES,
    IDENTITY,
    HistoryEntry,
    PersonStore,
    Source,
    Statement,
    state_persons,
)
from casemesh.routing.register import new_parties
from casemesh.routing.v1 import case_pb2, case_service_pb2, party_history_pb2
from casemesh.routing.v1 import case_record_service_pb2 as pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.paging import decode_number, encode_token, page_size_of
from casemesh.runtime.postgres import Database, Transaction, Writes
from casemesh.runtime.requests import first_answer, recall, remember

_SINCE = "SELECT since FROM party_state WHERE party_id = $1 AND aspect = 'charges'"
_END_CHARGES = "UPDATE charge SET superseded_time = $2 WHERE party_id = $1 AND superseded_time IS NULL"
_ADD_CHARGES = """
INSERT INTO charge (party_id, position, code_system, code, display)
SELECT $1, (SELECT coalesce(max(position), -1) FROM charge WHERE party_id = $1) + number, code_system, code, display
FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS stated (code_system, code, display, number)
"""


class Parties:
    """Changes what is known of parties."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        cases: CaseStore,
        persons: PersonStore,
        coding: Coding,
        outbox: OutboxRelay,
    ) -> None:
        self._database = database
        self._clock = clock
        self._cases = cases
        self._persons = persons
        self._coding = coding
        self._outbox = outbox

    async def add(self, call: Call, request: pb2.AddPartyRequest) -> pb2.AddPartyResponse:
        """Add a party behind the others.

        Raises InvalidArgument (FIELD_INVALID, PAYLOAD_CODE_UNKNOWN), FailedPrecondition (CASE_SUPERSEDED).
        """
        stored = await first_answer(self._database, call, request, pb2.AddPartyResponse)
        if stored is not None:
            return stored
        _require_party(request.party)
        displays = await self._displays(request.party.charges, "party.charges")
        now, agency = self._clock.now(), call.require_caller().agency
        (party,) = new_parties(request.case, [request.party], displays, now)
        response = pb2.AddPartyResponse(party=party)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb2.AddPartyResponse)
            if stored is not None:
                return stored
            await lock_cases(transaction, [request.case])
            require_standing(request.case, await CaseStore(transaction).standing(request.case, []))
            await add_parties(transaction, request.case, [party], cause=party.name, agency=agency, at=now)
            await self._record(transaction, call, "case.party.added", request.case, party.name, request.reason)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def complete_identity(self, call: Call, request: pb2.CompleteIdentityRequest) -> pb2.CompleteIdentityResponse:
        """State how a party is named. Raises NotFound, FailedPrecondition (CASE_SUPERSEDED, PARTY_SUPERSEDED)."""
        case = case_of(request.party)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb2.CompleteIdentityResponse)
            if stored is not None:
                return stored
            party, now = await _standing_party(transaction, request.party), self._clock.now()
            said = Statement(PARTY.parse(party.name)["party"], IDENTITY, request.display_name, now)
            party.display_name, party.identity_unknown = request.display_name, False
            response = pb2.CompleteIdentityResponse(party=party)
            await self._state(transaction, call, party.name, [said], now, request.reason)
            await self._record(transaction, call, "case.party.identified", case, party.name, request.reason)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def change_charges(self, call: Call, request: pb2.ChangeChargesRequest) -> pb2.ChangeChargesResponse:
        """State all charges of a party anew, from a day on. Stated for a day before the last change, they go into the
        history and leave what holds now.

        Raises NotFound, InvalidArgument (FIELD_INVALID, PAYLOAD_CODE_UNKNOWN), FailedPrecondition (CASE_SUPERSEDED,
        PARTY_SUPERSEDED).
        """
        stored = await first_answer(self._database, call, request, pb2.ChangeChargesResponse)
        if stored is not None:
            return stored
        case, now = case_of(request.party), self._clock.now()
        effective = _effective(request, now)
        displays = await self._displays(request.charges, "charges")
        charges = [
            CodedValue(code_system=charge.code_system, code=charge.code, display=display)
            for charge, display in zip(request.charges, displays, strict=True)
        ]
        party_id = PARTY.parse(request.party)["party"]
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb2.ChangeChargesResponse)
            if stored is not None:
                return stored
            party = await _standing_party(transaction, request.party)
            since = await transaction.fetchval(_SINCE, party_id)
            if since is None or effective >= since:
                await state_charges(transaction, party_id, charges, now)
                del party.charges[:]
                party.charges.extend(charges)
            said = Statement(party_id, CHARGES, charges_text(charges), effective)
            await self._state(transaction, call, party.name, [said], now, request.reason)
            await self._record(transaction, call, "case.party.charged", case, party.name, request.reason)
            response = pb2.ChangeChargesResponse(party=party)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def history(self, request: pb2.ListPartyHistoryRequest) -> pb2.ListPartyHistoryResponse:
        """Return a page of what was stated of a party. Raises NotFound."""
        size, after = page_size_of(request.page_size), decode_number(request.page_token) or 0
        entries = await self._persons.history(request.party, after=after, limit=size + 1)
        if not entries and not await self._cases.parties(case_of(request.party), [request.party]):
            raise not_found()
        response = pb2.ListPartyHistoryResponse(entries=[_entry(entry) for entry in entries[:size]])
        if len(entries) > size:
            response.next_page_token = encode_token(str(entries[size - 1].sequence))
        return response

    async def _displays(self, charges: Sequence[CodedValue], field: str) -> list[str]:
        return await self._coding.displays(
            [CodedPlace(f"{field}[{index}]", charge) for index, charge in enumerate(charges)]
        )

    async def _state(
        self,
        transaction: Transaction,
        call: Call,
        party: str,
        statements: Sequence[Statement],
        now: datetime,
        reason: str,
    ) -> None:
        writes = Writes()
        state_persons(writes, statements, Source(party, call.require_caller().agency, now, reason=reason))
        await transaction.write(writes)

    async def _record(
        self, transaction: Transaction, call: Call, action: str, case: str, party: str, reason: str
    ) -> None:
        event = event_of(call, self._clock, action, party, case=case, details={"reason": reason})
        await record(transaction, call, event)


async def _standing_party(transaction: Transaction, name: str) -> case_pb2.Party:
    """Return a party that nobody else changes, and whose place nobody takes, before the transaction ends."""
    case = case_of(name)
    await lock_cases(transaction, [case])
    standing = await CaseStore(transaction).standing(case, [name])
    if not standing.parties:
        raise not_found()
    require_standing(case, standing)
    return standing.parties[0]


async def state_charges(transaction: Transaction, party_id: str, charges: Sequence[CodedValue], at: datetime) -> None:
    """Put charges in the place of those that held for a party."""
    await transaction.execute(_END_CHARGES, party_id, at)
    await transaction.execute(
        _ADD_CHARGES,
        party_id,
        [charge.code_system for charge in charges],
        [charge.code for charge in charges],
        [charge.display for charge in charges],
    )


def _effective(request: pb2.ChangeChargesRequest, now: datetime) -> datetime:
    if not request.HasField("effective_date"):
        return now
    try:
        effective = day_begins(request.effective_date, now)
    except ValueError:
        raise _invalid("effective_date", "must be a day that exists") from None
    if effective > now:
        raise _invalid("effective_date", "must not lie ahead")
    return effective


def _require_party(party: case_service_pb2.PartyDraft) -> None:
    try:
        require_parties([party])
    except InvalidArgument as error:
        violations = [
            FieldViolation(item.field.replace("parties[0]", "party"), item.description) for item in error.violations
        ]
        raise InvalidArgument(
            error.reason, error.message.replace("parties[0]", "party"), violations=violations
        ) from None


def _entry(entry: HistoryEntry) -> party_history_pb2.PartyHistoryEntry:
    message = party_history_pb2.PartyHistoryEntry(
        party=entry.party,
        aspect=f"PARTY_ASPECT_{entry.aspect.upper()}",
        value="" if entry.aspect == CHARGES else entry.value,
        charges=charges_in(entry.value) if entry.aspect == CHARGES else (),
        cause=entry.cause,
        node=f"nodes/{entry.node}" if entry.node else "",
        agency=entry.agency,
        reason=entry.reason,
    )
    message.effective_time.FromDatetime(entry.effective_time)
    message.record_time.FromDatetime(entry.record_time)
    return message


def _invalid(field: str, rule: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
