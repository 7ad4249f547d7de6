"""The log on a real PostgreSQL: durable, numbered, signed, and stopped by what contradicts it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.audit.batching import Batcher
from casemesh.audit.events import Submitted, submitted
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.proofs import Proofs
from casemesh.audit.sequencer import Sequencer
from casemesh.audit.sequencing import Place
from casemesh.audit.store import LogStore
from casemesh.audit.tiles import TILE_WIDTH
from casemesh.audit.trails import Trails
from casemesh.audit.v1 import event_pb2
from casemesh.client.notes import NoteSigner, open_checkpoint
from casemesh.client.trail import verify_trail_bundle
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.core.merkle import verify_consistency, verify_inclusion
from casemesh.errors import AlreadyExists, CaseMeshError, FailedPrecondition, InvalidArgument
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import ServiceDatabase
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.postgres import clone_database

SIGNER = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.generate())
WAITS_FOR_LOCK = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
CASE = f"cases/{new_id()}"
OTHER_CASE = f"cases/{new_id()}"


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres) -> AsyncIterator[ServiceDatabase]:
    async with clone_database(
        embedded_postgres, "audit", lambda dsn: migrate(dsn, "audit", "casemesh_audit_runtime")
    ) as made:
        yield made


@pytest.fixture
async def store(database: ServiceDatabase) -> AsyncIterator[LogStore]:
    pool = Database(database.runtime_dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=4))
    await pool.open()
    yield LogStore(pool)
    await pool.close()


async def opened(store: LogStore, *, signer: NoteSigner = SIGNER, remembered: Path | None = None) -> Sequencer:
    sequencer = Sequencer(store, signer, LastCheckpoint(remembered), SystemClock())
    await sequencer.open()
    return sequencer


def events(*cases: str) -> list[Submitted]:
    made = []
    for case in cases:
        event = event_pb2.Event(event_id=new_id(), case=case, action="dossier.document.read")
        event.occur_time.GetCurrentTime()
        made.append(event)
    return submitted(made, "dossier")


async def appended(sequencer: Sequencer, *requests: list[Submitted]) -> list[Place]:
    outcomes = await sequencer.append(requests)
    places = []
    for outcome in outcomes:
        assert not isinstance(outcome, CaseMeshError)
        places += outcome
    return places


async def as_superuser(server: EmbeddedPostgres, database: ServiceDatabase, *statements: str) -> None:
    """What an administrator of the database can do behind the service's back."""
    connection = await asyncpg.connect(server.admin_dsn(database.name))
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_new_log_has_a_signed_checkpoint_over_nothing(store: LogStore) -> None:
    await opened(store)
    size, note = await store.latest_checkpoint()
    assert (size, open_checkpoint(note, SIGNER.verifier_key).size) == (0, 0)


async def test_appended_events_are_under_a_signed_checkpoint_and_prove_their_place(store: LogStore) -> None:
    sequencer = await opened(store)
    places = await appended(sequencer, events(CASE, OTHER_CASE, CASE, ""))
    assert [(place.log_index, place.case_sequence) for place in places] == [(0, 1), (1, 1), (2, 2), (3, 0)]
    head = (await Proofs(store, SIGNER.verifier_key).head()).checkpoint
    assert head.size == 4
    for place in places:
        leaf, proof, size = await Proofs(store, SIGNER.verifier_key).inclusion(place.log_index, 0)
        verify_inclusion(place.log_index, size, leaf, proof, head.root)


async def test_an_event_appended_again_has_one_effect(store: LogStore) -> None:
    sequencer = await opened(store)
    batch = events(CASE, CASE)
    first = await appended(sequencer, batch)
    await appended(sequencer, events(CASE))
    assert first == await appended(sequencer, batch)
    assert (await store.latest_checkpoint())[0] == 3


async def test_an_event_id_with_another_content_is_refused_and_leaves_no_gap(store: LogStore) -> None:
    sequencer = await opened(store)
    [first] = events(CASE)
    await appended(sequencer, [first])
    [other] = events(OTHER_CASE)
    changed = Submitted(first.event_id, other.case, other.fields, other.digest)
    outcomes = await sequencer.append([[changed], events(CASE)])
    assert isinstance(outcomes[0], AlreadyExists)
    assert isinstance(outcomes[1], list)
    assert outcomes[1][0].log_index == 1


async def test_proofs_hold_across_full_tiles_and_at_older_sizes(store: LogStore) -> None:
    sequencer = await opened(store)
    proofs = Proofs(store, SIGNER.verifier_key)
    roots = {}
    for _ in range(5):
        await appended(sequencer, events(*[CASE] * 130))
        head = (await proofs.head()).checkpoint
        roots[head.size] = head.root
    assert list(roots) == [130, 260, 390, 520, 650]
    for size, root in roots.items():
        for index in (0, TILE_WIDTH - 1, TILE_WIDTH, size - 1):
            if index < size:
                leaf, proof, _ = await proofs.inclusion(index, size)
                verify_inclusion(index, size, leaf, proof, root)
        consistency, newest = await proofs.consistency(size, 0)
        verify_consistency(size, newest, consistency, root, roots[650])


async def test_positions_outside_the_log_are_refused_by_field(store: LogStore) -> None:
    sequencer = await opened(store)
    await appended(sequencer, events(CASE, CASE))
    proofs = Proofs(store, SIGNER.verifier_key)
    for call, field in (
        (proofs.inclusion(2, 0), "log_index"),
        (proofs.inclusion(1, 1), "log_index"),
        (proofs.inclusion(0, 3), "tree_size"),
        (proofs.consistency(2, 1), "first_size"),
        (proofs.consistency(1, 3), "second_size"),
    ):
        with pytest.raises(InvalidArgument) as refused:
            await call
        assert (refused.value.reason, refused.value.metadata) == ("LOG_POSITION_INVALID", {"field": field})


async def test_replicas_that_append_in_turn_make_one_log(store: LogStore) -> None:
    replicas = [await opened(store) for _ in range(3)]
    requests = [events(CASE, OTHER_CASE) for _ in range(30)]
    await asyncio.gather(*(replicas[n % 3].append([request]) for n, request in enumerate(requests[:3])))
    for number, request in enumerate(requests[3:]):
        await appended(replicas[number % 3], request)
    assert (await Proofs(store, SIGNER.verifier_key).head()).checkpoint.size == 60
    assert await store.case_length(CASE) == 30


async def test_replicas_that_append_at_once_make_one_log(store: LogStore) -> None:
    replicas = [await opened(store) for _ in range(3)]

    async def append_many(replica: Sequencer) -> None:
        for _ in range(10):
            await appended(replica, events(CASE))

    await asyncio.gather(*(append_many(replica) for replica in replicas))
    stored = await store.case_events(CASE, after=0, until=100, limit=100)
    assert [event.case_sequence for event in stored] == list(range(1, 31))
    assert [event.log_index for event in stored] == list(range(30))


async def test_the_log_goes_on_after_a_restart(store: LogStore, tmp_path: Path) -> None:
    remembered = tmp_path / "last-checkpoint"
    await appended(await opened(store, remembered=remembered), events(*[CASE] * 300))
    [place] = await appended(await opened(store, remembered=remembered), events(CASE))
    assert (place.log_index, place.case_sequence) == (300, 301)
    assert remembered.read_text() == (await store.latest_checkpoint())[1]


async def test_a_log_of_another_name_or_key_is_refused(store: LogStore) -> None:
    await opened(store)
    with pytest.raises(FailedPrecondition, match=r"holds the log casemesh\.test/audit"):
        await opened(store, signer=NoteSigner("casemesh.test/other", SIGNER.key))
    with pytest.raises(FailedPrecondition, match="does not open with the key"):
        await opened(store, signer=NoteSigner(SIGNER.name, Ed25519PrivateKey.generate()))


ROLL_BACK = (
    "DELETE FROM entry WHERE log_index >= 2",
    "DELETE FROM event WHERE log_index >= 2",
    "DELETE FROM checkpoint WHERE size > 2",
)


async def rolled_back(server: EmbeddedPostgres, database: ServiceDatabase, store: LogStore) -> Sequencer:
    """A writer that signed three entries, on a database put back to an earlier, sound state of two."""
    sequencer = await opened(store)
    await appended(sequencer, events(CASE, CASE))
    head = (await Proofs(store, SIGNER.verifier_key).head()).checkpoint
    await appended(sequencer, events(CASE))
    move_head = f"UPDATE log_state SET size = 2, root = '\\x{head.root.hex()}'"
    await as_superuser(server, database, *ROLL_BACK, move_head)
    return sequencer


async def test_a_database_put_back_from_an_older_backup_stops_the_writer_that_remembers(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore
) -> None:
    sequencer = await rolled_back(embedded_postgres, database, store)
    for _ in range(2):
        with pytest.raises(FailedPrecondition, match="over 3 entries was signed; the database holds 2") as refused:
            await sequencer.append([events(CASE)])
        assert refused.value.reason == "LOG_CONTRADICTED"
    assert (await store.latest_checkpoint())[0] == 2


async def test_the_file_of_the_last_checkpoint_remembers_across_a_restart(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore, tmp_path: Path
) -> None:
    remembered = tmp_path / "last-checkpoint"
    sequencer = await rolled_back(embedded_postgres, database, store)
    remembered.write_text(sequencer._last.note or "")
    with pytest.raises(FailedPrecondition, match="over 3 entries was signed"):
        await opened(store, remembered=remembered)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET commitment = sha256('other') WHERE log_index = 299",
        "DELETE FROM entry WHERE log_index = 299",
        "UPDATE log_state SET size = size - 1",
        "UPDATE log_state SET root = sha256('other')",
        "DELETE FROM checkpoint WHERE size = 300",
        "DELETE FROM checkpoint",
        "UPDATE checkpoint SET note = replace(note, '300', '301')",
        "UPDATE tile SET root = sha256('other')",
        "DELETE FROM tile",
    ],
)
async def test_a_log_that_does_not_add_up_is_not_opened(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore, statement: str
) -> None:
    await appended(await opened(store), events(*[CASE] * 300))
    await as_superuser(embedded_postgres, database, statement)
    with pytest.raises(FailedPrecondition) as refused:
        await opened(store)
    assert refused.value.reason == "LOG_CONTRADICTED"


async def test_a_proof_that_would_not_hold_is_not_handed_out(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore
) -> None:
    await appended(await opened(store), events(*[CASE] * 5))
    await as_superuser(embedded_postgres, database, "UPDATE entry SET commitment = sha256('x') WHERE log_index = 2")
    proofs = Proofs(store, SIGNER.verifier_key)
    for index in range(5):
        with pytest.raises(FailedPrecondition, match="nothing is proved"):
            await proofs.inclusion(index, 0)


async def test_the_runtime_role_cannot_change_or_delete_what_was_logged(
    database: ServiceDatabase, store: LogStore
) -> None:
    await appended(await opened(store), events(CASE))
    statements = [
        f"{verb} {table}"
        for table, column in (("entry", "log_index"), ("event", "log_index"), ("tile", "level"), ("checkpoint", "size"))
        for verb, table in (
            ("DELETE FROM", table),
            ("TRUNCATE", table),
            ("UPDATE", f"{table} SET {column} = {column}"),
        )
    ]
    connection = await asyncpg.connect(database.runtime_dsn)
    try:
        for statement in [*statements, "DELETE FROM log_state", "INSERT INTO log_state (size, root) VALUES (1, '')"]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_owner_is_kept_from_changing_by_mistake(database: ServiceDatabase, store: LogStore) -> None:
    await appended(await opened(store), events(CASE))
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        for statement in ("DELETE FROM entry", "UPDATE event SET salt = salt", "TRUNCATE checkpoint CASCADE"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="written once"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_batch_that_fails_leaves_nothing_and_the_next_goes_on(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore
) -> None:
    sequencer = await opened(store)
    await appended(sequencer, events(CASE))
    await as_superuser(
        embedded_postgres,
        database,
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$",
        "CREATE TRIGGER fail BEFORE INSERT ON checkpoint FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    with pytest.raises(asyncpg.RaiseError):
        await sequencer.append([events(CASE)])
    await as_superuser(embedded_postgres, database, "DROP TRIGGER fail ON checkpoint")
    [place] = await appended(sequencer, events(CASE))
    assert (place.log_index, place.case_sequence) == (1, 2)


async def test_the_trail_of_a_case_verifies_offline_over_many_pieces(store: LogStore) -> None:
    sequencer = await opened(store)
    for _ in range(4):
        await appended(sequencer, events(*[CASE, OTHER_CASE] * 100))
    proofs = Proofs(store, SIGNER.verifier_key)
    trails = Trails(store, proofs, SIGNER.verifier_key, [])
    pieces = [piece async for piece in trails.bundle(CASE)]
    verified = verify_trail_bundle(b"".join(pieces), SIGNER.verifier_key, case=CASE)
    assert len(verified.events) == 400
    assert max(len(piece) for piece in pieces) <= 1 << 20


async def test_an_event_altered_in_the_database_stops_the_export(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore
) -> None:
    await appended(await opened(store), events(*[CASE] * 3))
    trails = Trails(store, Proofs(store, SIGNER.verifier_key), SIGNER.verifier_key, [])
    await as_superuser(
        embedded_postgres,
        database,
        "UPDATE event SET canonical_json = replace(encode(canonical_json, 'escape'), 'read', 'sent')::bytea "
        "WHERE log_index = 1",
    )
    with pytest.raises(FailedPrecondition, match="nothing is proved"):
        [piece async for piece in trails.bundle(CASE)]
    await as_superuser(embedded_postgres, database, "DELETE FROM event")
    with pytest.raises(FailedPrecondition, match="events 1-3 of the case are not there"):
        [piece async for piece in trails.bundle(CASE)]


async def test_pages_of_a_trail_end_where_it_ended_when_the_first_was_read(store: LogStore) -> None:
    sequencer = await opened(store)
    await appended(sequencer, events(*[CASE] * 5))
    trails = Trails(store, Proofs(store, SIGNER.verifier_key), SIGNER.verifier_key, [])
    seen, token = [], ""
    while True:
        page = await trails.page(CASE, 2, token)
        seen += [event.case_sequence for event in page.events]
        await appended(sequencer, events(CASE))
        token = page.next_page_token
        if not token:
            break
    assert seen == [1, 2, 3, 4, 5]
    with pytest.raises(InvalidArgument, match="page_token"):
        await trails.page(CASE, 2, "1")


async def test_many_callers_share_batches_and_each_gets_its_own_places(store: LogStore) -> None:
    batcher = Batcher((await opened(store)).append)
    running = asyncio.create_task(batcher.run())
    requests = [events(CASE, OTHER_CASE) for _ in range(200)]
    answers = await asyncio.gather(*(batcher.append(request) for request in requests))
    for request, places in zip(requests, answers, strict=True):
        assert [event.event_id for event in request] == [place.event_id for place in places]
    assert sorted(place.log_index for places in answers for place in places) == list(range(400))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_connection_lost_in_mid_batch_has_one_effect_when_repeated(
    embedded_postgres: EmbeddedPostgres, database: ServiceDatabase, store: LogStore
) -> None:
    sequencer = await opened(store)
    await appended(sequencer, events(CASE))
    batch = events(CASE, CASE)
    blocker = await asyncpg.connect(embedded_postgres.admin_dsn(database.name))
    admin = await asyncpg.connect(embedded_postgres.admin_dsn(database.name))
    try:
        async with blocker.transaction():
            await blocker.execute("SELECT 1 FROM log_state FOR UPDATE")
            attempt = asyncio.create_task(sequencer.append([batch]))
            while not (waiting := await admin.fetchval(WAITS_FOR_LOCK, database.name)):
                await admin.execute("SELECT pg_sleep(0.01)")
            await admin.fetchval("SELECT pg_terminate_backend($1)", waiting)
            with pytest.raises(CaseMeshError) as lost:
                await attempt
    finally:
        await blocker.close()
        await admin.close()
    assert lost.value.reason == "DATABASE_UNAVAILABLE"
    assert [place.log_index for place in await appended(sequencer, batch)] == [1, 2]
    assert [place.log_index for place in await appended(sequencer, batch)] == [1, 2]
