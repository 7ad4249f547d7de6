"""Comparing what services hold with what the log tells: each discrepancy has its name, and nothing else is one."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from casemesh.audit.reconciling import comparing
from casemesh.audit.reconciling.comparing import Handover, OpenExchange, Reading
from casemesh.audit.reconciling.findings import MARGIN, Fault, Finding, Window
from casemesh.audit.reconciling.told import Kept, Log, Told
from casemesh.runtime.logged_facts import Fact, FactKind

NOON = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
DAY = Window(datetime(2026, 6, 30, 16, 0, tzinfo=UTC), datetime(2026, 7, 1, 16, 0, tzinfo=UTC))
CASE, OFFICER, VERSION = "cases/1", "agencies/1/officers/1", "dossiers/1/versions/1"
ACCEPTED = FactKind("exchange accepted", ("exchange.accepted",), "", mark="actor.agency")
numbers = itertools.count(1)


def told(
    action: str, resource: str = VERSION, *, source: str = "dossier", at: datetime = NOON, officer: str = OFFICER,
    trace: str = "t", event_id: str = "", size: int | None = None, sequence: int = 0, agency: str = "agencies/1",
) -> Told:  # fmt: skip
    details = {} if size is None else {"size_bytes": str(size)}
    actor = {"agency": agency, "officer": officer, "system": "agencies/1/systems/1"}
    name = event_id or f"e{next(numbers)}"
    return Told(name, source, sequence, action, CASE, resource, at, trace, actor, details, b"d")


def log(*events: Told, shredded: dict[str, str] | None = None) -> Log:
    return Log({event.event_id: event for event in events}, shredded or {})


def faults(findings: object) -> list[Fault]:
    return [finding.fault for finding in findings if isinstance(finding, Finding)]  # type: ignore[attr-defined]


def accepted(at: datetime = NOON, mark: str = "agencies/1") -> Fact:
    return Fact(ACCEPTED, CASE, "exchanges/1", mark, at)


@pytest.mark.parametrize(
    ("facts", "events", "expected"),
    [
        ([accepted()], [told("exchange.accepted", "exchanges/1", source="routing")], []),
        ([accepted()], [], [Fault.FACT_WITHOUT_EVENT]),
        ([], [told("exchange.accepted", "exchanges/1", source="routing")], [Fault.EVENT_WITHOUT_FACT]),
        # Of another agency, or told by another service: neither vouches for the other.
        (
            [accepted(mark="agencies/2")],
            [told("exchange.accepted", "exchanges/1", source="routing")],
            [Fault.FACT_WITHOUT_EVENT, Fault.EVENT_WITHOUT_FACT],
        ),
        ([accepted()], [told("exchange.accepted", "exchanges/1", source="dossier")], [Fault.FACT_WITHOUT_EVENT]),
        # On both sides of an edge by two clocks; what lies outside is not asked for.
        (
            [accepted(at=DAY.end - timedelta(seconds=1))],
            [told("exchange.accepted", "exchanges/1", source="routing", at=DAY.end + timedelta(seconds=1))],
            [],
        ),
        ([accepted(at=DAY.end)], [], []),
        ([], [told("exchange.accepted", "exchanges/1", source="routing", at=DAY.start - timedelta(seconds=1))], []),
    ],
)
def test_a_fact_and_its_event_vouch_for_each_other(
    facts: list[Fact], events: list[Told], expected: list[Fault]
) -> None:
    assert expected == faults(comparing.facts_told("routing", [ACCEPTED], facts, log(*events), DAY))


def test_a_shredded_reading_is_no_missing_one() -> None:
    kind = FactKind("version read", ("dossier.version.read",), "", mark="actor.agency", both_ways=False)
    fact = Fact(kind, CASE, VERSION, "agencies/1", NOON)
    assert [Fault.FACT_WITHOUT_EVENT] == faults(comparing.facts_told("dossier", [kind], [fact], log(), DAY))
    gone = log(shredded={"e": CASE})
    assert [] == faults(comparing.facts_told("dossier", [kind], [fact], gone, DAY))
    # What may never be shredded is asked for all the same.
    assert [Fault.FACT_WITHOUT_EVENT] == faults(comparing.facts_told("routing", [ACCEPTED], [accepted()], gone, DAY))


def kept(event_id: str, *, sent: bool = True, digest: bytes = b"d") -> Kept:
    return Kept(event_id, 1, "case.seen", CASE, CASE, NOON, digest, sent)


def test_an_outbox_and_the_log_have_the_same_events() -> None:
    one = told("case.seen", CASE, source="routing", event_id="one", sequence=1)
    assert [] == faults(comparing.outbox_kept("routing", [kept("one")], log(one), DAY))
    assert [Fault.EVENT_NOT_IN_LOG] == faults(comparing.outbox_kept("routing", [kept("one")], log(), DAY))
    assert [] == faults(comparing.outbox_kept("routing", [kept("one", sent=False)], log(), DAY))
    assert [] == faults(comparing.outbox_kept("routing", [kept("one")], log(shredded={"one": CASE}), DAY))
    altered = comparing.outbox_kept("routing", [kept("one", digest=b"x")], log(one), DAY)
    assert [Fault.EVENT_ALTERED] == faults(altered)
    assert [Fault.EVENT_NOT_IN_OUTBOX] == faults(comparing.outbox_kept("routing", [], log(one), DAY))
    # Appended without an outbox, or of another service.
    assert [] == faults(comparing.outbox_kept("routing", [], log(told("case.seen", CASE, source="routing")), DAY))
    assert [] == faults(comparing.outbox_kept("dossier", [], log(one), DAY))


def test_only_what_waits_for_long_is_told() -> None:
    now = NOON
    assert [] == faults(comparing.outbox_waiting("routing", 0, None, now))
    assert [] == faults(comparing.outbox_waiting("routing", 1, now - MARGIN, now))
    late = comparing.outbox_waiting("routing", 3, now - MARGIN - timedelta(seconds=1), now)
    assert [Fault.EVENT_WAITING] == faults(late)


def reading(size: int = 10, *, of: str = "r", officer: str = OFFICER, case: str = CASE) -> Reading:
    return Reading(of, case, officer, size, NOON)


READ = told("dossier.version.read", event_id="r")


@pytest.mark.parametrize(
    ("readings", "events", "expected"),
    [
        ([reading()], [READ], []),
        ([reading()], [], [Fault.READING_WITHOUT_EVENT]),
        # Counted, then refused before a byte left.
        ([reading(0)], [], []),
        ([], [READ], [Fault.EVENT_WITHOUT_READING]),
        ([reading(officer="agencies/1/officers/2")], [READ], [Fault.EVENT_WITHOUT_READING]),
        ([reading(case="cases/2")], [READ], [Fault.EVENT_WITHOUT_READING]),
        # A system reads for itself; nobody counts it.
        ([], [told("dossier.version.read", officer="")], []),
    ],
)
def test_what_identity_let_through_and_what_the_log_tells_of_reading_agree(
    readings: list[Reading], events: list[Told], expected: list[Fault]
) -> None:
    assert expected == faults(comparing.readings_told(readings, log(*events), DAY))


@pytest.mark.parametrize(
    ("readings", "events", "expected"),
    [
        ([reading()], [READ, told("dossier.version.sent", size=10)], []),
        ([], [told("dossier.version.sent", size=10)], [Fault.BYTES_WITHOUT_READING]),
        # A reading in another request, or of another version, is no reading for these bytes.
        (
            [reading(0)],
            [READ, told("dossier.version.sent", size=10, trace="u")],
            [Fault.BYTES_WITHOUT_READING],
        ),
        (
            [reading(0)],
            [READ, told("dossier.version.sent", "dossiers/1/versions/2", size=10)],
            [Fault.BYTES_WITHOUT_READING],
        ),
        ([reading(11)], [READ, told("dossier.version.sent", size=10)], [Fault.BYTES_UNTOLD]),
        ([reading(11)], [READ], [Fault.BYTES_UNTOLD]),
        # Identity did not hear how much it was; the log did.
        ([reading(0)], [READ, told("dossier.version.sent", size=10)], []),
    ],
)
def test_no_byte_leaves_untold(readings: list[Reading], events: list[Told], expected: list[Fault]) -> None:
    assert expected == faults(comparing.bytes_told(readings, log(*events), DAY))


def test_both_sides_of_a_handover_agree() -> None:
    one = Handover(CASE, "exchanges/1", VERSION, "agencies/1", NOON)
    other = Handover(CASE, "exchanges/1", VERSION, "agencies/2", NOON)
    assert [] == faults(comparing.handovers_match([one], [one], DAY))
    assert [Fault.GRANT_MISSING, Fault.GRANT_UNEXPLAINED] == faults(comparing.handovers_match([one], [other], DAY))


def test_whom_routing_brought_in_takes_part() -> None:
    brought = [(CASE, "agencies/1", NOON)]
    assert [] == faults(comparing.participations_stand(brought, [(CASE, "agencies/1")], DAY))
    assert [Fault.PARTICIPATION_MISSING] == faults(comparing.participations_stand(brought, [], DAY))


@pytest.mark.parametrize(
    ("overdue", "silent", "expected"),
    [
        (False, False, []),
        (True, False, [Fault.EXCHANGE_OVERDUE]),
        (False, True, [Fault.EXCHANGE_SILENT]),
    ],
)
def test_an_exchange_without_end_is_in_time_or_was_told_of(overdue: bool, silent: bool, expected: list[Fault]) -> None:
    exchange = OpenExchange(CASE, "exchanges/1", "SUBMITTED", NOON, overdue, silent)
    assert expected == faults(comparing.exchanges_end([exchange]))


def test_runs_of_missing_numbers_are_named() -> None:
    found = list(comparing.numbers_given("routing", 9, [(2, 2), (5, 7)]))
    assert ["2", "5-7"] == [finding.subject for finding in found]


def test_findings_are_counted_by_day_in_china_and_case() -> None:
    late = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)
    findings = [Finding(Fault.EVENT_ALTERED, "routing", "e", CASE, at) for at in (NOON, late, late)]
    assert {("2026-07-01", CASE): 1, ("2026-07-02", CASE): 2} == comparing.counts(findings)
