"""What the machine itself takes for the same bytes: the disk, and a raw stream over the same hops."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.desk import Desk, gateway_channel
from bench.documents import MESSAGE_BYTES, pieces
from bench.raw_sink import METHOD, SERVICE
from casemesh.client.channel import Credentials, open_channel
from casemesh.client.dossier_upload import LocalDocument
from casemesh.dossier.packs.format import BLOCK_BYTES
from casemesh.dossier.packs.slabs import Slab, open_direct, write_at
from casemesh.local.envoy import EnvoyGateway
from casemesh.local.ports import free_port


def write_and_sync(documents: list[LocalDocument], target: Path) -> float:
    """Seconds to write the documents' bytes into one file and fsync it: what durability costs on this disk."""
    started = time.perf_counter()
    with target.open("wb", buffering=0) as out:
        for piece in pieces(documents):
            out.write(piece)
        os.fsync(out.fileno())
    elapsed = time.perf_counter() - started
    target.unlink()
    return elapsed


def write_uncached(documents: list[LocalDocument], target: Path) -> float:
    """Seconds to write the same bytes past the page cache and sync them: what the disk itself takes."""
    started = time.perf_counter()
    descriptor = open_direct(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    slab, position = Slab(MESSAGE_BYTES), 0
    for piece in pieces(documents):
        slab.view[: len(piece)] = piece
        length = -(-len(piece) // BLOCK_BYTES) * BLOCK_BYTES
        write_at(descriptor, slab.view[:length], position)
        position += length
    os.fdatasync(descriptor)
    elapsed = time.perf_counter() - started
    os.close(descriptor)
    target.unlink()
    return elapsed


async def stream_raw(
    desk: Desk, target: str, server_name: str, peer: str | None, documents: list[LocalDocument]
) -> float:
    """Seconds to send the documents' bytes to the sink over the same hops, in messages of 1 MiB."""
    raw = (
        gateway_channel(desk.addresses, target)
        if peer is None
        else open_channel(target, Credentials(Path(desk.addresses.pki) / "mesh" / peer), server_name=server_name)
    )
    async with raw:
        await raw.channel_ready()
        started = time.perf_counter()

        async def messages() -> AsyncIterator[bytes]:
            for piece in pieces(documents):
                yield piece

        call = raw.stream_stream(f"/{SERVICE}/{METHOD}")(messages())
        answers = [int.from_bytes(answer, "big") async for answer in call]
        if answers != [sum(document.path.stat().st_size for document in documents)]:
            raise RuntimeError(f"the sink counted {answers}")
        return time.perf_counter() - started


@dataclass
class Sink:
    """Where the raw sink is reached: straight, and through a gateway of its own."""

    direct: str
    gateway: str


@asynccontextmanager
async def raw_sink(desk: Desk) -> AsyncIterator[Sink]:
    """The raw sink in a process of its own, with the dossier service's certificate, behind an Envoy like the other."""
    pki = Path(desk.addresses.pki)
    async with AsyncExitStack() as stack:
        sink = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-m", "bench.raw_sink", str(pki / "mesh" / "dossier")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(_end, sink)
        assert sink.stdout is not None
        direct = f"127.0.0.1:{int(await asyncio.to_thread(sink.stdout.readline))}"
        services = {**desk.addresses.services, "dossier": direct}
        gateway = EnvoyGateway(pki.parent / "raw-gateway", pki=pki, port=free_port(), services=services)
        gateway.write()
        envoy = await asyncio.to_thread(subprocess.Popen, gateway.command(), stdout=subprocess.DEVNULL)
        stack.callback(_end, envoy)
        yield Sink(direct, f"127.0.0.1:{gateway.port}")


def _end(process: subprocess.Popen[Any]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    process.wait(10)
