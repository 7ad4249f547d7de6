"""Retention: the texts of old readings go, their places in the log stay.

A text and its salt are all that ties a leaf of the tree to a case; without them the leaf tells nothing and proves what
it proved. Two administrators decide, the log tells of it first, and only then the text goes: whoever finds one missing
finds by whom and why in the same trail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from casemesh.audit import shredding_store
from casemesh.audit.batching import Batcher
from casemesh.audit.events import submitted
from casemesh.audit.shredding_store import ShreddingStore, StoredShredding
from casemesh.audit.v1 import audit_admin_service_pb2 as pb
from casemesh.audit.v1 import audit_append_service_pb2, event_pb2
from casemesh.client.trail import SHREDDED, SHREDDED_NUMBERS, encode_numbers
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.data.event_actions import event_actions
from casemesh.errors import (
    CaseMeshError,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    not_found,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

if TYPE_CHECKING:
    from casemesh.runtime.outbox import OutboxRelay

log = structlog.get_logger(__name__)

PROPOSED, REJECTED = "audit.shredding.proposed", "audit.shredding.rejected"
MAX_EVENTS = 5000
"""At a time; the event that tells of it names each, and has a limit of its own."""
LOOK_EVERY_SECONDS = 1.0
_DAY = timedelta(days=1)


class OwnLog:
    """The log as its own source: what the audit service's outbox sends goes in without a call."""

    def __init__(self, batcher: Batcher, source: str) -> None:
        self._batcher = batcher
        self._source = source

    async def AppendEvents(
        self, request: audit_append_service_pb2.AppendEventsRequest, timeout: float | None = None
    ) -> audit_append_service_pb2.AppendEventsResponse:
        """As the service's call of that name; nobody waits for the places."""
        async with asyncio.timeout(timeout):
            await self._batcher.append(submitted(request.events, self._source))
        return audit_append_service_pb2.AppendEventsResponse()


class Shredding:
    """Takes proposals and decisions, and deletes what was approved, for as long as `run` runs."""

    def __init__(
        self, database: Database, store: ShreddingStore, clock: Clock, outbox: OutboxRelay, keep: timedelta
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._outbox = outbox
        self._keep = keep

    async def propose(self, call: Call, request: pb.ProposeShreddingRequest) -> pb.ProposeShreddingResponse:
        """Keep a proposal. Raises NotFound; InvalidArgument (FIELD_INVALID, SHREDDING_ACTION_KEPT); FailedPrecondition
        (SHREDDING_TOO_EARLY)."""
        actions = _actions(request.actions)
        before = self._before(request)
        if not await self._store.has_events(request.case):
            raise not_found()
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.ProposeShreddingResponse)
            if stored is not None:
                return stored
            proposal = await shredding_store.insert(
                transaction, new_id(), request.case, actions, before, request.reason, call.peer_name, self._clock.now()
            )
            details = {"reason": request.reason, "actions": ",".join(actions), "before": before.isoformat()}
            await self._record(transaction, call, PROPOSED, proposal, details)
            response = pb.ProposeShreddingResponse(shredding=message_of(proposal))
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def approve(self, call: Call, request: pb.ApproveShreddingRequest) -> pb.ApproveShreddingResponse:
        """Fix which texts go, and have the log tell of it. Raises NotFound; PermissionDenied
        (SECOND_ADMINISTRATOR_NEEDED); FailedPrecondition (SHREDDING_STATE_WRONG, SHREDDING_EMPTY); ResourceExhausted
        (LIMIT_EXCEEDED)."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.ApproveShreddingResponse)
            if stored is not None:
                return stored
            proposal = await self._undecided(transaction, request.name)
            if not _two_administrators(proposal.proposed_by, call.peer_name):
                raise PermissionDenied(
                    "SECOND_ADMINISTRATOR_NEEDED", "whoever proposed a shredding does not approve it; another one must"
                )
            wanted = await shredding_store.wanted(transaction, proposal, MAX_EVENTS + 1)
            if not wanted:
                raise FailedPrecondition("SHREDDING_EMPTY", "there is no text left that the proposal is about")
            if len(wanted) > MAX_EVENTS:
                raise ResourceExhausted(
                    "LIMIT_EXCEEDED",
                    f"more than {MAX_EVENTS} texts at a time; propose an earlier time first",
                    {"limit": f"{MAX_EVENTS} events"},
                )
            details = {
                SHREDDED_NUMBERS: encode_numbers(number for _, number in wanted),
                "proposer": proposal.proposed_by,
                "reason": proposal.reason,
            }
            tombstone = await self._record(transaction, call, SHREDDED, proposal, details)
            proposal = await shredding_store.decide(
                transaction,
                proposal.shredding_id,
                call.peer_name,
                self._clock.now(),
                tombstone=tombstone.event_id,
                events=[place for place, _ in wanted],
            )
            response = pb.ApproveShreddingResponse(shredding=message_of(proposal))
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def reject(self, call: Call, request: pb.RejectShreddingRequest) -> pb.RejectShreddingResponse:
        """End a proposal. Raises NotFound, FailedPrecondition (SHREDDING_STATE_WRONG)."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.RejectShreddingResponse)
            if stored is not None:
                return stored
            proposal = await self._undecided(transaction, request.name)
            proposal = await shredding_store.decide(
                transaction, proposal.shredding_id, call.peer_name, self._clock.now(), tombstone=None, events=[]
            )
            await self._record(transaction, call, REJECTED, proposal, {"reason": request.reason})
            response = pb.RejectShreddingResponse(shredding=message_of(proposal))
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def run(self) -> None:
        """Delete what was approved and told, until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                for shredding_id in await self._store.ready():
                    gone = await self._store.shred(shredding_id)
                    log.info("shredding.done", shredding=shredding_id, events=gone)
            except CaseMeshError as error:
                log.warning("shredding.waiting", reason=error.reason)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _undecided(self, transaction: Transaction, name: str) -> StoredShredding:
        proposal = await shredding_store.lock(transaction, name.removeprefix("shreddings/"))
        if proposal is None:
            raise not_found()
        if proposal.decided_by is not None:
            state = pb.ShreddingState.Name(state_of(proposal)).removeprefix("SHREDDING_STATE_")
            raise FailedPrecondition("SHREDDING_STATE_WRONG", "the proposal was decided already", {"state": state})
        return proposal

    def _before(self, request: pb.ProposeShreddingRequest) -> datetime:
        try:
            before = request.before_time.ToDatetime(UTC)
        except (ValueError, OverflowError):
            raise _invalid("before_time", "must be an instant between the years 1 and 9999") from None
        if before > self._clock.now() - self._keep:
            days = self._keep // _DAY
            raise FailedPrecondition(
                "SHREDDING_TOO_EARLY", f"readings are kept for {days} days", {"keep_days": str(days)}
            )
        return before

    async def _record(
        self, transaction: Transaction, call: Call, action: str, proposal: StoredShredding, details: dict[str, str]
    ) -> event_pb2.Event:
        event = event_of(call, self._clock, action, _name(proposal), case=proposal.case_name, details=details)
        await record(transaction, call, event)
        return event


def state_of(proposal: StoredShredding) -> pb.ShreddingState:
    """Return how far a proposal has come."""
    if proposal.approved is None:
        return pb.SHREDDING_STATE_PROPOSED
    if not proposal.approved:
        return pb.SHREDDING_STATE_REJECTED
    return pb.SHREDDING_STATE_APPROVED if proposal.done_time is None else pb.SHREDDING_STATE_DONE


def message_of(proposal: StoredShredding) -> pb.Shredding:
    """Return a proposal as the contract has it."""
    message = pb.Shredding(
        name=_name(proposal),
        case=proposal.case_name,
        actions=proposal.actions,
        reason=proposal.reason,
        state=state_of(proposal),
        proposer=proposal.proposed_by,
        decider=proposal.decided_by or "",
        event_count=proposal.event_count,
    )
    message.before_time.FromDatetime(proposal.before_time)
    message.propose_time.FromDatetime(proposal.propose_time)
    if proposal.decide_time is not None:
        message.decide_time.FromDatetime(proposal.decide_time)
    return message


def _actions(asked: Sequence[str]) -> list[str]:
    shreddable = [action for action, known in event_actions().items() if known.may_be_shredded]
    wanted = list(dict.fromkeys(asked)) or shreddable
    for action in wanted:
        if action not in shreddable:
            rule = f"must be among {', '.join(shreddable)}"
            raise InvalidArgument(
                "SHREDDING_ACTION_KEPT",
                "events of this action are kept as long as the log",
                {"action": action},
                violations=[FieldViolation("actions", rule)],
            )
    return wanted


def _name(proposal: StoredShredding) -> str:
    return f"shreddings/{proposal.shredding_id}"


def _two_administrators(one: str, other: str) -> bool:
    # The operator's common certificate may be in anybody's hands, also in those of a named administrator.
    return one != other and all("/" in name for name in (one, other))


def _invalid(field: str, rule: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
