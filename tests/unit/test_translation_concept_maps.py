"""What becomes of a code: days, versions, order of targets, and never a guess."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Equivalence, MapPair, Outcome, translate
from casemesh.translation.periods import ALWAYS, Period, parse_day

DAY = date(2025, 6, 1)
SOURCE = CodeSystem("shapes-a", "1", [CodeEntry("A1", "圆"), CodeEntry("A2", "方"), CodeEntry("A3", "角")])


def shapes_map(*pairs: MapPair, version: str = "1", period: Period = ALWAYS, name: str = "a-to-b") -> ConceptMap:
    return ConceptMap(name, version, "shapes-a", "shapes-b", pairs, period)


def outcome(code: str, *maps: ConceptMap, target: str = "shapes-b", day: date = DAY) -> tuple[Outcome, list[str]]:
    found = translate(code, source=SOURCE, target_code_system=target, maps=maps, day=day)
    return found.outcome, [each.code for each in found.targets]


def test_a_code_without_a_pair_is_unmapped_even_when_the_map_has_a_rest_category() -> None:
    rest = shapes_map(MapPair("A1", "B9", Equivalence.BROADER))

    assert outcome("A2", rest) == (Outcome.UNMAPPED, [])


def test_a_code_the_table_lacks_is_told_apart_from_one_that_does_not_map() -> None:
    anything = shapes_map(MapPair("A1", "B1", Equivalence.EXACT))

    assert outcome("A7", anything) == (Outcome.UNKNOWN_CODE, [])


def test_codes_are_compared_exactly_as_written() -> None:
    anything = shapes_map(MapPair("A1", "B1", Equivalence.EXACT))

    for written in ("a1", " A1", "A1 ", "A01", "Ａ1"):
        assert outcome(written, anything) == (Outcome.UNKNOWN_CODE, [])


def test_within_one_table_a_code_stands_as_it_is() -> None:
    assert outcome("A3", target="shapes-a") == (Outcome.SAME_SYSTEM, ["A3"])


def test_a_pair_marked_none_gives_no_target() -> None:
    none = shapes_map(MapPair("A1", "", Equivalence.NONE))

    assert outcome("A1", none) == (Outcome.UNMAPPED, [])


def test_exact_targets_come_before_broader_and_narrower_ones() -> None:
    several = shapes_map(
        MapPair("A1", "B1", Equivalence.NARROWER),
        MapPair("A1", "B2", Equivalence.BROADER),
        MapPair("A1", "B3", Equivalence.EXACT),
        MapPair("A1", "B4", Equivalence.NARROWER),
    )

    assert outcome("A1", several) == (Outcome.MAPPED, ["B3", "B2", "B1", "B4"])


def test_the_day_decides_which_pair_holds() -> None:
    renamed = date(2021, 3, 1)
    dated = shapes_map(
        MapPair("A1", "B1", Equivalence.EXACT, Period(None, renamed - timedelta(days=1))),
        MapPair("A1", "B2", Equivalence.NARROWER, Period(renamed, None)),
    )

    assert outcome("A1", dated, day=date(2021, 2, 28)) == (Outcome.MAPPED, ["B1"])
    assert outcome("A1", dated, day=renamed) == (Outcome.MAPPED, ["B2"])


def test_the_last_day_of_a_map_is_included_and_the_next_is_not() -> None:
    ended = shapes_map(MapPair("A1", "B1", Equivalence.EXACT), period=Period(date(2020, 1, 1), DAY))

    assert outcome("A1", ended, day=DAY) == (Outcome.MAPPED, ["B1"])
    assert outcome("A1", ended, day=DAY + timedelta(days=1)) == (Outcome.UNMAPPED, [])
    assert outcome("A1", ended, day=date(2019, 12, 31)) == (Outcome.UNMAPPED, [])


def test_a_pair_taken_out_in_a_newer_version_is_not_found_in_the_older() -> None:
    newer = shapes_map(MapPair("A2", "B2", Equivalence.EXACT), version="2")
    older = shapes_map(MapPair("A1", "B1", Equivalence.EXACT), version="1")

    assert outcome("A1", newer, older) == (Outcome.UNMAPPED, [])


def test_a_second_map_between_the_same_tables_is_asked_when_the_first_has_no_target() -> None:
    general = shapes_map(MapPair("A1", "B1", Equivalence.EXACT), name="general")
    local = shapes_map(MapPair("A2", "B2", Equivalence.EXACT), name="local")

    answer = translate("A2", source=SOURCE, target_code_system="shapes-b", maps=[general, local], day=DAY)

    assert answer.concept_map is local


def test_a_map_in_the_other_direction_is_not_used() -> None:
    backwards = ConceptMap("b-to-a", "1", "shapes-b", "shapes-a", [MapPair("A1", "B1", Equivalence.EXACT)])

    assert outcome("A1", backwards) == (Outcome.UNMAPPED, [])


def test_a_month_counts_from_its_first_day() -> None:
    assert parse_day("1997-12") == date(1997, 12, 1)


DAYS = st.none() | st.dates(date(2000, 1, 1), date(2000, 2, 28))


@settings(deadline=None)
@given(DAYS, DAYS, DAYS, DAYS)
def test_periods_overlap_exactly_when_some_day_lies_in_both(
    first: date | None, last: date | None, other_first: date | None, other_last: date | None
) -> None:
    one, other = Period(first, last), Period(other_first, other_last)
    if one.is_empty() or other.is_empty():
        return
    days = [date(1999, 12, 1) + timedelta(days=number) for number in range(150)]

    assert any(one.covers(day) and other.covers(day) for day in days) == one.overlaps(other)
