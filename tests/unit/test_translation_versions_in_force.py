"""Which version answers on which day, what a change of versions would change, and answers kept between calls."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.errors import NotFound
from casemesh.translation.answers import Answers
from casemesh.translation.catalogue import Catalogue, LoadedCodeSystem
from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Equivalence, MapPair
from casemesh.translation.conditions import Condition, parse_condition
from casemesh.translation.coverage import Change, preview
from casemesh.translation.periods import ALWAYS, Period

DAY = date(2025, 6, 1)
SHAPES = CodeSystem("shapes", "1", [CodeEntry(code, code) for code in ("A", "B", "C", "D")])
FORMS = CodeSystem("forms", "1", [CodeEntry(code, code) for code in ("X", "Y")])


def version(number: str, *pairs: MapPair, period: Period = ALWAYS) -> ConceptMap:
    return ConceptMap("shapes-to-forms", number, "shapes", "forms", pairs, period)


def catalogue(*maps: ConceptMap, revision: int = 1) -> Catalogue:
    tables = {table.code_system: LoadedCodeSystem(table, "", "") for table in (SHAPES, FORMS)}
    return Catalogue(revision, tables, maps)


def pair(
    code: str, target: str, equivalence: Equivalence = Equivalence.EXACT, when: Condition | None = None
) -> MapPair:
    return MapPair(code, target, equivalence, condition=when)


DAYS = st.dates(date(2025, 1, 1), date(2025, 1, 20))
PERIODS = st.builds(Period, st.none() | DAYS, st.none() | DAYS).filter(lambda period: not period.is_empty())


@settings(deadline=None)
@given(st.lists(PERIODS, min_size=1, max_size=5), DAYS)
def test_a_translation_as_of_a_day_uses_the_version_activated_last_of_those_that_hold_on_it(
    periods: list[Period], day: date
) -> None:
    maps = [version(str(number), pair("A", "X"), period=period) for number, period in enumerate(periods)]
    newest_first = list(reversed(maps))
    holding = [each.version for each in newest_first if each.period.covers(day)]
    found = catalogue(*newest_first).translate("shapes", "A", "forms", day)

    assert (found.concept_map.version if found.concept_map else None) == (holding[0] if holding else None)


def test_a_preview_tells_new_lost_and_other_answers_apart_and_counts_their_traffic() -> None:
    before = version("1", pair("A", "X"), pair("B", "X"), pair("C", "X"))
    after = version("2", pair("A", "X"), pair("B", "X", Equivalence.BROADER), pair("D", "Y"))
    found = preview(before, after, SHAPES.codes, DAY, {"A": 7, "B": 1, "C": 5, "gone": 9})

    assert found.counts == {
        Change.UNCHANGED: (1, 7),
        Change.NEWLY_MAPPED: (1, 0),
        Change.REMAPPED: (1, 1),
        Change.LOST: (1, 5),
    }
    assert [(each.code, each.change) for each in found.changes] == [
        ("C", Change.LOST),
        ("B", Change.REMAPPED),
        ("D", Change.NEWLY_MAPPED),
    ]


def test_a_preview_sees_that_a_rule_changed() -> None:
    before = version("1", pair("A", "X", when=parse_condition("place=dwelling")))
    after = version("2", pair("A", "X", when=parse_condition("place=vehicle")))

    assert preview(before, after, ["A"], DAY, {}).counts[Change.REMAPPED] == (1, 0)


def test_a_preview_of_the_first_version_says_what_it_adds() -> None:
    found = preview(None, version("1", pair("A", "X"), pair("B", "", Equivalence.NONE)), SHAPES.codes, DAY, {})

    # B is said to have none: not silent any more, but still without a target.
    assert [(each.code, each.change) for each in found.changes] == [
        ("A", Change.NEWLY_MAPPED),
        ("B", Change.REMAPPED),
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "C", "D", "?"]), min_size=1, max_size=30))
def test_a_column_gives_each_code_the_answer_that_it_has_alone(codes: list[str]) -> None:
    loaded = catalogue(version("1", pair("A", "X"), pair("B", "Y", Equivalence.BROADER)))
    answers = Answers()
    column = answers.column(loaded, "shapes", "forms", DAY, codes)
    alone = [answers.one(loaded, CodedValue(code_system="shapes", code=code), "forms", DAY) for code in codes]

    assert alone == [column.translations[place] for place in column.translation_indexes]
    assert len(column.translations) == len(set(codes))


def test_kept_answers_end_with_the_state_of_the_catalogue_they_come_from() -> None:
    answers = Answers()
    value = CodedValue(code_system="shapes", code="A", display="甲")
    first = answers.one(catalogue(version("1", pair("A", "X"))), value, "forms", DAY)
    second = answers.one(catalogue(version("2", pair("A", "Y")), revision=2), value, "forms", DAY)

    assert [each.targets[0].value.code for each in (first, second)] == ["X", "Y"]
    assert first.original == value


def test_a_kept_answer_is_not_given_to_a_record_that_decides_its_rule() -> None:
    loaded = catalogue(version("1", pair("A", "X", when=parse_condition("place=dwelling")), pair("A", "Y")))
    answers = Answers()
    value = CodedValue(code_system="shapes", code="A")

    def targets(*place: str) -> list[str]:
        record = {"place": place} if place else {}
        return [each.value.code for each in answers.one(loaded, value, "forms", DAY, record).targets]

    assert [targets(), targets("dwelling"), targets("street"), targets()] == [["Y"], ["X", "Y"], ["Y"], ["Y"]]


def test_answers_for_many_days_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemesh.translation.answers._MOST_ANSWERS", 3)
    loaded = catalogue(version("1", pair("A", "X"), pair("B", "Y")))
    answers = Answers()
    for ahead in range(10):
        column = answers.column(loaded, "shapes", "forms", DAY + timedelta(days=ahead), ["A", "B"])
        assert [each.targets[0].value.code for each in column.translations] == ["X", "Y"]

    assert sum(map(len, answers._kept.values())) <= 3 + 2


def test_a_day_long_past_has_its_own_answers() -> None:
    ended = version("1", pair("A", "X"), period=Period(None, DAY))
    answers = Answers()
    value = CodedValue(code_system="shapes", code="A")
    days = [answers.one(catalogue(ended), value, "forms", day) for day in (DAY, DAY + timedelta(days=1))]

    assert [len(each.targets) for each in days] == [1, 0]


def test_a_column_of_a_table_that_is_not_loaded_is_refused_even_when_it_is_empty_of_known_codes() -> None:
    with pytest.raises(NotFound):
        Answers().column(catalogue(), "colours", "forms", DAY, ["?"])
