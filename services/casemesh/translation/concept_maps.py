"""Maps from one table of codes to another, and what becomes of a code (FHIR ConceptMap and $translate in miniature).

A code that does not map stays unmapped and goes to a person. It never becomes "other".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.conditions import NO_RECORD, Condition, Record
from casemesh.translation.periods import ALWAYS, Period


class Equivalence(enum.Enum):
    """How the target stands to the source."""

    EXACT = "exact"
    """The two mean the same."""
    BROADER = "broader"
    """The target covers more than the source: detail is lost."""
    NARROWER = "narrower"
    """The target covers less, or nobody has shown that it covers all of the source: a person must confirm it."""
    NONE = "none"
    """Known to have no counterpart. Stands without a target."""


BEST_FIRST = {equivalence: place for place, equivalence in enumerate(Equivalence)}
"""How strong a claim each is, the strongest first."""


@dataclass(frozen=True, slots=True)
class MapPair:
    """One pair of a map. `to_code` is empty exactly when `equivalence` is NONE.

    Of several pairs of one code those of the least `priority` come first. `condition` is the rule under which the pair
    holds; None is always.
    """

    from_code: str
    to_code: str
    equivalence: Equivalence
    period: Period = ALWAYS
    note: str = ""
    priority: int = 0
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one map says of one code on one day for one record.

    `pairs` give a target, best first. `none` is the pair that states that there is no counterpart. `undecided` are the
    fields that rules ask for and the record lacks.
    """

    pairs: tuple[MapPair, ...] = ()
    none: MapPair | None = None
    undecided: frozenset[str] = frozenset()


_SILENT = Answer()


class ConceptMap:
    """One version of a map. `period` are the days on which this version is the one to use, `signer` who signed it."""

    def __init__(
        self,
        concept_map: str,
        version: str,
        source_code_system: str,
        target_code_system: str,
        pairs: Iterable[MapPair],
        period: Period = ALWAYS,
        *,
        signer: str = "",
    ) -> None:
        self.concept_map = concept_map
        self.version = version
        self.source_code_system = source_code_system
        self.target_code_system = target_code_system
        self.period = period
        self.signer = signer
        self.pairs = tuple(pairs)
        by_source: dict[str, list[MapPair]] = {}
        for pair in self.pairs:
            by_source.setdefault(pair.from_code, []).append(pair)
        self._by_source = {code: tuple(sorted(found, key=_best_first)) for code, found in by_source.items()}

    def pairs_of(self, code: str) -> tuple[MapPair, ...]:
        """Return every pair of `code`, by priority, then exact ones first, else in the file's order."""
        return self._by_source.get(code, ())

    def answer(self, code: str, day: date, record: Record = NO_RECORD) -> Answer:
        """Return what the map says of `code` on `day`; the map's own period is not looked at."""
        pairs = self._by_source.get(code)
        if pairs is None:
            return _SILENT
        found: list[MapPair] = []
        none: MapPair | None = None
        undecided: frozenset[str] = frozenset()
        for pair in pairs:
            if not pair.period.covers(day):
                continue
            if pair.condition is not None and not (holds := pair.condition.holds(record)):
                undecided |= pair.condition.missing(record) if holds is None else frozenset()
            elif pair.equivalence is Equivalence.NONE:
                none = pair
            else:
                found.append(pair)
        return Answer(tuple(found), none, undecided)

    def targets(self, code: str, day: date, record: Record = NO_RECORD) -> tuple[MapPair, ...]:
        """Return the pairs that give `code` a target on `day`, best first; the map's own period is not looked at."""
        return self.answer(code, day, record).pairs


def _best_first(pair: MapPair) -> tuple[int, int]:
    return pair.priority, BEST_FIRST[pair.equivalence]


class Outcome(enum.Enum):
    """What became of one code."""

    MAPPED = "mapped"
    UNMAPPED = "unmapped"
    UNKNOWN_CODE = "unknown_code"
    SAME_SYSTEM = "same_system"


@dataclass(frozen=True, slots=True)
class Target:
    """One code that a code translates to. `condition` is the rule it needed, as written."""

    code: str
    equivalence: Equivalence
    note: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of `original`. `concept_map` names the map that gave the targets; None unless MAPPED.

    `no_counterpart` is the map that states that there is none; None unless UNMAPPED. `undecided` are fields that rules
    ask for and that were not given: with them the answer may differ.
    """

    original: str
    outcome: Outcome
    targets: tuple[Target, ...] = ()
    concept_map: ConceptMap | None = None
    no_counterpart: ConceptMap | None = None
    undecided: frozenset[str] = frozenset()


def target_of(pair: MapPair) -> Target:
    """Return the target that a pair gives."""
    return Target(pair.to_code, pair.equivalence, pair.note, pair.condition.text if pair.condition else "")


def translate(
    code: str,
    *,
    source: CodeSystem,
    target_code_system: str,
    maps: Sequence[ConceptMap],
    day: date,
    record: Record = NO_RECORD,
) -> Translation:
    """Translate one code of `source` as of `day`, rules decided by `record`.

    `maps` are tried in their order, those alone that join the two tables and hold on `day`; of two versions of one
    map the first is the one that counts, so give the newest first. The first map with a target answers. MAPPED has at
    least one target, best first; UNMAPPED means that no such map gives the code one on that day.
    """
    if code not in source:
        return Translation(code, Outcome.UNKNOWN_CODE)
    if source.code_system == target_code_system:
        return Translation(code, Outcome.SAME_SYSTEM, (Target(code, Equivalence.EXACT),))
    tried: set[str] = set()
    undecided: frozenset[str] = frozenset()
    stated: ConceptMap | None = None
    for concept_map in maps:
        joins = (concept_map.source_code_system, concept_map.target_code_system)
        if joins != (source.code_system, target_code_system) or not concept_map.period.covers(day):
            continue
        if concept_map.concept_map in tried:
            continue
        tried.add(concept_map.concept_map)
        answer = concept_map.answer(code, day, record)
        undecided |= answer.undecided
        if answer.pairs:
            targets = tuple(target_of(pair) for pair in answer.pairs)
            return Translation(code, Outcome.MAPPED, targets, concept_map, undecided=undecided)
        if answer.none is not None and stated is None:
            stated = concept_map
    return Translation(code, Outcome.UNMAPPED, no_counterpart=stated, undecided=undecided)
