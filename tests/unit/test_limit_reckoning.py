"""Statutory limits end when the law says, and every step of the way is shown."""

from datetime import date, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from casemesh.core.clock import CHINA
from casemesh.data.time_limits import Held, LimitKind, TimeLimit, Unit, time_limits
from casemesh.limits import (
    Adjustment,
    Extended,
    Paused,
    Reckoning,
    ReckoningError,
    Restarted,
    Rule,
    WorkingDays,
    count_allows,
    reckon,
    within_threshold,
)

LIMITS = {limit.code: limit for limit in time_limits()}
SPANS = [limit for limit in LIMITS.values() if limit.kind not in (LimitKind.COUNT, LimitKind.THRESHOLD, LimitKind.RULE)]
DAYS = st.dates(date(2010, 1, 1), date(2040, 12, 31))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def last_day(code: str, start: str, *adjustments: Adjustment, held: bool = False) -> str:
    return str(reckon(LIMITS[code], at(start), held=held, adjustments=adjustments).last_day)


def rules(reckoning: Reckoning) -> list[Rule]:
    return [step.rule for step in reckoning.steps]


def held_for(limit: TimeLimit) -> bool:
    return limit.custody is Held.IN_CUSTODY


def test_the_day_of_the_beginning_is_not_counted() -> None:
    assert last_day("TL016", "2026-03-02T23:59") == "2026-03-09"  # five days, the 7th is a Saturday
    assert last_day("TL011", "2026-03-02", held=True) == "2026-03-09"


def test_the_hour_of_the_beginning_is_not_counted() -> None:
    reckoning = reckon(LIMITS["TL003"], at("2026-03-02T10:20"), held=True)

    assert reckoning.over_at == at("2026-03-03T11:00")
    assert not reckoning.is_over(at("2026-03-03T10:59"))
    assert reckoning.is_over(at("2026-03-03T11:00"))


def test_a_month_runs_to_the_same_day_of_the_next() -> None:
    assert last_day("TL021", "2026-03-10", held=True) == "2026-05-10"


@pytest.mark.parametrize(
    ("start", "expected"), [("2026-02-28", "2026-04-30"), ("2026-06-30", "2026-08-31"), ("2026-12-31", "2027-02-28")]
)
def test_from_the_last_day_of_a_month_it_runs_to_the_last_day(start: str, expected: str) -> None:
    assert last_day("TL021", start, held=True) == expected


def test_where_the_month_has_no_such_day_it_ends_on_its_last() -> None:
    assert last_day("TL021", "2026-12-30", held=True) == "2027-02-28"
    assert Rule.NO_SUCH_DAY in rules(reckon(LIMITS["TL021"], at("2026-12-30"), held=True))


def test_half_a_month_is_fifteen_days() -> None:
    assert last_day("TL089", "2026-01-31", held=True) == "2026-03-15"


@given(DAYS)
def test_months_agree_with_another_library_but_for_the_last_day_of_a_month(start: date) -> None:
    moment = datetime(start.year, start.month, start.day, tzinfo=CHINA)
    reckoned = reckon(LIMITS["TL021"], moment, held=True).last_day
    expected = start + relativedelta(months=2)
    if (start + timedelta(days=1)).day == 1:
        expected += relativedelta(day=31)
    assert expected == reckoned


def test_a_last_day_off_moves_to_the_next_working_day() -> None:
    # The seventh day is 20 February 2026, in the spring holiday that lasts to the 23rd.
    assert last_day("TL079", "2026-02-13") == "2026-02-24"


def test_a_saturday_that_is_worked_does_not_move() -> None:
    assert last_day("TL079", "2026-02-07") == "2026-02-14"
    assert last_day("TL079", "2026-01-31") == "2026-02-09"


def test_in_custody_nothing_moves() -> None:
    reckoning = reckon(LIMITS["TL079"], at("2026-02-13"), held=True)

    assert reckoning.last_day == date(2026, 2, 20)
    assert rules(reckoning)[-1] is Rule.NOT_MOVED_IN_CUSTODY


def test_the_time_of_a_party_to_appeal_moves_even_in_custody() -> None:
    assert last_day("TL099", "2026-02-10", held=True) == "2026-02-24"


def test_a_sites_own_day_off_wins() -> None:
    works = WorkingDays({date(2026, 3, 9): False})

    assert reckon(LIMITS["TL016"], at("2026-03-04"), held=False, working_days=works).last_day == date(2026, 3, 10)


def test_a_year_without_an_arrangement_is_provisional() -> None:
    assert reckon(LIMITS["TL079"], at("2039-05-02"), held=False).provisional
    assert not reckon(LIMITS["TL079"], at("2026-05-02"), held=False).provisional


def test_extensions_come_on_top_of_the_end_before() -> None:
    months = [Extended(at("2026-05-05"), 0), Extended(at("2026-06-05"), 1), Extended(at("2026-08-05"), 2)]

    ends = [last_day("TL021", "2026-03-10", *months[:count], held=True) for count in range(4)]

    assert ends == ["2026-05-10", "2026-06-10", "2026-08-10", "2026-10-10"]


def test_an_extension_may_state_the_whole_instead() -> None:
    assert last_day("TL008", "2026-03-02", Extended(at("2026-03-04"), 1), held=True) == "2026-04-01"


def test_an_extension_is_granted_no_more_often_than_the_law_has_it() -> None:
    twice = [Extended(at("2026-05-05"), 0), Extended(at("2026-06-05"), 0)]

    with pytest.raises(ReckoningError, match=r"adjustments\[1\].extension: may be granted 1 times, not 2"):
        last_day("TL021", "2026-03-10", *twice, held=True)


def test_a_renewal_without_bound_may_come_again_and_again() -> None:
    renewals = [Extended(at("2026-01-05") + timedelta(days=170 * index), 0) for index in range(1, 6)]

    assert last_day("TL144", "2026-01-05", *renewals) == "2029-01-05"


def test_time_that_is_not_counted_is_added() -> None:
    pause = Paused(at("2026-03-10T09:00"), at("2026-03-20T17:00"), "精神病鉴定")

    assert last_day("TL064", "2026-03-02", pause, held=True) == "2026-04-12"


def test_while_it_is_not_counted_a_limit_has_no_end() -> None:
    reckoning = reckon(
        LIMITS["TL064"], at("2026-03-02"), held=True, adjustments=[Paused(at("2026-03-10"), None, "精神病鉴定")]
    )

    assert (reckoning.over_at, reckoning.last_day, reckoning.days_left(at("2030-01-01"))) == (None, None, None)
    assert not reckoning.is_over(at("2030-01-01"))


def test_a_restart_forgets_what_was_before() -> None:
    before = [Extended(at("2026-03-20"), 0), Paused(at("2026-03-21"), at("2026-03-25"), "鉴定")]

    anew = last_day("TL064", "2026-03-02", *before, Restarted(at("2026-04-15"), "补充侦查完毕"), held=True)

    assert anew == last_day("TL064", "2026-04-15", held=True)


def test_after_supplementary_investigation_the_extension_can_be_granted_again() -> None:
    again = [
        Extended(at("2026-03-20"), 0),
        Restarted(at("2026-04-15"), "补充侦查完毕"),
        Extended(at("2026-05-10"), 0),
    ]

    assert last_day("TL064", "2026-03-02", *again, held=True) == "2026-05-30"


@pytest.mark.parametrize(
    ("adjustment", "problem"),
    [
        (Extended(at("2026-03-01"), 0), r"adjustments\[0\].at: lies before"),
        (Extended(at("2026-04-03"), 0), r"adjustments\[0\].at: lies after"),
        (Extended(at("2026-03-10"), 7), r"adjustments\[0\].extension: TL064 has 1"),
        (Paused(at("2026-03-10"), at("2026-03-09"), "x"), r"adjustments\[0\].until: lies before"),
        (Paused(at("2026-04-03"), None, "x"), r"adjustments\[0\].at: lies after"),
    ],
)
def test_an_adjustment_out_of_place_is_refused(adjustment: Adjustment, problem: str) -> None:
    with pytest.raises(ReckoningError, match=problem):
        last_day("TL064", "2026-03-02", adjustment, held=True)


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ReckoningError, match="start: must say its time zone"):
        reckon(LIMITS["TL064"], datetime(2026, 3, 2), held=True)


def test_a_limit_for_persons_held_is_not_reckoned_for_others() -> None:
    with pytest.raises(ReckoningError, match="held: TL021 is for persons held"):
        last_day("TL021", "2026-03-02")
    with pytest.raises(ReckoningError, match="held: TL029 is for persons at liberty"):
        last_day("TL029", "2026-03-02", held=True)


def test_a_limit_before_an_event_counts_back() -> None:
    reckoning = reckon(LIMITS["TL081"], at("2026-03-20T09:00"), held=True)

    assert (reckoning.last_day, reckoning.counted_back) == (date(2026, 3, 10), True)


def test_working_days_pass_over_holidays_and_count_moved_ones() -> None:
    assert last_day("TL133", "2026-02-12") == "2026-03-04"


def test_supplementary_investigation_is_twice_at_most() -> None:
    assert [count_allows(LIMITS["TL069"], used) for used in range(3)] == [True, True, False]


def test_a_remaining_term_of_three_months_stays_in_the_detention_house() -> None:
    assert within_threshold(LIMITS["TL120"], at("2026-01-15"), at("2026-04-15"))
    assert not within_threshold(LIMITS["TL120"], at("2026-01-15"), at("2026-04-16"))


def test_what_is_no_span_of_time_is_not_reckoned() -> None:
    for limit in LIMITS.values():
        if limit not in SPANS:
            with pytest.raises(ReckoningError, match=f"limit: {limit.code} is a {limit.kind.value}"):
                reckon(limit, at("2026-03-02"), held=True)
    assert len(SPANS) == 200


@given(st.sampled_from(SPANS), DAYS, st.integers(0, 23))
def test_every_limit_ends_after_it_began_and_days_left_fall_to_zero(limit: TimeLimit, day: date, hour: int) -> None:
    start = datetime(day.year, day.month, day.day, hour, 30, tzinfo=CHINA)
    reckoning = reckon(limit, start, held=held_for(limit))
    assert reckoning.over_at is not None
    if limit.kind is not LimitKind.BEFORE_EVENT:
        assert reckoning.over_at > start
        minimum = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1)}.get(limit.length.unit, timedelta(days=1))
        assert reckoning.over_at - start > minimum * limit.length.count - timedelta(days=1)
    last = reckoning.over_at - timedelta(seconds=1)
    assert reckoning.days_left(last) == 0
    assert reckoning.days_left(last + timedelta(days=3)) == -3
    assert not reckoning.is_over(last)


@given(
    st.sampled_from([limit for limit in SPANS if limit.kind is not LimitKind.BEFORE_EVENT]), DAYS, st.integers(0, 40)
)
def test_a_later_beginning_never_ends_earlier(limit: TimeLimit, day: date, later: int) -> None:
    start = datetime(day.year, day.month, day.day, 12, tzinfo=CHINA)
    first = reckon(limit, start, held=held_for(limit)).over_at
    second = reckon(limit, start + timedelta(days=later), held=held_for(limit)).over_at
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.sampled_from(SPANS), DAYS)
def test_custody_never_makes_a_limit_longer(limit: TimeLimit, day: date) -> None:
    if limit.custody is Held.ANY:
        start = datetime(day.year, day.month, day.day, 12, tzinfo=CHINA)
        held, free = (reckon(limit, start, held=held).over_at for held in (True, False))
        assert held is not None
        assert free is not None
        assert held <= free
