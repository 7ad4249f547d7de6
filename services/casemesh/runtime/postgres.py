"""The database of a service: a pool with time-outs, transactions, and driver errors turned into ours.

Rules the stores keep: no network I/O while a connection is held; COMMIT is never cancelled; an answer lost at COMMIT
is UNAVAILABLE, and the caller finds the outcome by its request id.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncpg

from casemesh.errors import CaseMeshError, Unavailable
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.telemetry import database_span

Row = asyncpg.Record
Taken = asyncpg.UniqueViolationError
"""An insert met a row with the same key; `constraint_name` says which."""
_PARAMETER = re.compile(r"\$(\d+)")

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What the driver says in the moment between a server's farewell and the end of its connection.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.TooManyConnectionsError,
    OSError,
    TimeoutError,
)


def database_unavailable(error: BaseException) -> CaseMeshError:
    """Return the error for a database that does not answer; the driver's words stay in the log."""
    return Unavailable(
        "DATABASE_UNAVAILABLE",
        f"the database does not answer ({type(error).__name__}); repeat with the same request_id",
    )


class Writes:
    """Statements that are sent as one: they commit together, in one round trip, where a transaction of as many
    statements takes two more than their number.

    Each sees the database as it was before all of them, so none may depend on what another of them wrote, but for what
    it reads from that one's `RETURNING` by its label. None may touch a row that another touches. `execute` takes what a
    Transaction takes, so that functions which only write need not know which of the two they are given.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[str, str]] = []
        self._arguments: list[Any] = []

    def __len__(self) -> int:
        return len(self._parts)

    async def execute(self, sql: str, *arguments: Any) -> int:
        """Add a statement. Nothing is known of its outcome."""
        self.add(f"part_{len(self._parts)}", sql, *arguments)
        return 0

    def add(self, label: str, sql: str, *arguments: Any) -> None:
        """Add a statement that later ones may read from by `label`."""
        self._parts.append((label, _shifted(sql, len(self._arguments))))
        self._arguments += arguments

    def as_one(self, answer: str) -> tuple[str, list[Any]]:
        """Return the one statement and its arguments. `answer` is the query over the labels that it answers with."""
        return f"WITH {', '.join(f'{label} AS ({sql})' for label, sql in self._parts)} {answer}", self._arguments


@lru_cache(maxsize=1024)
def _shifted(sql: str, by: int) -> str:
    """Return a statement with its parameters numbered from `by` + 1 on."""
    return _PARAMETER.sub(lambda match: f"${int(match[1]) + by}", sql.strip()) if by else sql.strip()


class Transaction:
    """An open transaction. Statements are SQL constants of a store with `$1`-style parameters."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[Row]:
        """Return all rows."""
        rows: Sequence[Row] = await _answered(_called(self._connection.fetch, sql, *arguments))
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = await _answered(_called(self._connection.fetchrow, sql, *arguments))
        return row

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first column of the first row, or None."""
        return await _answered(_called(self._connection.fetchval, sql, *arguments))

    async def execute(self, sql: str, *arguments: Any) -> int:
        """Run a statement and return how many rows it touched."""
        tag: str = await _answered(_called(self._connection.execute, sql, *arguments))
        last = tag.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def write(self, writes: Writes, answer: str = "SELECT 1") -> Row | None:
        """Carry out statements as one and return the first row of `answer`."""
        sql, arguments = writes.as_one(answer)
        return await self.fetchrow(sql, *arguments)

    async def executemany(self, sql: str, arguments: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row of arguments, in one round trip."""
        await _answered(_called(self._connection.executemany, sql, arguments))

    async def reset_session(self) -> None:
        """Drop what statements left in the session. Not within a transaction."""
        await self._connection.reset()

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows by COPY."""
        await _answered(_called(self._connection.copy_records_to_table, table, records=rows, columns=columns))


class Database:
    """A pool of connections to one database.

    Every method raises Unavailable (DATABASE_UNAVAILABLE) when the database does not answer in time; nothing else of
    the driver leaves, but integrity errors, which stores turn into errors of their own.
    """

    def __init__(self, dsn: str, config: DatabaseConfig) -> None:
        self._dsn = dsn
        self._config = config
        self._pool: asyncpg.Pool[Row] | None = None

    @classmethod
    def from_config(cls, config: DatabaseConfig) -> Database:
        """Return a database whose connection string is in the configured file. Call `open` before use."""
        return cls(Path(config.dsn_file).read_text(encoding="utf-8").strip(), config)

    async def open(self) -> None:
        """Connect."""
        self._pool = await _answered(
            asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=self._config.pool_size,
                timeout=self._config.acquire_timeout,
                reset=_leave_session,
                server_settings={
                    "statement_timeout": str(int(self._config.statement_timeout * 1000)),
                    "idle_in_transaction_session_timeout": "60000",
                    "timezone": "UTC",
                },
            )
        )

    async def close(self) -> None:
        """Close all connections; calls in flight get 5 seconds."""
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except (TimeoutError, *_LOST):
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Run the body in one transaction (read committed); an exception rolls it back.

        The commit runs to its end even when the call is cancelled, so that its outcome is known here.
        """
        with database_span("transaction"):
            connection = await self._acquire()
            released = False
            try:
                transaction = connection.transaction()
                await _answered(_begin(transaction))
                try:
                    yield Transaction(connection)
                except BaseException:
                    await _quietly(_roll_back(transaction))
                    raise
                finish = asyncio.ensure_future(self._commit(connection, transaction))
                released = True
                await _answered(asyncio.shield(finish))
            finally:
                if not released:
                    await self._release(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Transaction]:
        """Give a connection in autocommit: each statement is its own transaction. What the body left in the session,
        e.g. an advisory lock, ends with it."""
        async with self._one_statement() as transaction:
            try:
                yield transaction
            finally:
                await _quietly(transaction.reset_session())

    @asynccontextmanager
    async def _one_statement(self) -> AsyncIterator[Transaction]:
        with database_span("statement"):
            connection = await self._acquire()
            try:
                yield Transaction(connection)
            finally:
                await self._release(connection)

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[Row]:
        """Return all rows of one statement."""
        async with self._one_statement() as connection:
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        """Return the first row of one statement, or None."""
        async with self._one_statement() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first value of one statement, or None."""
        async with self._one_statement() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> int:
        """Run one statement and return how many rows it touched."""
        async with self._one_statement() as connection:
            return await connection.execute(sql, *arguments)

    async def write(self, writes: Writes, answer: str = "SELECT 1") -> Row | None:
        """Carry out statements as one, in a transaction of their own; return the first row of `answer`. Like any commit
        it is not cancelled once it is sent.

        Raises Taken where one of them inserts what is there.
        """
        sql, arguments = writes.as_one(answer)
        with database_span("write"):
            connection = await self._acquire()
            finish = asyncio.ensure_future(self._write(connection, sql, arguments))
            row: Row | None = await _answered(asyncio.shield(finish))
            return row

    async def _write(self, connection: Any, sql: str, arguments: Sequence[Any]) -> Any:
        try:
            return await connection.fetchrow(sql, *arguments)
        finally:
            await self._release(connection)

    async def _acquire(self) -> Any:
        if self._pool is None:
            raise RuntimeError("the database is not open")
        return await _answered(self._pool.acquire(timeout=self._config.acquire_timeout))

    async def _release(self, connection: Any) -> None:
        assert self._pool is not None
        # The driver shields it from the cancellation of who waits here.
        await _quietly(self._pool.release(connection))

    async def _commit(self, connection: Any, transaction: Any) -> None:
        try:
            await transaction.commit()
        finally:
            await self._release(connection)


async def _leave_session(connection: Any) -> None:
    """Do nothing: the pool's own reset is a round trip at every release, as long as a short statement itself.

    Transactions and single statements leave nothing in a session, and the driver still rolls back what is open.
    """


# On a connection that is closed already, asyncpg raises where these are called, not where they are awaited.
async def _called(method: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
    return await method(*arguments, **named)


async def _begin(transaction: Any) -> None:
    await transaction.start()


async def _roll_back(transaction: Any) -> None:
    await transaction.rollback()


async def _answered(step: Awaitable[Any]) -> Any:
    # Only what the driver does is turned: an OSError of the body's own is not the database's.
    try:
        return await step
    except _LOST as error:
        raise database_unavailable(error) from error


async def _quietly(step: Awaitable[Any]) -> None:
    # A connection that broke in the body breaks again here; the first error is the one to tell.
    try:
        await step
    except _LOST:
        return
