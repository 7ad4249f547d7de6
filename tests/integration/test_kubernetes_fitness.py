"""What services bring along for Kubernetes: health for a kubelet without a certificate, renewed certificates, a schema
that is awaited and not made."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

import asyncpg
import grpc
import grpc.aio
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from casemesh.client.channel import Credentials, ReloadingChannel, open_channel
from casemesh.core.ids import new_id
from casemesh.errors import PermissionDenied
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2 import GetAgencyRequest
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.local.ports import LOOPBACK, free_port
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import provision
from casemesh.runtime.migrations import await_schema, migrate, migrations_of, pending
from casemesh.runtime.tracing_client import TracingChannel
from tests.support.mesh import TIMEOUT, MeshOf

_SERVING = health_pb2.HealthCheckResponse.SERVING


async def test_health_and_nothing_else_stands_on_a_port_without_tls(mesh_of: MeshOf) -> None:
    address = f"{LOOPBACK}:{free_port()}"
    async with mesh_of("identity", server={"health_listen": address}), grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        alive = await health.Check(health_pb2.HealthCheckRequest(service="alive"), timeout=TIMEOUT)
        assert _SERVING == alive.status
        await _until(health.Watch(health_pb2.HealthCheckRequest(), timeout=TIMEOUT), _SERVING)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await DirectoryServiceStub(channel).GetAgency(GetAgencyRequest(), timeout=TIMEOUT)
        assert grpc.StatusCode.UNIMPLEMENTED is refused.value.code()


async def _until(watched: grpc.aio.UnaryStreamCall, wanted: int) -> None:
    async for answer in watched:
        if answer.status == wanted:
            return


async def test_a_stub_goes_on_with_a_renewed_certificate(mesh_of: MeshOf, tmp_path: Path) -> None:
    async with mesh_of("identity") as mesh:
        of = mesh.pki.layout.root / "mesh"
        folder = tmp_path / "tls"
        shutil.copytree(of / "monitor", folder)
        credentials = Credentials(folder)
        channel = TracingChannel(
            ReloadingChannel(
                lambda: open_channel(mesh.addresses["identity"], credentials, server_name="identity.casemesh.svc"),
                credentials,
            )
        )
        try:
            stub = DirectoryAdminServiceStub(channel)
            request = admin_pb2.CreateAgencyRequest(
                request_id=new_id(), code="beihu-police", display_name="北湖市公安局", organ="GA"
            )
            with pytest.raises(PermissionDenied):
                await stub.CreateAgency(request, timeout=TIMEOUT)
            for name in ("tls.key", "tls.pem"):
                (folder / f".{name}").write_bytes((of / "operator" / name).read_bytes())
                (folder / f".{name}").replace(folder / name)
            assert "beihu-police" == (await stub.CreateAgency(request, timeout=TIMEOUT)).agency.code
        finally:
            await channel.close()


async def test_a_schema_is_awaited_as_the_role_that_may_not_make_it(embedded_postgres: EmbeddedPostgres) -> None:
    made = await provision(embedded_postgres.admin_dsn(), ["awaited"], embedded_postgres.secrets_dir)
    database = made["awaited"]
    assert migrations_of("translation") == await pending(database.runtime_dsn, "translation")

    async def bring_up_to_date() -> None:
        await migrate(database.owner_dsn, "translation", "casemesh_awaited_runtime")

    said: list[str] = []
    tasks = []

    def announce(line: str) -> None:
        said.append(line)
        tasks.append(asyncio.create_task(bring_up_to_date()))

    await await_schema(database.runtime_dsn, "translation", within_seconds=60, announce=announce)
    await asyncio.gather(*tasks)
    assert said[0].startswith(f"waiting for {len(migrations_of('translation'))} migrations")
    assert [] == await pending(database.runtime_dsn, "translation")


async def test_the_database_of_a_cluster_lets_services_in_and_its_superuser_not(tmp_path: Path) -> None:
    addresses = [one.address for each in psutil.net_if_addrs().values() for one in each if one.family is socket.AF_INET]
    own_address = next((address for address in addresses if not address.startswith("127.")), None)
    if own_address is None:
        pytest.skip("this machine has no address but loopback, from which nobody is refused")
    postgres = EmbeddedPostgres(tmp_path / "postgres", networks=("0.0.0.0/0",))
    await asyncio.to_thread(postgres.start)
    try:
        made = (await provision(postgres.admin_dsn(), ["identity"], tmp_path / "passwords"))["identity"]
        # From this address the server sees a caller who is not on its loopback.
        elsewhere = made.runtime_dsn.replace(LOOPBACK, own_address)
        connection = await asyncpg.connect(elsewhere)
        assert "casemesh_identity_runtime" == await connection.fetchval("SELECT current_user")
        await connection.close()
        for refused in (postgres.admin_dsn("casemesh_identity"), made.runtime_dsn.replace(made.name, "postgres")):
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                await asyncpg.connect(refused.replace(LOOPBACK, own_address))
    finally:
        await asyncio.to_thread(postgres.stop)
