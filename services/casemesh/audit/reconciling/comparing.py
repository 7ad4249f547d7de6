"""The comparisons of a reconciliation. Pure: what was read comes in, findings go out.

Each reads the window widened by a margin, and asks only for what lies inside: what one side dates before midnight and
the other after it is no discrepancy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.audit.reconciling.findings import MARGIN, Fault, Finding, Window
from casemesh.audit.reconciling.told import Kept, Log, Told, actions_of
from casemesh.data.event_actions import event_actions
from casemesh.runtime.logged_facts import BY_ID, Fact, FactKind

READS = ("dossier.version.read", "dossier.manifest.read", "audit.trail.read", "audit.trail.exported")
BYTES_READ, BYTES_SENT = "dossier.version.read", "dossier.version.sent"


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that identity let through."""

    reading: str
    """The identifier that its event has, too."""
    case: str
    officer: str
    size_bytes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """A version that an agency may read by an exchange, by one service's word."""

    case: str
    exchange: str
    dossier_version: str
    agency: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenExchange:
    """An exchange that has not ended."""

    case: str
    exchange: str
    state: str
    at: datetime
    overdue: bool
    silent: bool


def facts_told(
    source: str, kinds: Sequence[FactKind], facts: Iterable[Fact], log: Log, window: Window
) -> Iterator[Finding]:
    """Every fact has its event, and every event its fact, for the kinds of one service."""
    by_kind: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_kind[fact.kind.name].append(fact)
    for kind in kinds:
        events = [told for told in actions_of(log, kind.actions) if told.source == source]
        yield from _untold(source, kind, by_kind[kind.name], events, log, window)
        if kind.both_ways:
            known = {(fact.case, fact.resource, fact.mark) for fact in by_kind[kind.name]}
            for told in events:
                if window.holds(told.at) and (told.case, told.resource, told.mark(kind.mark)) not in known:
                    detail = f"{told.action}: no {kind.name} stands there"
                    yield Finding(Fault.EVENT_WITHOUT_FACT, source, told.resource, told.case, told.at, detail)


def _untold(
    source: str, kind: FactKind, facts: Iterable[Fact], events: Iterable[Told], log: Log, window: Window
) -> Iterator[Finding]:
    told_of = {(told.case, told.resource, told.mark(kind.mark)) for told in events}
    may_be_gone = any(event_actions()[action].may_be_shredded for action in kind.actions)
    cases_with_shredded = set(log.shredded.values()) if may_be_gone else set()
    for fact in facts:
        if not window.holds(fact.at) or (fact.case, fact.resource, fact.mark) in told_of:
            continue
        if fact.case in cases_with_shredded or (kind.mark == BY_ID and fact.mark in log.shredded):
            continue
        yield Finding(
            Fault.FACT_WITHOUT_EVENT, source, fact.resource, fact.case, fact.at, f"{kind.name}: not in the log"
        )


def outbox_kept(source: str, kept: Sequence[Kept], log: Log, window: Window) -> Iterator[Finding]:
    """What a service sent is in the log as it sent it, and what the log has of it is in its outbox."""
    known = {event.event_id for event in kept}
    for event in kept:
        if not event.sent or not window.holds(event.at):
            continue
        told = log.events.get(event.event_id)
        if told is None and event.event_id not in log.shredded:
            detail = f"{event.action} {event.resource}: number {event.source_sequence} was sent"
            yield Finding(Fault.EVENT_NOT_IN_LOG, source, event.event_id, event.case, event.at, detail)
        elif told is not None and told.digest != event.digest:
            yield Finding(Fault.EVENT_ALTERED, source, event.event_id, event.case, event.at, event.action)
    for told in log.events.values():
        if told.source == source and told.source_sequence and told.event_id not in known and window.holds(told.at):
            detail = f"{told.action} {told.resource}: number {told.source_sequence}"
            yield Finding(Fault.EVENT_NOT_IN_OUTBOX, source, told.event_id, told.case, told.at, detail)


def outbox_waiting(source: str, waiting: int, oldest: datetime | None, now: datetime) -> Iterator[Finding]:
    """Nothing waits for long."""
    if oldest is not None and oldest < now - MARGIN:
        yield Finding(Fault.EVENT_WAITING, source, f"{waiting} events", at=oldest, detail="the oldest waits since then")


def readings_told(readings: Sequence[Reading], log: Log, window: Window) -> Iterator[Finding]:
    """Every reading of which bytes left is in the log, and every officer's reading in the log was let through.

    A reading without bytes may have been refused after identity counted it; then nothing left and nothing is told.
    """
    known = {reading.reading: reading for reading in readings}
    for reading in readings:
        if reading.size_bytes and window.holds(reading.at) and not log.holds(reading.reading):
            detail = f"{reading.size_bytes} bytes left for {reading.officer}"
            yield Finding(Fault.READING_WITHOUT_EVENT, "identity", reading.reading, reading.case, reading.at, detail)
    for told in actions_of(log, READS):
        officer = told.actor.get("officer", "")
        if not officer or not window.holds(told.at):
            continue
        let = known.get(told.event_id)
        if let is None or (let.case, let.officer) != (told.case, officer):
            detail = f"{told.action} by {officer}"
            yield Finding(Fault.EVENT_WITHOUT_READING, told.source, told.event_id, told.case, told.at, detail)


def bytes_told(readings: Sequence[Reading], log: Log, window: Window) -> Iterator[Finding]:
    """Bytes that were sent follow a reading of the same version in the same request, and none was sent untold."""
    gone = set(log.shredded.values())
    by_request: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
    for told in actions_of(log, (BYTES_READ,)):
        by_request[_request(told)].append(told)
    sent: dict[tuple[str, str, str], int] = defaultdict(int)
    for told in actions_of(log, (BYTES_SENT,)):
        sent[_request(told)] += int(told.details.get("size_bytes", "0"))
        if window.holds(told.at) and told.case not in gone and _request(told) not in by_request:
            detail = f"{told.details.get('size_bytes', '?')} bytes sent"
            yield Finding(Fault.BYTES_WITHOUT_READING, told.source, told.resource, told.case, told.at, detail)
    counted = {reading.reading: reading for reading in readings}
    for request, reads in by_request.items():
        first = reads[0]
        if not window.holds(first.at) or first.case in gone:
            continue
        total = sum(counted[told.event_id].size_bytes for told in reads if told.event_id in counted)
        if total > sent[request]:
            detail = f"{total} bytes counted, {sent[request]} told"
            yield Finding(Fault.BYTES_UNTOLD, first.source, first.resource, first.case, first.at, detail)


def _request(told: Told) -> tuple[str, str, str]:
    return told.trace_id, told.resource, told.actor.get("system", "")


def handovers_match(handed_on: Sequence[Handover], granted: Sequence[Handover], window: Window) -> Iterator[Finding]:
    """What routing handed on may be read, and what may be read was handed on: both sides of each exchange."""
    grants = {_handover(grant) for grant in granted}
    owed = {_handover(handover) for handover in handed_on}
    for handover in handed_on:
        if window.holds(handover.at) and _handover(handover) not in grants:
            yield _of_handover(Fault.GRANT_MISSING, "dossier", handover)
    for grant in granted:
        if window.holds(grant.at) and _handover(grant) not in owed:
            yield _of_handover(Fault.GRANT_UNEXPLAINED, "dossier", grant)


def _handover(handover: Handover) -> tuple[str, str, str, str]:
    return handover.case, handover.exchange, handover.dossier_version, handover.agency


def _of_handover(fault: Fault, source: str, handover: Handover) -> Finding:
    detail = f"{handover.dossier_version} to {handover.agency}"
    return Finding(fault, source, handover.exchange, handover.case, handover.at, detail)


def participations_stand(
    brought_in: Iterable[tuple[str, str, datetime]], taking_part: Iterable[tuple[str, str]], window: Window
) -> Iterator[Finding]:
    """Every agency that routing brought into a case takes part in it, or did."""
    standing = set(taking_part)
    for case, agency, at in brought_in:
        if window.holds(at) and (case, agency) not in standing:
            yield Finding(Fault.PARTICIPATION_MISSING, "identity", agency, case, at)


def exchanges_end(exchanges: Iterable[OpenExchange]) -> Iterator[Finding]:
    """Every exchange reached an end, is under way within its time, or its sender was told."""
    for exchange in exchanges:
        if exchange.silent:
            yield Finding(
                Fault.EXCHANGE_SILENT, "routing", exchange.exchange, exchange.case, exchange.at, "nobody was told"
            )
        if exchange.overdue:
            yield Finding(
                Fault.EXCHANGE_OVERDUE, "routing", exchange.exchange, exchange.case, exchange.at, exchange.state
            )


def numbers_given(source: str, last: int, missing: Iterable[tuple[int, int]]) -> Iterator[Finding]:
    """The numbers that a source gave run from 1 without a gap."""
    for first, end in missing:
        subject = str(first) if first == end else f"{first}-{end}"
        yield Finding(Fault.NUMBER_MISSING, source, subject, detail=f"{last} numbers were given")


def counts(findings: Iterable[Finding]) -> Mapping[tuple[str, str], int]:
    """Return how many findings there are per day and case."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for finding in findings:
        found[str(finding.day or ""), finding.case] += 1
    return dict(sorted(found.items()))
