"""Revocation while 50 streams run: what is cut and what goes on, and how long it took (printed, not asserted)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio

from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, from_rpc_error
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.routing.v1 import collaboration_node_service_pb2, exchange_service_pb2
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from tests.support.mesh import Mesh, MeshOf, fingerprint
from tests.support.pki import COURT, POLICE

STREAMS_EACH = 25
TIMEOUT = 60.0
Metadata = list[tuple[str, str]]


async def until_cut(mesh: Mesh, metadata: Metadata) -> tuple[str, float]:
    """Hold a Receive stream open; returns why it ended and when."""

    async def messages() -> Any:
        yield exchange_service_pb2.ReceiveRequest(open=exchange_service_pb2.ReceiveOpen())
        await asyncio.Event().wait()

    stream = mesh.agency_stub("routing", ExchangeServiceStub).Receive(messages(), metadata=metadata)
    try:
        while await stream.read() is not grpc.aio.EOF:
            pass
    except (CaseMeshError, grpc.aio.AioRpcError) as error:
        failure = error if isinstance(error, CaseMeshError) else from_rpc_error(error)
        return failure.reason, time.monotonic()
    finally:
        stream.cancel()
    return "ended", time.monotonic()


async def until_refused(call: Callable[[], Awaitable[Any]]) -> float:
    """Repeat a call until it is refused; returns when."""
    while True:
        try:
            await call()
        except CaseMeshError:
            return time.monotonic()
        await asyncio.sleep(0.02)


async def test_a_revoked_certificate_and_a_suspended_agency_cut_their_streams_and_no_others(
    mesh_of: MeshOf, record_property: Callable[[str, object], None]
) -> None:
    async with mesh_of("identity", "routing") as mesh:
        police, court = await mesh.enrol(POLICE, "GA"), await mesh.enrol(COURT, "FY")
        by_agency = {agency.code: await mesh.metadata(agency) for agency in (police, court)}
        streams = {
            code: [asyncio.create_task(until_cut(mesh, metadata)) for _ in range(STREAMS_EACH)]
            for code, metadata in by_agency.items()
        }
        pipeline = mesh.servers["routing"].pipeline
        async with asyncio.timeout(TIMEOUT):
            while len(pipeline._streams) < 2 * STREAMS_EACH:
                await asyncio.sleep(0.05)

        admin = mesh.operator("identity", DirectoryAdminServiceStub)
        nodes = mesh.agency_stub("routing", CollaborationNodeServiceStub)
        certificate = f"{police.name}/certificates/{fingerprint(police.credentials.directory / 'tls.pem').hex()}"
        revoke = admin_pb2.RevokeRequest(request_id=new_id(), name=certificate, reason="key lost")
        suspend = admin_pb2.SuspendRequest(request_id=new_id(), name=court.name, reason="inquiry")
        for what, code, method, change in (
            ("certificate revoked", POLICE, admin.Revoke, revoke),
            ("agency suspended", COURT, admin.Suspend, suspend),
        ):
            request = collaboration_node_service_pb2.ListNodesRequest(page_size=1)
            metadata = by_agency[code]
            await method(change, timeout=TIMEOUT)
            since = time.monotonic()
            async with asyncio.timeout(TIMEOUT):
                refused_at = await until_refused(
                    lambda metadata=metadata, request=request: nodes.ListNodes(
                        request, metadata=metadata, timeout=TIMEOUT
                    )
                )
                outcomes = await asyncio.gather(*streams[code])
            assert {"STREAM_RIGHT_ENDED"} == {reason for reason, _ in outcomes}, what
            figures = {
                "what": what,
                "streams_cut": len(outcomes),
                "call_refused_after_seconds": round(refused_at - since, 3),
                "first_cut_after_seconds": round(min(at for _, at in outcomes) - since, 3),
                "last_cut_after_seconds": round(max(at for _, at in outcomes) - since, 3),
            }
            record_property(what, figures)
            print(json.dumps(figures))
            if code == POLICE:
                assert not any(stream.done() for stream in streams[COURT])
