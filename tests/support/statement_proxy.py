"""A proxy before PostgreSQL that stops at a statement: before the server has it, or when it was carried out.

    async with StatementProxy.before(dsn) as proxy:
        stop = proxy.stop_at(b"COMMIT", number=2, carried_out=True, then=cut)
        ...                                   # work through proxy.dsn
        await stop.reached.wait()

Statements are found where the driver sends them in one piece, as asyncpg sends BEGIN and COMMIT.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_READ_BYTES = 1 << 16

Then = Callable[[], Awaitable[bool]]
"""What is done at the stop; says whether the connection goes on, or is cut."""


async def cut() -> bool:
    """Cut the connection."""
    return False


@dataclass
class Stop:
    """Where to stop: at the ``number``-th such statement from now on, over all connections to the named database."""

    statement: bytes
    number: int
    carried_out: bool
    then: Then
    database: bytes
    seen: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def meets(self, database: bytes, data: bytes) -> bool:
        if self.reached.is_set() or self.database not in database:
            return False
        self.seen += data.count(self.statement)
        return self.seen >= self.number


class StatementProxy:
    """Passes everything on unchanged until a stop is met."""

    def __init__(self, dsn: str) -> None:
        self._target = urlsplit(dsn)
        self._server: asyncio.Server | None = None
        self._stop: Stop | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, dsn: str) -> AsyncIterator[StatementProxy]:
        """A proxy before the server of this DSN."""
        proxy = cls(dsn)
        proxy._server = await asyncio.start_server(proxy._connect, "127.0.0.1", 0)
        try:
            yield proxy
        finally:
            proxy._server.close()
            for connection in list(proxy._connections):
                connection.cancel()
            await asyncio.gather(*proxy._connections, return_exceptions=True)

    def through(self, dsn: str) -> str:
        """A DSN of the same server, through the proxy."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        parts = urlsplit(dsn)
        user = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))

    def stop_at(self, statement: bytes, *, number: int = 1, carried_out: bool, then: Then, database: str = "") -> Stop:
        """Stop at a statement to come, in place of any stop before. ``carried_out``: when the server has answered."""
        self._stop = Stop(statement, number, carried_out, then, database.encode())
        return self._stop

    def go_on(self) -> None:
        """Stop nowhere any more."""
        self._stop = None

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        server_reader, server_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        answers: asyncio.Queue[Stop] = asyncio.Queue()
        pumps = [
            asyncio.create_task(self._statements(reader, server_writer, answers)),
            asyncio.create_task(self._answers(server_reader, writer, answers)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for side in (writer, server_writer):
                side.close()
                with suppress(OSError):
                    await side.wait_closed()
            self._connections.discard(task)

    async def _statements(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: asyncio.Queue[Stop]
    ) -> None:
        database = b""
        while data := await reader.read(_READ_BYTES):
            # The first message names the database.
            database = database or data
            stop = self._stop
            if stop is not None and stop.meets(database, data):
                stop.reached.set()
                if stop.carried_out:
                    answers.put_nowait(stop)
                elif not await stop.then():
                    return
            writer.write(data)
            await writer.drain()

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: asyncio.Queue[Stop]
    ) -> None:
        while data := await reader.read(_READ_BYTES):
            if not answers.empty() and not await answers.get_nowait().then():
                return
            writer.write(data)
            await writer.drain()
