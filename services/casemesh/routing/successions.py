"""Merging and splitting cases and parties (并案, 分案), and undoing it.

Names never change: what was keeps its name and points to what takes its place. Exchanges in flight go on under their
own name, and what they state reaches the successors. Who takes part in a predecessor takes part in its successor;
undoing takes no access away, since what was seen was seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog
from google.protobuf.message import Message

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE, PARTY, SUCCESSION
from casemesh.data.number_formats import read_number
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, PermissionDenied, not_found
from casemesh.errors import FieldViolation as Violation
from casemesh.routing.case_order import require_standing
from casemesh.routing.case_store import CaseStore, add_parties, case_of, charges_text, insert_case, lock_cases
from casemesh.routing.case_visibility import CHANGE_CASE, CaseVisibility
from casemesh.routing.obligation_store import Obligation, insert_obligation
from casemesh.routing.obligations import Obligations
from casemesh.routing.parties import state_charges
from casemesh.routing.payload import require_fitting
from casemesh.routing.person_store import CHARGES, Source, Statement, state_persons
from casemesh.routing.succession_store import (
    Link,
    Succession,
    built_upon,
    get_succession,
    insert_succession,
    participants,
)
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1 import case_succession_service_pb2 as pb2
from casemesh.routing.v1.succession_pb2 import SuccessionKind
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction, Writes
from casemesh.runtime.requests import first_answer, recall, remember

log = structlog.get_logger(__name__)

_ACTIONS = {
    SuccessionKind.SUCCESSION_KIND_CASES_MERGED: "case.merged",
    SuccessionKind.SUCCESSION_KIND_CASE_SPLIT: "case.split",
    SuccessionKind.SUCCESSION_KIND_PARTIES_MERGED: "case.party.merged",
    SuccessionKind.SUCCESSION_KIND_PARTY_SPLIT: "case.party.split",
    SuccessionKind.SUCCESSION_KIND_UNDONE: "case.succession.undone",
}
M = TypeVar("M", bound=Message)


@dataclass
class _Done:
    """What a succession did, and whose access is to be settled after the commit."""

    succession: Succession
    made: list[case_pb2.Party] = field(default_factory=list)
    case: case_pb2.Case | None = None
    owed: list[str] = field(default_factory=list)


class Successions:
    """Carries successions out, each in one transaction with the cases it touches locked."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        visibility: CaseVisibility,
        obligations: Obligations,
        outbox: OutboxRelay,
    ) -> None:
        self._database = database
        self._clock = clock
        self._visibility = visibility
        self._obligations = obligations
        self._outbox = outbox

    async def merge_cases(self, call: Call, request: pb2.MergeCasesRequest) -> pb2.MergeCasesResponse:
        """Let `case` go on in the place of the predecessors.

        Raises NotFound and PermissionDenied for a predecessor the caller may not change; FailedPrecondition
        (CASE_SUPERSEDED, SUCCESSION_CIRCULAR); InvalidArgument (PARTY_NOT_OF_CASE).
        """
        predecessors = list(dict.fromkeys(request.predecessors))
        if request.case in predecessors:
            raise FailedPrecondition("SUCCESSION_CIRCULAR", "a case cannot take its own place; leave it out")
        await self._visibility.require(call.require_caller(), predecessors, CHANGE_CASE)

        async def work(transaction: Transaction, now: datetime) -> _Done:
            same = {item.predecessor: item.successor for item in request.same_parties}
            await lock_cases(transaction, [request.case, *predecessors])
            own = await _standing_parties(transaction, request.case)
            links = [Link(case, request.case, replaces=True, made=False) for case in predecessors]
            made, merged = [], []
            for case in predecessors:
                for party in await _standing_parties(transaction, case):
                    successor = same.pop(party.name, "")
                    if successor:
                        _require_own(own, successor)
                        merged.append((party, next(item for item in own if item.name == successor)))
                    else:
                        successor = _named_anew(party, request.case)
                        made.append(_copy(party, successor))
                    links.append(Link(party.name, successor, replaces=True, made=not _among(own, successor)))
            if same:
                raise _not_of_case("same_parties", next(iter(same)))
            succession = self._succession(
                call, request.case, SuccessionKind.SUCCESSION_KIND_CASES_MERGED, links, request.reason, now
            )
            await add_parties(transaction, request.case, made, cause=succession.name, agency=succession.agency, at=now)
            await _join_charges(transaction, merged, succession)
            return _Done(succession, made)

        done, response = await self._carry_out(
            call,
            request,
            pb2.MergeCasesResponse,
            work,
            lambda done: pb2.MergeCasesResponse(succession=done.succession.message()),
        )
        await self._settle(done)
        return response

    async def split_case(self, call: Call, request: pb2.SplitCaseRequest) -> pb2.SplitCaseResponse:
        """Give parties a case of their own, and let the caller's officer into it.

        Raises FailedPrecondition (CASE_SUPERSEDED, PARTY_SUPERSEDED); InvalidArgument (PARTY_NOT_OF_CASE); Unavailable
        when the officer is not in the new case yet: the repeat with the same request_id finishes that.
        """

        async def work(transaction: Transaction, now: datetime) -> _Done:
            caller = call.require_caller()
            await lock_cases(transaction, [request.case])
            parties = await _parties_named(transaction, request.case, request.parties, "parties")
            name = CASE.format(case=new_id())
            case = case_pb2.Case(name=name, title=request.title, agency=caller.agency, predecessors=[request.case])
            case.create_time.FromDatetime(now)
            if request.local_number:
                number = case.local_numbers.add(
                    agency=caller.agency,
                    number=request.local_number,
                    format=read_number(request.local_number).format,
                )
                number.link_time.FromDatetime(now)
            links = [Link(request.case, name, replaces=False, made=True)]
            for party in parties:
                copy = _copy(party, _named_anew(party, name))
                case.parties.append(copy)
                links.append(Link(party.name, copy.name, replaces=True, made=True))
            require_fitting(case, "case")
            await insert_case(transaction, case)
            succession = self._succession(
                call, request.case, SuccessionKind.SUCCESSION_KIND_CASE_SPLIT, links, request.reason, now
            )
            joining = Obligation(
                resource=name,
                case=name,
                agency=caller.agency,
                joins=True,
                officer=caller.officer or "",
                traceparent=call.traceparent,
            )
            await insert_obligation(transaction, joining)
            return _Done(succession, list(case.parties), case)

        done, response = await self._carry_out(
            call,
            request,
            pb2.SplitCaseResponse,
            work,
            lambda done: pb2.SplitCaseResponse(succession=done.succession.message(), case=done.case),
        )
        await self._obligations.settle(response.case.name)
        await self._settle(done)
        return response

    async def merge_parties(self, call: Call, request: pb2.MergePartiesRequest) -> pb2.MergePartiesResponse:
        """Say that parties of a case are one person, who keeps the charges of all of them.

        Raises FailedPrecondition (CASE_SUPERSEDED, PARTY_SUPERSEDED, SUCCESSION_CIRCULAR); InvalidArgument
        (PARTY_NOT_OF_CASE).
        """
        case = case_of(request.party)
        if request.party in request.predecessors:
            raise FailedPrecondition("SUCCESSION_CIRCULAR", "a party cannot take its own place; leave it out")

        async def work(transaction: Transaction, now: datetime) -> _Done:
            await lock_cases(transaction, [case])
            (survivor,) = await _parties_named(transaction, case, [request.party], "party")
            parties = await _parties_named(transaction, case, list(dict.fromkeys(request.predecessors)), "predecessors")
            links = [Link(party.name, survivor.name, replaces=True, made=False) for party in parties]
            succession = self._succession(
                call, case, SuccessionKind.SUCCESSION_KIND_PARTIES_MERGED, links, request.reason, now
            )
            await _join_charges(transaction, [(party, survivor) for party in parties], succession)
            return _Done(succession)

        _, response = await self._carry_out(
            call,
            request,
            pb2.MergePartiesResponse,
            work,
            lambda done: pb2.MergePartiesResponse(succession=done.succession.message()),
        )
        return response

    async def split_party(self, call: Call, request: pb2.SplitPartyRequest) -> pb2.SplitPartyResponse:
        """Say that a party is several persons; each starts with what is known of it.

        Raises NotFound, FailedPrecondition (CASE_SUPERSEDED, PARTY_SUPERSEDED).
        """
        case = case_of(request.party)

        async def work(transaction: Transaction, now: datetime) -> _Done:
            await lock_cases(transaction, [case])
            (party,) = await _parties_named(transaction, case, [request.party], "party")
            made = []
            for display_name in request.display_names:
                copy = _copy(party, _named_anew(party, case))
                copy.display_name = display_name
                made.append(copy)
            links = [Link(party.name, copy.name, replaces=True, made=True) for copy in made]
            succession = self._succession(
                call, case, SuccessionKind.SUCCESSION_KIND_PARTY_SPLIT, links, request.reason, now
            )
            await add_parties(transaction, case, made, cause=succession.name, agency=succession.agency, at=now)
            return _Done(succession, made)

        _, response = await self._carry_out(
            call,
            request,
            pb2.SplitPartyResponse,
            work,
            lambda done: pb2.SplitPartyResponse(succession=done.succession.message(), parties=done.made),
        )
        return response

    async def undo(self, call: Call, request: pb2.UndoSuccessionRequest) -> pb2.UndoSuccessionResponse:
        """End a succession by one of its own. Successors that it made give their place back to the predecessors.

        Raises NotFound; PermissionDenied (PERMISSION_MISSING) to who may not change each of its cases;
        FailedPrecondition (SUCCESSION_NOT_STANDING); Unavailable.
        """
        await self._require_rights(call, request.succession)

        async def work(transaction: Transaction, now: datetime) -> _Done:
            former = await get_succession(transaction, request.succession)
            if former is None:
                raise not_found()
            cases = {case for link in former.links for case in link.cases}
            await lock_cases(transaction, cases)
            former = await get_succession(transaction, request.succession)
            assert former is not None
            if former.undoes or former.undone_by or await built_upon(transaction, former.name):
                raise FailedPrecondition(
                    "SUCCESSION_NOT_STANDING",
                    "it was undone already, undoes another, or a later one builds on it; undo that first",
                )
            links = [
                Link(link.successor, link.predecessor, replaces=True, made=False) for link in former.links if link.made
            ]
            case = case_of(former.name)
            succession = self._succession(
                call, case, SuccessionKind.SUCCESSION_KIND_UNDONE, links, request.reason, now, former.name
            )
            return _Done(succession)

        done, response = await self._carry_out(
            call,
            request,
            pb2.UndoSuccessionResponse,
            work,
            lambda done: pb2.UndoSuccessionResponse(succession=done.succession.message()),
        )
        await self._settle(done)
        return response

    async def _require_rights(self, call: Call, name: str) -> None:
        """Check that the caller may change every case of a succession, whose links never change."""
        former = await get_succession(self._database, name)
        if former is None:
            raise not_found()
        cases = {case for link in former.links for case in link.cases}
        if cases != await self._visibility.allowed(call.require_caller(), sorted(cases), CHANGE_CASE):
            raise PermissionDenied(
                "PERMISSION_MISSING",
                "undoing this needs the right SUBMIT_EXCHANGE on each of the cases it touched",
                {"permission": "SUBMIT_EXCHANGE"},
            )

    async def _carry_out(
        self,
        call: Call,
        request: Message,
        answer: type[M],
        work: Callable[[Transaction, datetime], Awaitable[_Done]],
        respond: Callable[[_Done], M],
    ) -> tuple[_Done | None, M]:
        stored = await first_answer(self._database, call, request, answer)
        if stored is not None:
            return None, stored
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, answer)
            if stored is not None:
                return None, stored
            done = await work(transaction, self._clock.now())
            await insert_succession(transaction, done.succession)
            done.owed = await _owe_participation(transaction, call, done.succession)
            await self._record(transaction, call, done.succession)
            response = respond(done)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return done, response

    async def _settle(self, done: _Done | None) -> None:
        for resource in done.owed if done is not None else ():
            try:
                await self._obligations.settle(resource)
            except CaseMeshError as error:
                # It is committed, and the worker goes on.
                log.warning("obligation.left_to_worker", resource=resource, reason=error.reason)

    def _succession(
        self,
        call: Call,
        case: str,
        kind: SuccessionKind,
        links: Iterable[Link],
        reason: str,
        now: datetime,
        undoes: str = "",
    ) -> Succession:
        name = SUCCESSION.format(case=CASE.parse(case)["case"], succession=new_id())
        return Succession(name, kind, call.require_caller().agency, reason, now, tuple(links), undoes)

    async def _record(self, transaction: Transaction, call: Call, succession: Succession) -> None:
        """Write the event into the trail of every case it touches."""
        cases = {case for link in succession.links for case in link.cases} | {case_of(succession.name)}
        details = {"reason": succession.reason, "links": str(len(succession.links))}
        if succession.undoes:
            details["undoes"] = succession.undoes
        for case in sorted(cases):
            event = event_of(call, self._clock, _ACTIONS[succession.kind], succession.name, case=case, details=details)
            await record(transaction, call, event)


async def _standing_parties(transaction: Transaction, case: str) -> list[case_pb2.Party]:
    """Return the parties of a locked case that nothing took the place of."""
    cases = CaseStore(transaction)
    found = await cases.get([case])
    if not found:
        raise not_found()
    require_standing(case, await cases.standing(case, []))
    return [party for party in found[0].parties if not party.successors]


async def _parties_named(transaction: Transaction, case: str, names: Sequence[str], place: str) -> list[case_pb2.Party]:
    """Return these standing parties of a locked case, each once."""
    standing = await CaseStore(transaction).standing(case, names)
    require_standing(case, standing)
    found = {party.name: party for party in standing.parties}
    for name in names:
        if name not in found:
            raise _not_of_case(place, name)
    return [found[name] for name in dict.fromkeys(names)]


async def _owe_participation(transaction: Transaction, call: Call, succession: Succession) -> list[str]:
    """Owe the participants of each predecessor case a place in its successor; return what is owed."""
    owed = []
    for successor in sorted({link.successor for link in succession.links if not link.of_parties}):
        predecessors = [
            link.predecessor for link in succession.links if not link.of_parties and link.successor == successor
        ]
        there = set(await participants(transaction, [successor]))
        for agency in await participants(transaction, predecessors):
            if agency not in there:
                resource = f"{succession.name}/{AGENCY.parse(agency)['agency']}"
                obligation = Obligation(resource, successor, agency, joins=True, traceparent=call.traceparent)
                await insert_obligation(transaction, obligation)
                owed.append(resource)
    return owed


async def _join_charges(
    transaction: Transaction, merged: Sequence[tuple[case_pb2.Party, case_pb2.Party]], succession: Succession
) -> None:
    """Let each survivor keep its charges and those that only its predecessors had."""
    joined: dict[str, case_pb2.Party] = {}
    for party, survivor in merged:
        keeper = joined.setdefault(survivor.name, survivor)
        known = {(charge.code_system, charge.code) for charge in keeper.charges}
        keeper.charges.extend(charge for charge in party.charges if (charge.code_system, charge.code) not in known)
    statements = []
    for survivor in joined.values():
        party_id = PARTY.parse(survivor.name)["party"]
        await state_charges(transaction, party_id, survivor.charges, succession.create_time)
        text = charges_text(survivor.charges)
        statements.append(Statement(party_id, CHARGES, text, succession.create_time))
    if statements:
        writes = Writes()
        source = Source(succession.name, succession.agency, succession.create_time, reason=succession.reason)
        state_persons(writes, statements, source)
        await transaction.write(writes)


def _named_anew(party: case_pb2.Party, case: str) -> str:
    return f"{case}/parties/{new_id()}"


def _copy(party: case_pb2.Party, name: str) -> case_pb2.Party:
    """Return the party under another name. Stage and custody pass over with their times, as inherited."""
    return case_pb2.Party(
        name=name,
        kind=party.kind,
        display_name=party.display_name,
        charges=party.charges,
        identity_unknown=party.identity_unknown,
    )


def _among(parties: Iterable[case_pb2.Party], name: str) -> bool:
    return any(party.name == name for party in parties)


def _require_own(parties: Iterable[case_pb2.Party], name: str) -> None:
    if not _among(parties, name):
        raise _not_of_case("same_parties", name)


def _not_of_case(place: str, name: str) -> InvalidArgument:
    return InvalidArgument(
        "PARTY_NOT_OF_CASE",
        f"{place}: not a standing party of the case; use the names that GetCase shows",
        {"party": name},
        violations=[Violation(place, "must be a standing party of the case")],
    )
