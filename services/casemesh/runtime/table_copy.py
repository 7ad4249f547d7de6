"""All rows of a service's database, out to files and in from them, for backups.

Tables are found in the catalogue, not listed here: what a migration adds is in the next backup. Files hold rows in
PostgreSQL's text format, which later versions of it read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

_LEDGER = "schema_migration"
_TABLES = """
SELECT relname AS name, array_agg(attname ORDER BY attnum)::text[] AS columns
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> $1
AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
GROUP BY relname ORDER BY relname
"""
_REFERENCES = """
SELECT (SELECT relname FROM pg_class WHERE oid = conrelid) AS name,
       (SELECT relname FROM pg_class WHERE oid = confrelid) AS needs
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid
"""
_SEQUENCES = "SELECT sequencename AS name, last_value FROM pg_sequences WHERE schemaname = 'public'"
_MIGRATIONS = "SELECT origin, number, encode(sha256, 'hex') AS sha256 FROM schema_migration ORDER BY origin, number"
_CONNECT_SECONDS = 10.0


class RowsSnapshot:
    """The rows of one moment. Statements are the caller's constants, as with `Transaction`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def tables(self) -> list[tuple[str, list[str]]]:
        """Tables and their columns; each table comes after those it refers to."""
        return await _tables(self._connection)

    async def migrations(self) -> list[list[Any]]:
        """What the schema was made by."""
        return await _migrations(self._connection)

    async def sequences(self) -> dict[str, int]:
        """The last value of each sequence that was used; at least that of the snapshot's moment."""
        rows = await self._connection.fetch(_SEQUENCES)
        return {row["name"]: row["last_value"] for row in rows if row["last_value"] is not None}

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        """All rows of a statement."""
        rows: Sequence[Mapping[str, Any]] = await self._connection.fetch(sql, *arguments)
        return rows

    async def copy_out(self, table: str, columns: Sequence[str], file: Path) -> int:
        """Write a table's rows to a file; returns how many there are."""
        tag: str = await self._connection.copy_from_table(table, columns=columns, output=str(file))
        return int(tag.rsplit(" ", 1)[-1])


@asynccontextmanager
async def shared_lock(dsn: str, lock: int) -> AsyncIterator[None]:
    """Share an advisory lock while the body runs; it is waited for. Leaving the body fails where it was lost meanwhile,
    so that nobody takes for protected what was not."""
    connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
    try:
        await connection.execute("SELECT pg_advisory_lock_shared($1)", lock)
        yield
        await connection.execute("SELECT pg_advisory_unlock_shared($1)", lock)
    finally:
        await connection.close()


@asynccontextmanager
async def rows_snapshot(dsn: str) -> AsyncIterator[RowsSnapshot]:
    """A snapshot that stands while the body runs, as any role that may read all tables."""
    connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield RowsSnapshot(connection)
    finally:
        await connection.close()


class RowsTarget:
    """A database that rows are put into."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def tables(self) -> list[tuple[str, list[str]]]:
        """Tables and their columns; each table comes after those it refers to."""
        return await _tables(self._connection)

    async def migrations(self) -> list[list[Any]]:
        """What the schema was made by."""
        return await _migrations(self._connection)

    async def rows_in(self, table: str) -> int:
        """How many rows a table has."""
        count: int = await self._connection.fetchval(f"SELECT count(*) FROM {_quoted(table)}")  # noqa: S608 - quoted
        return count

    async def clear(self, table: str) -> None:
        """Remove a table's rows."""
        await self._connection.execute(f"DELETE FROM {_quoted(table)}")  # noqa: S608 - quoted

    async def copy_in(self, table: str, columns: Sequence[str], file: Path) -> int:
        """Add the rows of a file; returns how many."""
        tag: str = await self._connection.copy_to_table(table, columns=columns, source=str(file))
        return int(tag.rsplit(" ", 1)[-1])

    async def set_sequence(self, name: str, last_value: int) -> None:
        """Let a sequence go on behind a value."""
        await self._connection.execute("SELECT setval($1::text::regclass, $2)", _quoted(name), last_value)


@asynccontextmanager
async def rows_target(owner_dsn: str) -> AsyncIterator[RowsTarget]:
    """A database as its owner, in one transaction that an exception rolls back."""
    connection = await asyncpg.connect(owner_dsn, timeout=_CONNECT_SECONDS)
    try:
        async with connection.transaction():
            yield RowsTarget(connection)
    finally:
        await connection.close()


async def _migrations(connection: Any) -> list[list[Any]]:
    return [list(row) for row in await connection.fetch(_MIGRATIONS)]


async def _tables(connection: Any) -> list[tuple[str, list[str]]]:
    columns = {row["name"]: row["columns"] for row in await connection.fetch(_TABLES, _LEDGER)}
    needs: dict[str, set[str]] = {name: set() for name in columns}
    for row in await connection.fetch(_REFERENCES):
        needs[row["name"]].add(row["needs"])
    ordered: list[tuple[str, list[str]]] = []
    while needs:
        free = sorted(name for name, others in needs.items() if not others & needs.keys())
        if not free:
            raise RuntimeError(f"tables refer to each other in a circle: {', '.join(sorted(needs))}")
        ordered += [(name, columns[name]) for name in free]
        for name in free:
            del needs[name]
    return ordered


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
