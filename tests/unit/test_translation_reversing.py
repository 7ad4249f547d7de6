"""Reverse maps claim no more than the map they come from, and say what they lose."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.translation.concept_maps import BEST_FIRST, ConceptMap, Equivalence, MapPair
from casemesh.translation.conditions import parse_condition
from casemesh.translation.periods import ALWAYS, Period
from casemesh.translation.reversing import ReverseMap, reverse

DAY = date(2025, 6, 1)


def back(*pairs: MapPair) -> ReverseMap:
    return reverse(ConceptMap("m", "1", "shapes", "forms", pairs))


def claims(found: ReverseMap) -> list[tuple[str, str, Equivalence]]:
    return [(pair.from_code, pair.to_code, pair.equivalence) for pair in found.pairs]


def test_exact_stays_exact_and_all_else_becomes_narrower() -> None:
    found = back(
        MapPair("A", "X", Equivalence.EXACT),
        MapPair("B", "Y", Equivalence.BROADER),
        MapPair("C", "Z", Equivalence.NARROWER),
    )

    assert claims(found) == [
        ("X", "A", Equivalence.EXACT),
        ("Y", "B", Equivalence.NARROWER),
        ("Z", "C", Equivalence.NARROWER),
    ]
    assert found.weakened == 1


def test_what_held_under_a_rule_is_not_exact_on_the_way_back() -> None:
    found = back(MapPair("A", "X", Equivalence.EXACT, condition=parse_condition("place=dwelling")))

    assert claims(found) == [("X", "A", Equivalence.NARROWER)]
    assert found.weakened == 1


def test_codes_that_fold_into_one_are_listed_and_none_has_no_way_back() -> None:
    found = back(
        MapPair("A", "X", Equivalence.BROADER),
        MapPair("B", "X", Equivalence.BROADER),
        MapPair("C", "", Equivalence.NONE),
    )

    assert found.folded == {"X": ("A", "B")}
    assert found.omitted == ("C",)


CODES = st.sampled_from(["A", "B", "C"])
PERIODS = st.sampled_from([ALWAYS, Period(None, DAY), Period(DAY + timedelta(days=1), None)])
RULES = st.sampled_from([None, parse_condition("place=dwelling"), parse_condition("place=street")])
PAIRS = st.lists(
    st.builds(
        lambda code, target, equivalence, period, condition: MapPair(
            code, "" if equivalence is Equivalence.NONE else target, equivalence, period, "", 0, condition
        ),
        CODES,
        st.sampled_from(["X", "Y"]),
        st.sampled_from(Equivalence),
        PERIODS,
        RULES,
    ),
    max_size=8,
)


@settings(deadline=None)
@given(PAIRS, st.sampled_from([DAY, DAY + timedelta(days=1)]))
def test_a_reverse_map_never_claims_more_than_it_has(pairs: list[MapPair], day: date) -> None:
    forward = ConceptMap("m", "1", "shapes", "forms", pairs)
    found = ConceptMap("r", "1", "forms", "shapes", reverse(forward).pairs)
    for target in ("X", "Y"):
        for way_back in found.targets(target, day):
            way_there = [
                pair
                for pair in forward.pairs
                if (pair.from_code, pair.to_code) == (way_back.to_code, target) and pair.period.covers(day)
            ]
            assert way_there
            if way_back.equivalence is Equivalence.EXACT:
                assert any(pair.equivalence is Equivalence.EXACT and pair.condition is None for pair in way_there)


@settings(deadline=None)
@given(PAIRS)
def test_nothing_that_leads_somewhere_is_left_out_and_folded_tells_of_every_choice(pairs: list[MapPair]) -> None:
    found = back(*pairs)
    there = {(pair.from_code, pair.to_code) for pair in pairs if pair.to_code}

    assert there == {(pair.to_code, pair.from_code) for pair in found.pairs}
    shared = {target for _, target in there if len({code for code, other in there if other == target}) > 1}
    assert shared == set(found.folded)


@settings(deadline=None)
@given(PAIRS)
def test_there_and_back_always_comes_home_too(pairs: list[MapPair]) -> None:
    forward = ConceptMap("m", "1", "shapes", "forms", pairs)
    found = ConceptMap("r", "1", "forms", "shapes", reverse(forward).pairs)
    for code in ("A", "B", "C"):
        for pair in forward.targets(code, DAY):
            home = [each.to_code for each in found.targets(pair.to_code, DAY)]
            assert code in home


def test_claims_are_ordered_from_the_strongest() -> None:
    assert sorted(Equivalence, key=BEST_FIRST.__getitem__) == [
        Equivalence.EXACT,
        Equivalence.BROADER,
        Equivalence.NARROWER,
        Equivalence.NONE,
    ]
