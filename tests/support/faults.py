"""Faults done to a running platform, each of which ends by itself and says when the platform should be well again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from casemesh.pki.authority import Pki
from tests.support.platform import RunningPlatform

_READ_BYTES = 1 << 16
_BACK_SECONDS = 60.0

Fault = Callable[[], Awaitable[None]]


@dataclass
class Line:
    """A TCP proxy: agencies' line to the gateway, which can be cut and can stand still."""

    target: str
    address: str = ""
    _connections: set[asyncio.Task[None]] = field(default_factory=set)
    _flows: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def to(cls, target: str) -> AsyncIterator[Line]:
        """A line to `target`, `host:port`."""
        line = cls(target)
        line._flows.set()
        server = await asyncio.start_server(line._connect, "127.0.0.1", 0)
        line.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield line
        finally:
            server.close()
            line.cut()
            await asyncio.gather(*line._connections, return_exceptions=True)

    def cut(self) -> None:
        """Cut every connection; new ones are taken."""
        for connection in list(self._connections):
            connection.cancel()

    async def stand_still(self, seconds: float) -> None:
        """Pass nothing on for a while, without a word to either side."""
        self._flows.clear()
        await asyncio.sleep(seconds)
        self._flows.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        host, _, port = self.target.rpartition(":")
        try:
            with suppress(OSError):
                inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
                try:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._pass_on(reader, inner_writer))
                        both.create_task(self._pass_on(inner_reader, writer))
                except* OSError:
                    pass
                finally:
                    inner_writer.transport.abort()
        except asyncio.CancelledError:
            # Cut from here; the server would report the task otherwise.
            return
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_READ_BYTES):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


class Faults:
    """What can be done to a platform, by name; `done` is what was, in order."""

    def __init__(self, platform: RunningPlatform, line: Line, replicas: int) -> None:
        self._platform = platform
        self._line = line
        self._pki = Pki(Path(platform.addresses.pki))
        self._replicas = replicas
        self.done: list[str] = []

    async def kill(self, name: str) -> None:
        """kill -9 of a process; returns once its successor runs."""
        self.done.append(f"kill {name}")
        victim = self._platform.process(name)
        victim.kill()
        await self._until(lambda: self._runs_anew(name, victim.pid))

    async def stop_for(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while: a process that neither answers nor is gone."""
        self.done.append(f"stop {name} for {seconds} s")
        victim = self._platform.process(name)
        os.kill(victim.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(victim.pid, signal.SIGCONT)

    async def cut_line(self) -> None:
        """Cut all connections between the agencies and the gateway."""
        self.done.append("cut the agencies' line")
        self._line.cut()

    async def hold_line(self, seconds: float) -> None:
        """Let the agencies' line stand still."""
        self.done.append(f"hold the agencies' line for {seconds} s")
        await self._line.stand_still(seconds)

    async def renew_certificate(self, name: str) -> None:
        """Put a new certificate in the place of a service's, or the gateway's."""
        self.done.append(f"renew the certificate of {name}")
        await asyncio.to_thread(self._pki.issue_service, name)

    def draw(self, source: random.Random, services: list[str]) -> Fault:
        """One fault of those that a platform of replicas should take in its stride, and of those it cannot hide."""
        service = source.choice(services)
        number = source.randint(1, self._replicas)
        replica = service if number == 1 else f"{service}-{number}"
        faults: list[Fault] = [
            lambda: self.kill(replica),
            lambda: self.stop_for(replica, 3.0),
            lambda: self.kill("gateway"),
            lambda: self.kill("postgres"),
            self.cut_line,
            lambda: self.hold_line(2.0),
            lambda: self.renew_certificate(source.choice([service, "gateway"])),
        ]
        return source.choices(faults, weights=[4, 3, 1, 1, 1, 1, 2])[0]

    def _runs_anew(self, name: str, old: int) -> bool:
        try:
            return self._platform.process(name).pid != old
        except (LookupError, psutil.Error):
            return False

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_BACK_SECONDS):
            while not condition():
                await asyncio.sleep(0.1)
