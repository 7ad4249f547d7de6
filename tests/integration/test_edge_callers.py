"""Who gets past which door: every certificate of the mesh and an agency's, at every method, over mTLS."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from casemesh.core.ids import new_id
from casemesh.errors import from_rpc_error
from casemesh.local.envoy import AGENCY_SERVICES
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import PolicyTable
from tests.support.mesh import Mesh, MeshOf, forwarded
from tests.support.pki import POLICE, SYSTEM

TIMEOUT = 10.0
SERVICES = ("identity", "translation", "dossier", "routing", "audit", "supervision")
PEERS = ("gateway", "operator", "monitor", *SERVICES)
FROM_OUTSIDE = {entry.grpc_service for entry in AGENCY_SERVICES}
HEALTH = "grpc.health.v1.Health/Check"


def policies(service: str) -> PolicyTable:
    table: PolicyTable = importlib.import_module(f"casemesh.{service}.policy").POLICIES
    return table


def peer_name(peer: Peer) -> str:
    return peer.value.rpartition("/")[2]


@pytest.fixture
async def mesh(mesh_of: MeshOf) -> AsyncIterator[Mesh]:
    async with mesh_of(*SERVICES) as running:
        yield running


async def reason_of(channel: grpc.aio.Channel, method: str, metadata: Any) -> str:
    """How a call with an empty request ends, as a stream, since every kind of call can be made as one."""
    call = channel.stream_stream(f"/{method}")(iter([b""]), metadata=metadata, timeout=TIMEOUT)
    try:
        await call.read()
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return "answered"


async def test_at_every_method_of_every_service_only_the_callers_of_the_table_get_past_the_door(mesh: Mesh) -> None:
    metadata = forwarded(mesh.pki.layout.system(POLICE, SYSTEM).certificate)
    expected = {
        (service, method): {peer_name(peer) for peer in row.callers}
        for service in SERVICES
        for method, row in policies(service).items()
    }
    passed: dict[tuple[str, str], set[str]] = {key: set() for key in expected}
    for service in SERVICES:
        for peer in PEERS:
            channel = mesh.channel(service, peer)
            for method in policies(service):
                if await reason_of(channel, method, metadata) != "CALLER_NOT_ALLOWED":
                    passed[service, method].add(peer)
    assert expected == passed
    for service in SERVICES:
        found = {peer: await reason_of(mesh.channel(service, peer), HEALTH, ()) for peer in PEERS}
        assert {"operator", "monitor"} == {peer for peer, reason in found.items() if reason == "answered"}
        unknown = f"casemesh.{service}.v1.NoService/NoMethod"
        assert "UNKNOWN" == await reason_of(mesh.channel(service, "gateway"), unknown, ())


# The tables against what they are meant to say: which kinds of caller a kind of service has at all.
@pytest.mark.parametrize("service", SERVICES)
def test_the_gateway_is_let_in_where_agencies_may_call_and_nowhere_else(service: str) -> None:
    open_to_agencies = {method for method, row in policies(service).items() if Peer.GATEWAY in row.callers}
    assert {method for method in policies(service) if method.rpartition("/")[0] in FROM_OUTSIDE} == open_to_agencies


@pytest.mark.parametrize("service", SERVICES)
def test_the_monitor_looks_at_health_and_at_proofs_that_name_no_case(service: str) -> None:
    log = "casemesh.audit.v1.AuditQueryService"
    proofs = {f"{log}/{method}" for method in ("GetCheckpoint", "GetInclusionProof", "GetConsistencyProof")}
    proofs.add("casemesh.audit.v1.LogWitnessService/GetCosignedCheckpoint")
    assert {method for method, row in policies(service).items() if Peer.MONITOR in row.callers} <= proofs


async def test_around_the_gateway_there_is_no_way_and_behind_it_a_forwarding_header_is_one_and_whole(
    mesh: Mesh,
) -> None:
    await check_the_way_around(mesh)
    await check_forwarding_headers(mesh)


async def check_the_way_around(mesh: Mesh) -> None:
    files = mesh.pki.layout.system(POLICE, SYSTEM)
    trust = files.trust.read_bytes()
    nobody = grpc.ssl_channel_credentials(trust)
    agency = grpc.ssl_channel_credentials(trust, files.key.read_bytes(), files.certificate.read_bytes())
    for service in SERVICES:
        method = next(name for name, row in policies(service).items() if Peer.GATEWAY in row.callers)
        name = [("grpc.ssl_target_name_override", f"{service}.casemesh.svc")]
        for credentials in (agency, nobody):
            async with grpc.aio.secure_channel(mesh.addresses[service], credentials, options=name) as channel:
                for path in (f"/{method}", f"/{HEALTH}"):
                    with pytest.raises(grpc.aio.AioRpcError) as error:
                        await channel.unary_unary(path)(b"", metadata=forwarded(files.certificate), timeout=TIMEOUT)
                    assert grpc.StatusCode.UNAVAILABLE is error.value.code()


async def check_forwarding_headers(mesh: Mesh) -> None:
    (good,) = forwarded(mesh.pki.layout.system(POLICE, SYSTEM).certificate)
    refused = {
        "none": [],
        "two": [good, (good[0], f"Hash={'0' * 64}")],
        "injected": [(good[0], f"By=spiffe://mesh.casemesh/gateway;URI=spiffe://x/;{good[1]}")],
        "nonsense": [(good[0], f"Hash={new_id()}")],
    }
    for service in SERVICES:
        channel = mesh.channel(service, "gateway")
        method = next(name for name, row in policies(service).items() if Peer.GATEWAY in row.callers)
        for kind, metadata in refused.items():
            assert "FORWARDED_CERTIFICATE_INVALID" == await reason_of(channel, method, metadata), (service, kind)
        assert "FORWARDED_CERTIFICATE_INVALID" != await reason_of(channel, method, [good])
