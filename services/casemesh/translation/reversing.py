"""The map of the other direction, and what it loses.

A reverse map never claims more than the map it comes from. Exact stays exact, unless a rule was needed, which the way
back cannot decide. Broader becomes narrower: the source covers less. Narrower stays narrower, since it also stands for
what nobody has shown, and the way back shows it no better. What has no counterpart has no way back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casemesh.translation.concept_maps import BEST_FIRST, ConceptMap, Equivalence, MapPair
from casemesh.translation.periods import Period


@dataclass(frozen=True, slots=True)
class ReverseMap:
    """The pairs of the other direction.

    `weakened` counts pairs that claim less than they did. `omitted` are source codes without a target. `folded` are the
    targets that several codes share, with those codes.
    """

    pairs: tuple[MapPair, ...]
    weakened: int
    omitted: tuple[str, ...]
    folded: Mapping[str, tuple[str, ...]]


def reverse(concept_map: ConceptMap) -> ReverseMap:
    """Return the pairs that lead from the targets back to the codes, in the order of the targets, and what is lost."""
    with_target = [pair for pair in concept_map.pairs if pair.equivalence is not Equivalence.NONE]
    reached = {pair.from_code for pair in with_target}
    omitted = dict.fromkeys(pair.from_code for pair in concept_map.pairs if pair.from_code not in reached)
    back = _strongest([_back(pair) for pair in with_target])
    weakened = sum(BEST_FIRST[_back(pair).equivalence] > BEST_FIRST[pair.equivalence] for pair in with_target)
    return ReverseMap(back, weakened, tuple(omitted), folded_codes(with_target))


def folded_codes(pairs: Sequence[MapPair]) -> dict[str, tuple[str, ...]]:
    """Return the targets that several codes share, with those codes, in the order of the pairs."""
    sources: dict[str, dict[str, None]] = {}
    for pair in pairs:
        if pair.to_code:
            sources.setdefault(pair.to_code, {})[pair.from_code] = None
    return {target: tuple(codes) for target, codes in sources.items() if len(codes) > 1}


def _back(pair: MapPair) -> MapPair:
    exact = pair.equivalence is Equivalence.EXACT and pair.condition is None
    return MapPair(
        pair.to_code,
        pair.from_code,
        Equivalence.EXACT if exact else Equivalence.NARROWER,
        pair.period,
        pair.note,
    )


def _strongest(pairs: Sequence[MapPair]) -> tuple[MapPair, ...]:
    """Return one pair for each two codes and period: those that differed by their rule alone would stand twice."""
    found: dict[tuple[str, str, Period], MapPair] = {}
    for pair in pairs:
        key = (pair.from_code, pair.to_code, pair.period)
        if key not in found or BEST_FIRST[pair.equivalence] < BEST_FIRST[found[key].equivalence]:
            found[key] = pair
    return tuple(sorted(found.values(), key=lambda pair: pair.from_code))
