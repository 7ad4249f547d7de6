"""The services in one process on one loop: real mTLS, real PostgreSQL, no gateway process.

    async def test_x(mesh_of):
        async with mesh_of("identity", "routing") as mesh:
            await mesh.operator("identity", DirectoryAdminServiceStub).CreateAgency(...)

A client that holds the gateway's certificate and sets `x-forwarded-client-cert` itself stands in for Envoy; the tests
below `tests/integration/test_gateway_*` and `tests/e2e` go through the real one.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from casemesh.client.channel import Credentials, ReloadingChannel, open_channel
from casemesh.client.login_assertion import OfficerLogin, sign_assertion
from casemesh.client.purpose import Purpose
from casemesh.core.clock import Clock, SystemClock
from casemesh.core.ids import new_id
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import token_service_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.configuration import MachineLayout, make_keys, render
from casemesh.local.ports import free_port
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.pki.authority import Pki
from casemesh.pki.names import SERVICES
from casemesh.runtime.config import load
from casemesh.runtime.host import RunningServer, serving
from casemesh.runtime.migrations import migrate
from casemesh.runtime.tracing_client import TracingChannel
from tests.support.postgres import clone_database

TIMEOUT = 20.0


@dataclass
class Agency:
    """An enrolled agency with one system and any number of officers."""

    name: str
    code: str
    system: str
    credentials: Credentials
    officers: dict[str, str] = field(default_factory=dict)


@dataclass
class Mesh:
    """Running services and ways to call them."""

    pki: Pki
    directory: Path
    addresses: dict[str, str]
    databases: dict[str, Any]
    clock: Clock = field(default_factory=SystemClock)
    servers: dict[str, RunningServer] = field(default_factory=dict)
    _channels: list[grpc.aio.Channel] = field(default_factory=list)

    def channel(
        self, service: str, peer: str, interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
    ) -> grpc.aio.Channel:
        """Return a channel to a service with the certificate of `peer`: a service's name, gateway, operator or
        monitor."""
        credentials = Credentials(self.pki.layout.root / "mesh" / peer)

        def connect() -> grpc.aio.Channel:
            return open_channel(
                self.addresses[service],
                credentials,
                server_name=f"{service}.casemesh.svc",
                interceptors=interceptors,
            )

        channel = TracingChannel(ReloadingChannel(connect, credentials))
        self._channels.append(channel)
        return channel

    def operator(self, service: str, stub: Callable[[Any], Any]) -> Any:
        """Return a stub as the platform's operator."""
        return stub(self.channel(service, "operator"))

    async def enrol(self, code: str, organ: str, officers: Sequence[str] = ()) -> Agency:
        """Register an agency of the test PKI (it must have a system `cms`) with officers of the given names."""
        directory = self.operator("identity", DirectoryAdminServiceStub)
        agency = await directory.CreateAgency(
            admin_pb2.CreateAgencyRequest(request_id=new_id(), code=code, display_name=code, organ=organ),
            timeout=TIMEOUT,
        )
        credentials = Credentials(self.pki.layout.root / "agencies" / code / "systems" / "cms")
        system = await directory.CreateSystem(
            admin_pb2.CreateSystemRequest(
                request_id=new_id(),
                parent=agency.agency.name,
                display_name="cms",
                certificate_sha256=fingerprint(credentials.directory / "tls.pem"),
            ),
            timeout=TIMEOUT,
        )
        enrolled = Agency(agency.agency.name, code, system.system.name, credentials)
        for officer in officers:
            answer = await directory.CreateOfficer(
                admin_pb2.CreateOfficerRequest(request_id=new_id(), parent=enrolled.name, display_name=officer),
                timeout=TIMEOUT,
            )
            enrolled.officers[officer] = answer.officer.name
        return enrolled

    async def token(self, agency: Agency, officer: str | None = None) -> str:
        """Return a token for the agency's system, or for an officer of it, who has just logged in, by display name."""
        stub = TokenServiceStub(self.channel("identity", "gateway"))
        request = token_service_pb2.IssueTokenRequest(
            assertion=self.assertion(agency.credentials, agency.officers[officer]) if officer else ""
        )
        answer = await stub.IssueToken(
            request, metadata=forwarded(agency.credentials.directory / "tls.pem"), timeout=TIMEOUT
        )
        return str(answer.access_token)

    def assertion(self, credentials: Credentials, officer: str) -> str:
        """Return what the holder of a certificate states of an officer who has just logged in."""
        now = self.clock.now().timestamp()
        return sign_assertion(credentials, officer, OfficerLogin(now, "password"), now)

    async def metadata(self, agency: Agency, officer: str | None = None) -> list[tuple[str, str]]:
        """Return what a call of the agency carries behind the gateway: its certificate's hash and a token."""
        token = await self.token(agency, officer)
        purpose = Purpose("handling").metadata()
        return [*forwarded(agency.credentials.directory / "tls.pem"), ("authorization", f"Bearer {token}"), *purpose]

    def agency_stub(self, service: str, stub: Callable[[Any], Any]) -> Any:
        """Return a stub on the gateway's place; pass `metadata=await mesh.metadata(...)` with each call."""
        return stub(self.channel(service, "gateway"))

    async def close(self) -> None:
        """Close the channels that were opened."""
        for channel in self._channels:
            await channel.close()


def fingerprint(certificate: Path) -> bytes:
    """Return the SHA-256 of the DER form of the first certificate in a file."""
    leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    return hashlib.sha256(leaf.public_bytes(serialization.Encoding.DER)).digest()


def forwarded(certificate: Path) -> list[tuple[str, str]]:
    """Return the header the gateway sets for a client with this certificate."""
    return [("x-forwarded-client-cert", f"Hash={fingerprint(certificate).hex()}")]


MeshOf = Callable[..., AbstractAsyncContextManager[Mesh]]


@pytest.fixture
def mesh_of(mesh_pki: Pki, embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> MeshOf:
    """Start the named services; see the module. `server` changes every service's server, `own` one service's own keys
    by its name."""

    @asynccontextmanager
    async def start(
        *services: str,
        clock: Clock | None = None,
        server: Mapping[str, Any] | None = None,
        own: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> AsyncIterator[Mesh]:
        layout = MachineLayout(tmp_path / "machine")
        layout.config.mkdir(parents=True)
        (layout.root / "pki").symlink_to(mesh_pki.layout.root)
        make_keys(layout)
        addresses = {name: f"127.0.0.1:{free_port()}" for name in SERVICES}
        async with AsyncExitStack() as stack:
            mesh = Mesh(mesh_pki, layout.root, addresses, {}, clock or SystemClock())
            for name in services:
                database = await stack.enter_async_context(
                    clone_database(
                        embedded_postgres, name, lambda dsn, name=name: migrate(dsn, name, f"casemesh_{name}_runtime")
                    )
                )
                mesh.databases[name] = database
                dsn_file = layout.config / f"{name}.dsn"
                dsn_file.write_text(database.runtime_dsn)
                text = render(
                    name, layout, listen=addresses[name], dsn_file=dsn_file, peers=addresses, otlp_endpoint=""
                )
                path = layout.config / f"{name}.toml"
                path.write_text(text)
                config = load(path, importlib.import_module(f"casemesh.{name}.config").Config)
                config = replace(
                    config,
                    server=replace(config.server, **{"announce": 0.0, "drain": 1.0, **(server or {})}),
                    **(own or {}).get(name, {}),
                )
                assemble = importlib.import_module(f"casemesh.{name}.main").assemble
                mesh.servers[name] = await stack.enter_async_context(serving(name, config, assemble, clock))
            try:
                yield mesh
            finally:
                await mesh.close()

    return start
