"""What each event of the log adds to the figures. Pure.

What an event does not say of itself (the node of an exchange that is accepted, when it was submitted, the pages of a
version that is handed on) is remembered from the events before it. Counts name agencies, nodes and coded reasons, and
never a case, an officer or a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from casemesh.audit.v1.audit_feed_service_pb2 import FedEvent
from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.clock import CHINA
from casemesh.core.names import AGENCY, CASE, DOSSIER_VERSION, EXCHANGE, NODE, ResourceName

PLATFORM: Final = "00000000-0000-0000-0000-000000000000"
"""Stands for no agency: what several share is counted once for it."""
_DECOY_RULE = "decoy_looked_at"
_ENDS: Final = {"exchange.expired": "expired", "exchange.undelivered": "undelivered"}


@dataclass(frozen=True, slots=True)
class Tally:
    """What a count is kept under; `agency` is a UUID as text, the day that of Asia/Shanghai."""

    day: date
    agency: str
    measure: str
    node: str = ""
    detail: str = ""


@dataclass(slots=True)
class KnownExchange:
    """What is remembered of an exchange; agencies are UUIDs as text."""

    node: str
    sender: str
    recipient: str
    on_paper: bool
    submit_time: datetime
    deliver_time: datetime | None = None
    accept_time: datetime | None = None
    answer_time: datetime | None = None


@dataclass(slots=True)
class KnownCase:
    """What is remembered of a case: the agencies in it, and the stages it is at, each since when."""

    agencies: set[str] = field(default_factory=set)
    stages: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The identifiers of what events are about."""

    exchanges: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)


class Account:
    """Counts a page of events, given what is remembered of the exchanges, versions and cases they are about.

    `exchanges`, `versions` and `cases` change with what is counted; `counts` and `amounts` are what was added. An event
    that lacks what counting needs adds nothing.
    """

    def __init__(
        self, exchanges: dict[str, KnownExchange], versions: dict[str, int], cases: dict[str, KnownCase]
    ) -> None:
        self.exchanges = exchanges
        self.versions = versions
        self.cases = cases
        self.counts: Counter[Tally] = Counter()
        self.amounts: Counter[Tally] = Counter()

    def take(self, fed: FedEvent) -> None:
        """Count an event; each must come once, in the log's order."""
        event, at = fed.event, fed.event.occur_time.ToDatetime(tzinfo=UTC)
        match event.action:
            case "case.registered":
                self._take_part(event, _identifier(AGENCY, event.actor.agency))
            case "exchange.submitted":
                self._submitted(event, at)
            case "dossier.version.finalized":
                if (version := _version(event)) and (pages := event.details.get("page_count", "")).isdecimal():
                    self.versions[version] = int(pages)
            case "dossier.version.granted":
                self._handed_over(event, at)
            case "access.stages.set":
                self._at_stages(event, at)
            case "access.alert.raised":
                agency, rule = _identifier(AGENCY, event.details.get("agency", "")), event.details.get("rule", "")
                if agency and rule != _DECOY_RULE:
                    self._add(at, agency, "alerts", detail=rule)
            case _:
                if (known := self.exchanges.get(_exchange(event))) is not None:
                    self._moved(event, known, at)

    def _add(self, at: datetime, agency: str, measure: str, node: str = "", detail: str = "", amount: int = 0) -> None:
        tally = Tally(at.astimezone(CHINA).date(), agency, measure, node, detail)
        self.counts[tally] += 1
        self.amounts[tally] += amount

    def _take_part(self, event: Event, *agencies: str) -> None:
        if (case := _identifier(CASE, event.case)) and all(agencies):
            self.cases.setdefault(case, KnownCase()).agencies.update(agencies)

    def _submitted(self, event: Event, at: datetime) -> None:
        told = event.details
        exchange, node = _exchange(event), _identifier(NODE, told.get("node", ""))
        sender, recipient = (_identifier(AGENCY, told.get(side, "")) for side in ("sender", "recipient"))
        if not (exchange and node and sender and recipient):
            return
        on_paper = told.get("paper", "") == "yes"
        self.exchanges[exchange] = KnownExchange(node, sender, recipient, on_paper, submit_time=at)
        self._take_part(event, sender, recipient)
        self._add(at, sender, "sent", node)
        if on_paper:
            self._add(at, sender, "sent_on_paper", node)
        if told.get("single_track", "") == "yes":
            self._add(at, sender, "sent_on_single_track", node)

    def _moved(self, event: Event, known: KnownExchange, at: datetime) -> None:
        node, recipient = known.node, known.recipient
        match event.action:
            # A copy, and what comes again after a correction, is not received anew.
            case "exchange.delivered" if not event.details.get("purpose", "") and known.deliver_time is None:
                known.deliver_time = at
                self._add(at, recipient, "received", node)
                self._took("to_delivery", known, known.submit_time, at)
            case "exchange.accepted" if known.accept_time is None:
                known.accept_time = at
                self._add(at, recipient, "accepted", node)
                self._took("to_acceptance", known, known.deliver_time, at)
            case "exchange.answered" if known.answer_time is None:
                known.answer_time = at
                self._add(at, recipient, "answered", node)
                self._took("to_answer", known, known.accept_time, at)
            case "exchange.returned":
                self._add(at, recipient, "returned", node)
                for code in filter(None, event.details.get("codes", "").split(",")):
                    self._add(at, recipient, "returned_for", node, code)
            case "exchange.withdrawn":
                self._add(at, known.sender, "withdrawn", node)
            case action if action in _ENDS:
                self._add(at, recipient, _ENDS[action], node)

    def _took(self, step: str, known: KnownExchange, since: datetime | None, at: datetime) -> None:
        # What was done on paper was entered when it was done: its times say nothing.
        if since is not None and not known.on_paper:
            self._add(at, known.recipient, step, known.node, amount=_seconds(since, at))

    def _handed_over(self, event: Event, at: datetime) -> None:
        sender, recipient = (_identifier(AGENCY, event.details.get(side, "")) for side in ("sender", "recipient"))
        pages = self.versions.get(_version(event))
        if pages is None or not sender or not recipient:
            return
        self._add(at, sender, "handed_over", amount=pages)
        self._add(at, recipient, "taken_over", amount=pages)
        self._add(at, sender, "paper_saved", amount=sheets(pages))

    def _at_stages(self, event: Event, at: datetime) -> None:
        if not (case := _identifier(CASE, event.case)):
            return
        known = self.cases.setdefault(case, KnownCase())
        now_at = set(filter(None, event.details.get("stages", "").split(",")))
        for stage in sorted(known.stages.keys() - now_at):
            seconds = _seconds(known.stages.pop(stage), at)
            for agency in (PLATFORM, *sorted(known.agencies)):
                self._add(at, agency, "stage", detail=stage, amount=seconds)
        for stage in now_at - known.stages.keys():
            known.stages[stage] = at


def sheets(pages: int) -> int:
    """Return the sheets of paper on which one copy of so many pages is printed on both sides."""
    return -(-pages // 2)


def subjects(events: Sequence[FedEvent]) -> Subjects:
    """Return what a page of events is about, as far as it must be remembered."""
    found = Subjects()
    for event in (fed.event for fed in events):
        if event.action.startswith("exchange."):
            found.exchanges.add(_exchange(event))
        if event.action == "dossier.version.granted":
            found.versions.add(_version(event))
        if event.action in ("case.registered", "exchange.submitted", "access.stages.set"):
            found.cases.add(_identifier(CASE, event.case))
    for kind in (found.exchanges, found.versions, found.cases):
        kind.discard("")
    return found


def _exchange(event: Event) -> str:
    return _identifier(EXCHANGE, event.resource)


def _version(event: Event) -> str:
    return _identifier(DOSSIER_VERSION, event.resource, "version")


def _identifier(kind: ResourceName, name: str, segment: str = "") -> str:
    """Return the identifier in a name, "" in what is no name of the kind."""
    try:
        segments = kind.parse(name)
    except ValueError:
        return ""
    return segments[segment or next(iter(segments))]


def _seconds(since: datetime, until: datetime) -> int:
    # Two services' clocks may differ by a little.
    return max(0, round((until - since).total_seconds()))
