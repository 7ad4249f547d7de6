"""What clients were told of their exchanges, and whether the platform's books say the same.

Source: etcd's robustness tests and Jepsen, for the journal and for what is unknown until it is asked again.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from casemesh.client.receiving import Receiver
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.errors import Unavailable
from casemesh.routing.v1 import case_pb2, case_service_pb2, exchange_pb2
from casemesh.routing.v1.exchange_service_pb2 import SubmitExchangeRequest

HEALED_SECONDS = 90.0


@dataclass
class Journal:
    """What clients were told, a line of JSON each, in the order they were told it."""

    path: Path
    submitted: dict[str, str] = field(default_factory=dict)
    stored: list[tuple[str, str, int]] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    interrupted: int = 0
    """Calls that failed although the client had repeated them as often as it does by itself."""

    def write(self, what: str, **fields: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, **fields}) + "\n")


async def register_cases(session: Session, count: int) -> list[case_pb2.Case]:
    """Cases of one party each."""
    cases = []
    for number in range(count):
        draft = case_service_pb2.PartyDraft(kind=1, display_name="an invented person")
        request = case_service_pb2.RegisterCaseRequest(
            request_id=new_id(), title=f"an invented theft {number}", parties=[draft]
        )
        cases.append((await session.cases.RegisterCase(request)).case)
    return cases


async def submit(session: Session, journal: Journal, case: str, party: str, recipient: str) -> None:
    """Submit one exchange and repeat it under its id until the platform says what became of it."""
    request = SubmitExchangeRequest(
        request_id=new_id(), case=case, node="nodes/LA001", recipient=recipient, parties=[party]
    )
    journal.write("submit", request_id=request.request_id, case=case)
    while True:
        try:
            answer = await session.exchanges.SubmitExchange(request, timeout=20)
            break
        except Unavailable as error:
            journal.interrupted += 1
            journal.write("interrupted", request_id=request.request_id, reason=error.reason, why=error.message)
            await asyncio.sleep(0.1)
    journal.submitted[request.request_id] = answer.exchange.name
    journal.write("submitted", request_id=request.request_id, exchange=answer.exchange.name)


@asynccontextmanager
async def receiving(session: Session, journal: Journal) -> AsyncIterator[None]:
    """Receive while the body runs; a receiver that gave up is started anew. Raises what else ends it."""

    async def store(delivery: exchange_pb2.Delivery) -> None:
        journal.stored.append((delivery.name, delivery.exchange.case, delivery.delivery_sequence))
        journal.write("stored", delivery=delivery.name)

    async def keep_receiving() -> None:
        while True:
            try:
                await Receiver(session.exchanges, store, on_acknowledged=journal.confirmed.add).run()
            except Unavailable as error:
                journal.write("receiver gave up", reason=error.reason)
                await asyncio.sleep(0.1)

    task = asyncio.create_task(keep_receiving())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it; a platform that does not heal fails the test."""
    async with asyncio.timeout(HEALED_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


async def until_all_is_stored(journal: Journal) -> None:
    """Wait until the recipient has everything that was submitted."""
    exchanges = set(journal.submitted.values())
    await until(lambda: exchanges == {name.partition("/deliveries/")[0] for name, _, _ in journal.stored})


async def check_books(journal: Journal, data: Path, cases: Iterable[str]) -> None:
    """No exchange lost, none twice, none unasked for; order, receipts and events without gaps."""
    exchanges = Counter(journal.submitted.values())
    assert set(exchanges.values()) == {1}, "one effect for each request id"

    connection = await asyncpg.connect((data / "config" / "routing.dsn").read_text().strip())
    try:
        # A confirmation may have been lost with its connection; what was stored is then not offered again.
        async with asyncio.timeout(HEALED_SECONDS):
            while await connection.fetchval("SELECT count(*) FROM delivery WHERE acknowledge_time IS NULL"):
                await asyncio.sleep(0.1)
        rows = await connection.fetch(
            "SELECT exchange_id, case_id, state, delivery_sequence, acknowledge_time FROM exchange JOIN delivery "
            "USING (exchange_id, case_id)"
        )
        receipts = await connection.fetch("SELECT exchange_id, kind, count(*) FROM receipt GROUP BY 1, 2")
    finally:
        await connection.close()

    assert set(exchanges) == {f"exchanges/{row['exchange_id']}" for row in rows}, "none lost, none unasked for"
    acknowledged = {row["exchange_id"] for row in rows if row["acknowledge_time"] is not None}
    assert {name.split("/")[1] for name in journal.confirmed} <= {str(each) for each in acknowledged}
    assert {"DELIVERED"} == {row["state"] for row in rows}
    assert None not in {row["acknowledge_time"] for row in rows}
    sequences = defaultdict(list)
    for row in rows:
        sequences[f"cases/{row['case_id']}"].append(row["delivery_sequence"])
    assert {case: list(range(1, len(sequences[case]) + 1)) for case in cases} == {
        case: sorted(numbers) for case, numbers in sequences.items()
    }
    attested = {(f"exchanges/{row['exchange_id']}", row["kind"]): row["count"] for row in receipts}
    assert {(exchange, kind): 1 for exchange in exchanges for kind in ("SUBMISSION", "DELIVERY")} == attested

    told = defaultdict(set)
    for name, case, sequence in journal.stored:
        told[case, sequence].add(name)
    assert {1} == {len(names) for names in told.values()}, "what came again came under its own name"


async def check_outbox(data: Path, service: str) -> None:
    """The service's events all leave, numbered without gaps."""
    connection = await asyncpg.connect((data / "config" / f"{service}.dsn").read_text().strip())
    try:
        async with asyncio.timeout(HEALED_SECONDS):
            while await connection.fetchval("SELECT count(*) FROM outbox WHERE sent_at IS NULL"):
                await asyncio.sleep(0.1)
        numbers = await connection.fetch("SELECT source_sequence FROM outbox ORDER BY source_sequence")
    finally:
        await connection.close()
    assert list(range(1, len(numbers) + 1)) == [row["source_sequence"] for row in numbers], "events without gaps"
