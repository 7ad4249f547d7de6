"""The whole platform on one machine: PKI, PostgreSQL, five services, the gateway and the trace backend, under one
supervisor.

Everything lies in one data folder and is kept between runs. What dies is started again. The addresses stand in
`platform.json` of that folder while it runs.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
from casemesh.local.children import Child
from casemesh.local.configuration import MachineLayout, make_keys, render
from casemesh.local.envoy import EnvoyGateway
from casemesh.local.ports import LOOPBACK, free_port, is_free, target_of
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import provision
from casemesh.local.shipped_packs import load_shipped_packs
from casemesh.local.traces import Collector
from casemesh.pki.authority import Pki
from casemesh.pki.names import CALLERS, GATEWAY, SERVICES, SIGNERS
from casemesh.runtime.migrations import migrate

READY_SECONDS = 60.0
DEFAULT_GATEWAY_PORT = 8443
"""Where agencies connect."""

Announce = Callable[[str], None]


class PlatformError(RuntimeError):
    """The platform cannot start or be used; the message says what to do."""


@dataclass(frozen=True)
class Addresses:
    """Where a running platform listens, all on loopback. A service of several replicas has the gRPC target of all."""

    gateway: str
    services: dict[str, str]
    traces: str
    otlp: str
    pki: str
    pid: int


def running_addresses(data: Path) -> Addresses:
    """Return the addresses of the platform that runs on `data`.

    Raises PlatformError when none does.
    """
    path = MachineLayout(data).platform
    try:
        addresses = Addresses(**json.loads(path.read_text(encoding="utf-8")))
        os.kill(addresses.pid, 0)
    except (OSError, ValueError, TypeError) as error:
        raise PlatformError(f"no platform runs on {data}; start one with `casemeshd up --data {data}`") from error
    return addresses


@asynccontextmanager
async def running_platform(
    data: Path,
    *,
    gateway_port: int = DEFAULT_GATEWAY_PORT,
    announce: Announce = lambda line: None,
    postgres_bin: Path | None = None,
    trace_one_in: int = 1,
    replicas: int = 1,
) -> AsyncIterator[Addresses]:
    """Run the platform on the folder `data` until the body ends; then stop all of it, the database last.

    `gateway_port` 0 takes a free one; one of `trace_one_in` traces is recorded; each service runs as `replicas`
    processes. Raises PlatformError when another platform runs on the folder or a process does not become ready.
    """
    layout = _own_folder(data)
    async with AsyncExitStack() as stack:
        stack.enter_context(_sole_user(layout))
        make_pki(layout, announce)
        make_keys(layout)
        announce("starting PostgreSQL")
        postgres = EmbeddedPostgres(layout.postgres, bin_dir=postgres_bin)
        await asyncio.to_thread(postgres.start)
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
        keeper = asyncio.create_task(_keep_postgres(postgres, announce))
        stack.push_async_callback(_cancel, keeper)
        databases = await provision(postgres.admin_dsn(), SERVICES, postgres.secrets_dir)
        for service in SERVICES:
            for applied in await migrate(databases[service].owner_dsn, service, f"casemesh_{service}_runtime"):
                announce(f"migrated {service}: {applied.name}")

        collector = Collector()
        await collector.start()
        stack.push_async_callback(collector.stop)
        otlp = f"http://127.0.0.1:{collector.otlp_port}"
        listening = {service: [f"{LOOPBACK}:{free_port()}" for _ in range(replicas)] for service in SERVICES}
        addresses = Addresses(
            gateway=f"{LOOPBACK}:{_gateway_port(gateway_port)}",
            services={service: target_of(each) for service, each in listening.items()},
            traces=f"http://127.0.0.1:{collector.http_port}",
            otlp=otlp,
            pki=str(layout.pki),
            pid=os.getpid(),
        )
        children = []
        for service in SERVICES:
            dsn_file = layout.config / f"{service}.dsn"
            _write_private(dsn_file, databases[service].runtime_dsn)
            for number, listen in enumerate(listening[service], start=1):
                name = service if number == 1 else f"{service}-{number}"
                config = layout.config / f"{name}.toml"
                text = render(
                    service,
                    layout,
                    name=name,
                    listen=listen,
                    dsn_file=dsn_file,
                    peers=addresses.services,
                    otlp_endpoint=otlp,
                    trace_one_in=trace_one_in,
                )
                _write_private(config, text)
                command = [sys.executable, "-m", "casemesh.cli.daemon", "serve", service, "--config", str(config)]
                children.append(_child(layout, name, command, announce))
        envoy = EnvoyGateway(
            layout.root / "gateway",
            pki=layout.pki,
            port=int(addresses.gateway.rpartition(":")[2]),
            services=addresses.services,
            otlp_port=collector.otlp_port,
        )
        envoy.write()
        children.append(_child(layout, "gateway", envoy.command(), announce))
        for child in children:
            await child.start()
            stack.push_async_callback(child.stop)
        announce("waiting for the services")
        await asyncio.gather(*(_ready(layout, name, each) for name in SERVICES for each in listening[name]))
        await _gateway_ready(addresses.gateway)
        announce(f"loaded {await load_packs(layout, addresses)} code packs")
        _write_private(layout.platform, json.dumps({**asdict(addresses)}, indent=2))
        stack.callback(layout.platform.unlink, missing_ok=True)
        yield addresses


def _child(layout: MachineLayout, name: str, command: list[str], announce: Announce) -> Child:
    def restarted(child: str, code: int) -> None:
        announce(f"{child} ended with {code} and is started again; see {layout.logs / child}.log")

    # Fork handlers of gRPC have no part here: the child is a program of its own at once.
    return Child(
        name, command, layout.logs / f"{name}.log", environment={"GRPC_ENABLE_FORK_SUPPORT": "0"}, on_restart=restarted
    )


async def _keep_postgres(postgres: EmbeddedPostgres, announce: Announce) -> None:
    """Start PostgreSQL again when it dies."""
    while True:
        await asyncio.sleep(0.5)
        if not postgres.running:
            announce("PostgreSQL ended and is started again")
            with suppress(Exception):
                # The next round tries again; the services answer UNAVAILABLE until then.
                await asyncio.to_thread(postgres.start)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _own_folder(data: Path) -> MachineLayout:
    layout = MachineLayout(data.resolve())
    layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return layout


@contextmanager
def _sole_user(layout: MachineLayout) -> Iterator[None]:
    descriptor = os.open(layout.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PlatformError(
                f"a platform already runs on {layout.root}; stop it or choose another --data"
            ) from error
        yield
    finally:
        os.close(descriptor)


def make_pki(layout: MachineLayout, announce: Announce) -> None:
    """Make the certificates of the mesh that are not there yet."""
    pki = Pki(layout.pki)
    if not pki.layout.authority("mesh").key.exists():
        announce("making certificates")
        pki.create_mesh()
    for name in (*SERVICES, GATEWAY, *CALLERS):
        if not pki.layout.service(name).certificate.exists():
            pki.issue_service(name)
    for name in SIGNERS:
        if not pki.layout.signing(name).certificate.exists():
            pki.issue_signing(name)


def _gateway_port(wanted: int) -> int:
    if wanted == 0:
        return free_port()
    if not is_free(wanted):
        raise PlatformError(f"port {wanted} is taken; choose another with --port, or --port 0 for any")
    return wanted


async def _ready(layout: MachineLayout, service: str, address: str) -> None:
    """Wait until the service says SERVING."""
    credentials = Credentials(layout.pki / "mesh" / "monitor")
    channel = open_channel(address, credentials, server_name=f"{service}.casemesh.svc")
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2, wait_for_ready=True)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
                except grpc.aio.AioRpcError:
                    pass
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise PlatformError(
            f"{service} did not become ready in {READY_SECONDS:.0f} s; its log is {layout.logs / service}.log"
        ) from None
    finally:
        await channel.close()


async def load_packs(layout: MachineLayout, addresses: Addresses) -> int:
    """Load the shipped tables and maps as the platform's operator; return how many there are."""
    channel = open_channel(
        addresses.services["translation"],
        Credentials(layout.pki / "mesh" / "operator"),
        server_name="translation.casemesh.svc",
        interceptors=[ErrorInterceptor()],
    )
    try:
        return await load_shipped_packs(channel)
    finally:
        await channel.close()


async def _gateway_ready(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    _, writer = await asyncio.open_connection(host, int(port))
                    writer.close()
                    return
                except OSError:
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise PlatformError(f"the gateway did not listen on {address} in {READY_SECONDS:.0f} s") from None


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f"{path.suffix}.{uuid.uuid4().hex}")
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
