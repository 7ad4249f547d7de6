"""Log witnesses and the check of the database, over real mTLS: who watches, who lacks, and what a damaged log does."""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grpc_health.v1 import health_pb2, health_pb2_grpc

from casemesh.audit.v1 import audit_append_service_pb2 as append_pb2
from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import event_pb2
from casemesh.audit.v1 import log_witness_service_pb2 as witness_pb2
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.audit.v1.log_witness_service_pb2_grpc import LogWitnessServiceStub
from casemesh.client.cosignatures import WitnessKey, cosign, cosignatures
from casemesh.client.log_witness.folder import WitnessFolder
from casemesh.client.log_witness.watching import LogWitness, RemoteLog
from casemesh.client.notes import VerifierKey, open_checkpoint
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition, InvalidArgument
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.config import Duration
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import COURT, POLICE

TIMEOUT = 20.0
ONE_ROUND = Duration(1e9)
"""Since September 2001; what is to be cosigned in it is dated before."""
CASE = f"cases/{new_id()}"


async def append(mesh: Mesh, count: int = 1) -> None:
    events = []
    for _ in range(count):
        event = event_pb2.Event(event_id=new_id(), case=CASE, action="dossier.document.read", actor=event_pb2.Actor())
        event.occur_time.GetCurrentTime()
        events.append(event)
    stub = AuditAppendServiceStub(mesh.channel("audit", "dossier"))
    await stub.AppendEvents(append_pb2.AppendEventsRequest(events=events), timeout=TIMEOUT)


class Calls:
    """A session's stub: every call with an agency's metadata."""

    def __init__(self, stub: Any, metadata: list[tuple[str, str]]) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, method: str) -> Any:
        def call(request: Any) -> Any:
            return getattr(self._stub, method)(request, metadata=self._metadata, timeout=TIMEOUT)

        return call


async def session(mesh: Mesh, code: str, organ: str) -> Any:
    metadata = await mesh.metadata(await mesh.enrol(code, organ))
    return SimpleNamespace(
        audit=Calls(mesh.agency_stub("audit", AuditQueryServiceStub), metadata),
        log_witness=Calls(mesh.agency_stub("audit", LogWitnessServiceStub), metadata),
    )


async def begin_round(mesh: Mesh, server: EmbeddedPostgres) -> None:
    """Make the newest checkpoint the one to cosign, though identity's events go on making others."""
    admin = await asyncpg.connect(server.admin_dsn(mesh.databases["audit"].name))
    try:
        await admin.execute("SET session_replication_role = replica")
        await admin.execute(
            "UPDATE checkpoint SET created_at = '2001-01-01' WHERE size = (SELECT max(size) FROM checkpoint)"
        )
    finally:
        await admin.close()


async def log_key(mesh: Mesh) -> VerifierKey:
    query = mesh.operator("audit", AuditQueryServiceStub)
    return VerifierKey.parse(
        (await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), timeout=TIMEOUT)).verifier_key
    )


async def test_two_agencies_witnesses_meet_on_one_checkpoint_and_make_a_quorum(
    mesh_of: MeshOf, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    folders = [WitnessFolder.create(tmp_path / name, f"{name}.test/witness") for name in ("police", "court")]
    keys = [folder.verifier_key() for folder in folders]
    policy = {"witnesses": tuple(map(str, keys)), "witness_quorum": 2, "cosigning_round": ONE_ROUND}
    async with mesh_of("identity", "audit", own={"audit": policy}) as mesh:
        await append(mesh, 3)
        key = await log_key(mesh)
        police, court = await session(mesh, POLICE, "GA"), await session(mesh, COURT, "FY")
        witnesses = [
            LogWitness(RemoteLog(one), folder, key, SystemClock())
            for one, folder in zip((police, court), folders, strict=True)
        ]
        await begin_round(mesh, embedded_postgres)
        first = await witnesses[0].look()
        await append(mesh, 2)
        nobody = await court.log_witness.GetCosignedCheckpoint(witness_pb2.GetCosignedCheckpointRequest())
        assert "" == nobody.note
        assert nobody.HasField("waiting_since_time")
        second = await witnesses[1].look()
        assert first.cosigned == second.cosigned
        assert (await witnesses[1].look()).cosigned is None

        quorate = await police.log_witness.GetCosignedCheckpoint(witness_pb2.GetCosignedCheckpointRequest())
        assert {"police.test/witness", "court.test/witness"} == {
            one.key.name for one in cosignatures(quorate.note, keys)
        }
        assert first.cosigned == open_checkpoint(quorate.note, key)
        assert ([*map(str, keys)], 2, False) == (
            [*quorate.witness_keys],
            quorate.witness_quorum,
            quorate.quorum_lacking,
        )


async def test_the_service_says_when_entries_wait_too_long_for_their_witnesses(mesh_of: MeshOf, tmp_path: Path) -> None:
    key = WitnessFolder.create(tmp_path / "witness", "court.test/witness").verifier_key()
    policy = {"witnesses": (str(key),), "witness_quorum": 1, "quorum_within": Duration(0)}
    async with mesh_of("audit", own={"audit": policy}) as mesh:
        query = mesh.operator("audit", AuditQueryServiceStub)
        empty = await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), timeout=TIMEOUT)
        await append(mesh)
        late = await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), timeout=TIMEOUT)
        assert [(1, False), (1, True)] == [(one.witness_quorum, one.quorum_lacking) for one in (empty, late)]


async def test_a_cosignature_that_does_not_hold_is_refused_and_an_unknown_witness_told_apart(
    mesh_of: MeshOf, embedded_postgres: EmbeddedPostgres
) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    witness = WitnessKey("court.test/witness", key.public_key())
    policy = {"witnesses": (str(witness),), "witness_quorum": 1, "cosigning_round": ONE_ROUND}
    async with mesh_of("identity", "audit", own={"audit": policy}) as mesh:
        await append(mesh, 2)
        court = await session(mesh, COURT, "FY")
        await begin_round(mesh, embedded_postgres)
        note = (await court.log_witness.GetCheckpointToCosign(witness_pb2.GetCheckpointToCosignRequest())).note
        size = open_checkpoint(note, await log_key(mesh)).size
        now = int(SystemClock().now().timestamp())
        line = cosign(note, witness.name, key, now)

        async def refused(size: int, line: str) -> str:
            request = witness_pb2.SubmitCosignatureRequest(tree_size=size, signature_line=line)
            with pytest.raises((InvalidArgument, FailedPrecondition)) as error:
                await court.log_witness.SubmitCosignature(request)
            return error.value.reason

        assert "LOG_POSITION_INVALID" == await refused(size + 10_000, line)
        assert "LOG_WITNESS_UNKNOWN" == await refused(size, cosign(note, "other.test/witness", other, now))
        assert "COSIGNATURE_INVALID" == await refused(size, cosign(note, witness.name, key, now + 10_000))
        another = note.replace(f"\n{size}\n", f"\n{size + 1}\n")
        assert "COSIGNATURE_INVALID" == await refused(size, cosign(another, witness.name, key, now))
        assert "COSIGNATURE_INVALID" == await refused(size, line + line)
        for _ in range(2):
            answer = await court.log_witness.SubmitCosignature(
                witness_pb2.SubmitCosignatureRequest(tree_size=size, signature_line=line)
            )
            assert (1, 1) == (answer.cosignature_count, answer.witness_quorum)


async def test_a_damaged_database_is_named_by_fsck_and_the_service_takes_nothing_more_and_says_so(
    mesh_of: MeshOf, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with mesh_of("audit") as mesh:
        for _ in range(3):
            await append(mesh, 2)
        assert (0, True, None) == await fsck(mesh)
        admin = await asyncpg.connect(embedded_postgres.admin_dsn(mesh.databases["audit"].name))
        try:
            await admin.execute("SET session_replication_role = replica")
            async with admin.transaction():
                await admin.execute("DELETE FROM event WHERE log_index = 3")
                await admin.execute("DELETE FROM entry WHERE log_index = 3")
                await admin.execute("UPDATE log_state SET root = sha256('other')")
        finally:
            await admin.close()
        assert (6, False, 3) == await fsck(mesh)
        for _ in range(2):
            with pytest.raises(FailedPrecondition) as refused:
                await append(mesh)
            assert "LOG_CONTRADICTED" == refused.value.reason
        health = health_pb2_grpc.HealthStub(mesh.channel("audit", "monitor"))
        while (
            health_pb2.HealthCheckResponse.NOT_SERVING
            != (await health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)).status
        ):
            await asyncio.sleep(0.1)


async def fsck(mesh: Mesh) -> tuple[int, bool, int | None]:
    config = str(mesh.directory / "config" / "audit.toml")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "casemesh.cli.daemon", "audit", "fsck", "--config", config, "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, complained = await process.communicate()
    assert process.returncode in (0, 6), complained.decode()
    report = json.loads(printed)
    return process.returncode, report["sound"], report["first_bad_row"]
