"""Exchanges from submission to the confirmation that the recipient's acknowledgement is kept, through the gateway.

Rights are checked, one code is translated, the recipient's place in the case is asked for, events are committed and
relayed to the log; client, gateway, services and PostgreSQL share the machine's cores. CASEMESH_BENCH_SECONDS says how
long the sustained part runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bench.desk import enrolled
from bench.figures import Report
from casemesh.cli.demo_agencies import POLICE, PROCURATORATE, EnrolledAgency
from casemesh.client.session import Session
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.data import code_system_packs
from casemesh.local.platform import running_platform
from casemesh.routing.v1 import case_pb2, case_service_pb2
from casemesh.routing.v1 import exchange_service_pb2 as pb2

SECONDS = float(os.environ.get("CASEMESH_BENCH_SECONDS", "15"))
IN_FLIGHT = 32
ALONE = 200
TRACE_ONE_IN = 10
POLICE_TABLE = "police-case-categories"


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with running_platform(Path(scratch) / "data", gateway_port=0, trace_one_in=TRACE_ONE_IN) as addresses:
            sender, recipient = await enrolled(addresses, POLICE, PROCURATORATE)
            async with Session(sender.officers[0]) as officer, receiving(recipient) as inbox:
                cases = [await register_case(officer, number) for number in range(IN_FLIGHT)]
                desk = Desk(officer, recipient.name, inbox)
                await desk.run(cases, seconds=1)
                await _report_alone(report, desk, cases[0])
                await _report_sustained(report, desk, cases)


async def _report_alone(report: Report, desk: Desk, case: case_pb2.Case) -> None:
    taken = [await desk.exchange(case) for _ in range(ALONE)]
    told = "one at a time; submitted to acknowledged, through the gateway"
    report.add("exchange.alone.p50_ms", statistics.median(taken) * 1000, "ms", n=ALONE, conditions=told)


async def _report_sustained(report: Report, desk: Desk, cases: Sequence[case_pb2.Case]) -> None:
    started, used = time.perf_counter(), processor_seconds()
    taken = await desk.run(cases, seconds=SECONDS)
    elapsed, used_after = time.perf_counter() - started, processor_seconds()
    told = (
        f"{IN_FLIGHT} in flight over {IN_FLIGHT} cases, {SECONDS:g} s, one recipient; through the gateway; "
        f"one trace in {TRACE_ONE_IN} recorded"
    )
    report.add("exchange.per_s", len(taken) / elapsed, "1/s", n=len(taken), conditions=told)
    p95 = statistics.quantiles(taken, n=20)[-1] * 1000
    report.add("exchange.p95_ms", p95, "ms", n=len(taken), conditions=told)
    spent = {name: (after - used.get(name, 0)) * 1000 / len(taken) for name, after in used_after.items()}
    parts = ", ".join(f"{name} {value:.2f}" for name, value in sorted(spent.items(), key=lambda item: -item[1]))
    report.add(
        "exchange.cpu_ms", sum(spent.values()), "ms", n=len(taken), conditions=f"each takes, by process: {parts}"
    )


def processor_seconds() -> dict[str, float]:
    """Return how long the platform's processes have used a processor so far, by name; `client` is this one, which also
    holds supervisor and trace backend."""
    seconds: defaultdict[str, float] = defaultdict(float)
    own = psutil.Process().cpu_times()
    seconds["client"] = own.user + own.system
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds[_name_of(process.cmdline())] += times.user + times.system
    return seconds


def _name_of(command: Sequence[str]) -> str:
    words = " ".join(command)
    if "postgres" in words:
        return "postgres"
    return "gateway" if "envoy" in words else words.partition("serve ")[2].partition(" ")[0]


class Inbox:
    """What a recipient's stream has confirmed, by exchange."""

    def __init__(self) -> None:
        self._confirmed: dict[str, asyncio.Future[None]] = {}

    def confirmation(self, exchange: str) -> asyncio.Future[None]:
        """Return what is done once the acknowledgement of this exchange is kept."""
        return self._confirmed.setdefault(exchange, asyncio.get_running_loop().create_future())


class Desk:
    """An officer who submits notices of filing."""

    def __init__(self, officer: Session, recipient: str, inbox: Inbox) -> None:
        self._officer = officer
        self._recipient = recipient
        self._inbox = inbox

    async def exchange(self, case: case_pb2.Case) -> float:
        """Return seconds from a submission to its confirmed acknowledgement."""
        started = time.perf_counter()
        answer = await self._officer.exchanges.SubmitExchange(
            pb2.SubmitExchangeRequest(
                request_id=new_id(),
                case=case.name,
                node="nodes/LA001",
                recipient=self._recipient,
                parties=[case.parties[0].name],
            )
        )
        await self._inbox.confirmation(answer.exchange.name)
        return time.perf_counter() - started

    async def run(self, cases: Sequence[case_pb2.Case], *, seconds: float) -> list[float]:
        """Keep one exchange of each case in flight for a while; return what each took."""
        ends = time.perf_counter() + seconds
        taken: list[float] = []

        async def keep_going(case: case_pb2.Case) -> None:
            while time.perf_counter() < ends:
                taken.append(await self.exchange(case))

        await asyncio.gather(*(keep_going(case) for case in cases))
        return taken


@asynccontextmanager
async def receiving(agency: EnrolledAgency) -> AsyncIterator[Inbox]:
    """Receive and acknowledge as the agency's system while the body runs."""
    inbox = Inbox()
    async with Session(agency.system, as_system=True) as system:
        acknowledgements: asyncio.Queue[str] = asyncio.Queue()

        async def requests() -> AsyncIterator[pb2.ReceiveRequest]:
            yield pb2.ReceiveRequest(open=pb2.ReceiveOpen(max_outstanding=256))
            while True:
                yield pb2.ReceiveRequest(acknowledge=await acknowledgements.get())

        async def read() -> None:
            async for response in system.exchanges.Receive(requests()):
                if response.WhichOneof("notice") == "delivery":
                    acknowledgements.put_nowait(response.delivery.name)
                else:
                    inbox.confirmation(response.acknowledged.partition("/deliveries/")[0]).set_result(None)

        reader = asyncio.create_task(read())
        try:
            yield inbox
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


async def register_case(officer: Session, number: int) -> case_pb2.Case:
    """Register a case; each number has a charge of its own."""
    table = next(pack for pack in code_system_packs() if pack.code_system == POLICE_TABLE)
    code = table.csv.decode().splitlines()[1 + number].split(",")[0]
    party = case_service_pb2.PartyDraft(
        kind=case_pb2.PARTY_KIND_PERSON,
        display_name="某甲",
        charges=[CodedValue(code_system=POLICE_TABLE, code=code)],
    )
    request = case_service_pb2.RegisterCaseRequest(request_id=new_id(), title="某甲案", parties=[party])
    return (await officer.cases.RegisterCase(request)).case
