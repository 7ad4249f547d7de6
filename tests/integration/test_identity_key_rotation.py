"""Rotation of the token key while calls run: none of them fails."""

from __future__ import annotations

import asyncio
from collections import deque

import jwt

from casemesh.identity.token_keyring import KEPT_AFTER, PUBLISHED_AHEAD, read_keys, rotate
from casemesh.identity.v1 import directory_service_pb2, token_service_pb2
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.configuration import MachineLayout
from casemesh.routing.v1 import collaboration_node_service_pb2
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from tests.support.clock import FakeClock
from tests.support.mesh import MeshOf, forwarded
from tests.support.pki import POLICE

TIMEOUT = 10.0
STEP_SECONDS = 20


async def test_no_call_fails_while_the_token_key_is_rotated_and_the_old_key_is_gone_afterwards(
    mesh_of: MeshOf,
) -> None:
    clock = FakeClock()
    async with mesh_of("identity", "routing", clock=clock) as mesh:
        police = await mesh.enrol(POLICE, "GA")
        certificate = forwarded(police.credentials.directory / "tls.pem")
        tokens = TokenServiceStub(mesh.channel("identity", "gateway"))
        directory = DirectoryServiceStub(mesh.channel("identity", "gateway"))
        nodes = CollaborationNodeServiceStub(mesh.channel("routing", "gateway"))
        folder = MachineLayout(mesh.directory).token_keys
        (first,) = read_keys(folder)
        clock.move(STEP_SECONDS)

        async def issue() -> str:
            answer = await tokens.IssueToken(
                token_service_pb2.IssueTokenRequest(), metadata=certificate, timeout=TIMEOUT
            )
            return str(answer.access_token)

        async def use(token: str) -> None:
            metadata = [*certificate, ("authorization", f"Bearer {token}")]
            await directory.ListAgencies(
                directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT
            )
            await nodes.ListNodes(
                collaboration_node_service_pb2.ListNodesRequest(page_size=1), metadata=metadata, timeout=TIMEOUT
            )

        # Each step uses a new token and every token that has not ended; 280 of 300 seconds are 14 steps.
        held: deque[str] = deque(maxlen=280 // STEP_SECONDS)
        await use(await issue())
        next_key = rotate(folder, clock.now())
        signed_by = []
        for _ in range(int((PUBLISHED_AHEAD + KEPT_AFTER).total_seconds()) // STEP_SECONDS + 2):
            held.append(await issue())
            signed_by.append(jwt.get_unverified_header(held[-1])["kid"])
            await asyncio.gather(*(use(token) for token in held))
            clock.move(STEP_SECONDS)
        assert [first.key.kid, next_key.key.kid] == list(dict.fromkeys(signed_by))
        answer = await tokens.GetSigningKeys(
            token_service_pb2.GetSigningKeysRequest(), metadata=certificate, timeout=TIMEOUT
        )
        assert first.key.kid not in answer.jwks_json
        assert next_key.key.kid in answer.jwks_json
