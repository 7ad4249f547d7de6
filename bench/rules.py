"""Supervision's rules, all of them on: how many events and cases one process evaluates in a second, database apart.

An event costs what it costs in supervision: the snapshot of its case is decoded from JSON and the whole book evaluated.
A full re-check does the same once per case. Cases are made up from the node catalogue with a fixed seed: mostly small,
some of sixty exchanges and six persons, each at some point of its way; about one in two breaks a rule or more.
"""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta
from statistics import fmean, quantiles

from bench.figures import Report
from casemesh.supervision.rules import (
    CaseFacts,
    ExchangeFacts,
    LimitFacts,
    PersonFacts,
    RuleBook,
    Said,
    StatedField,
    assess,
)

_CASES = 2_000
_RECHECK = 100_000
_NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
_FLOW = (  # noqa: SIM905 - a list reads worse
    "LA001 QZ001 QZ002 DB001 DB002 DB005 QZ005 QZ006 DB007 YJ001 YJ004 YJ005 QS001 QS002 HY001 HY002 HY003 QS013 QS014 "
    "QS015 QS016 YS001 YS002 HY011 HY012 HY013 YS015 YS037 ES001 ES002 ES015 ZX001 ZX002 ZX004 CW023 SJ005 SJ006"
).split()
_STATES = ("DELIVERED", "ACCEPTED", "ANSWERED", "RETURNED")
_ANSWERS = {"QZ002": "QZ001", "DB005": "DB001", "QS002": "QS001", "YS002": "YS001", "ES002": "ES001"}
_LIMITS = ("TL008", "TL011", "TL021", "TL064", "TL084", "TL106")
_STAGES = ("INVESTIGATION", "PROSECUTION", "FIRST_INSTANCE", "SECOND_INSTANCE", "EXECUTION")


async def measure(report: Report) -> None:
    """Measure events and a full re-check; state what the cases were like."""
    chance = random.Random(6)
    # Kept as texts, as supervision keeps them: many live objects would slow the collector down, not the rules.
    snapshots, exchanges, persons = [], [], []
    for number in range(_CASES):
        facts = _case(chance, number)
        snapshots.append(json.dumps(facts.to_json()))
        exchanges.append(len(facts.exchanges))
        persons.append(len(facts.persons))
    book = RuleBook.load()
    found = 0
    for snapshot in snapshots[:50]:
        assess(book, CaseFacts.from_json(json.loads(snapshot)), _NOW)
    took: list[float] = []
    cpu = time.process_time()
    for snapshot in snapshots:
        started = time.perf_counter()
        assessment = assess(book, CaseFacts.from_json(json.loads(snapshot)), _NOW)
        took.append(time.perf_counter() - started)
        found += len(assessment.findings)
        if assessment.failures:
            raise RuntimeError(f"{assessment.failures[0].rule}: {assessment.failures[0].problem}")
    cpu = time.process_time() - cpu
    conditions = (
        f"{len(book.rules)} rules, one process, {_CASES} cases of {fmean(exchanges):.0f} exchanges on average and "
        f"{max(exchanges)} at most, {fmean(persons):.1f} persons, {found / _CASES:.1f} "
        "findings a case, snapshot decoded each time, no database"
    )
    per_s = _CASES / sum(took)
    report.add("rules.events.per_s", per_s, "1/s", against="500", n=_CASES, conditions=conditions)
    report.add("rules.event.p95_ms", quantiles(took, n=20)[-1] * 1e3, "ms", n=_CASES, conditions=conditions)
    report.add("rules.event.cpu_ms", cpu / _CASES * 1e3, "ms", against="2", n=_CASES, conditions=conditions)
    report.add(
        "rules.recheck.minutes",
        _RECHECK / per_s / 60,
        "min",
        against="10",
        n=_CASES,
        conditions=f"{_RECHECK} cases reckoned from the rate of {_CASES}; {conditions}",
    )


def _case(chance: random.Random, number: int) -> CaseFacts:
    name = f"cases/{number:08d}"
    opened = _NOW - timedelta(days=chance.randint(1, 400))
    charge = chance.choice(("XZ177", "XZ220", "XZ264"))
    parties = [f"{name}/parties/{index}" for index in range(min(6, 1 + int(chance.expovariate(0.8))))]
    size = min(60, 3 + int(chance.expovariate(1 / 14)))
    return CaseFacts(
        case=name,
        registered_at=opened,
        persons=tuple(_person(chance, party, opened) for party in parties),
        exchanges=tuple(_exchange(chance, name, parties, index, size, opened, charge) for index in range(size)),
        limits=tuple(_limit(chance, party, opened) for party in parties for _ in range(chance.randint(0, 3))),
        events={"exchange.submitted": size, "access.alert.raised": int(chance.random() < 0.02)},
    )


def _person(chance: random.Random, party: str, opened: datetime) -> PersonFacts:
    since = opened + timedelta(days=chance.randint(14, 30))
    held = chance.random() < 0.6
    arrested = chance.random() < 0.9
    said = {
        "stage": Said(chance.choice(_STAGES), since),
        "measure": Said(("ARRESTED" if arrested else "DETAINED") if held else "BAIL", since),
        "custody": Said("HELD" if held else "NOT_HELD", since),
        "custodian": Said("agencies/3", since),
        "authority": Said("agencies/2", since),
    }
    return PersonFacts(party, said, 17 if chance.random() < 0.03 else 30)


def _exchange(
    chance: random.Random, case: str, parties: list[str], index: int, size: int, opened: datetime, charge: str
) -> ExchangeFacts:
    node = _FLOW[index * len(_FLOW) // size] if size > len(_FLOW) else _FLOW[index]
    at = opened + timedelta(days=max(0, index - 2) * 3, hours=index + chance.random())
    state = chance.choice(_STATES) if index == size - 1 else "ANSWERED"
    asked = _ANSWERS.get(node, "")
    return ExchangeFacts(
        exchange=f"{case}/exchanges/{index}",
        node=node,
        sender="agencies/1",
        recipient="agencies/2",
        state=state,
        submitted=at,
        delivered=at + timedelta(hours=1),
        accepted=at + timedelta(hours=2) if state in ("ACCEPTED", "ANSWERED") else None,
        parties=tuple(parties),
        answers=f"{case}/exchanges/{index - 1}" if asked and index and size <= len(_FLOW) else "",
        document_types=("A032", "A003", "B001", "A029", "A064", "R002", "E023", "E031", "E027", "E028"),
        volumes=("A", "B"),
        fields=(
            StatedField("measure_from", at),
            StatedField("document_date", at - timedelta(days=1)),
            StatedField("charge", charge),
            StatedField("pleads_guilty", True),
            StatedField("page_count", 120),
            StatedField("lawyer", None),
        ),
    )


def _limit(chance: random.Random, party: str, opened: datetime) -> LimitFacts:
    started = opened + timedelta(days=chance.randint(0, 60))
    over = started + timedelta(days=chance.randint(3, 90))
    met = started + timedelta(days=chance.randint(1, 3)) if chance.random() < 0.95 else None
    return LimitFacts(chance.choice(_LIMITS), party, started, over, met)
