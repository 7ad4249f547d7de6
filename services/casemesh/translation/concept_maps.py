"""Maps from one table of codes to another, and what becomes of a code (FHIR ConceptMap and $translate in miniature).

A code that does not map stays unmapped and goes to a person. It never becomes "other".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from casemesh.translation.code_systems import CodeSystem
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


_BEST_FIRST = (Equivalence.EXACT, Equivalence.BROADER, Equivalence.NARROWER)


@dataclass(frozen=True, slots=True)
class MapPair:
    """One pair of a map. `to_code` is empty exactly when `equivalence` is NONE."""

    from_code: str
    to_code: str
    equivalence: Equivalence
    period: Period = ALWAYS
    note: str = ""


class ConceptMap:
    """One version of a map. `period` are the days on which this version is the one to use."""

    def __init__(
        self,
        concept_map: str,
        version: str,
        source_code_system: str,
        target_code_system: str,
        pairs: Iterable[MapPair],
        period: Period = ALWAYS,
    ) -> None:
        self.concept_map = concept_map
        self.version = version
        self.source_code_system = source_code_system
        self.target_code_system = target_code_system
        self.period = period
        self.pairs = tuple(pairs)
        by_source: dict[str, list[MapPair]] = {}
        for pair in self.pairs:
            by_source.setdefault(pair.from_code, []).append(pair)
        self._by_source = {
            code: tuple(sorted(found, key=lambda pair: list(Equivalence).index(pair.equivalence)))
            for code, found in by_source.items()
        }

    def pairs_of(self, code: str) -> tuple[MapPair, ...]:
        """Return every pair of `code`, exact ones first, else in the file's order."""
        return self._by_source.get(code, ())

    def targets(self, code: str, day: date) -> tuple[MapPair, ...]:
        """Return the pairs that give `code` a target on `day`, best first; the map's own period is not looked at."""
        return tuple(
            pair for pair in self.pairs_of(code) if pair.equivalence in _BEST_FIRST and pair.period.covers(day)
        )


class Outcome(enum.Enum):
    """What became of one code."""

    MAPPED = "mapped"
    UNMAPPED = "unmapped"
    UNKNOWN_CODE = "unknown_code"
    SAME_SYSTEM = "same_system"


@dataclass(frozen=True, slots=True)
class Target:
    """One code that a code translates to."""

    code: str
    equivalence: Equivalence


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of `original`. `concept_map` names the map that gave the targets; None unless MAPPED."""

    original: str
    outcome: Outcome
    targets: tuple[Target, ...] = ()
    concept_map: ConceptMap | None = None


def translate(
    code: str, *, source: CodeSystem, target_code_system: str, maps: Sequence[ConceptMap], day: date
) -> Translation:
    """Translate one code of `source` as of `day`.

    `maps` are tried in their order, those alone that join the two tables and hold on `day`; of two versions of one
    map the first is the one that counts, so give the newest first. The first map with a target answers. MAPPED has at
    least one target, best first; UNMAPPED means that no such map gives the code one on that day.
    """
    if code not in source:
        return Translation(code, Outcome.UNKNOWN_CODE)
    if source.code_system == target_code_system:
        return Translation(code, Outcome.SAME_SYSTEM, (Target(code, Equivalence.EXACT),))
    tried: set[str] = set()
    for concept_map in maps:
        joins = (concept_map.source_code_system, concept_map.target_code_system)
        if joins != (source.code_system, target_code_system) or not concept_map.period.covers(day):
            continue
        if concept_map.concept_map in tried:
            continue
        tried.add(concept_map.concept_map)
        if found := concept_map.targets(code, day):
            targets = tuple(Target(pair.to_code, pair.equivalence) for pair in found)
            return Translation(code, Outcome.MAPPED, targets, concept_map)
    return Translation(code, Outcome.UNMAPPED)
