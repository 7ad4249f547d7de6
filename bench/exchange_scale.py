"""What an exchange costs the database when ten thousand are stored and when ten million are: committed, leased and
acknowledged through the service's own statements. By name only: loading takes long and some 20 GB of disk.

Stored exchanges are made by COPY, a case for every ten of them, with their deliveries, receipts, answers to requests
and events. CASEMESH_BENCH_EXCHANGES says how many are the many.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from bench.figures import Report
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import provision
from casemesh.routing.exchange_store import digest_of, insert_exchange
from casemesh.routing.obligation_store import Obligation
from casemesh.routing.placing import OPEN_OBLIGATION, delivery_of, place_owing
from casemesh.routing.receipt_store import ExchangeDigests, IssuedReceipt, insert_receipt
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1.exchange_service_pb2 import SubmitExchangeRequest, SubmitExchangeResponse
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Writes
from casemesh.runtime.requests import write_once

FEW = 10_000
MANY = int(os.environ.get("CASEMESH_BENCH_EXCHANGES", "10000000"))
PER_CASE = 10
CHUNK = 50_000
MEASURED = 2_000
AGENCIES = [str(uuid.UUID(int=number)) for number in range(1, 201)]
SENDER, RECIPIENT = AGENCIES[:2]


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with _database(Path(scratch)) as (database, owner):
            await _load(owner, 0, FEW)
            few = await _cost(database)
            await _load(owner, FEW, MANY)
            many = await _cost(database)
    for name, seconds in many.items():
        told = f"median of {MEASURED}; {MANY} exchanges stored against {FEW}; the database alone"
        report.add(
            f"exchange_scale.{name}_ratio",
            seconds / few[name],
            "",
            against=f"{few[name] * 1000:.2f} ms",
            n=MEASURED,
            conditions=told,
        )


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[tuple[Database, asyncpg.Connection]]:
    postgres = EmbeddedPostgres(folder / "postgres")
    await asyncio.to_thread(postgres.start)
    try:
        dsns = (await provision(postgres.admin_dsn(), ["routing"], postgres.secrets_dir))["routing"]
        await migrate(dsns.owner_dsn, "routing", "casemesh_routing_runtime")
        database = Database(dsns.runtime_dsn, DatabaseConfig(folder))
        await database.open()
        owner = await asyncpg.connect(dsns.owner_dsn)
        try:
            yield database, owner
        finally:
            await owner.close()
            await database.close()
    finally:
        await asyncio.to_thread(postgres.stop)


async def _cost(database: Database) -> dict[str, float]:
    """Return the median seconds of a commit, as submission makes it."""
    call = Call(
        "casemesh.routing.v1.ExchangeService/SubmitExchange",
        caller=Caller(f"agencies/{SENDER}", f"agencies/{SENDER}/systems/{SENDER}", None, "", 0.0),
    )
    taken = []
    case = new_id()
    await database.execute(
        "INSERT INTO registered_case (case_id, title, agency, create_time) VALUES ($1, 't', $2, now())", case, SENDER
    )
    await database.execute(
        "INSERT INTO obligation (resource, case_id, agency, joins, fulfil_time) VALUES ($1, $2, $3, true, now())",
        f"cases/{case}",
        case,
        RECIPIENT,
    )
    for _ in range(MEASURED):
        writes, request, response = await _submission(call, case)
        started = time.perf_counter()
        await write_once(database, call, request, response, writes, OPEN_OBLIGATION)
        taken.append(time.perf_counter() - started)
    return {"submit": statistics.median(taken)}


async def _submission(call: Call, case: str) -> tuple[Writes, SubmitExchangeRequest, SubmitExchangeResponse]:
    exchange = exchange_pb2.Exchange(
        name=f"exchanges/{new_id()}",
        case=f"cases/{case}",
        node="nodes/LA001",
        sender=f"agencies/{SENDER}",
        recipient=f"agencies/{RECIPIENT}",
    )
    exchange.submit_time.GetCurrentTime()
    writes = Writes()
    await insert_exchange(writes, exchange, ExchangeDigests(digest_of(exchange), b""))
    owed = Obligation(delivery_of(exchange.name), exchange.case, exchange.recipient, joins=True)
    place_owing(writes, exchange, owed)
    event = event_of(call, SystemClock(), "exchange.submitted", exchange.name, case=exchange.case)
    name = f"{exchange.name}/receipts/{new_id()}"
    receipt = IssuedReceipt(
        name, "SUBMISSION", exchange.sender, event.event_id, datetime.now(UTC), bytes(700), bytes(64), bytes(32)
    )
    await insert_receipt(writes, receipt)
    await record(writes, call, event)
    request = SubmitExchangeRequest(request_id=new_id(), case=exchange.case)
    return writes, request, SubmitExchangeResponse(exchange=exchange)


async def _load(owner: asyncpg.Connection, start: int, end: int) -> None:
    """Store exchanges by COPY as if they had come one every ten milliseconds until now."""
    now = time.time_ns() // 1_000_000
    for first in range(start, end, CHUNK):
        numbers = range(first, min(first + CHUNK, end))
        for table, columns, rows in _tables(numbers, now - (end - first) * 10):
            await owner.copy_records_to_table(table, columns=columns, records=rows)
    await owner.execute("VACUUM ANALYZE")


def _tables(numbers: Sequence[int], since_ms: int) -> Iterator[tuple[str, Sequence[str], Sequence[tuple[Any, ...]]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _COLUMNS}
    for start in range(0, len(numbers), PER_CASE):
        cases = numbers[start : start + PER_CASE]
        at = since_ms + (cases[0] - numbers[0]) * 10
        when = datetime.fromtimestamp(at / 1000, UTC)
        case, sender, recipient = _id(at), AGENCIES[cases[0] % 200], AGENCIES[(cases[0] + 7) % 200]
        rows["registered_case"].append((case, "t", sender, when))
        rows["obligation"].append((f"cases/{case}", case, recipient, True, when))
        rows["delivery_counter"].append((case, recipient, len(cases)))
        for place, number in enumerate(cases, start=1):
            made = at + (number - cases[0]) * 10
            then = datetime.fromtimestamp(made / 1000, UTC)
            exchange, event = _id(made), _id(made)
            rows["exchange"].append(
                (exchange, case, "LA001", sender, recipient, bytes(120), bytes(32), "DELIVERED", then, then)
            )
            rows["delivery"].append((_id(made), exchange, case, recipient, place, True, then, 1, then))
            rows["receipt"].append(
                (_id(made), exchange, "SUBMISSION", sender, event, then, bytes(700), bytes(64), bytes(32))
            )
            rows["request"].append((sender, "SubmitExchange", _id(made), bytes(32), bytes(200)))
            rows["outbox"].append((event, bytes(300), then, then))
    for name, columns in _COLUMNS.items():
        yield name, columns, rows[name]


_COLUMNS: dict[str, Sequence[str]] = {
    "registered_case": ("case_id", "title", "agency", "create_time"),
    "obligation": ("resource", "case_id", "agency", "joins", "fulfil_time"),
    "delivery_counter": ("case_id", "recipient", "last_sequence"),
    "exchange": (
        *("exchange_id", "case_id", "node", "sender", "recipient", "content", "sha256", "state"),
        *("submit_time", "deliver_time"),
    ),
    "delivery": (
        *("delivery_id", "exchange_id", "case_id", "recipient", "delivery_sequence", "fulfilled", "due_at", "attempt"),
        "acknowledge_time",
    ),
    "receipt": (
        *("receipt_id", "exchange_id", "kind", "agency", "event_id", "issue_time", "payload", "signature", "key_id"),
    ),
    "request": ("caller", "method", "request_id", "body_sha256", "response"),
    "outbox": ("event_id", "event", "created_at", "sent_at"),
}


def _id(at_ms: int) -> uuid.UUID:
    """Return a UUIDv7 of a past millisecond."""
    value = (at_ms << 80) | int.from_bytes(secrets.token_bytes(10), "big")
    return uuid.UUID(int=(value & ~(0xF << 76) & ~(0x3 << 62)) | (0x7 << 76) | (0x2 << 62))
