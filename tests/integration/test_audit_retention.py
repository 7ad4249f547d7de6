"""Texts of old readings go and the log stays provable; numbers of sources that are missing or came twice are named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemesh.audit.config import Config
from casemesh.audit.fsck.checking import check_log
from casemesh.audit.fsck.findings import Report
from casemesh.audit.fsck.reading import DatabaseLogReader
from casemesh.audit.v1 import audit_admin_service_pb2 as admin_pb2
from casemesh.audit.v1 import audit_append_service_pb2 as append_pb2
from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import event_pb2
from casemesh.audit.v1.audit_admin_service_pb2_grpc import AuditAdminServiceStub
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.client import verify_trail
from casemesh.client.notes import VerifierKey
from casemesh.client.trail import verify_trail_bundle
from casemesh.core.ids import new_id
from casemesh.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb2
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.runtime.config import DatabaseConfig, Duration
from casemesh.runtime.postgres import Database
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import POLICE

TIMEOUT = 20.0
READ, SENT, CHANGED = "dossier.version.read", "dossier.version.sent", "dossier.version.finalized"


@dataclass
class Scene:
    """A case with an officer of the police, and two administrators."""

    mesh: Mesh
    police: Agency
    liu: Any
    zhang: Any
    case: str = field(default_factory=lambda: f"cases/{new_id()}")

    async def append(self, *actions: str, **fields: Any) -> list[event_pb2.Event]:
        events = []
        for action in actions:
            event = event_pb2.Event(event_id=new_id(), case=self.case, action=action, **fields)
            event.actor.agency = self.police.name
            event.details["purpose_text"] = "an invented reader's own words"
            event.occur_time.GetCurrentTime()
            events.append(event)
        await self.tell(*events)
        return events

    async def tell(self, *events: event_pb2.Event) -> append_pb2.AppendEventsResponse:
        stub = AuditAppendServiceStub(self.mesh.channel("audit", "dossier"))
        answer: append_pb2.AppendEventsResponse = await stub.AppendEvents(
            append_pb2.AppendEventsRequest(events=events), timeout=TIMEOUT
        )
        return answer

    async def propose(self, by: Any = None, **fields: Any) -> admin_pb2.Shredding:
        request = admin_pb2.ProposeShreddingRequest(
            **{"request_id": new_id(), "case": self.case, "reason": "keeping time is over", **fields}
        )
        if not request.HasField("before_time"):
            request.before_time.GetCurrentTime()
        return (await (by or self.liu).ProposeShredding(request, timeout=TIMEOUT)).shredding  # type: ignore[no-any-return]

    async def approve(self, name: str, by: Any = None) -> admin_pb2.Shredding:
        request = admin_pb2.ApproveShreddingRequest(request_id=new_id(), name=name)
        return (await (by or self.zhang).ApproveShredding(request, timeout=TIMEOUT)).shredding  # type: ignore[no-any-return]

    async def done(self, name: str) -> None:
        async with asyncio.timeout(TIMEOUT):
            while True:
                page = await self.liu.ListShreddings(admin_pb2.ListShreddingsRequest(), timeout=TIMEOUT)
                (state,) = [one.state for one in page.shreddings if one.name == name]
                if state == admin_pb2.SHREDDING_STATE_DONE:
                    return
                await asyncio.sleep(0.1)

    async def trail(self) -> list[event_pb2.LoggedEvent]:
        metadata = await self.mesh.metadata(self.police, "lin")
        query = self.mesh.agency_stub("audit", AuditQueryServiceStub)
        request = query_pb2.ListCaseEventsRequest(case=self.case)
        return list((await query.ListCaseEvents(request, metadata=metadata, timeout=TIMEOUT)).events)

    async def bundle(self) -> tuple[bytes, VerifierKey]:
        metadata = await self.mesh.metadata(self.police, "lin")
        query = self.mesh.agency_stub("audit", AuditQueryServiceStub)
        call = query.ExportTrail(query_pb2.ExportTrailRequest(case=self.case), metadata=metadata, timeout=TIMEOUT)
        bundle = b"".join([piece.data async for piece in call])
        answer = await query.GetCheckpoint(query_pb2.GetCheckpointRequest(), metadata=metadata, timeout=TIMEOUT)
        return bundle, VerifierKey.parse(answer.verifier_key)

    async def checked(self, key: VerifierKey) -> Report:
        database = Database(self.mesh.databases["audit"].runtime_dsn, DatabaseConfig(dsn_file=Path("unused")))
        await database.open()
        try:
            return await check_log(DatabaseLogReader(database), key)
        finally:
            await database.close()

    async def sql(self, dsn: str, statement: str) -> str:
        connection = await asyncpg.connect(dsn)
        try:
            return str(await connection.execute(statement))
        finally:
            await connection.close()


@pytest.fixture
async def scene(mesh_of: MeshOf) -> AsyncIterator[Scene]:
    async with mesh_of("identity", "audit", own={"audit": {"keep_readings": Duration(0)}}) as mesh:
        police = await mesh.enrol(POLICE, "GA", ["lin"])
        administrators = []
        for name in (f"liu-{new_id()[-12:]}", f"zhang-{new_id()[-12:]}"):
            mesh.pki.issue_administrator(name)
            administrators.append(AuditAdminServiceStub(mesh.channel("audit", f"operator-{name}")))
        made = Scene(mesh, police, *administrators)
        participation = CaseParticipationServiceStub(mesh.channel("identity", "routing"))
        await participation.AddParticipation(
            participation_pb2.AddParticipationRequest(
                request_id=new_id(),
                case=made.case,
                agency=police.name,
                officer=police.officers["lin"],
                cause=made.case,
            ),
            timeout=TIMEOUT,
        )
        yield made


async def test_two_administrators_have_texts_of_readings_shredded_and_every_proof_still_holds(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await scene.append(READ, CHANGED, SENT, READ, CHANGED)
    proposal = await scene.propose()
    assert (admin_pb2.SHREDDING_STATE_PROPOSED, 0) == (proposal.state, proposal.event_count)
    assert all(event.canonical_json for event in await scene.trail())

    with pytest.raises(PermissionDenied) as refused:
        await scene.approve(proposal.name, by=scene.liu)
    assert refused.value.reason == "SECOND_ADMINISTRATOR_NEEDED"
    with pytest.raises(PermissionDenied):
        await scene.approve(proposal.name, by=scene.mesh.operator("audit", AuditAdminServiceStub))
    approved = await scene.approve(proposal.name)
    assert approved.event_count == 3
    await scene.done(proposal.name)

    trail = await scene.trail()
    shredded = [event for event in trail if not event.canonical_json]
    kept = [json.loads(event.canonical_json) for event in trail if event.canonical_json]
    assert (3, 0) == (len(shredded), sum(len(event.salt) for event in shredded))
    assert [CHANGED, CHANGED] == [event["action"] for event in kept if event["source"] == "dossier"]
    (stone,) = [event for event in kept if event["action"] == "audit.events.shredded"]
    assert ("keeping time is over", "audit") == (stone["details"]["reason"], stone["source"])
    assert stone["details"]["proposer"].startswith("operator/liu-")
    assert stone["actor"]["peer"].startswith("operator/zhang-")

    bundle, key = await scene.bundle()
    assert len(verify_trail_bundle(bundle, key, case=scene.case).shredded) == 3
    (tmp_path / "trail.json").write_bytes(bundle)
    monkeypatch.setattr("sys.argv", ["verify_trail.py", str(tmp_path / "trail.json"), "--log-key", str(key)])
    assert verify_trail.main() == 0
    assert "3 of them shredded" in capsys.readouterr().err
    assert b"an invented reader" in bundle
    stored = "SELECT FROM event WHERE convert_from(canonical_json, 'UTF8') LIKE '%{}%'"
    owner = scene.mesh.databases["audit"].owner_dsn
    assert await scene.sql(owner, stored.format("invented reader")) == "SELECT 2"
    assert [] == list((await scene.checked(key)).findings)

    # Appended again, a shredded event has the place it had; under its identifier nothing else comes in.
    again = (await scene.tell(told[0])).places[0]
    assert again.log_index in {event.log_index for event in shredded}
    with pytest.raises(FailedPrecondition) as decided:
        await scene.approve(proposal.name)
    assert decided.value.metadata == {"state": "DONE"}
    empty = await scene.propose()
    with pytest.raises(FailedPrecondition) as nothing:
        # What was read since is younger than the proposal's own time.
        await scene.approve((await scene.propose(actions=[SENT])).name)
    assert nothing.value.reason == "SHREDDING_EMPTY"
    request = admin_pb2.RejectShreddingRequest(request_id=new_id(), name=empty.name, reason="not needed")
    rejected = await scene.zhang.RejectShredding(request, timeout=TIMEOUT)
    assert rejected == await scene.zhang.RejectShredding(request, timeout=TIMEOUT)
    assert rejected.shredding.state == admin_pb2.SHREDDING_STATE_REJECTED


async def test_no_text_goes_but_by_way_of_the_log(scene: Scene) -> None:
    await scene.append(READ, CHANGED)
    database = scene.mesh.databases["audit"]
    for dsn in (database.runtime_dsn, database.owner_dsn):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await scene.sql(dsn, "DELETE FROM event")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await scene.sql(dsn, "UPDATE event SET salt = salt")
    # Marked as shredded in the database alone: the log tells of nothing, so the text stays.
    proposal = await scene.propose()
    shredding = proposal.name.removeprefix("shreddings/")
    mark = f"INSERT INTO shredded_event (log_index, shredding_id) VALUES (0, '{shredding}')"
    await scene.sql(database.runtime_dsn, mark)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await scene.sql(database.runtime_dsn, f"SELECT shred('{shredding}')")

    # Forced by who may do anything with the database: the check says that nobody told of it.
    await scene.sql(database.owner_dsn, "ALTER TABLE event DISABLE TRIGGER USER; DELETE FROM event WHERE log_index = 0")
    _, key = await scene.bundle()
    assert (await scene.checked(key)).first_bad_row == 0


async def test_a_text_that_is_to_go_already_is_in_no_second_shredding(scene: Scene) -> None:
    await scene.append(READ, CHANGED)
    first, second = await scene.propose(), await scene.propose()
    assert 1 == (await scene.approve(first.name)).event_count
    # Whether it is gone yet or about to go.
    with pytest.raises(FailedPrecondition) as nothing_left:
        await scene.approve(second.name)
    assert nothing_left.value.reason == "SHREDDING_EMPTY"


async def test_what_may_not_be_shredded_is_refused_with_the_reason(scene: Scene) -> None:
    await scene.append(READ)
    with pytest.raises(InvalidArgument) as kept:
        await scene.propose(actions=[READ, "exchange.accepted"])
    assert ("SHREDDING_ACTION_KEPT", {"action": "exchange.accepted"}) == (kept.value.reason, kept.value.metadata)
    with pytest.raises(NotFound):
        await scene.propose(case=f"cases/{new_id()}")
    with pytest.raises(NotFound):
        await scene.approve(f"shreddings/{new_id()}")
    request = admin_pb2.ProposeShreddingRequest(request_id=new_id(), case=scene.case, reason="too soon")
    request.before_time.FromJsonString("2999-01-01T00:00:00Z")
    with pytest.raises(FailedPrecondition) as early:
        await scene.liu.ProposeShredding(request, timeout=TIMEOUT)
    assert early.value.reason == "SHREDDING_TOO_EARLY"
    three_years = Duration(3 * 365 * 86_400)
    assert three_years == Config.__dataclass_fields__["keep_readings"].default


async def test_numbers_that_are_missing_or_came_twice_are_named_per_source(scene: Scene) -> None:
    async def numbered(*numbers: int) -> None:
        for number in numbers:
            await scene.append(CHANGED, source_sequence=number)

    async def source() -> admin_pb2.EventSource:
        answer = await scene.liu.ListEventSources(admin_pb2.ListEventSourcesRequest(), timeout=TIMEOUT)
        (found,) = [each for each in answer.sources if each.source == "dossier"]
        return found  # type: ignore[no-any-return]

    def runs(found: Any) -> list[tuple[int, int]]:
        return [(run.first, run.last) for run in found]

    await numbered(1, 2, 5, 9)
    known = await source()
    assert (9, [(3, 4), (6, 8)], []) == (known.last_sequence, runs(known.missing), runs(known.repeated_numbers))
    assert 0 <= known.lag_millis < 60_000
    await numbered(4, 3, 7)
    assert [(6, 6), (8, 8)] == runs((await source()).missing)
    # Appending an event again is no second event.
    (again,) = await scene.append(CHANGED, source_sequence=6)
    await scene.tell(again)
    assert ([(8, 8)], []) == (runs((await source()).missing), runs((await source()).repeated_numbers))
    again.event_id = new_id()
    await scene.tell(again)
    assert [(6, 6)] == runs((await source()).repeated_numbers)
    again.details["purpose_text"] = "other"
    with pytest.raises(AlreadyExists):
        await scene.tell(again)
