"""Where a case and each person in it stand, across agencies, and which nodes may come next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from casemesh.core.clock import Clock
from casemesh.core.names import NODE
from casemesh.data.procedure import Aspect, Custody
from casemesh.errors import not_found
from casemesh.routing.case_store import CaseStore, case_of, measure_number, stage_number
from casemesh.routing.case_visibility import VIEW_CASE, CaseVisibility
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.person_store import PersonStore
from casemesh.routing.procedure import Awaited, NextNode, NextReason, PersonState, Procedure
from casemesh.routing.v1 import case_progress_pb2, case_progress_service_pb2
from casemesh.runtime.call import Call

_SHOWN = frozenset({NextReason.ANSWERS, NextReason.FOLLOWS, NextReason.MOVES})


class Progress:
    """Tells where cases stand, by the catalogue of the agency that asks: `catalogue_of` gives it."""

    def __init__(
        self,
        clock: Clock,
        catalogue_of: Callable[[str], NodeCatalogue],
        procedure: Procedure,
        cases: CaseStore,
        persons: PersonStore,
        visibility: CaseVisibility,
    ) -> None:
        self._clock = clock
        self._catalogue_of = catalogue_of
        self._procedure = procedure
        self._cases = cases
        self._persons = persons
        self._visibility = visibility

    async def of_case(self, call: Call, case: str) -> case_progress_pb2.CaseProgress:
        """Return the progress: states and times. Names are for whoever may see the case itself; an open exchange is
        named to its two sides alone.

        Raises NotFound, Unavailable.
        """
        caller = call.require_caller()
        found = await self._cases.get([case])
        if not found:
            raise not_found()
        named = case in await self._visibility.allowed(caller, [case], VIEW_CASE)
        states = {person.party: person for person in await self._persons.states(case)}
        now = self._clock.now()
        progress = case_progress_pb2.CaseProgress(case=case, closed=found[0].closed)
        for party in found[0].parties:
            if not party.successors:
                person = self._person(states[party.name], caller.agency, now)
                person.display_name = party.display_name if named else ""
                progress.persons.append(person)
        return progress

    async def next_nodes(self, call: Call, party: str) -> case_progress_service_pb2.ListNextNodesResponse:
        """Return what may come next for a party. Raises NotFound."""
        states = await self._persons.states(case_of(party))
        person = next((person for person in states if person.party == party), None)
        if person is None:
            raise not_found()
        coming = self._procedure.next_nodes(self._catalogue_of(call.require_caller().agency), person)
        return case_progress_service_pb2.ListNextNodesResponse(next_nodes=[_next(item, person) for item in coming])

    def _person(self, person: PersonState, agency: str, now: datetime) -> case_progress_pb2.PersonProgress:
        held, catalogue = person.custody == Custody.HELD, self._catalogue_of(agency)
        message = case_progress_pb2.PersonProgress(
            party=person.party,
            stage=stage_number(person.stage),
            measure=measure_number(person.values.get(Aspect.MEASURE, "")),
            held=held,
            custodian=person.values.get(Aspect.CUSTODIAN, "") if held else "",
            authority=person.values.get(Aspect.AUTHORITY, "") if held else "",
            open_exchanges=[_open(awaited, agency, now) for awaited in self._procedure.awaited(catalogue, person)],
            next_nodes=[
                _next(item, person) for item in self._procedure.next_nodes(catalogue, person) if item.reason in _SHOWN
            ],
        )
        for aspect, stamp in (
            (Aspect.STAGE, message.stage_since),
            (Aspect.MEASURE, message.measure_since),
            (Aspect.CUSTODY, message.held_since),
        ):
            if aspect in person.since:
                stamp.FromDatetime(person.since[aspect])
        return message


def _open(awaited: Awaited, agency: str, now: datetime) -> case_progress_pb2.OpenExchange:
    step = awaited.step
    message = case_progress_pb2.OpenExchange(
        exchange=step.exchange if agency in (step.sender, step.recipient) else "",
        node=NODE.format(node=step.node),
        sender=step.sender,
        recipient=step.recipient,
        state=f"EXCHANGE_STATE_{step.state}",
        age_seconds=max(0, int((now - step.at).total_seconds())),
        answer_nodes=[NODE.format(node=code) for code in awaited.answers],
    )
    message.submit_time.FromDatetime(step.at)
    return message


def _next(item: NextNode, person: PersonState) -> case_progress_pb2.NextNode:
    cause = next((step for step in person.steps if step.exchange == item.because), None)
    return case_progress_pb2.NextNode(
        node=NODE.format(node=item.node.code),
        title_zh=item.node.name_zh,
        title_en=item.node.name_en,
        from_organ=item.node.from_organ,
        to_organ=item.node.to_organ,
        reason=f"NEXT_NODE_REASON_{item.reason}",
        because_node=NODE.format(node=cause.node) if cause is not None else "",
        to_stage=stage_number(item.because if item.reason is NextReason.MOVES else ""),
    )
