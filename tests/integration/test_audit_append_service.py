"""AppendEvents over real mTLS: who may append, under which name, and what a caller is told."""

import json
from typing import Any

import asyncpg
import grpc.aio
import pytest

from casemesh.audit.v1 import audit_append_service_pb2 as append_pb2
from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import event_pb2
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.client.notes import VerifierKey, open_checkpoint
from casemesh.core.ids import new_id
from casemesh.core.merkle import verify_consistency, verify_inclusion
from casemesh.errors import AlreadyExists, InvalidArgument, PermissionDenied
from tests.support.mesh import Mesh, MeshOf

CASE = f"cases/{new_id()}"
TIMEOUT = 10.0


def event(case: str = CASE, **fields: Any) -> event_pb2.Event:
    made = event_pb2.Event(
        event_id=new_id(),
        case=case,
        action="dossier.document.read",
        actor=event_pb2.Actor(agency=f"agencies/{new_id()}"),
        **fields,
    )
    made.occur_time.GetCurrentTime()
    return made


async def append(mesh: Mesh, *events: event_pb2.Event, peer: str = "dossier") -> append_pb2.AppendEventsResponse:
    stub = AuditAppendServiceStub(mesh.channel("audit", peer))
    answer: append_pb2.AppendEventsResponse = await stub.AppendEvents(
        append_pb2.AppendEventsRequest(events=events), timeout=TIMEOUT
    )
    return answer


async def test_appended_events_are_proved_to_the_operator_with_the_logs_key_alone(mesh_of: MeshOf) -> None:
    async with mesh_of("audit") as mesh:
        query = mesh.operator("audit", AuditQueryServiceStub)
        empty = await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), timeout=TIMEOUT)
        key = VerifierKey.parse(empty.verifier_key)
        assert open_checkpoint(empty.note, key).size == 0

        first = await append(mesh, event(), event())
        assert [(place.log_index, place.case_sequence) for place in first.places] == [(0, 1), (1, 2)]
        before = open_checkpoint(
            (await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), timeout=TIMEOUT)).note, key
        )
        await append(mesh, event(), peer="routing")
        after = open_checkpoint(
            (await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), timeout=TIMEOUT)).note, key
        )

        proof = await query.GetInclusionProof(query_pb2.GetInclusionProofRequest(log_index=1), timeout=TIMEOUT)
        verify_inclusion(1, after.size, proof.leaf_hash, proof.hashes, after.root)
        consistency = await query.GetConsistencyProof(
            query_pb2.GetConsistencyProofRequest(first_size=before.size), timeout=TIMEOUT
        )
        verify_consistency(before.size, after.size, consistency.hashes, before.root, after.root)


async def test_an_event_bears_the_name_of_the_certificate_it_came_under(mesh_of: MeshOf) -> None:
    async with mesh_of("audit") as mesh:
        made = event()
        await append(mesh, made, peer="routing")
        with pytest.raises(AlreadyExists) as refused:
            await append(mesh, made, peer="dossier")
        assert refused.value.metadata == {"event_id": made.event_id}


async def test_the_same_request_again_gives_the_same_places(mesh_of: MeshOf) -> None:
    async with mesh_of("audit") as mesh:
        events = [event(), event("")]
        first = await append(mesh, *events)
        await append(mesh, event())
        assert first == await append(mesh, *events)


@pytest.mark.parametrize("peer", ["gateway", "operator", "monitor", "audit"])
async def test_only_the_services_append(mesh_of: MeshOf, peer: str) -> None:
    async with mesh_of("audit") as mesh:
        with pytest.raises(PermissionDenied) as refused:
            await append(mesh, event(), peer=peer)
        assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_a_service_reads_no_trail_without_an_agencys_token(mesh_of: MeshOf) -> None:
    async with mesh_of("audit") as mesh:
        await append(mesh, event())
        for peer in ("dossier", "operator", "monitor"):
            query = AuditQueryServiceStub(mesh.channel("audit", peer))
            with pytest.raises(PermissionDenied):
                await query.ListCaseEvents(query_pb2.ListCaseEventsRequest(case=CASE), timeout=TIMEOUT)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                _ = [piece async for piece in query.ExportTrail(query_pb2.ExportTrailRequest(case=CASE))]
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("events", "field"),
    [
        ([], "events"),
        ([event() for _ in range(257)], "events"),
        ([event(), event("cases/x")], "events[1].case"),
        ([event_pb2.Event(event_id="x")], "events[0].event_id"),
    ],
)
async def test_a_request_that_cannot_be_appended_names_its_field(
    mesh_of: MeshOf, events: list[event_pb2.Event], field: str
) -> None:
    async with mesh_of("audit") as mesh:
        with pytest.raises(InvalidArgument) as refused:
            await append(mesh, *events)
        assert field in [violation.field for violation in refused.value.violations]


async def test_a_large_event_is_kept_whole(mesh_of: MeshOf) -> None:
    async with mesh_of("audit") as mesh:
        note = "案" * 20_000
        await append(mesh, event(details={"note": note}))
        connection = await asyncpg.connect(mesh.databases["audit"].runtime_dsn)
        try:
            stored = await connection.fetchval("SELECT canonical_json FROM event")
        finally:
            await connection.close()
        assert json.loads(stored)["details"] == {"note": note}
