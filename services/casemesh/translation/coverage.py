"""How a map covers its tables, and what would change if another version of it were in force."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_maps import BEST_FIRST, ConceptMap, Equivalence, MapPair
from casemesh.translation.reversing import folded_codes


@dataclass(frozen=True, slots=True)
class Coverage:
    """Each source code counted once, by its best relation; None counts those that the map says nothing of.

    Pairs under a rule count as if it held. `folded` are the targets that several codes share, with those codes.
    """

    by_equivalence: Mapping[Equivalence | None, int]
    reached_targets: int
    folded: Mapping[str, tuple[str, ...]]


def coverage(concept_map: ConceptMap, source: CodeSystem, day: date) -> Coverage:
    """Return how `concept_map` covers `source` on `day`; the map's own period is not looked at."""
    holding = {code: _holding(concept_map, code, day) for code in source.codes}
    best = Counter(
        min((pair.equivalence for pair in pairs), key=BEST_FIRST.__getitem__, default=None)
        for pairs in holding.values()
    )
    pairs = [pair for found in holding.values() for pair in found]
    return Coverage(best, len({pair.to_code for pair in pairs} - {""}), folded_codes(pairs))


class Change(enum.Enum):
    """What would become of a code's answer."""

    UNCHANGED = "unchanged"
    NEWLY_MAPPED = "newly_mapped"
    REMAPPED = "remapped"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CodeChange:
    """One code whose answer would change, and how often it was carried."""

    code: str
    change: Change
    before: tuple[MapPair, ...]
    after: tuple[MapPair, ...]
    uses: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change: (codes, uses) by kind, and the codes concerned, most often carried first."""

    counts: Mapping[Change, tuple[int, int]]
    changes: Sequence[CodeChange]


def preview(
    before: ConceptMap | None, after: ConceptMap, codes: Iterable[str], day: date, uses: Mapping[str, int]
) -> Preview:
    """Compare two versions of a map on `day`; `before` None is none in force. Rules are compared, not decided."""
    codes_of: Counter[Change] = Counter()
    uses_of: Counter[Change] = Counter()
    changes: list[CodeChange] = []
    for code in codes:
        old = _holding(before, code, day) if before is not None else ()
        new = _holding(after, code, day)
        change = _change(old, new)
        carried = uses.get(code, 0)
        codes_of[change] += 1
        uses_of[change] += carried
        if change is not Change.UNCHANGED:
            changes.append(CodeChange(code, change, _with_target(old), _with_target(new), carried))
    changes.sort(key=lambda each: (-each.uses, each.code))
    return Preview({change: (codes_of[change], uses_of[change]) for change in Change}, changes)


def _holding(concept_map: ConceptMap, code: str, day: date) -> tuple[MapPair, ...]:
    return tuple(pair for pair in concept_map.pairs_of(code) if pair.period.covers(day))


def _with_target(pairs: tuple[MapPair, ...]) -> tuple[MapPair, ...]:
    return tuple(pair for pair in pairs if pair.equivalence is not Equivalence.NONE)


def _change(old: tuple[MapPair, ...], new: tuple[MapPair, ...]) -> Change:
    if [_meaning(pair) for pair in old] == [_meaning(pair) for pair in new]:
        return Change.UNCHANGED
    had, has = bool(_with_target(old)), bool(_with_target(new))
    if had != has:
        return Change.LOST if had else Change.NEWLY_MAPPED
    return Change.REMAPPED


def _meaning(pair: MapPair) -> tuple[object, ...]:
    return pair.to_code, pair.equivalence, pair.priority, pair.condition
