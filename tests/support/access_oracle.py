"""Who may do what with a case, written down from the words of the contract and of the law, in plain Python.

It shares no code and no intermediate form with the rules: it reads raw facts with their times, and answers. A case's
facts are a `World`; a question is an agency, an officer or none, an operation and a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

# An operation stands in one of these lists by what the contract says of it.
SEEING = frozenset({"VIEW_PROGRESS", "VIEW_CASE", "VIEW_DOSSIER"})
CHANGING_CONTENT = frozenset({"CHANGE_DOSSIER", "SUBMIT_EXCHANGE"})
HANDLING = SEEING | CHANGING_CONTENT | {"DECIDE_EXCHANGE", "VIEW_TRAIL"}
OPERATIONS = HANDLING | {"RECEIVE_EXCHANGE", "MANAGE_ACCESS", "REVIEW_ACCESS", "BREAK_GLASS"}


@dataclass(frozen=True)
class Span:
    """From `begin` on, until just before `end`; None is without an end."""

    begin: int
    end: int | None = None

    def holds(self, time: int) -> bool:
        return self.begin <= time and (self.end is None or time < self.end)


ALWAYS = Span(-1_000_000)


@dataclass(frozen=True)
class Officer:
    name: str
    agency: str


@dataclass(frozen=True)
class Participation:
    agency: str
    stage: int
    """0 is every stage."""
    span: Span = ALWAYS


@dataclass(frozen=True)
class Assignment:
    officer: Officer
    span: Span = ALWAYS


@dataclass(frozen=True)
class Supervision:
    officer: Officer
    span: Span = ALWAYS


@dataclass(frozen=True)
class Delegation:
    giver: Officer
    taker: Officer
    rights: frozenset[str]
    span: Span


@dataclass(frozen=True)
class Granted:
    """What an agency, by one of its officers, let an officer of another agency do upon a request."""

    giver: Officer
    taker: Officer
    rights: frozenset[str]
    span: Span


@dataclass(frozen=True)
class Place:
    """An officer is of a unit of the own agency, at its head or as a member."""

    officer: Officer
    unit: str
    at_head: bool
    span: Span = ALWAYS


@dataclass(frozen=True)
class Seal:
    agency: str
    span: Span = ALWAYS


@dataclass(frozen=True)
class Opening:
    giver: Officer
    taker: Officer
    span: Span


@dataclass(frozen=True)
class BrokenGlass:
    officer: Officer
    approved: bool
    span: Span


@dataclass(frozen=True)
class World:
    """All facts about one case, and who is suspended."""

    participations: tuple[Participation, ...] = ()
    stages: tuple[tuple[int, Span], ...] = ()
    assignments: tuple[Assignment, ...] = ()
    supervisions: tuple[Supervision, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    granted: tuple[Granted, ...] = ()
    places: tuple[Place, ...] = ()
    seals: tuple[Seal, ...] = ()
    openings: tuple[Opening, ...] = ()
    broken: tuple[BrokenGlass, ...] = ()
    suspended_officers: frozenset[Officer] = field(default_factory=frozenset)
    suspended_clients: frozenset[str] = field(default_factory=frozenset)
    """Agencies whose system is suspended."""


def may(world: World, agency: str, officer: Officer | None, operation: str, time: int) -> bool:
    """Say whether the officer, or with None the agency's system for itself, may do it at that time."""
    if agency in world.suspended_clients or (officer is not None and officer in world.suspended_officers):
        return False
    if not _past_the_seals(world, officer, operation, time):
        return False
    if officer is not None and operation in SEEING and _let_in(world, officer, operation, time):
        return True
    parts = [part for part in world.participations if part.agency == agency and part.span.holds(time)]
    if not parts:
        return False
    if operation in CHANGING_CONTENT:
        # Acting is bound to the stage at which the agency takes part.
        reached = {stage for stage, span in world.stages if span.holds(time)}
        if not any(part.stage == 0 or part.stage in reached for part in parts):
            return False
    if officer is None:
        return operation in {"VIEW_PROGRESS", "VIEW_CASE", "RECEIVE_EXCHANGE", "MANAGE_ACCESS"}
    return any(_grounds(world, officer, operation, time))


def _let_in(world: World, officer: Officer, operation: str, time: int) -> bool:
    """An agency that takes part now gave the officer this, whether or not the officer's own agency takes part."""
    taking_part = {part.agency for part in world.participations if part.span.holds(time)}
    return any(
        given.taker == officer and given.giver.agency in taking_part and operation in given.rights
        and given.span.holds(time)
        for given in world.granted
    )  # fmt: skip


def _heads_a_unit_that_works_on_it(world: World, officer: Officer, time: int) -> bool:
    units = {
        place.unit for place in world.places if place.officer == officer and place.at_head and place.span.holds(time)
    }
    members = {place.officer for place in world.places if place.unit in units and place.span.holds(time)}
    return any(item.officer in members and item.span.holds(time) for item in world.assignments)


def _past_the_seals(world: World, officer: Officer | None, operation: str, time: int) -> bool:
    closed = [seal for seal in world.seals if seal.span.holds(time)]
    if not closed or operation in {"BREAK_GLASS", "REVIEW_ACCESS"}:
        return True
    if officer is None:
        return False
    openers = {
        opening.giver.agency for opening in world.openings if opening.taker == officer and opening.span.holds(time)
    }
    if all(seal.agency in openers for seal in closed):
        return True
    # A second officer stood up for the emergency: to see, and nothing else.
    return operation in SEEING and any(
        use.officer == officer and use.approved and use.span.holds(time) for use in world.broken
    )


def _grounds(world: World, officer: Officer, operation: str, time: int) -> Iterator[bool]:
    yield operation == "BREAK_GLASS"
    works_on_it = any(item.officer == officer and item.span.holds(time) for item in world.assignments)
    yield works_on_it and (operation in HANDLING or operation == "MANAGE_ACCESS")
    watches = any(item.officer == officer and item.span.holds(time) for item in world.supervisions)
    yield watches and operation in {"VIEW_PROGRESS", "REVIEW_ACCESS"}
    yield operation == "VIEW_PROGRESS" and _heads_a_unit_that_works_on_it(world, officer, time)
    emergency = any(use.officer == officer and use.span.holds(time) for use in world.broken)
    yield emergency and operation in SEEING
    for passed in world.delegations:
        yield (
            passed.taker == officer
            and passed.span.holds(time)
            and operation in passed.rights & HANDLING
            and _still_ones_own(world, passed, time)
        )


def _still_ones_own(world: World, passed: Delegation, time: int) -> bool:
    """The giver is active and works on the case by the assignment it was passed on from; nothing is passed on twice."""
    if passed.giver in world.suspended_officers:
        return False
    return any(
        item.officer == passed.giver and item.span.holds(time) and item.span.begin <= passed.span.begin
        for item in world.assignments
    )
