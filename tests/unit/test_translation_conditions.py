"""Rules of a map on other fields of a record: what they hold for, and what they leave undecided."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Equivalence, MapPair, Outcome, Translation, translate
from casemesh.translation.conditions import Condition, ConditionError, Record, parse_condition

DAY = date(2025, 6, 1)
THEFTS = CodeSystem("thefts", "1", [CodeEntry("T", "盗窃")])


def rule(text: str) -> Condition:
    condition = parse_condition(text)
    assert condition is not None
    return condition


def theft(*pairs: MapPair, **record: str) -> Translation:
    joined = ConceptMap("m", "1", "thefts", "kinds", pairs)
    values: Record = {field: (value,) for field, value in record.items()}
    return translate("T", source=THEFTS, target_code_system="kinds", maps=[joined], day=DAY, record=values)


@pytest.mark.parametrize(
    ("text", "record", "holds"),
    [
        ("place=dwelling", {"place": ("dwelling",)}, True),
        ("place=dwelling", {"place": ("street",)}, False),
        ("place=dwelling", {}, None),
        ("place=dwelling|vehicle", {"place": ("vehicle",)}, True),
        ("place!=dwelling", {"place": ("street",)}, True),
        ("place!=dwelling", {"place": ("dwelling",)}, False),
        ("place!=dwelling", {}, None),
        ("place=dwelling&night=yes", {"place": ("dwelling",), "night": ("yes",)}, True),
        ("place=dwelling&night=yes", {"place": ("dwelling",)}, None),
        ("place=dwelling&night=yes", {"place": ("street",)}, False),
        ("place=dwelling", {"place": ("street", "dwelling")}, True),
        ("place!=dwelling", {"place": ("street", "dwelling")}, False),
        ("地点=入户", {"地点": ("入户",)}, True),
    ],
)
def test_a_rule_holds_fails_or_is_undecided(text: str, record: Record, holds: bool | None) -> None:
    assert rule(text).holds(record) is holds


@pytest.mark.parametrize(
    "text", ["place", "=dwelling", "place=", "place=a|", "place= a", "a=b&", "a==b", "a=b&&c=d", "a b=c", "x" * 501]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text)


def test_no_rule_always_holds() -> None:
    assert parse_condition("") is None


def test_the_least_priority_comes_first_and_then_the_stronger_claim() -> None:
    found = theft(
        MapPair("T", "K3", Equivalence.BROADER, priority=9),
        MapPair("T", "K2", Equivalence.BROADER, priority=1),
        MapPair("T", "K1", Equivalence.EXACT, priority=1, condition=rule("place=dwelling")),
        place="dwelling",
    )

    assert [target.code for target in found.targets] == ["K1", "K2", "K3"]
    assert found.targets[0].condition == "place=dwelling"


def test_a_rule_that_fails_gives_nothing_and_leaves_nothing_open() -> None:
    found = theft(MapPair("T", "K1", Equivalence.EXACT, condition=rule("place=dwelling")), place="street")

    assert (found.outcome, found.undecided) == (Outcome.UNMAPPED, frozenset())


def test_a_rule_that_cannot_be_decided_is_never_taken_for_one_that_holds() -> None:
    found = theft(
        MapPair("T", "K1", Equivalence.EXACT, condition=rule("place=dwelling&night=yes")),
        MapPair("T", "K2", Equivalence.BROADER, priority=9),
        night="yes",
    )

    assert [target.code for target in found.targets] == ["K2"]
    assert found.undecided == {"place"}


def test_a_stated_none_is_told_apart_from_silence() -> None:
    stated, silent = theft(MapPair("T", "", Equivalence.NONE)), theft()

    assert [stated.outcome, silent.outcome] == [Outcome.UNMAPPED, Outcome.UNMAPPED]
    assert stated.no_counterpart is not None
    assert silent.no_counterpart is None


FIELDS = st.sampled_from(["a", "b"])
VALUES = st.sampled_from(["1", "2", "3"])
CLAUSES = st.builds(
    lambda field, sign, values: f"{field}{sign}{'|'.join(values)}",
    FIELDS,
    st.sampled_from(["=", "!="]),
    st.lists(VALUES, min_size=1, max_size=2, unique=True),
)
RECORDS = st.dictionaries(FIELDS, VALUES)


@settings(deadline=None)
@given(st.lists(CLAUSES, min_size=1, max_size=3), RECORDS, RECORDS)
def test_what_is_decided_stays_so_when_more_of_the_record_is_known(
    clauses: list[str], some: dict[str, str], more: dict[str, str]
) -> None:
    condition = rule("&".join(clauses))
    known = {field: (value,) for field, value in some.items()}
    all_of_it = {**{field: (value,) for field, value in more.items()}, **known}
    decided = condition.holds(known)

    assert decided is None or condition.holds(all_of_it) is decided
    assert bool(condition.missing(known)) or decided is not None
