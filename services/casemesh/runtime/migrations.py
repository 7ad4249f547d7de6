"""Migrations: numbered SQL files in the wheel, applied in order by the owner role, each in a transaction of its own.

The SHA-256 of an applied file is kept and compared: an edited one refuses the start. They expand before they
contract, so that version N runs on the schema of N+1. Services never migrate when they start.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
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
