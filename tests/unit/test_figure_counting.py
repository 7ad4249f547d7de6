"""What each event of the log adds to the figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from casemesh.audit.v1.audit_feed_service_pb2 import FedEvent
from casemesh.core.ids import new_id
from casemesh.supervision.figures.counting import PLATFORM, Account, sheets

POLICE, COURT = new_id(), new_id()
CASE, EXCHANGE = f"cases/{new_id()}", f"exchanges/{new_id()}"
VERSION = f"dossiers/{new_id()}/versions/{new_id()}"
# 23:30 of the 8th in UTC is the morning of the 9th in China.
BEGAN = datetime(2026, 11, 8, 23, 30, tzinfo=UTC)


def event(action: str, hours: float = 0, resource: str = EXCHANGE, agency: str = POLICE, **details: str) -> FedEvent:
    fed = FedEvent(source="routing")
    fed.event.action, fed.event.case, fed.event.resource = action, CASE, resource
    fed.event.actor.agency = f"agencies/{agency}"
    fed.event.details.update(details)
    fed.event.occur_time.FromDatetime(BEGAN + timedelta(hours=hours))
    return fed


def submitted(hours: float = 0, **details: str) -> FedEvent:
    between = {"node": "nodes/LA001", "sender": f"agencies/{POLICE}", "recipient": f"agencies/{COURT}"}
    return event("exchange.submitted", hours, **between, **details)


def counted(events: Sequence[FedEvent]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Return count and amount by agency, measure and detail."""
    account = Account({}, {}, {})
    for fed in events:
        account.take(fed)
    return {
        (tally.agency, tally.measure, tally.detail): (count, account.amounts[tally])
        for tally, count in account.counts.items()
    }


def test_each_step_of_an_exchange_counts_once_with_its_time_for_who_takes_it() -> None:
    steps = [
        submitted(),
        event("exchange.delivered", 1, purpose="copy"),
        event("exchange.delivered", 2),
        event("exchange.returned", 3, codes="FIELD_WRONG,PAGES_MISSING"),
        event("exchange.supplemented", 4),
        event("exchange.delivered", 5),
        event("exchange.accepted", 8),
        event("exchange.answered", 32),
    ]
    assert {
        (POLICE, "sent", ""): (1, 0),
        (COURT, "received", ""): (1, 0),
        (COURT, "to_delivery", ""): (1, 2 * 3600),
        (COURT, "returned", ""): (1, 0),
        (COURT, "returned_for", "FIELD_WRONG"): (1, 0),
        (COURT, "returned_for", "PAGES_MISSING"): (1, 0),
        (COURT, "accepted", ""): (1, 0),
        (COURT, "to_acceptance", ""): (1, 6 * 3600),
        (COURT, "answered", ""): (1, 0),
        (COURT, "to_answer", ""): (1, 24 * 3600),
    } == counted(steps)


def test_what_was_done_on_paper_counts_as_sent_and_on_paper_and_its_times_do_not() -> None:
    found = counted([submitted(paper="yes"), event("exchange.delivered", 90)])
    assert {(POLICE, "sent", ""), (POLICE, "sent_on_paper", ""), (COURT, "received", "")} == set(found)


def test_what_takes_the_place_of_the_paper_counts_as_sent_and_on_single_track() -> None:
    found = counted([submitted(single_track="yes")])
    assert {(POLICE, "sent", ""): (1, 0), (POLICE, "sent_on_single_track", ""): (1, 0)} == found


@pytest.mark.parametrize(
    ("action", "agency"),
    [("exchange.withdrawn", POLICE), ("exchange.expired", COURT), ("exchange.undelivered", COURT)],
    ids=["withdrawn", "expired", "undelivered"],
)
def test_an_end_without_an_answer_counts_for_whose_it_is(action: str, agency: str) -> None:
    assert (1, 0) == counted([submitted(), event(action, 1)])[agency, action.removeprefix("exchange."), ""]


def test_a_version_counts_with_its_pages_each_time_it_is_handed_over_and_a_sheet_has_two() -> None:
    between = {"sender": f"agencies/{POLICE}", "recipient": f"agencies/{COURT}"}
    grant = event("dossier.version.granted", 1, VERSION, **between)
    found = counted([event("dossier.version.finalized", 0, VERSION, page_count="301"), grant, grant])
    assert {
        (POLICE, "handed_over", ""): (2, 602),
        (COURT, "taken_over", ""): (2, 602),
        (POLICE, "paper_saved", ""): (2, 302),
    } == found
    assert (0, 1, 1, 2) == tuple(sheets(pages) for pages in range(4))


def test_a_stage_counts_when_the_case_leaves_it_once_for_the_platform_and_for_each_agency_in_it() -> None:
    stages = "access.stages.set"
    found = counted(
        [
            event(stages, 0, CASE, stages="INVESTIGATION"),
            submitted(1),
            event(stages, 10, CASE, stages="INVESTIGATION,PROSECUTION"),
            event(stages, 48, CASE, stages="PROSECUTION"),
        ]
    )
    left = {agency: amount for (agency, measure, detail), amount in found.items() if measure == "stage"}
    assert dict.fromkeys((PLATFORM, POLICE, COURT), (1, 48 * 3600)) == left


def test_alerts_count_by_what_raised_them_for_the_agency_that_is_told_but_for_decoys() -> None:
    alerts = [event("access.alert.raised", rule=rule) for rule in ("refusals", "decoy_looked_at")]
    for fed in alerts:
        fed.event.details["agency"] = f"agencies/{COURT}"
    found = counted(alerts)
    assert {(COURT, "alerts", "refusals"): (1, 0)} == found


def test_days_are_those_of_china() -> None:
    account = Account({}, {}, {})
    account.take(submitted())
    assert ["2026-11-09"] == [tally.day.isoformat() for tally in account.counts]


@pytest.mark.parametrize(
    "fed",
    [
        event("exchange.submitted"),
        event("exchange.submitted", node="nodes/LA001", sender="x", recipient="y"),
        event("exchange.accepted"),
        event("exchange.drafted", resource=""),
        event("dossier.version.granted", resource=VERSION),
        event("dossier.version.finalized", resource="", page_count="3"),
        event("access.alert.raised"),
        event("warning.raised"),
    ],
    ids=[
        "nothing-said", "no-names", "unknown-exchange", "no-resource", "unknown-version", "no-version", "nobody-told",
        "another",
    ],
)  # fmt: skip
def test_an_event_that_lacks_what_counting_needs_adds_nothing_and_stops_nothing(fed: FedEvent) -> None:
    assert {} == counted([fed])
