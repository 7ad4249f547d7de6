"""A thousand recipients connected at once: how soon an exchange is before its recipient, what that takes in memory, and
what recipients that are slow or broken cost the others.

The streams are opened at routing as the gateway opens them, since a thousand agencies' own connections would measure
the machine's client and not the platform. Latency is from the exchange's `submit_time`, which routing takes before it
commits, to the arrival at the recipient.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import psutil

from bench.exchange import register_case
from bench.figures import Report
from casemesh.cli.demo_agencies import POLICE, enrol
from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
from casemesh.client.session import OperatorSession, Session
from casemesh.core.ids import new_id
from casemesh.identity.v1 import directory_admin_service_pb2, token_service_pb2
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.platform import Addresses, running_platform
from casemesh.pki.authority import Pki
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1 import exchange_service_pb2 as pb2
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub

RECIPIENTS = int(os.environ.get("CASEMESH_BENCH_RECIPIENTS", "1000"))
STREAMS_PER_CHANNEL = 100
MEASURED = 400
IN_FLIGHT = 2
ROUNDS = 3
SLOW, BACKLOG = 20, 20
TIMEOUT = 30.0


@dataclass
class Recipient:
    """An agency's system on a stream; `arrived` holds when each exchange came."""

    agency: str
    metadata: list[tuple[str, str]]
    stub: Any
    arrived: dict[str, float] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> None:
        """Receive and acknowledge until cancelled."""
        acknowledgements: asyncio.Queue[str] = asyncio.Queue()
        call = self.stub.Receive(_requests(acknowledgements), metadata=self.metadata)
        with _cancelling(call):
            await call.wait_for_connection()
            self.opened.set()
            async for response in call:
                if response.WhichOneof("notice") == "delivery":
                    self.arrived[response.delivery.exchange.name] = time.time()
                    self.changed.set()
                    acknowledgements.put_nowait(response.delivery.name)

    async def misbehave(self) -> None:
        """Take deliveries, acknowledge none, break off, come back at once; until cancelled."""
        while True:
            call = self.stub.Receive(_requests(asyncio.Queue()), metadata=self.metadata)
            with _cancelling(call), contextlib.suppress(grpc.aio.AioRpcError, TimeoutError):
                async with asyncio.timeout(0.5):
                    async for _ in call:
                        pass

    async def arrival(self, exchange: str) -> float:
        """Return when an exchange came."""
        while exchange not in self.arrived:
            self.changed.clear()
            await self.changed.wait()
        return self.arrived[exchange]


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with running_platform(Path(scratch) / "data", gateway_port=0, trace_one_in=10) as addresses:
            await _measure(report, addresses)


async def _measure(report: Report, addresses: Addresses) -> None:
    pki = Pki(Path(addresses.pki))
    async with OperatorSession(addresses.services, pki.layout.root / "mesh" / "operator") as operator:
        police = await enrol(POLICE, pki, operator, addresses, pki.layout.signing_trust)
        recipients = [await _recipient(operator, addresses, number) for number in range(RECIPIENTS + SLOW)]
    routing = _process("serve routing")
    async with Session(police.officers[0]) as officer:
        case = await register_case(officer, 0)
        before = routing.memory_info().rss
        async with asyncio.TaskGroup() as group:
            receiving = [group.create_task(each.receive()) for each in recipients[:RECIPIENTS]]
            await asyncio.gather(*(each.opened.wait() for each in recipients[:RECIPIENTS]))
            chosen = random.Random(7).sample(recipients[:RECIPIENTS], min(MEASURED, RECIPIENTS))
            taken = await _deliver(officer, case, chosen)
            told = f"{RECIPIENTS} recipients on streams, {IN_FLIGHT} exchanges in flight, each to another recipient"
            report.add(
                "delivery.latency.p95_ms",
                statistics.quantiles(taken, n=20)[-1] * 1000,
                "ms",
                n=len(taken),
                conditions=told,
            )
            grown = (routing.memory_info().rss - before) / 2**20
            report.add(
                "delivery.thousand_receivers_mib", grown, "MiB", n=RECIPIENTS, conditions="growth of routing; " + told
            )
            await _report_neighbours(report, officer, case, chosen[:100], recipients[RECIPIENTS:])
            for task in receiving:
                task.cancel()


async def _report_neighbours(
    report: Report, officer: Session, case: case_pb2.Case, healthy: Sequence[Recipient], slow: Sequence[Recipient]
) -> None:
    for each in slow:
        for _ in range(BACKLOG):
            await _submit(officer, case, each)
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone.append(statistics.median(await _deliver(officer, case, healthy)))
        async with asyncio.TaskGroup() as group:
            breaking = [group.create_task(each.misbehave()) for each in slow]
            beside.append(statistics.median(await _deliver(officer, case, healthy)))
            for task in breaking:
                task.cancel()
    told = (
        f"median latency to {len(healthy)} recipients while {len(slow)} others with {BACKLOG} waiting each take, "
        f"acknowledge nothing and break off, over that without them; {ROUNDS} rounds in turn"
    )
    report.add(
        "delivery.slow_neighbour_ratio",
        statistics.median(beside) / statistics.median(alone),
        "",
        against=f"{statistics.median(alone) * 1000:.1f} ms",
        n=ROUNDS,
        conditions=told,
    )


async def _deliver(officer: Session, case: case_pb2.Case, recipients: Sequence[Recipient]) -> list[float]:
    """Submit an exchange to each recipient, a few at a time; return seconds from commit to arrival."""
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(recipient: Recipient) -> float:
        async with room:
            exchange = await _submit(officer, case, recipient)
            return await recipient.arrival(exchange.name) - exchange.submit_time.ToNanoseconds() / 1e9

    return list(await asyncio.gather(*(one(recipient) for recipient in recipients)))


async def _submit(officer: Session, case: case_pb2.Case, recipient: Recipient) -> Any:
    request = pb2.SubmitExchangeRequest(
        request_id=new_id(),
        case=case.name,
        node="nodes/LA001",
        recipient=recipient.agency,
        parties=[case.parties[0].name],
    )
    return (await officer.exchanges.SubmitExchange(request)).exchange


async def _recipient(operator: OperatorSession, addresses: Addresses, number: int) -> Recipient:
    pb = directory_admin_service_pb2
    fingerprint = secrets.token_bytes(32)
    agency = (
        await operator.directory_admin.CreateAgency(
            pb.CreateAgencyRequest(
                request_id=new_id(), code=f"bench-{number}", display_name=f"bench-{number}", organ="JCY"
            )
        )
    ).agency.name
    await operator.directory_admin.CreateSystem(
        pb.CreateSystemRequest(request_id=new_id(), parent=agency, display_name="cms", certificate_sha256=fingerprint)
    )
    forwarded = [("x-forwarded-client-cert", f"Hash={fingerprint.hex()}")]
    answer = await TokenServiceStub(_channel(addresses, "identity", 0)).IssueToken(
        token_service_pb2.IssueTokenRequest(), metadata=forwarded, timeout=TIMEOUT
    )
    stub = ExchangeServiceStub(_channel(addresses, "routing", number // STREAMS_PER_CHANNEL))
    return Recipient(agency, [*forwarded, ("authorization", f"Bearer {answer.access_token}")], stub)


_channels: dict[tuple[str, int], grpc.aio.Channel] = {}


def _channel(addresses: Addresses, service: str, number: int) -> grpc.aio.Channel:
    """Return one of several connections to a service, as the gateway."""
    if (service, number) not in _channels:
        _channels[service, number] = open_channel(
            addresses.services[service],
            Credentials(Path(addresses.pki) / "mesh" / "gateway"),
            server_name=f"{service}.casemesh.svc",
            interceptors=[ErrorInterceptor()],
        )
    return _channels[service, number]


def _process(words: str) -> psutil.Process:
    return next(child for child in psutil.Process().children(recursive=True) if words in " ".join(child.cmdline()))


async def _requests(acknowledgements: asyncio.Queue[str]) -> AsyncIterator[pb2.ReceiveRequest]:
    yield pb2.ReceiveRequest(open=pb2.ReceiveOpen())
    while True:
        yield pb2.ReceiveRequest(acknowledge=await acknowledgements.get())


@contextmanager
def _cancelling(call: Any) -> Iterator[None]:
    try:
        yield
    finally:
        call.cancel()
