"""Doing without paper (单轨): a switch for a node and a direction, agreed by both agencies and dated.

The agreements in force are held in memory and looked for anew every two seconds, so that a submission asks nobody.
What is sent under one names it for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import NODE, SINGLE_TRACK
from casemesh.errors import CaseMeshError, FailedPrecondition, FieldViolation, InvalidArgument, not_found
from casemesh.routing.case_store import CHINA
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.payload import to_date
from casemesh.routing.single_track_store import (
    SingleTrackStore,
    insert_track,
    lock_track,
    mark_agreed,
    mark_ended,
)
from casemesh.routing.v1 import single_track_service_pb2 as pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0
_Proposed = pb2.ProposeSingleTrackResponse
_Agreed = pb2.AgreeSingleTrackResponse
_Ended = pb2.EndSingleTrackResponse


class SingleTracks:
    """Agreements: made, ended, looked up."""

    def __init__(
        self, database: Database, clock: Clock, store: SingleTrackStore, catalogues: NodeCatalogues, outbox: OutboxRelay
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._catalogues = catalogues
        self._outbox = outbox
        self._agreed: Mapping[tuple[str, str, str], tuple[date, str]] = {}
        self._seen: object = None

    def agreement(self, node: str, sender: str, recipient: str) -> str:
        """Return the agreement under which exchanges of a node (its code) replace the paper today; empty for none."""
        day, name = self._agreed.get((node, sender, recipient), (date.max, ""))
        return name if day <= self._clock.now().astimezone(CHINA).date() else ""

    async def refresh(self) -> None:
        """Take up what was agreed or ended since. Raises Unavailable."""
        seen = await self._store.stamp()
        if seen != self._seen:
            self._agreed = {
                (NODE.parse(track.node)["node"], track.sender, track.recipient): (
                    to_date(track.effective_from),
                    track.name,
                )
                for track in await self._store.agreed()
            }
            self._seen = seen

    async def run(self) -> None:
        """Refresh until cancelled. A database that does not answer is asked again."""
        while True:
            try:
                await self.refresh()
            except CaseMeshError as error:
                log.warning("single_tracks.waiting", reason=error.reason)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def propose(self, call: Call, request: pb2.ProposeSingleTrackRequest) -> _Proposed:
        """Propose that the caller's exchanges of a node to another agency replace the paper.

        Raises NotFound (NODE_UNKNOWN); InvalidArgument; FailedPrecondition (SINGLE_TRACK_STATE_WRONG).
        """
        sender = call.require_caller().agency
        self._catalogues.of(sender).get(request.node)
        _require_day(request)
        if request.recipient == sender:
            raise _invalid("recipient", "must be another agency than the sender")
        track = pb2.SingleTrack(
            name=SINGLE_TRACK.format(single_track=new_id()),
            node=request.node,
            sender=sender,
            recipient=request.recipient,
            effective_from=request.effective_from,
            state=pb2.SINGLE_TRACK_STATE_PROPOSED,
            basis=request.basis,
        )
        now = self._clock.now()
        track.propose_time.FromDatetime(now)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Proposed)
            if stored is not None:
                return stored
            if not await insert_track(transaction, track, now):
                raise FailedPrecondition(
                    "SINGLE_TRACK_STATE_WRONG",
                    "there is a proposal or an agreement for this node and direction; end it first",
                    {"state": "PROPOSED"},
                )
            await self._record(transaction, call, "single_track.proposed", track)
            response = _Proposed(single_track=track)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def agree(self, call: Call, request: pb2.AgreeSingleTrackRequest) -> _Agreed:
        """Agree to what was proposed to the caller's agency. Raises NotFound, FailedPrecondition."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Agreed)
            if stored is not None:
                return stored
            track = await lock_track(transaction, request.name)
            if track is None or track.recipient != call.require_caller().agency:
                raise not_found()
            _require_state(track, pb2.SINGLE_TRACK_STATE_PROPOSED)
            now = self._clock.now()
            await mark_agreed(transaction, track.name, now)
            track.state = pb2.SINGLE_TRACK_STATE_AGREED
            track.agree_time.FromDatetime(now)
            await self._record(transaction, call, "single_track.agreed", track)
            response = _Agreed(single_track=track)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        await self.refresh()
        return response

    async def end(self, call: Call, request: pb2.EndSingleTrackRequest) -> _Ended:
        """End what the caller's agency proposed or agreed to. Raises NotFound, FailedPrecondition."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Ended)
            if stored is not None:
                return stored
            track = await lock_track(transaction, request.name)
            if track is None or call.require_caller().agency not in (track.sender, track.recipient):
                raise not_found()
            _require_state(track, pb2.SINGLE_TRACK_STATE_PROPOSED, pb2.SINGLE_TRACK_STATE_AGREED)
            now = self._clock.now()
            await mark_ended(transaction, track.name, now)
            track.state = pb2.SINGLE_TRACK_STATE_ENDED
            track.end_time.FromDatetime(now)
            await self._record(transaction, call, "single_track.ended", track)
            response = _Ended(single_track=track)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        await self.refresh()
        return response

    async def _record(self, transaction: Transaction, call: Call, action: str, track: pb2.SingleTrack) -> None:
        details = {"node": track.node, "sender": track.sender, "recipient": track.recipient}
        await record(transaction, call, event_of(call, self._clock, action, track.name, details=details))


def _require_state(track: pb2.SingleTrack, *states: int) -> None:
    if track.state not in states:
        name = pb2.SingleTrackState.Name(track.state).removeprefix("SINGLE_TRACK_STATE_")
        raise FailedPrecondition(
            "SINGLE_TRACK_STATE_WRONG", f"the agreement is {name}; that does not allow this step", {"state": name}
        )


def _require_day(request: pb2.ProposeSingleTrackRequest) -> None:
    try:
        to_date(request.effective_from)
    except ValueError:
        raise _invalid("effective_from", "must be a date of the calendar with year, month and day") from None


def _invalid(field: str, rule: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
