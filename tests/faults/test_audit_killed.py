"""kill -9 of a writer of the log while its batch is half written, other replicas beside it; then the whole check."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.audit.fsck.checking import check_log
from casemesh.audit.fsck.reading import DatabaseLogReader
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.sequencer import Sequencer
from casemesh.audit.store import LogStore
from casemesh.client.notes import NoteSigner, open_checkpoint
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import ServiceDatabase
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.log_writer import made_events
from tests.support.postgres import clone_database

KEY = bytes(range(32))
SIGNER = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.from_private_bytes(KEY))
ROOT = Path(__file__).resolve().parents[2]
GATE = 4242
HELD_AT_THE_GATE = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event = 'advisory'"


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres) -> AsyncIterator[ServiceDatabase]:
    async with clone_database(
        embedded_postgres, "audit", lambda dsn: migrate(dsn, "audit", "casemesh_audit_runtime")
    ) as made:
        yield made


async def replica(pool: Database) -> Sequencer:
    sequencer = Sequencer(LogStore(pool), SIGNER, LastCheckpoint(None), SystemClock())
    await sequencer.open()
    return sequencer


async def test_a_writer_killed_with_its_batch_half_written_leaves_nothing_of_it_and_others_go_on(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, tmp_path: Path
) -> None:
    pool = Database(database.runtime_dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=4))
    await pool.open()
    admin = await asyncpg.connect(embedded_postgres.admin_dsn(database.name))
    gate = await asyncpg.connect(embedded_postgres.admin_dsn(database.name))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.log_writer",
        database.runtime_dsn, KEY.hex(), SIGNER.name, str(tmp_path / "last"),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        durable: list[str] = []
        while len(durable) < 9:
            durable += json.loads(await process.stdout.readline()).get("durable", [])
        # Entries and events of the next batch are in when its checkpoint is to be; there it is held, and killed.
        await gate.execute(f"SELECT pg_advisory_lock({GATE})")
        await admin.execute(
            f"CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$"
        )
        await admin.execute("CREATE TRIGGER hold BEFORE INSERT ON checkpoint FOR EACH ROW EXECUTE FUNCTION hold()")
        while not await admin.fetchval(HELD_AT_THE_GATE, database.name):
            await admin.execute("SELECT pg_sleep(0.01)")
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        lines = [json.loads(line) for line in (await process.stdout.read()).decode().splitlines()]
        durable += [event for line in lines for event in line.get("durable", [])]
        [interrupted] = [line["trying"] for line in lines if "trying" in line and not {*line["trying"]} & {*durable}]
        await gate.execute(f"SELECT pg_advisory_unlock({GATE})")

        replicas = [await replica(pool) for _ in range(3)]
        case = f"cases/{new_id()}"
        racing = [made_events(case) for _ in range(12)]
        await asyncio.gather(*(replicas[number % 3].append([batch]) for number, batch in enumerate(racing)))

        async with LogStore(pool).locked() as locked:
            assert {*durable} == {*await locked.logged(durable)}
            assert {} == await locked.logged(interrupted)
            assert len(durable) + len(racing) == locked.head.size
        kept = open_checkpoint((tmp_path / "last").read_text(encoding="utf-8"), SIGNER.verifier_key)
        assert [] == (await check_log(DatabaseLogReader(pool), SIGNER.verifier_key, [kept])).findings
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await gate.close()
        await admin.close()
        await pool.close()
