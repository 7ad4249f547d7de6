"""What officers say of warnings: taken up, given to somebody, resolved, not applicable.

The events of a warning are of no case's trail: those who read it need not be those whom the warning concerns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import Message

from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY, WARNING, agency_of
from casemesh.errors import FailedPrecondition
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember
from casemesh.supervision import warning_store
from casemesh.supervision.reconciling import acknowledged, closed
from casemesh.supervision.v1 import supervision_service_pb2 as pb2
from casemesh.supervision.v1 import warning_pb2
from casemesh.supervision.visibility import Visibility
from casemesh.supervision.warning_store import (
    ACKNOWLEDGED,
    NOT_APPLICABLE,
    OPEN,
    RESOLVED,
    TO_WORK,
    Move,
    StoredWarning,
    WarningStore,
)

M = TypeVar("M", bound=Message)
Step = Callable[[StoredWarning, datetime], "tuple[StoredWarning, Move] | None"]
"""Returns the warning as it becomes and its move; None where nothing changes."""


class Handling:
    """Moves warnings. `on_commit` is called after each commit."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: WarningStore,
        visibility: Visibility,
        on_commit: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._visibility = visibility
        self._on_commit = on_commit

    async def acknowledge(self, call: Call, request: pb2.AcknowledgeWarningRequest) -> pb2.AcknowledgeWarningResponse:
        """Raises NotFound, FailedPrecondition (WARNING_STATE_WRONG)."""
        officer = call.require_caller().subject

        def step(warning: StoredWarning, now: datetime) -> tuple[StoredWarning, Move] | None:
            if warning.state == ACKNOWLEDGED:
                return None
            _require_state(warning, OPEN)
            return acknowledged(warning, officer, now), Move("acknowledged", officer)

        return await self._move(call, request, pb2.AcknowledgeWarningResponse, step)

    async def assign(self, call: Call, request: pb2.AssignWarningRequest) -> pb2.AssignWarningResponse:
        """Raises NotFound, FailedPrecondition (WARNING_STATE_WRONG, WARNING_OWNER_WRONG)."""
        caller = call.require_caller()

        def step(warning: StoredWarning, now: datetime) -> tuple[StoredWarning, Move] | None:
            _require_state(warning, *TO_WORK)
            if agency_of(request.owner) != caller.agency or not warning.concerns(caller.agency):
                raise FailedPrecondition(
                    "WARNING_OWNER_WRONG",
                    "a warning is given to an officer of the own agency, and only where it concerns that agency",
                    {"owner": request.owner},
                )
            if warning.owner == request.owner:
                return None
            return replace(warning, owner=request.owner, update_time=now), Move(
                "assigned", caller.subject, request.owner
            )

        return await self._move(call, request, pb2.AssignWarningResponse, step)

    async def resolve(self, call: Call, request: pb2.ResolveWarningRequest) -> pb2.ResolveWarningResponse:
        """Raises NotFound, FailedPrecondition (WARNING_STATE_WRONG)."""
        return await self._move(
            call, request, pb2.ResolveWarningResponse, _closing(call, RESOLVED, "resolved", request.reason)
        )

    async def mark_not_applicable(
        self, call: Call, request: pb2.MarkNotApplicableRequest
    ) -> pb2.MarkNotApplicableResponse:
        """Raises NotFound, FailedPrecondition (WARNING_STATE_WRONG)."""
        return await self._move(
            call,
            request,
            pb2.MarkNotApplicableResponse,
            _closing(call, NOT_APPLICABLE, "not_applicable", request.reason),
        )

    async def _move(self, call: Call, request: Message, answer: type[M], step: Step) -> M:
        warning_id = WARNING.parse(request.name)["warning"]  # type: ignore[attr-defined]
        # Asked before the transaction: no other service is called while a connection is held.
        await self._visibility.require(call.require_caller(), await self._store.get(warning_id))
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, answer)) is not None:
                return answered
            warning = await warning_store.lock(transaction, warning_id)
            assert warning is not None, "no warning is ever deleted"
            now = self._clock.now()
            moved = step(warning, now)
            if moved is not None:
                warning = await warning_store.keep(transaction, *moved)
                await record_move(transaction, call, self._clock, warning, moved[1])
            response = answer(warning=warning.message(now))
            await remember(transaction, call, request, response)
        self._on_commit()
        return response


async def record_move(transaction: Transaction, call: Call, clock: Clock, warning: StoredWarning, move: Move) -> None:
    """Write the event of a move in its transaction."""
    details = {
        "case": warning.case,
        "rule": warning.rule,
        "rule_version": warning.rule_version,
        "rank": warning_pb2.WarningRank.Name(warning.rank).removeprefix("WARNING_RANK_"),
    }
    if move.reason:
        details["reason"] = move.reason
    details["concerned"] = " ".join(AGENCY.format(agency=agency) for agency in warning.concerned)
    await record(transaction, call, event_of(call, clock, _ACTIONS[move.kind], warning.name, details=details))


_ACTIONS = {
    "raised": "warning.raised",
    "raised_again": "warning.raised_again",
    "changed": "warning.changed",
    "superseded": "warning.superseded",
    "escalated": "warning.escalated",
    "acknowledged": "warning.acknowledged",
    "assigned": "warning.assigned",
    "resolved": "warning.resolved",
    "not_applicable": "warning.not_applicable",
}
"""The action of each kind of move."""


def _closing(call: Call, state: int, kind: str, reason: str) -> Step:
    officer = call.require_caller().subject

    def step(warning: StoredWarning, now: datetime) -> tuple[StoredWarning, Move] | None:
        _require_state(warning, *TO_WORK)
        return closed(warning, state, reason, now), Move(kind, officer, reason)

    return step


def _require_state(warning: StoredWarning, *states: int) -> None:
    if warning.state not in states:
        state = warning_pb2.WarningState.Name(warning.state).removeprefix("WARNING_STATE_")
        raise FailedPrecondition(
            "WARNING_STATE_WRONG", f"the warning is {state.lower().replace('_', ' ')}", {"state": state}
        )
