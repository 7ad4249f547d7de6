"""The order in which the catalogue files documents, and the fewest that stand outside it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache

from casemesh.data.dossier_catalogue import load


@cache
def places_in_volumes() -> Mapping[str, int]:
    """Return the place of each type among those of its volume, for types whose place says something.

    The catalogue lists a volume's types in the order in which they are filed; a type that was added behind the last
    volume, or lies in another volume than its code says, has no place in that. Of the papers that belong to no volume
    only cover, table of contents and closing form have one.
    """
    places: dict[str, int] = {}
    seen: set[str] = set()
    run = ""
    for number, (code, kind) in enumerate(load().types.items()):
        if code[0] != run and code[0] in seen:
            break
        run = code[0]
        seen.add(run)
        if kind.volume == run and (run != "R" or kind.scope == "volume"):
            places[code] = number
    return places


def longest_in_order(places: Sequence[int]) -> frozenset[int]:
    """Return the positions of a longest non-falling run; what is left out is the least that stands out of order."""
    tails: list[int] = []
    positions: list[int] = []
    before: list[int] = []
    for position, place in enumerate(places):
        length = bisect_right(tails, place)
        before.append(positions[length - 1] if length else -1)
        tails[length : length + 1] = [place]
        positions[length : length + 1] = [position]
    kept = []
    position = positions[-1] if positions else -1
    while position >= 0:
        kept.append(position)
        position = before[position]
    return frozenset(kept)
