"""The same matter raises one warning; what people said of it stands; what is gone closes by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from casemesh.core.ids import new_id
from casemesh.supervision.reconciling import Change, acknowledged, closed, reconcile
from casemesh.supervision.rules.finding import Finding, Rank, Standing
from casemesh.supervision.warning_store import (
    ACKNOWLEDGED,
    NOT_APPLICABLE,
    OPEN,
    RESOLVED,
    SUPERSEDED,
    StoredWarning,
    days_left,
)

NOW = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
CASE_ID = "01990000-0000-7000-8000-000000000001"
POLICE, COURT = "agencies/01990000-0000-7000-8000-0000000000aa", "agencies/01990000-0000-7000-8000-0000000000bb"
OFFICER = f"{POLICE}/officers/01990000-0000-7000-8000-0000000000cc"
ON_THE_CASE = frozenset({POLICE})


def finding(**changes: object) -> Finding:
    whole = Finding(
        key="CK001|party",
        rule="CK001",
        version="1",
        kind="limit",
        subject=f"cases/{CASE_ID}/parties/01990000-0000-7000-8000-0000000000dd",
        party="",
        exchange="",
        limit="TL008",
        rule_rank=Rank.HIGH,
        rank=Rank.MEDIUM,
        standing=Standing.AHEAD,
        due=NOW + timedelta(days=2),
        days_left=2,
        title_zh="拘留超期",
        title_en="Detention over limit",
        law=("刑事诉讼法第91条",),
        explanation_zh="剩2天",
        explanation_en="2 days left",
        concerned=(POLICE, COURT),
        to_supervisor=True,
        reviewed=False,
        blocks=False,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def reconciled(warnings: list[StoredWarning], findings: list[Finding], now: datetime = NOW) -> list[Change]:
    return list(reconcile(CASE_ID, warnings, findings, ON_THE_CASE, now, timedelta(days=1), new_id))


def raised() -> StoredWarning:
    (change,) = reconciled([], [finding()])
    return change.warning


def kinds(changes: list[Change]) -> list[str | None]:
    return [change.move.kind if change.move else None for change in changes]


def test_a_finding_raises_one_warning_and_the_same_finding_no_other() -> None:
    warning = raised()
    assert (OPEN, 2, NOW + timedelta(days=1)) == (warning.state, warning.rank, warning.escalate_at)
    assert [] == reconciled([warning], [finding()], LATER)


def test_only_agencies_on_the_case_are_concerned() -> None:
    assert (POLICE.removeprefix("agencies/"),) == raised().concerned


def test_other_words_of_the_same_finding_tell_nobody_and_another_rank_does() -> None:
    warning = raised()
    (reworded,) = reconciled([warning], [finding(explanation_zh="剩1天", explanation_en="1 day left")], LATER)
    assert (None, "剩1天") == (reworded.move, reworded.warning.explanation_zh)
    (graver,) = reconciled([warning], [finding(rank=Rank.HIGH, standing=Standing.OVER)], LATER)
    assert (["changed"], 3) == (kinds([graver]), graver.warning.rank)


def test_a_warning_taken_up_stays_so_when_it_grows_graver() -> None:
    taken = acknowledged(raised(), OFFICER, NOW)
    (graver,) = reconciled([taken], [finding(rank=Rank.HIGH)], LATER)
    assert (ACKNOWLEDGED, OFFICER) == (graver.warning.state, graver.warning.owner)


def test_a_finding_that_is_gone_closes_its_warning_and_says_when_and_why() -> None:
    (gone,) = reconciled([raised()], [], LATER)
    assert (["superseded"], SUPERSEDED, LATER) == (kinds([gone]), gone.warning.state, gone.warning.close_time)
    assert gone.warning.close_reason
    (back,) = reconciled([gone.warning], [finding()], LATER)
    assert (["raised_again"], OPEN, None) == (kinds([back]), back.warning.state, back.warning.close_time)


def test_what_was_resolved_comes_back_only_when_it_is_graver() -> None:
    resolved = closed(raised(), RESOLVED, "已办", NOW)
    assert [] == reconciled([resolved], [finding()], LATER)
    assert [] == reconciled([resolved], [], LATER)
    (again,) = reconciled([resolved], [finding(rank=Rank.HIGH)], LATER)
    assert (["raised_again"], OPEN) == (kinds([again]), again.warning.state)
    assert LATER + timedelta(days=1) == again.warning.escalate_at


def test_what_was_found_not_applicable_never_comes_back() -> None:
    marked = closed(raised(), NOT_APPLICABLE, "身份不明", NOW)
    assert [] == reconciled([marked], [finding(rank=Rank.CRITICAL, standing=Standing.OVER)], LATER)


def test_days_left_count_to_the_last_day_in_china() -> None:
    over_at = datetime(2026, 7, 3, 16, 0, tzinfo=UTC)  # the midnight after 3 July in China
    assert 2 == days_left(over_at, NOW)
    assert -1 == days_left(over_at, datetime(2026, 7, 3, 16, 1, tzinfo=UTC))
    assert 0 == days_left(datetime(2026, 7, 1, 8, 0, tzinfo=UTC), NOW)
