"""Which limits run for the persons in a case, by what the platform sees. Pure: states and exchanges in, limits out.

A limit runs from a measure, a stage or the receipt of an exchange. What the tables in `casemesh.data.limit_runs` do not
name starts inside an agency and is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from casemesh.core.clock import CHINA
from casemesh.data.limit_runs import LimitRun
from casemesh.data.procedure import Aspect, Custody, Measure
from casemesh.data.time_limits import Held, TimeLimit
from casemesh.limits import Adjustment, Extended, Paused, Reckoning, ReckoningError, Restarted, WorkingDays, reckon
from casemesh.routing.procedure import PersonState

_HELD_BY_MEASURE = frozenset(
    {Measure.DETAINED, Measure.ARRESTED, Measure.SERVING_SENTENCE, Measure.SUPERVISORY_DETENTION}
)


class LimitState(StrEnum):
    """How a limit stands, by the names of casemesh.routing.v1.TimeLimitState."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    MET = "MET"
    MET_LATE = "MET_LATE"
    OVER = "OVER"
    LAPSED = "LAPSED"


@dataclass(frozen=True, slots=True)
class Move:
    """A committed exchange as far as limits look at it. `received` is when its recipient had stored it.

    `limit_from` and `limit_until` are the days it states for a limit.
    """

    exchange: str
    node: str
    sender: str
    recipient: str
    parties: frozenset[str]
    answers: str
    submitted: datetime
    received: datetime | None
    limit_from: date | None = None
    limit_until: date | None = None

    @property
    def effective(self) -> datetime:
        """Since when what it says of a limit holds."""
        if self.limit_from is None:
            return self.submitted
        return datetime.combine(self.limit_from, time(), CHINA)


@dataclass(frozen=True, slots=True)
class RunningLimit:
    """A limit that runs or ran. `started_by` is the exchange that started it, None for a measure or a stage.

    `party` is empty for an answer about several. Without `duty` it is the time in which something may be done.
    `trouble` says why something recorded is left out of the reckoning.
    """

    party: str
    state: LimitState
    started_at: datetime
    reckoning: Reckoning
    started_by: Move | None = None
    met_by: Move | None = None
    trouble: str = ""
    duty: bool = True


def running_limits(
    persons: Sequence[PersonState],
    moves: Sequence[Move],
    runs: Iterable[LimitRun],
    due: Mapping[str, Mapping[TimeLimit, frozenset[str]]],
    now: datetime,
    working_days: WorkingDays,
) -> list[RunningLimit]:
    """Return the limits of a case, those that end first at the front and those without an end last.

    `due` gives for a node the limits in which an answer is due after its receipt, and the nodes that meet each.
    """
    ordered = sorted(moves, key=lambda move: move.submitted)
    found = [
        limit
        for person in persons
        for run in runs
        for limit in _of_run(run, person, [move for move in ordered if person.party in move.parties], now, working_days)
    ]
    found += _of_answers(persons, ordered, due, now, working_days)
    return sorted(found, key=lambda limit: (limit.reckoning.over_at is None, limit.reckoning.over_at or now))


def _of_run(
    run: LimitRun, person: PersonState, moves: Sequence[Move], now: datetime, working_days: WorkingDays
) -> Iterator[RunningLimit]:
    held = _is_held(person)
    if not _fits(run.limit, held):
        return
    for start, started_by in _starts(run, person, moves):
        since = [move for move in moves if move.submitted >= start]
        if run.given and not any(move.node in run.given for move in since):
            continue
        met_by = next((move for move in since if move.node in run.met_by), None)
        before = [move for move in since if met_by is None or move.submitted <= met_by.submitted]
        adjustments = _adjustments(run, start, before, held, working_days)
        reckoning, trouble = _reckoned(run.limit, start, held, adjustments, working_days)
        yield RunningLimit(
            party=person.party,
            state=_state(reckoning, met_by, now, duty=run.duty),
            started_at=start,
            reckoning=reckoning,
            started_by=started_by,
            met_by=met_by,
            trouble=trouble,
            duty=run.duty,
        )


def _starts(run: LimitRun, person: PersonState, moves: Sequence[Move]) -> Iterator[tuple[datetime, Move | None]]:
    if run.aspect is None:
        for move in moves:
            if move.node == run.value and move.received is not None:
                yield move.received, move
    elif person.values.get(run.aspect) == run.value and run.at_stage in (None, person.stage):
        yield person.since[run.aspect], None


def _of_answers(
    persons: Sequence[PersonState],
    moves: Sequence[Move],
    due: Mapping[str, Mapping[TimeLimit, frozenset[str]]],
    now: datetime,
    working_days: WorkingDays,
) -> Iterator[RunningLimit]:
    by_party = {person.party: person for person in persons}
    for asked in moves:
        if asked.received is None:
            continue
        about = [by_party[party] for party in asked.parties if party in by_party]
        # Where only some are held, the shorter time of those who are counts.
        held = any(_is_held(person) for person in about)
        for limit, nodes in due.get(asked.node, {}).items():
            if not _fits(limit, held):
                continue
            answers = (move for move in moves if move.answers == asked.exchange and move.node in nodes)
            met_by = next(answers, None)
            reckoning = reckon(limit, asked.received, held=held, working_days=working_days)
            yield RunningLimit(
                party=about[0].party if len(about) == 1 else "",
                state=_state(reckoning, met_by, now, duty=True),
                started_at=asked.received,
                reckoning=reckoning,
                started_by=asked,
                met_by=met_by,
            )


def _adjustments(
    run: LimitRun, start: datetime, moves: Sequence[Move], held: bool, working_days: WorkingDays
) -> list[Adjustment]:
    found: list[Adjustment] = []
    paused: Move | None = None
    for move in moves:
        if paused is not None and move.node in run.resumed_by:
            found.append(Paused(paused.effective, move.effective, paused.node))
            paused = None
        elif paused is None and move.node in run.paused_by:
            paused = move
        elif move.node in run.restarted_by:
            found.append(Restarted(move.effective, move.node))
        elif move.node in run.extended_by:
            extension = _extension(run, start, found, move, held, working_days)
            found.append(Extended(move.submitted, extension))
    if paused is not None:
        found.append(Paused(paused.effective, None, paused.node))
    return found


def _extension(
    run: LimitRun,
    start: datetime,
    before: Sequence[Adjustment],
    move: Move,
    held: bool,
    working_days: WorkingDays,
) -> int:
    """Return which extension an exchange stands for: the first that reaches the day it states, else the first."""
    candidates = run.extended_by[move.node]
    if move.limit_until is not None:
        for candidate in candidates:
            extended = [*before, Extended(move.submitted, candidate)]
            reckoning, trouble = _reckoned(run.limit, start, held, extended, working_days)
            if not trouble and reckoning.last_day is not None and reckoning.last_day >= move.limit_until:
                return candidate
    return candidates[0]


def _reckoned(
    limit: TimeLimit, start: datetime, held: bool, adjustments: Sequence[Adjustment], working_days: WorkingDays
) -> tuple[Reckoning, str]:
    """Return the reckoning, with as many adjustments as can be reckoned, and what is wrong with the next."""
    trouble = ""
    for count in range(len(adjustments), -1, -1):
        try:
            return reckon(limit, start, held=held, adjustments=adjustments[:count], working_days=working_days), trouble
        except ReckoningError as error:
            trouble = str(error)
    raise AssertionError(trouble)


def _state(reckoning: Reckoning, met_by: Move | None, now: datetime, *, duty: bool) -> LimitState:
    if met_by is not None:
        return LimitState.MET_LATE if reckoning.is_over(met_by.submitted) else LimitState.MET
    if reckoning.over_at is None:
        return LimitState.PAUSED
    if not reckoning.is_over(now):
        return LimitState.RUNNING
    return LimitState.OVER if duty else LimitState.LAPSED


def _is_held(person: PersonState) -> bool:
    if person.custody:
        return person.custody == Custody.HELD
    return person.values.get(Aspect.MEASURE) in _HELD_BY_MEASURE


def _fits(limit: TimeLimit, held: bool) -> bool:
    return limit.custody is Held.ANY or (limit.custody is Held.IN_CUSTODY) == held
