"""A trail carries what log witnesses cosigned, and is held to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import log_witness_service_pb2 as witness_pb2
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.audit.v1.log_witness_service_pb2_grpc import LogWitnessServiceStub
from casemesh.client.cosignatures import WitnessKey, cosign
from casemesh.client.notes import VerifierKey, open_checkpoint
from casemesh.client.trail import TrailError, verify_trail_bundle
from casemesh.core.ids import new_id
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb2
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.runtime.config import Duration
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import POLICE

TIMEOUT = 20.0
WITNESS, KEY = "police.test/witness", Ed25519PrivateKey.generate()
KNOWN = WitnessKey(WITNESS, KEY.public_key())


@pytest.fixture
async def mesh(mesh_of: MeshOf) -> AsyncIterator[Mesh]:
    policy = {"witnesses": (str(KNOWN),), "witness_quorum": 1, "cosigning_round": Duration(1)}
    async with mesh_of("identity", "audit", own={"audit": policy}) as made:
        yield made


async def exported(mesh: Mesh, police: Agency, case: str) -> tuple[bytes, VerifierKey]:
    query = mesh.agency_stub("audit", AuditQueryServiceStub)
    metadata = await mesh.metadata(police, "lin")
    call = query.ExportTrail(query_pb2.ExportTrailRequest(case=case), metadata=metadata, timeout=TIMEOUT)
    bundle = b"".join([piece.data async for piece in call])
    answer = await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), metadata=metadata, timeout=TIMEOUT)
    return bundle, VerifierKey.parse(answer.verifier_key)


async def test_a_trail_is_exported_with_the_newest_checkpoint_that_a_quorum_cosigned(mesh: Mesh) -> None:
    police = await mesh.enrol(POLICE, "GA", ["lin"])
    case = f"cases/{new_id()}"
    await CaseParticipationServiceStub(mesh.channel("identity", "routing")).AddParticipation(
        participation_pb2.AddParticipationRequest(
            request_id=new_id(), case=case, agency=police.name, officer=police.officers["lin"], cause=case
        ),
        timeout=TIMEOUT,
    )
    alone, key = await exported(mesh, police, case)
    assert () == verify_trail_bundle(alone, key, witnesses=[KNOWN]).cosigned_by
    with pytest.raises(TrailError, match="0 of the log witnesses"):
        verify_trail_bundle(alone, key, witnesses=[KNOWN], quorum=1)

    witness = mesh.agency_stub("audit", LogWitnessServiceStub)
    metadata = await mesh.metadata(police)
    size = 0
    async with asyncio.timeout(TIMEOUT):
        while not size:
            request = witness_pb2.GetCheckpointToCosignRequest()
            note = (await witness.GetCheckpointToCosign(request, metadata=metadata, timeout=TIMEOUT)).note
            size = open_checkpoint(note, key).size
            await asyncio.sleep(0.1)
    submission = witness_pb2.SubmitCosignatureRequest(
        tree_size=size, signature_line=cosign(note, WITNESS, KEY, time=1_700_000_000)
    )
    await witness.SubmitCosignature(submission, metadata=metadata, timeout=TIMEOUT)

    bundle, _ = await exported(mesh, police, case)
    verified = verify_trail_bundle(bundle, key, case=case, witnesses=[KNOWN], quorum=1)
    assert (WITNESS,) == verified.cosigned_by
    assert size < verified.checkpoint.size
