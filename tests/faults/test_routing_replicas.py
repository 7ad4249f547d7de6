"""Two routing processes on one database: what one had leased when it was killed comes again from the other."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

from casemesh.client.channel import Credentials, open_channel
from casemesh.local.ports import free_port
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from casemesh.runtime.config import Duration
from tests.integration.test_routing_delivery import receiving
from tests.support.mesh import MeshOf
from tests.support.routing import ThreeOrgans, running_three_organs

LEASE_SECONDS = 2


@asynccontextmanager
async def second_replica(organs: ThreeOrgans) -> AsyncIterator[tuple[Process, Any]]:
    """Run routing once more, as a process of its own; yield it and a stub of its exchanges."""
    config, port = organs.mesh.directory / "config", free_port()
    text = (config / "routing.toml").read_text(encoding="utf-8")
    address = f"127.0.0.1:{port}"
    path = config / "routing-2.toml"
    path.write_text(f'lease = "{LEASE_SECONDS}s"\n' + text.replace(organs.mesh.addresses["routing"], address))
    with (config / "routing-2.log").open("wb") as log:
        command = (sys.executable, "-m", "casemesh.cli.daemon", "serve", "routing", "--config", str(path))
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    gateway = Credentials(organs.mesh.pki.layout.root / "mesh" / "gateway")
    channel = open_channel(address, gateway, server_name="routing.casemesh.svc")
    try:
        async with asyncio.timeout(60):
            while True:
                assert process.returncode is None, (config / "routing-2.log").read_text()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                writer.close()
                break
        yield process, ExchangeServiceStub(channel)
    finally:
        await channel.close()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_what_a_killed_replica_had_leased_comes_from_the_other_in_order_and_once(mesh_of: MeshOf) -> None:
    own: dict[str, Any] = {"routing": {"lease": Duration(LEASE_SECONDS * 10)}}
    async with running_three_organs(mesh_of, own=own) as organs, second_replica(organs) as (process, stub):
        case = await organs.register()
        for _ in range(3):
            await organs.submit(case)
        metadata = await organs.as_system(organs.procuratorate)
        other: Any = SimpleNamespace(exchanges=stub)
        async with AsyncExitStack() as streams:
            doomed = await streams.enter_async_context(receiving(other, metadata, most=3))
            first = await doomed.delivery()
            assert (1, 1) == (first.delivery_sequence, first.attempt)
            assert [2, 3] == [(await doomed.delivery()).delivery_sequence for _ in range(2)]
            surviving = await streams.enter_async_context(receiving(organs, metadata))
            await organs.submit(case)
            fourth = await surviving.delivery()
            assert 4 == fourth.delivery_sequence, "what one has leased the other does not get"
            doomed.acknowledge(first.name)
            assert first.name == (await doomed.next()).acknowledged

            process.send_signal(signal.SIGKILL)
            again = [await surviving.delivery() for _ in range(2)]
            assert [(2, 2), (3, 2)] == [(each.delivery_sequence, each.attempt) for each in again]
            stored = {each.name for each in (*again, fourth)}
            for name in stored:
                surviving.acknowledge(name)
            assert stored == {(await surviving.next()).acknowledged for _ in stored}
        assert [] == await organs.pull(organs.procuratorate)
        delivered = [event.resource for event in await organs.events() if event.action == "exchange.delivered"]
        assert 4 == len(delivered) == len(set(delivered))
