"""The log with ten million entries: proofs, and appends against a log of ten thousand. By name only: loading takes
minutes and some 4 GB of disk.

Entries are made by COPY with random commitments, a case for every twenty of them; of their events there are none, since
neither proofs nor appends read those. CASEMESH_BENCH_ENTRIES says how many.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.audit import log_requests
from bench.figures import Report
from casemesh.audit.events import submitted
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.proofs import Proofs
from casemesh.audit.sequencer import Sequencer
from casemesh.audit.store import LogStore
from casemesh.audit.tiles import RightEdge
from casemesh.client.commitments import commitment_leaf
from casemesh.client.notes import Checkpoint, NoteSigner, sign_checkpoint
from casemesh.core.clock import SystemClock
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import provision
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database

FEW = 10_000
MANY = int(os.environ.get("CASEMESH_BENCH_ENTRIES", "10000000"))
PER_CASE = 20
CHUNK = 100_000
PROOFS = 1_000
BATCHES = 100
BATCH_CALLS = 4
CALL_EVENTS = 64
SIGNER = NoteSigner("bench.casemesh/audit", Ed25519PrivateKey.generate())


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with _database(Path(scratch)) as (database, owner):
            edge = await _load(owner, RightEdge(), FEW)
            few = await _append(database)
            edge = await _current_edge(database)
            await _load(owner, edge, MANY)
            await _prove(report, database)
            many = await _append(database)
    told = f"{BATCHES} batches of {BATCH_CALLS * CALL_EVENTS} events; {MANY} entries stored; without calls over mTLS"
    report.add("audit.scale.append.per_s", many, "1/s", n=BATCHES, against=f"{few:.0f} at {FEW}", conditions=told)
    report.add("audit.scale.append_ratio", many / few, "", n=BATCHES, conditions=told)


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[tuple[Database, asyncpg.Connection]]:
    postgres = EmbeddedPostgres(folder / "postgres")
    await asyncio.to_thread(postgres.start)
    try:
        dsns = (await provision(postgres.admin_dsn(), ["audit"], postgres.secrets_dir))["audit"]
        await migrate(dsns.owner_dsn, "audit", "casemesh_audit_runtime")
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


async def _load(owner: asyncpg.Connection, edge: RightEdge, until: int) -> RightEdge:
    """Fill the log up to `until` entries, and sign a checkpoint over them."""
    while edge.size < until:
        count = min(CHUNK, until - edge.size)
        noise = secrets.token_bytes(32 * count)
        commitments = [noise[at : at + 32] for at in range(0, len(noise), 32)]
        rows = []
        for offset, committed in enumerate(commitments):
            index = edge.size + offset
            # Cases of their own, so that what was appended in between does not share a number with them.
            case = f"cases/{uuid.UUID(int=1 << 120 | until << 40 | index // PER_CASE)}"
            rows.append((index, uuid.UUID(int=1 << 121 | index), case, index % PER_CASE + 1, committed))
        await owner.copy_records_to_table(
            "entry", records=rows, columns=("log_index", "event_id", "case_name", "case_sequence", "commitment")
        )
        edge, tiles = edge.extend(map(commitment_leaf, commitments))
        await owner.copy_records_to_table(
            "tile",
            records=[(tile.level, tile.index, tile.root, tile.hashes) for tile in tiles],
            columns=("level", "tile_index", "root", "hashes"),
        )
    note = sign_checkpoint(Checkpoint(SIGNER.name, edge.size, edge.root), SIGNER)
    await owner.execute("UPDATE log_state SET origin = $1, size = $2, root = $3", SIGNER.name, edge.size, edge.root)
    await owner.execute("INSERT INTO checkpoint (size, note) VALUES ($1, $2)", edge.size, note)
    await owner.execute("ANALYZE")
    return edge


async def _current_edge(database: Database) -> RightEdge:
    async with LogStore(database).locked() as locked:
        return await locked.right_edge()


async def _append(database: Database) -> float:
    """Return the events appended a second, batch after batch, as the service does behind its calls."""
    sequencer = Sequencer(LogStore(database), SIGNER, LastCheckpoint(None), SystemClock())
    await sequencer.open()
    requests = log_requests(CALL_EVENTS)
    batches = [[submitted(next(requests).events, "dossier") for _ in range(BATCH_CALLS)] for _ in range(BATCHES)]
    began = time.perf_counter()
    for batch in batches:
        await sequencer.append(batch)
    return BATCHES * BATCH_CALLS * CALL_EVENTS / (time.perf_counter() - began)


async def _prove(report: Report, database: Database) -> None:
    proofs = Proofs(LogStore(database), SIGNER.verifier_key)
    taken = []
    for _ in range(PROOFS):
        index = random.randrange(MANY)
        began = time.perf_counter()
        await proofs.inclusion(index, 0)
        taken.append(time.perf_counter() - began)
    told = f"random entries of {MANY}, each checked before it is given; the service's code and database, without a call"
    report.add("audit.proof.p50_ms", statistics.median(taken) * 1000, "ms", n=PROOFS, conditions=told)
    report.add("audit.proof.p95_ms", statistics.quantiles(taken, n=20)[-1] * 1000, "ms", n=PROOFS, conditions=told)
