"""Limits run for the person in a case, from what the platform sees, and say how their end came about."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import pytest

from casemesh.core.clock import CHINA
from casemesh.data import nodes, time_limits
from casemesh.data.limit_runs import answers_due, limit_runs
from casemesh.data.procedure import Aspect, Custody, Measure, Stage
from casemesh.limits import Rule, WorkingDays
from casemesh.routing.procedure import PersonState
from casemesh.routing.running_limits import LimitState, Move, RunningLimit, running_limits

GA, JCY, KSS = "agencies/police", "agencies/procuratorate", "agencies/detention-house"
WORKS = WorkingDays()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def person(name: str = "a", *, since: str = "2026-03-02", **values: str) -> PersonState:
    known = {Aspect(aspect): value for aspect, value in values.items()}
    return PersonState(party=name, values=known, since=dict.fromkeys(known, at(since)))


DETAINED = {"stage": Stage.INVESTIGATION, "measure": Measure.DETAINED, "custody": Custody.HELD}
ARRESTED = {"stage": Stage.INVESTIGATION, "measure": Measure.ARRESTED, "custody": Custody.HELD}


def move(node: str, when: str, *parties: str, answers: str = "", received: str = "", **stated: date) -> Move:
    return Move(
        exchange=f"exchanges/{node}-{when}",
        node=node,
        sender=GA,
        recipient=JCY,
        parties=frozenset(parties or ("a",)),
        answers=answers,
        submitted=at(when),
        received=at(received) if received else None,
        **stated,
    )


def limits(persons: Sequence[PersonState], *moves: Move, now: str = "2026-03-03") -> Mapping[str, RunningLimit]:
    found = running_limits(persons, moves, limit_runs(), answers_due(), at(now), WORKS)
    by_code = {limit.reckoning.limit.code: limit for limit in found}
    assert len(by_code) == len(found)
    return by_code


def last_day(limit: RunningLimit) -> str:
    return str(limit.reckoning.last_day)


def test_detention_starts_the_time_to_ask_for_arrest() -> None:
    found = limits([person(**DETAINED)])

    assert {"TL008"} == set(found)
    assert ("2026-03-05", LimitState.RUNNING, "a") == (
        last_day(found["TL008"]),
        found["TL008"].state,
        found["TL008"].party,
    )


def test_the_notice_of_extension_says_how_far() -> None:
    until = [None, date(2026, 3, 9), date(2026, 4, 1)]
    ends = [
        last_day(limits([person(**DETAINED)], move("QZ003", "2026-03-04", limit_until=day))["TL008"]) for day in until
    ]
    assert ["2026-03-09", "2026-03-09", "2026-04-01"] == ends


def test_what_was_done_in_time_is_met_and_what_was_late_says_so() -> None:
    in_time = limits([person(**DETAINED)], move("DB001", "2026-03-05T17:00"))["TL008"]
    late = limits([person(**DETAINED)], move("DB001", "2026-03-06T00:00"))["TL008"]

    assert (LimitState.MET, "DB001") == (in_time.state, in_time.met_by.node if in_time.met_by else "")
    assert LimitState.MET_LATE == late.state


def test_what_is_due_and_not_done_is_over() -> None:
    assert LimitState.OVER == limits([person(**DETAINED)], now="2026-03-06T00:00")["TL008"].state


def test_each_extension_of_custody_follows_its_decision() -> None:
    decisions = [move("YJ004", "2026-04-28"), move("YJ008", "2026-05-28"), move("YJ010", "2026-07-28")]
    ends = [last_day(limits([person(**ARRESTED)], *decisions[:count])["TL021"]) for count in range(4)]

    assert ["2026-05-02", "2026-06-02", "2026-08-02", "2026-10-02"] == ends


def test_a_limit_stops_and_resumes_with_its_notices() -> None:
    stop = move("YJ013", "2026-03-20", limit_from=date(2026, 3, 18))
    resume = move("YJ013", "2026-04-02", limit_from=date(2026, 4, 1))

    stopped = limits([person(**ARRESTED)], stop)["TL021"]
    resumed = limits([person(**ARRESTED)], stop, resume)["TL021"]

    assert (LimitState.PAUSED, None) == (stopped.state, stopped.reckoning.over_at)
    assert (LimitState.RUNNING, "2026-05-16") == (resumed.state, last_day(resumed))


def test_a_new_grave_crime_begins_custody_anew() -> None:
    found = limits([person(**ARRESTED)], move("YJ004", "2026-04-28"), move("YJ011", "2026-05-20"))["TL021"]

    assert "2026-07-20" == last_day(found)
    assert Rule.RESTARTED in [step.rule for step in found.reckoning.steps]


def test_a_decision_after_the_end_is_left_out_and_said() -> None:
    found = limits([person(**ARRESTED)], move("YJ004", "2026-05-05"), now="2026-05-06")["TL021"]

    assert (LimitState.OVER, "2026-05-02") == (found.state, last_day(found))
    assert "lies after the limit ended" in found.trouble


@pytest.mark.parametrize(
    ("custody", "limit", "end"), [("HELD", "TL011", "2026-03-12"), ("NOT_HELD", "TL012", "2026-03-20")]
)
def test_arrest_review_is_shorter_for_the_detained(custody: str, limit: str, end: str) -> None:
    asked = move("DB001", "2026-03-04", received="2026-03-05T09:00")
    found = limits([person(custody=custody)], asked)

    assert (limit, end, asked) == (next(iter(found)), last_day(found[limit]), found[limit].started_by)


def test_an_answer_is_due_from_its_receipt_and_met_by_the_answer() -> None:
    asked = move("DB001", "2026-03-04", received="2026-03-05")
    interim = move("DB002", "2026-03-05", answers=asked.exchange)
    answer = move("DB006", "2026-03-09", answers=asked.exchange)
    held = [person(custody="HELD")]

    assert {} == limits(held, move("DB001", "2026-03-04"))
    assert LimitState.RUNNING == limits(held, asked, interim)["TL011"].state
    assert LimitState.MET == limits(held, asked, interim, answer)["TL011"].state


def test_an_answer_about_several_is_due_when_the_shortest_time_of_any_ends() -> None:
    asked = move("DB001", "2026-03-04", "a", "b", received="2026-03-05")
    found = limits([person("a", custody="HELD"), person("b", custody="NOT_HELD")], asked)

    assert ({"TL011"}, "") == (set(found), found["TL011"].party)


def test_each_person_has_limits_of_his_own() -> None:
    persons = [person("a", **DETAINED), person("b", since="2026-03-01", measure=Measure.BAIL, custody=Custody.NOT_HELD)]
    found = limits(persons, move("DB001", "2026-03-04", "b"))

    assert {"TL008": "a", "TL029": "b"} == {code: limit.party for code, limit in found.items()}
    assert LimitState.RUNNING == found["TL008"].state, "the request was about the other"


def test_who_may_ask_again_loses_the_time_without_a_breach() -> None:
    refused = move("DB006", "2026-03-04", received="2026-03-05")
    found = limits([person()], refused, now="2026-04-01")["TL016"]

    assert (LimitState.LAPSED, "2026-03-10") == (found.state, last_day(found))


def test_the_shorter_time_of_a_shorter_procedure_runs_once_it_applies() -> None:
    tried = person(stage=Stage.FIRST_INSTANCE)

    assert {"TL083", "TL084"} == set(limits([tried]))
    assert {"TL083", "TL084", "TL090"} == set(limits([tried], move("YS013", "2026-03-05")))


def test_what_ends_first_stands_first() -> None:
    found = running_limits(
        [person("a", **ARRESTED), person("b", **DETAINED), person("c", stage=Stage.FIRST_INSTANCE)],
        [move("YS024", "2026-03-04", "c")],
        limit_runs(),
        answers_due(),
        at("2026-03-03"),
        WORKS,
    )
    ends = [limit.reckoning.over_at for limit in found]
    assert ends[:2] == sorted(end for end in ends if end is not None)
    assert [None, None] == ends[2:]


def test_every_limit_bound_to_an_answer_runs_from_its_receipt() -> None:
    """Whatever node is asked, a limit of its answer starts at the receipt and is met by the answer alone."""
    seen = set()
    for node, due in answers_due().items():
        for limit, answers in due.items():
            holder = person(custody="HELD" if limit.custody.value == "in_custody" else "NOT_HELD")
            asked = move(node, "2026-03-02", received="2026-03-02T10:00")
            running = running_limits([holder], [asked], (), answers_due(), at("2026-03-02"), WORKS)
            assert limit in [item.reckoning.limit for item in running]
            for answer in answers:
                given = move(answer, "2026-03-02T11:00", answers=asked.exchange)
                answered = running_limits([holder], [asked, given], (), answers_due(), at("2026-03-02"), WORKS)
                assert LimitState.MET in [item.state for item in answered if item.reckoning.limit == limit]
            seen.add(limit.code)
    assert seen <= {limit.code for limit in time_limits()}
    assert len(seen) == 41
    assert {node.code for node in nodes()} >= set(answers_due())


def test_late_is_the_first_moment_after_the_last_day() -> None:
    asked = move("DB001", "2026-03-04", received="2026-03-05")
    held = [person(custody="HELD")]
    end = limits(held, asked)["TL011"].reckoning.over_at
    assert end is not None
    for moment, state in ((end - timedelta(seconds=1), LimitState.MET), (end, LimitState.MET_LATE)):
        answer = move("DB005", moment.replace(tzinfo=None).isoformat(), answers=asked.exchange)
        assert state == limits(held, asked, answer, now="2026-04-01")["TL011"].state


def test_a_second_notice_does_not_begin_the_pause_anew() -> None:
    tried = person(stage=Stage.FIRST_INSTANCE)
    moves = [move("YS024", "2026-03-10"), move("YS035", "2026-03-20"), move("YS028", "2026-04-10")]

    assert "2026-06-02" == last_day(limits([tried], *moves)["TL083"]), "31 days after the second of May"


def test_what_comes_after_a_limit_was_met_does_not_change_it() -> None:
    done = move("QS001", "2026-04-20")
    met = limits([person(**ARRESTED)], done)["TL021"]

    assert met == limits([person(**ARRESTED)], done, move("YJ013", "2026-04-25"))["TL021"]
