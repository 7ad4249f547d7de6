"""Migrations, request ids and the outbox against the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from casemesh.audit.v1 import audit_append_service_pb2, event_pb2
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition, Unavailable
from casemesh.identity.v1.directory_admin_service_pb2 import CreateAgencyRequest, CreateAgencyResponse
from casemesh.identity.v1.directory_pb2 import Agency
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime import migrations
from casemesh.runtime.call import Call
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import Migration, MigrationError, migrate
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember
from tests.support.postgres import clone_database

ROLE = "casemesh_runtime_probe_runtime"
CALL = Call(
    "casemesh.test.v1.Service/Method", peer=Peer.OPERATOR, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"
)


def runtime_only(service: str) -> list[Migration]:
    return [migration for migration in migrations.migrations_of("identity") if migration.origin == "runtime"]


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Database]:
    async def apply(owner_dsn: str) -> None:
        connection = await asyncpg.connect(owner_dsn)
        for migration in runtime_only("identity"):
            await connection.execute(migration.sql.replace("{runtime_role}", ROLE))
        await connection.close()

    async with clone_database(embedded_postgres, "runtime_probe", apply) as made:
        (tmp_path / "dsn").write_text(made.runtime_dsn)
        opened = Database.from_config(DatabaseConfig(tmp_path / "dsn", pool_size=4))
        await opened.open()
        yield opened
        await opened.close()


def request(code: str = "beihu", request_id: str | None = None) -> CreateAgencyRequest:
    return CreateAgencyRequest(request_id=request_id or new_id(), code=code, display_name="invented", organ="GA")


async def create(
    database: Database, body: CreateAgencyRequest, made: list[str], *, fail: bool = False
) -> CreateAgencyResponse:
    """A mutation as services write them."""
    async with database.transaction() as transaction:
        stored = await recall(transaction, CALL, body, CreateAgencyResponse)
        if stored is not None:
            return stored
        if fail:
            raise RuntimeError
        made.append(body.code)
        answer = CreateAgencyResponse(agency=Agency(name=f"agencies/{new_id()}", code=body.code))
        await remember(transaction, CALL, body, answer)
        return answer


async def failing_body(database: Database) -> None:
    async with database.transaction():
        raise OSError("disk")


async def test_a_repeated_request_gets_the_first_answer_and_has_one_effect(database: Database) -> None:
    made: list[str] = []
    body = request()
    first = await create(database, body, made)
    assert first == await create(database, body, made)
    assert made == ["beihu"]


async def test_concurrent_repeats_have_one_effect(database: Database) -> None:
    made: list[str] = []
    body = request()
    answers = await asyncio.gather(*(create(database, body, made) for _ in range(8)))
    assert len(made) == 1
    assert all(answer == answers[0] for answer in answers)


async def test_a_request_id_with_another_body_is_refused(database: Database) -> None:
    body = request()
    await create(database, body, [])
    with pytest.raises(FailedPrecondition) as error:
        await create(database, request("nanshan", body.request_id), [])
    assert ("REQUEST_ID_REUSED", body.request_id) == (error.value.reason, error.value.metadata["request_id"])


async def test_of_two_transactions_that_wait_for_each_other_one_is_told_to_try_again(database: Database) -> None:
    begun = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> str:
        try:
            async with database.transaction() as transaction:
                await transaction.fetchval("SELECT pg_advisory_xact_lock($1)", first)
                await begun.wait()
                await transaction.fetchval("SELECT pg_advisory_xact_lock($1)", second)
        except Unavailable as error:
            return error.reason
        return "done"

    assert {"DATABASE_UNAVAILABLE", "done"} == set(await asyncio.gather(lock(1, 2), lock(2, 1)))


async def test_a_request_that_failed_may_be_repeated(database: Database) -> None:
    body = request()
    with pytest.raises(RuntimeError):
        await create(database, body, [], fail=True)
    made: list[str] = []
    await create(database, body, made)
    assert made == ["beihu"]


class FakeLog:
    """Takes events; refuses while `down`."""

    def __init__(self) -> None:
        self.events: list[event_pb2.Event] = []
        self.down = False
        self.refused = asyncio.Event()

    async def AppendEvents(
        self, batch: audit_append_service_pb2.AppendEventsRequest, timeout: float
    ) -> audit_append_service_pb2.AppendEventsResponse:
        if self.down:
            self.refused.set()
            raise Unavailable("DATABASE_UNAVAILABLE", "down")
        self.events.extend(batch.events)
        return audit_append_service_pb2.AppendEventsResponse()


async def write_event(database: Database, action: str = "test.thing.done", *, fail: bool = False) -> str:
    event = event_of(CALL, SystemClock(), action, "things/1")
    async with database.transaction() as transaction:
        await record(transaction, CALL, event)
        if fail:
            raise RuntimeError
    return event.event_id


async def relayed(database: Database, log: FakeLog, count: int) -> OutboxRelay:
    """Run a relay until the log has `count` events and none waits."""
    relay = OutboxRelay(database, log)  # type: ignore[arg-type]
    work = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(20):
            while len(log.events) < count or (await relay.lag())[0]:
                relay.wake()
                await asyncio.sleep(0.01)
    finally:
        work.cancel()
    return relay


async def test_events_reach_the_log_in_order_numbered_from_1_without_gaps(database: Database) -> None:
    ids = [await write_event(database) for _ in range(300)]
    log = FakeLog()
    await relayed(database, log, 300)
    assert ids == [event.event_id for event in log.events]
    assert list(range(1, 301)) == [event.source_sequence for event in log.events]


async def test_a_change_that_was_rolled_back_leaves_no_event_and_no_gap(database: Database) -> None:
    first = await write_event(database)
    with pytest.raises(RuntimeError):
        await write_event(database, fail=True)
    last = await write_event(database)
    log = FakeLog()
    await relayed(database, log, 2)
    assert [(first, 1), (last, 2)] == [(event.event_id, event.source_sequence) for event in log.events]


async def test_events_wait_while_the_log_is_down_and_keep_their_numbers(database: Database) -> None:
    log = FakeLog()
    log.down = True
    for _ in range(3):
        await write_event(database)
    relay = OutboxRelay(database, log)  # type: ignore[arg-type]
    work = asyncio.create_task(relay.run())
    async with asyncio.timeout(20):
        await log.refused.wait()
    assert (await relay.lag())[0] == 3
    work.cancel()
    log.down = False
    await relayed(database, log, 3)
    assert [event.source_sequence for event in log.events] == [1, 2, 3]


async def test_the_event_tells_who_did_it_and_carries_the_trace(database: Database) -> None:
    await write_event(database)
    row = await database.fetchrow("SELECT event, traceparent FROM outbox")
    assert row is not None
    assert CALL.traceparent == row["traceparent"]
    assert event_pb2.Event.FromString(row["event"]).actor.peer == "operator"


async def test_the_runtime_role_cannot_delete_what_waits_for_the_log(database: Database) -> None:
    await write_event(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute("DELETE FROM outbox")


async def test_a_database_that_is_gone_is_unavailable_and_comes_back(database: Database) -> None:
    with pytest.raises(Unavailable):
        await database.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await database.fetchval("SELECT 1") == 1


async def test_a_failure_of_the_body_is_not_blamed_on_the_database(database: Database) -> None:
    with pytest.raises(OSError, match="disk"):
        await failing_body(database)
    assert await database.fetchval("SELECT 1") == 1


async def test_migrations_apply_once_and_an_edited_one_is_refused(
    embedded_postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Migration("probe", 1, "0001_create_probe.sql", "CREATE TABLE probe (id int)")]
    monkeypatch.setattr(migrations, "migrations_of", lambda service: files)
    async with clone_database(embedded_postgres, "migration_probe") as made:
        assert files == await migrate(made.owner_dsn, "probe", "casemesh_migration_probe_runtime")
        assert await migrate(made.owner_dsn, "probe", "casemesh_migration_probe_runtime") == []
        files[0] = Migration("probe", 1, "0001_create_probe.sql", "CREATE TABLE probe (id bigint)")
        with pytest.raises(MigrationError, match=r"0001_create_probe\.sql was changed"):
            await migrate(made.owner_dsn, "probe", "casemesh_migration_probe_runtime")


async def test_a_failed_migration_leaves_nothing_behind(
    embedded_postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Migration("probe", 1, "0001_create_probe.sql", "CREATE TABLE half (id int); SELECT 1/0")]
    monkeypatch.setattr(migrations, "migrations_of", lambda service: files)
    async with clone_database(embedded_postgres, "migration_probe") as made:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(made.owner_dsn, "probe", "casemesh_migration_probe_runtime")
        connection = await asyncpg.connect(made.owner_dsn)
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        await connection.close()
