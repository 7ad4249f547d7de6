"""The one server builder: every service is the same host around its own servicers.

A service's main module says what it consists of (`Assembly`) from what the host gives it (`Host`); everything else,
from the certificate to the drain, is here.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.client.channel import Credentials, ReloadingChannel, open_channel
from casemesh.core.clock import Clock, SystemClock
from casemesh.identity.v1 import token_service_pb2
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.standing_service_pb2_grpc import StandingServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.runtime import logs, telemetry
from casemesh.runtime.access import Decider, InactivePart, RemoteDecider, ask_standing
from casemesh.runtime.config import DatabaseConfig, ServerConfig, TelemetryConfig, TlsConfig
from casemesh.runtime.gauges import Gauges, certificate_gauge, outbox_gauges, report_gauges
from casemesh.runtime.outbox import OutboxRelay
from casemesh.runtime.peers import Peer
from casemesh.runtime.pipeline import Pipeline
from casemesh.runtime.policy import CaseLocator, MethodPolicy, PolicyTable, Proof
from casemesh.runtime.postgres import Database
from casemesh.runtime.tls import CertificateFolder
from casemesh.runtime.tokens import FetchKeys, TokenVerifier
from casemesh.runtime.tracing_client import TracingChannel

log = structlog.get_logger(__name__)

_HOST_POLICIES: PolicyTable = {
    "grpc.health.v1.Health/Check": MethodPolicy({Peer.MONITOR: Proof.NOTHING, Peer.OPERATOR: Proof.NOTHING}),
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": MethodPolicy({Peer.OPERATOR: Proof.NOTHING}),
}
_JWKS_TIMEOUT_SECONDS = 3.0
ALIVE = "alive"
"""The name under which health says SERVING as long as the process answers, whatever its database does: a restart would
not mend that."""


@dataclass(frozen=True)
class HostConfig:
    """What every service's configuration has."""

    server: ServerConfig
    tls: TlsConfig
    database: DatabaseConfig
    peers: dict[str, str]
    """Addresses of other services by name, `host:port`; identity and audit for all but themselves."""
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)


@dataclass
class Assembly:
    """What a service consists of."""

    register: Sequence[Callable[[grpc.aio.Server], None]]
    """Adds each servicer to the server."""
    service_names: Sequence[str]
    """Full names of the gRPC services, for health and reflection."""
    policies: PolicyTable
    """A row per RPC; the host refuses to start when one is missing or too many."""
    locators: Mapping[str, CaseLocator] = field(default_factory=dict)
    """How resource names lead to their case."""
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """Work that runs until the host stops; one that fails stops the host."""
    fit: Callable[[], bool] = lambda: True
    """Whether the service may be sent calls, besides its database answering."""
    gauges: Callable[[], Awaitable[Mapping[str, float]]] | None = None
    """What the service can read of itself, by the names of `instruments`; asked every 15 s."""
    decider: Decider | None = None
    """Identity decides by itself; everyone else asks it."""
    inactive_part: InactivePart | None = None
    """Identity knows by itself who is active; everyone else asks it."""
    fetch_keys: FetchKeys | None = None
    """Identity has its own keys; everyone else fetches them."""
    close: Callable[[], Awaitable[None]] | None = None
    """Called after the last call has ended, before the database closes."""


class Host:
    """What a service is given: its database, its outbox, channels to others, the clock."""

    def __init__(self, name: str, config: HostConfig, clock: Clock | None = None) -> None:
        self.name = name
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.database = Database.from_config(config.database)
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._relay: OutboxRelay | None = None

    def channel_to(self, service: str) -> grpc.aio.Channel:
        """Return the channel to another service, whose certificate must name it.

        Raises KeyError when the configuration has no address for it.
        """
        if service not in self._channels:
            address, credentials = self.config.peers[service], Credentials(self.config.tls.directory)
            self._channels[service] = TracingChannel(
                ReloadingChannel(
                    lambda: open_channel(address, credentials, server_name=f"{service}.casemesh.svc"), credentials
                )
            )
        return self._channels[service]

    @property
    def outbox(self) -> OutboxRelay:
        """The relay of this service's outbox; `wake` it after a commit."""
        if self._relay is None:
            self._relay = OutboxRelay(self.database, AuditAppendServiceStub(self.channel_to("audit")))
        return self._relay

    def gauges(self, assembly: Assembly) -> Sequence[Gauges]:
        """Return what this process reads of itself."""
        found: list[Gauges] = [certificate_gauge(self.config.tls.directory, self.clock)]
        if self._relay is not None:
            found.append(outbox_gauges(self._relay, self.clock))
        if assembly.gauges is not None:
            found.append(assembly.gauges)
        return found

    async def fetch_keys(self) -> str:
        """Return identity's key set."""
        answer = await TokenServiceStub(self.channel_to("identity")).GetSigningKeys(
            token_service_pb2.GetSigningKeysRequest(), timeout=_JWKS_TIMEOUT_SECONDS
        )
        return answer.jwks_json

    async def close(self) -> None:
        """Close what was opened."""
        for channel in self._channels.values():
            await channel.close()
        await self.database.close()


Assemble = Callable[[Host], Awaitable[Assembly]]


@dataclass(frozen=True)
class RunningServer:
    """A server that serves."""

    port: int
    pipeline: Pipeline
    server: grpc.aio.Server


@asynccontextmanager
async def serving(
    name: str, config: HostConfig, assemble: Assemble, clock: Clock | None = None
) -> AsyncIterator[RunningServer]:
    """Serve until the body ends, then drain: NOT_SERVING, no new calls, open streams cut so that clients resume
    elsewhere, tasks awaited, database closed.

    Health starts NOT_SERVING and turns SERVING when the database answers.
    """
    host = Host(name, config, clock)
    await host.database.open()
    try:
        assembly = await assemble(host)
        policies = {**_HOST_POLICIES, **assembly.policies}
        verifier = TokenVerifier(assembly.fetch_keys or host.fetch_keys, host.clock)
        decider = assembly.decider or RemoteDecider(AccessServiceStub(host.channel_to("identity")))
        inactive_part = assembly.inactive_part or ask_standing(StandingServiceStub(host.channel_to("identity")))
        pipeline = Pipeline(config.server, policies, assembly.locators, verifier, decider, inactive_part, host.clock)
        server = grpc.aio.server(interceptors=[pipeline], options=_options(config.server))
        for register in assembly.register:
            register(server)
        health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        for service in ("", *assembly.service_names):
            await health.set(service, health_pb2.HealthCheckResponse.NOT_SERVING)
        await health.set(ALIVE, health_pb2.HealthCheckResponse.SERVING)
        probed = await _serve_health(config.server.health_listen, health)
        reflection.enable_server_reflection([*assembly.service_names, reflection.SERVICE_NAME], server)
        port = _bind(server, config)
        await server.start()
        tasks = [asyncio.create_task(work()) for work in assembly.background]
        tasks.append(asyncio.create_task(_report_health(host, health, assembly)))
        tasks.append(asyncio.create_task(report_gauges(host.gauges(assembly))))
        log.info("server.started", port=port)
        try:
            yield RunningServer(port, pipeline, server)
            _raise_failed(tasks)
        finally:
            await health.enter_graceful_shutdown()
            await asyncio.sleep(config.server.announce)
            pipeline.cut_streams()
            await server.stop(config.server.drain)
            if probed is not None:
                await probed.stop(None)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if assembly.close is not None:
                await assembly.close()
            log.info("server.stopped")
    finally:
        await host.close()


async def run(name: str, config: HostConfig, assemble: Assemble) -> None:
    """Serve until SIGTERM or SIGINT, or until background work fails."""
    logs.configure(name, config.telemetry.log_level)
    telemetry.configure(name, config.telemetry)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with serving(name, config, _stopping_when_work_fails(assemble, stop)):
            # What was imported and set up stays: the collector need not look through all of it again and again.
            gc.collect()
            gc.freeze()
            await stop.wait()
    finally:
        await asyncio.to_thread(telemetry.shut_down)


def _stopping_when_work_fails(assemble: Assemble, stop: asyncio.Event) -> Assemble:
    async def wrapped(host: Host) -> Assembly:
        assembly = await assemble(host)

        def guarded(work: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], Coroutine[Any, Any, None]]:
            async def run_work() -> None:
                try:
                    await work()
                except asyncio.CancelledError:
                    raise
                except Exception:
                    log.exception("background.failed")
                    stop.set()
                    raise

            return run_work

        assembly.background = [guarded(work) for work in assembly.background]
        return assembly

    return wrapped


def _raise_failed(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _report_health(host: Host, health: HealthServicer, assembly: Assembly) -> None:
    """Ask the database every few seconds; without its answer, or where the service is not fit, it is not ready."""
    while True:
        try:
            await host.database.fetchval("SELECT 1")
            fit = assembly.fit()
            status = health_pb2.HealthCheckResponse.SERVING if fit else health_pb2.HealthCheckResponse.NOT_SERVING
        except Exception:
            log.warning("health.database_unavailable")
            status = health_pb2.HealthCheckResponse.NOT_SERVING
        for service in ("", *assembly.service_names):
            await health.set(service, status)
        await asyncio.sleep(2.0)


async def _serve_health(address: str, health: HealthServicer) -> grpc.aio.Server | None:
    """Serve health and nothing else without TLS, where the configuration asks for it."""
    if not address:
        return None
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    if server.add_insecure_port(address) == 0:
        raise OSError(f"cannot listen on {address}; is another process there?")
    await server.start()
    return server


def _bind(server: grpc.aio.Server, config: HostConfig) -> int:
    port: int = server.add_secure_port(
        config.server.listen, CertificateFolder(config.tls.directory).server_credentials()
    )
    if port == 0:
        raise OSError(f"cannot listen on {config.server.listen}; is another process there?")
    return port


def _options(config: ServerConfig) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", config.max_message),
        ("grpc.max_send_message_length", config.max_message),
        # Without this a second server binds the same port in silence and takes half of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", 1000),
        ("grpc.max_metadata_size", 8 * 1024),
        ("grpc.absolute_max_metadata_size", 16 * 1024),
        ("grpc.server_handshake_timeout_ms", 5_000),
        ("grpc.max_connection_age_ms", int(config.connection_max_age * 1000)),
        ("grpc.max_connection_age_grace_ms", int(config.connection_age_grace * 1000)),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # One window for the whole of a heavy upload; the application's own window bounds what waits in memory.
        ("grpc.http2.lookahead_bytes", 8 * 1024 * 1024),
    ]
