"""Rotation of the token key while calls run: none of them fails."""

from __future__ import annotations

import asyncio
from collections import deque

import jwt

from casemesh.audit.v1 import audit_query_service_pb2
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.errors import CaseMeshError
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
WORKERS = 12


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


async def test_calls_that_never_pause_run_through_two_rotations_without_a_failure(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", "audit", clock=clock) as mesh:
        police = await mesh.enrol(POLICE, "GA", ["lin"])
        certificate = forwarded(police.credentials.directory / "tls.pem")
        directory = DirectoryServiceStub(mesh.channel("identity", "gateway"))
        log = AuditQueryServiceStub(mesh.channel("audit", "gateway"))
        folder = MachineLayout(mesh.directory).token_keys
        failures: list[str] = []
        calls = [0] * WORKERS
        signed_by: dict[str, None] = {}
        done = asyncio.Event()

        async def work(worker: int) -> None:
            """As a client does: one token for four fifths of its life, then another. In every step somebody renews."""
            token, used_until, use_for = "", 0.0, STEP_SECONDS * (worker + 1)
            while not done.is_set():
                if clock.monotonic() >= used_until:
                    token = await mesh.token(police, "lin" if worker % 2 else None)
                    used_until, use_for = clock.monotonic() + use_for, 240
                    signed_by[jwt.get_unverified_header(token)["kid"]] = None
                metadata = [*certificate, ("authorization", f"Bearer {token}")]
                try:
                    await directory.ListAgencies(
                        directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT
                    )
                    await log.GetCheckpoint(
                        audit_query_service_pb2.GetCheckpointRequest(), metadata=metadata, timeout=TIMEOUT
                    )
                except CaseMeshError as error:
                    failures.append(str(error))
                calls[worker] += 1

        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for worker in range(WORKERS):
                group.create_task(work(worker))
            for _ in range(2):
                rotate(folder, clock.now())
                for _ in range(int((PUBLISHED_AHEAD + KEPT_AFTER).total_seconds()) // STEP_SECONDS + 2):
                    before = list(calls)
                    clock.move(STEP_SECONDS)
                    while any(now == then for now, then in zip(calls, before, strict=True)):
                        await asyncio.sleep(0.01)
            done.set()
        assert [] == failures
        assert len(signed_by) == 3
