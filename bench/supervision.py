"""Supervision from the log to the evaluated case: events appended as routing appends them, until nothing waits.

All rules are on. The events are spread evenly over the cases, each of which has exchanges of its own in routing; audit,
routing, supervision and PostgreSQL share the machine's cores. A case in which much happens is evaluated once a
second; `bench.rules` measures the rules alone.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

from bench.desk import enrolled
from bench.exchange import register_case
from bench.figures import Report
from casemesh.audit.v1 import audit_append_service_pb2 as append_pb2
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.cli.demo_agencies import POLICE, PROCURATORATE
from casemesh.client.channel import Credentials, open_channel
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.local.platform import Addresses, running_platform
from casemesh.routing.v1 import exchange_service_pb2 as exchange_pb2
from casemesh.supervision.v1 import supervision_service_pb2 as pb2

EVENTS = int(os.environ.get("CASEMESH_BENCH_EVENTS", "20000"))
CASES = 200
EXCHANGES = 3
APPENDED_TOGETHER = 250
TARGET_PER_SECOND = 500


async def measure(report: Report) -> None:
    """Measure how many events a second are followed and evaluated."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with running_platform(Path(scratch) / "data", gateway_port=0, trace_one_in=1000) as addresses:
            police, procuratorate = await enrolled(addresses, POLICE, PROCURATORATE)
            async with Session(police.officers[0]) as officer:
                cases = await _cases(officer, procuratorate.name)
                await _caught_up(officer)
                started = time.perf_counter()
                await _append(addresses, cases)
                appended = time.perf_counter() - started
                await _caught_up(officer)
                elapsed = time.perf_counter() - started
    told = (
        f"{EVENTS} events over {CASES} cases of {EXCHANGES} exchanges, all rules on, until every case is evaluated; "
        f"{appended:.1f} s of it appending to the log"
    )
    target = f"target {TARGET_PER_SECOND}"
    report.add("supervision.events.per_s", EVENTS / elapsed, "1/s", against=target, n=EVENTS, conditions=told)
    report.add("supervision.behind_log_s", elapsed - appended, "s", n=EVENTS, conditions=told)


async def _cases(officer: Session, recipient: str) -> list[str]:
    """Return cases with exchanges of their own."""
    names = []
    for number in range(CASES):
        case = await register_case(officer, number)
        for _ in range(EXCHANGES):
            await officer.exchanges.SubmitExchange(
                exchange_pb2.SubmitExchangeRequest(
                    request_id=new_id(),
                    case=case.name,
                    node="nodes/LA001",
                    recipient=recipient,
                    parties=[party.name for party in case.parties],
                )
            )
        names.append(case.name)
    return names


async def _append(addresses: Addresses, cases: list[str]) -> None:
    """Append the events, as many at a time as a relay does."""
    channel = open_channel(
        addresses.services["audit"],
        Credentials(Path(addresses.pki) / "mesh" / "routing"),
        server_name="audit.casemesh.svc",
    )
    try:
        stub = AuditAppendServiceStub(channel)
        for start in range(0, EVENTS, APPENDED_TOGETHER):
            request = append_pb2.AppendEventsRequest()
            for number in range(start, min(start + APPENDED_TOGETHER, EVENTS)):
                event = request.events.add(
                    event_id=new_id(), case=cases[number % len(cases)], action="exchange.delivered"
                )
                event.occur_time.GetCurrentTime()
                event.actor.peer = "bench"
            await stub.AppendEvents(request, timeout=30)
    finally:
        await channel.close()


async def _caught_up(officer: Session) -> None:
    """Wait until the log's own size, as supervision last saw it, is followed and no case waits, twice in a row."""
    quiet = 0
    while quiet < 2:
        status = await officer.supervision.GetSupervisionStatus(pb2.GetSupervisionStatusRequest())
        done = status.followed_size == status.log_size and not status.waiting_count
        quiet = quiet + 1 if done else 0
        await asyncio.sleep(0.6 if done else 0.1)
