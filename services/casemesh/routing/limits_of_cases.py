"""Reckoning the limits of a case, and one limit from what is given."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.core.clock import Clock
from casemesh.core.names import NODE
from casemesh.data import TimeLimit, time_limits
from casemesh.data.limit_runs import answers_due, limit_runs
from casemesh.errors import FieldViolation, InvalidArgument, NotFound
from casemesh.limits import (
    Adjustment,
    Extended,
    Paused,
    Reckoning,
    ReckoningError,
    Restarted,
    Step,
    WorkingDays,
    reckon,
)
from casemesh.routing.limit_store import LimitStore
from casemesh.routing.person_store import PersonStore
from casemesh.routing.running_limits import RunningLimit, running_limits
from casemesh.routing.v1 import time_limit_pb2, time_limit_service_pb2
from casemesh.runtime.call import Caller


class CaseLimits:
    """The limits of cases."""

    def __init__(self, clock: Clock, persons: PersonStore, moves: LimitStore) -> None:
        self._clock = clock
        self._persons = persons
        self._moves = moves
        self._limits = {limit.code: limit for limit in time_limits()}
        self._working_days = WorkingDays()

    async def of_case(self, caller: Caller, case: str) -> list[time_limit_pb2.RunningTimeLimit]:
        """Return the limits that run for the persons in a case. An exchange is named to its two sides alone."""
        persons, moves = await self._persons.states(case), await self._moves.moves(case)
        now = self._clock.now()
        found = running_limits(persons, moves, limit_runs(), answers_due(), now, self._working_days)
        return [self._running(limit, caller.agency, now) for limit in found]

    def reckon(self, request: time_limit_service_pb2.ReckonTimeLimitRequest) -> time_limit_pb2.TimeLimitReckoning:
        """Return one limit reckoned.

        Raises NotFound (TIME_LIMIT_UNKNOWN), InvalidArgument (TIME_LIMIT_UNRECKONABLE).
        """
        limit = self._limits.get(request.limit)
        if limit is None:
            raise NotFound("TIME_LIMIT_UNKNOWN", f"there is no limit {request.limit}")
        start = request.start_time.ToDatetime(tzinfo=UTC)
        try:
            reckoning = reckon(
                limit,
                start,
                held=request.held,
                adjustments=[_adjustment(item, index) for index, item in enumerate(request.adjustments)],
                working_days=self._working_days,
            )
        except ReckoningError as error:
            violation = FieldViolation(error.field, error.problem)
            raise InvalidArgument("TIME_LIMIT_UNRECKONABLE", str(error), violations=[violation]) from error
        return _reckoning(reckoning, start, self._clock.now())

    def _running(self, limit: RunningLimit, agency: str, now: datetime) -> time_limit_pb2.RunningTimeLimit:
        message = time_limit_pb2.RunningTimeLimit(
            party=limit.party,
            state=f"TIME_LIMIT_STATE_{limit.state}",
            reckoning=_reckoning(limit.reckoning, limit.started_at, now),
            unreckonable=limit.trouble,
        )
        if limit.started_by is not None:
            message.node = NODE.format(node=limit.started_by.node)
            if agency in (limit.started_by.sender, limit.started_by.recipient):
                message.exchange = limit.started_by.exchange
        if limit.met_by is not None:
            message.met_by_node = NODE.format(node=limit.met_by.node)
            message.meet_time.FromDatetime(limit.met_by.submitted)
        return message


def _adjustment(item: time_limit_service_pb2.TimeLimitAdjustment, index: int) -> Adjustment:
    at = item.at_time.ToDatetime(tzinfo=UTC)
    match item.WhichOneof("kind"):
        case "extension":
            return Extended(at, item.extension)
        case "pause":
            until = item.pause.until_time.ToDatetime(tzinfo=UTC) if item.pause.HasField("until_time") else None
            return Paused(at, until, item.pause.ground)
        case "restart_ground":
            return Restarted(at, item.restart_ground)
        case _:
            raise ReckoningError(f"adjustments[{index}].kind", "must be set")


def _reckoning(reckoning: Reckoning, start: datetime, now: datetime) -> time_limit_pb2.TimeLimitReckoning:
    limit: TimeLimit = reckoning.limit
    message = time_limit_pb2.TimeLimitReckoning(
        limit=limit.code,
        title_zh=limit.name_zh,
        title_en=limit.name_en,
        legal_basis=limit.legal_basis,
        start_time=_stamp(start),
        days_left=reckoning.days_left(now),
        counted_back=reckoning.counted_back,
        provisional=reckoning.provisional,
        steps=[_step(step) for step in reckoning.steps],
    )
    last = reckoning.last_day
    if reckoning.over_at is not None and last is not None:
        message.over_time.FromDatetime(reckoning.over_at)
        message.last_day.year, message.last_day.month, message.last_day.day = last.year, last.month, last.day
    return message


def _step(step: Step) -> time_limit_pb2.TimeLimitStep:
    message = time_limit_pb2.TimeLimitStep(
        rule=f"TIME_LIMIT_RULE_{step.rule.name}",
        until_time=_stamp(step.until),
        ground_zh=step.extension.ground_zh if step.extension is not None else step.ground,
        ground_en=step.extension.ground_en if step.extension is not None else "",
    )
    if step.length is not None:
        message.length, message.unit, message.extra_days = step.length.count, step.length.unit.value, step.length.days
    return message


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
