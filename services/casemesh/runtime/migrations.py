"""Migrations: numbered SQL files in the wheel, applied in order by the owner role, each in a transaction of its own.

The SHA-256 of an applied file is kept and compared: an edited one refuses the start. They expand before they
contract, so that version N runs on the schema of N+1. Services never migrate when they start.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

_LOCK = 7_221_990_001
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    origin text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, number)
)
"""


class MigrationError(RuntimeError):
    """The database and the files do not fit; the message names the file."""


@dataclass(frozen=True)
class Migration:
    """One file. `origin` is `runtime` for the tables every service has, or the service's name."""

    origin: str
    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        """Digest of the file's content."""
        return hashlib.sha256(self.sql.encode()).digest()


def migrations_of(service: str) -> list[Migration]:
    """Return the migrations of a service's database in order: the runtime's own, then the service's."""
    return [
        *_read("runtime", files("casemesh.runtime") / "migrations"),
        *_read(service, files(f"casemesh.{service}") / "migrations"),
    ]


async def migrate(owner_dsn: str, service: str, runtime_role: str) -> list[Migration]:
    """Bring a service's database up to date and return what was applied.

    In each file `{runtime_role}` stands for the role that the service runs as. Concurrent runs wait for each other.
    Raises MigrationError when an applied file was changed or is gone.
    """
    wanted = migrations_of(service)
    connection = await asyncpg.connect(owner_dsn, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_CREATE_LEDGER)
        # A service waits for its schema before it starts; see `pending`.
        await connection.execute(f"GRANT SELECT ON schema_migration TO {runtime_role}")
        rows = await connection.fetch("SELECT origin, number, name, sha256 FROM schema_migration")
        applied = {(row["origin"], row["number"]): row for row in rows}
        _compare(applied, wanted)
        new = [migration for migration in wanted if (migration.origin, migration.number) not in applied]
        for migration in new:
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '5s'")
                await connection.execute(migration.sql.replace("{runtime_role}", runtime_role))
                await connection.execute(
                    "INSERT INTO schema_migration (origin, number, name, sha256) VALUES ($1, $2, $3, $4)",
                    migration.origin,
                    migration.number,
                    migration.name,
                    migration.sha256,
                )
        return new
    finally:
        await connection.close()


async def pending(runtime_dsn: str, service: str) -> list[Migration]:
    """Return what this version needs and the database does not have yet, asked as the role that the service runs as.

    Raises the driver's errors and OSError when the database cannot be asked.
    """
    wanted = migrations_of(service)
    connection = await asyncpg.connect(runtime_dsn, timeout=10)
    try:
        rows = await connection.fetch("SELECT origin, number FROM schema_migration")
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return wanted
    finally:
        await connection.close()
    applied = {(row["origin"], row["number"]) for row in rows}
    return [migration for migration in wanted if (migration.origin, migration.number) not in applied]


async def await_schema(
    runtime_dsn: str, service: str, *, within_seconds: float, announce: Callable[[str], None] = lambda line: None
) -> None:
    """Return once the database has what this version needs; one that is ahead of it will do.

    Raises MigrationError when it has not in `within_seconds`. It migrates nothing.
    """

    async def missing() -> str:
        names = [migration.name for migration in await pending(runtime_dsn, service)]
        return f"waiting for {len(names)} migrations, the last {names[-1]}" if names else ""

    await _until_empty(missing, within_seconds, announce)


async def await_database(
    dsn: str, *, within_seconds: float, announce: Callable[[str], None] = lambda line: None
) -> None:
    """Return once the database lets this role in. Raises MigrationError when it does not in `within_seconds`."""

    async def missing() -> str:
        await (await asyncpg.connect(dsn, timeout=10)).close()
        return ""

    await _until_empty(missing, within_seconds, announce)


async def _until_empty(
    missing: Callable[[], Awaitable[str]], within_seconds: float, announce: Callable[[str], None]
) -> None:
    said = ""
    try:
        async with asyncio.timeout(within_seconds):
            while True:
                try:
                    now = await missing()
                except (OSError, asyncpg.PostgresError) as error:
                    # The type alone: the driver's words may quote the connection string.
                    now = f"the database does not answer ({type(error).__name__})"
                if not now:
                    return
                if now != said:
                    announce(now)
                    said = now
                await asyncio.sleep(1)
    except TimeoutError:
        raise MigrationError(
            f"{said or 'the database does not answer'}; gave up after {within_seconds:.0f} s"
        ) from None


def _compare(applied: dict[tuple[str, int], asyncpg.Record], wanted: Sequence[Migration]) -> None:
    known = {(migration.origin, migration.number): migration for migration in wanted}
    for key, row in applied.items():
        if key not in known:
            # A database ahead of this version is lawful during a rolling update: migrations expand first.
            continue
        if known[key].sha256 != row["sha256"]:
            raise MigrationError(
                f"{row['name']} was changed after it was applied; put it back and add a new file instead"
            )


def _read(origin: str, folder: Traversable) -> list[Migration]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        match = _FILE.fullmatch(entry.name)
        if match is None:
            continue
        found.append(Migration(origin, int(match[1]), entry.name, entry.read_text(encoding="utf-8")))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations of {origin} must be numbered 0001, 0002, ... without gaps, not {numbers}")
    return found
