"""Trails over real mTLS, with identity deciding: shown to those entitled, never without a trace, provable offline."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.audit.v1 import audit_append_service_pb2 as append_pb2
from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import event_pb2
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.client.commitments import commitment_leaf, commitment_to
from casemesh.client.notes import open_checkpoint
from casemesh.client.trail import log_key_from_certificates, verify_trail_bundle
from casemesh.core.ids import new_id
from casemesh.core.merkle import verify_inclusion
from casemesh.errors import InvalidArgument, NotFound, Unauthenticated
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb2
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import COURT, POLICE

TIMEOUT = 20.0
Metadata = list[tuple[str, str]]


@dataclass
class Scene:
    """A case of the police with one assigned officer, and people who have no part in it."""

    mesh: Mesh
    police: Agency
    court: Agency
    case: str = field(default_factory=lambda: f"cases/{new_id()}")

    async def append(
        self, count: int, case: str | None = None, action: str = "dossier.document.read", **actor: str
    ) -> None:
        events = []
        for _ in range(count):
            event = event_pb2.Event(
                event_id=new_id(),
                case=case or self.case,
                action=action,
                actor=event_pb2.Actor(agency=self.police.name) if not actor else event_pb2.Actor(**actor),
                # A zero character is text, too; it must not make the case's trail unreadable.
                details={"purpose_text": "\0"},
            )
            event.occur_time.GetCurrentTime()
            events.append(event)
        stub = AuditAppendServiceStub(self.mesh.channel("audit", "dossier"))
        await stub.AppendEvents(append_pb2.AppendEventsRequest(events=events), timeout=TIMEOUT)

    @property
    def query(self) -> Any:
        return self.mesh.agency_stub("audit", AuditQueryServiceStub)

    async def assigned(self) -> Metadata:
        return await self.mesh.metadata(self.police, "assigned officer")

    async def pages(self, page_size: int, **only: Any) -> list[event_pb2.LoggedEvent]:
        events, token = [], ""
        while True:
            request = query_pb2.ListCaseEventsRequest(case=self.case, page_size=page_size, page_token=token, **only)
            answer = await self.query.ListCaseEvents(request, metadata=await self.assigned(), timeout=TIMEOUT)
            events += answer.events
            token = answer.next_page_token
            if not token:
                return events

    async def export(self, metadata: Metadata, case: str | None = None) -> bytes:
        request = query_pb2.ExportTrailRequest(case=case or self.case)
        pieces = [piece.data async for piece in self.query.ExportTrail(request, metadata=metadata, timeout=TIMEOUT)]
        return b"".join(pieces)


@pytest.fixture
async def scene(mesh_of: MeshOf) -> AsyncIterator[Scene]:
    async with mesh_of("identity", "audit") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["assigned officer", "other officer"])
        made = Scene(mesh, police, await mesh.enrol(COURT, "FY", ["judge"]))
        participation = CaseParticipationServiceStub(mesh.channel("identity", "routing"))
        await participation.AddParticipation(
            participation_pb2.AddParticipationRequest(
                request_id=new_id(),
                case=made.case,
                agency=police.name,
                officer=police.officers["assigned officer"],
                cause=made.case,
            ),
            timeout=TIMEOUT,
        )
        yield made


def own(events: list[event_pb2.LoggedEvent], case: str) -> list[dict[str, Any]]:
    decoded = [json.loads(event.canonical_json) for event in events]
    assert all(event["case"] == case for event in decoded)
    return decoded


async def test_a_trail_is_contiguous_over_its_pages_and_names_who_read_it(scene: Scene) -> None:
    await scene.append(5)
    await scene.append(3, f"cases/{new_id()}")
    events = await scene.pages(2)
    assert [event.case_sequence for event in events] == list(range(1, len(events) + 1))
    decoded = own(events, scene.case)
    readings = [event for event in decoded if event["action"] == "audit.trail.read"]
    assert len(readings) == 1
    assert readings[0]["actor"]["officer"] == scene.police.officers["assigned officer"]
    assert readings[0]["source"] == "audit"
    assert readings[0]["basis"]
    assert sum(event["action"] == "dossier.document.read" for event in decoded) == 5


async def test_a_filtered_trail_shows_all_that_matches_and_nothing_else_over_its_pages(scene: Scene) -> None:
    judge = scene.court.officers["judge"]
    await scene.append(3)
    await scene.append(2, action="exchange.submitted", agency=scene.court.name, officer=judge)
    await scene.append(1, action="exchange.undelivered.known", agency=scene.court.name)
    await scene.append(2, action="exchanged.other")
    submitted = ["exchange.submitted"] * 2
    known = "exchange.undelivered.known"
    for page_size in (1, 2, 100):

        async def shown(page_size: int = page_size, **only: Any) -> list[str]:
            return [event["action"] for event in own(await scene.pages(page_size, **only), scene.case)]

        assert [*submitted, known] == await shown(actions=["exchange"])
        assert [known] == await shown(actions=["exchange.undelivered"])
        assert [*submitted, known] == await shown(agency=scene.court.name)
        assert submitted == await shown(officer=judge)
        assert [] == await shown(officer=judge, actions=["exchange.undelivered"])
    exchanges = own(await scene.pages(9, actions=["exchange"]), scene.case)
    first, _, last = (timestamp(event["occur_time"]) for event in exchanges)
    between = own(await scene.pages(2, agency=scene.court.name, start_time=first, end_time=last), scene.case)
    assert submitted == [event["action"] for event in between]


def timestamp(text: str) -> Timestamp:
    made = Timestamp()
    made.FromJsonString(text)
    return made


async def test_an_event_of_a_page_proves_its_place_without_the_bundle(scene: Scene) -> None:
    await scene.append(3)
    [first, *_] = await scene.pages(100)
    metadata = await scene.assigned()
    proof = await scene.query.GetInclusionProof(
        query_pb2.GetInclusionProofRequest(log_index=first.log_index), metadata=metadata, timeout=TIMEOUT
    )
    checkpoint = await scene.query.GetCheckpoint(query_pb2.GetCheckpointRequest(), metadata=metadata, timeout=TIMEOUT)
    key = log_key_from_certificates(
        await scene.export(metadata),
        x509.load_pem_x509_certificates(scene.mesh.pki.layout.signing_trust.read_bytes()),
        origin="casemesh.local/audit",
        signer="spiffe://mesh.casemesh/signing/audit",
        at=datetime.now(UTC),
    )
    head = open_checkpoint(checkpoint.note, key)
    leaf = commitment_leaf(commitment_to(first.salt, first.canonical_json))
    assert leaf == proof.leaf_hash
    verify_inclusion(first.log_index, head.size, leaf, proof.hashes, head.root)


async def test_an_exported_trail_verifies_offline_from_the_signing_root_alone(scene: Scene) -> None:
    await scene.append(4)
    bundle = await scene.export(await scene.assigned())
    roots = x509.load_pem_x509_certificates(scene.mesh.pki.layout.signing_trust.read_bytes())
    key = log_key_from_certificates(
        bundle,
        roots,
        origin="casemesh.local/audit",
        signer="spiffe://mesh.casemesh/signing/audit",
        at=datetime.now(UTC),
    )
    verified = verify_trail_bundle(bundle, key, case=scene.case)
    actions = [event["action"] for event in verified.events]
    assert actions.count("dossier.document.read") == 4
    assert actions.count("audit.trail.exported") == 1


async def test_a_case_one_may_not_see_and_one_that_is_not_there_look_the_same(scene: Scene) -> None:
    await scene.append(1)
    seen = set()
    for metadata in (
        await scene.mesh.metadata(scene.police, "other officer"),
        await scene.mesh.metadata(scene.court, "judge"),
        await scene.mesh.metadata(scene.court),
    ):
        for case in (scene.case, f"cases/{new_id()}"):
            with pytest.raises(NotFound) as refused:
                await scene.query.ListCaseEvents(
                    query_pb2.ListCaseEventsRequest(case=case), metadata=metadata, timeout=TIMEOUT
                )
            with pytest.raises(grpc.aio.AioRpcError) as stopped:
                await scene.export(metadata, case)
            assert stopped.value.code() is grpc.StatusCode.NOT_FOUND
            seen.add((str(refused.value), stopped.value.details()))
    assert len(seen) == 1
    decoded = own(await scene.pages(100), scene.case)
    assert sum(event["action"].startswith("audit.") for event in decoded) == 1


async def test_no_trail_and_no_proof_without_a_token(scene: Scene) -> None:
    forwarded = (await scene.assigned())[:1]
    with pytest.raises(Unauthenticated):
        await scene.query.ListCaseEvents(
            query_pb2.ListCaseEventsRequest(case=scene.case), metadata=forwarded, timeout=TIMEOUT
        )
    with pytest.raises(Unauthenticated):
        await scene.query.GetCheckpoint(query_pb2.GetCheckpointRequest(), metadata=forwarded, timeout=TIMEOUT)


async def test_a_page_that_cannot_be_given_names_its_field(scene: Scene) -> None:
    metadata = await scene.assigned()
    for field_name, value in (
        ("page_size", 1001),
        ("page_token", "1"),
        ("page_token", "x" * 201),
        ("agency", "police"),
        ("actions[0]", ["Exchange"]),
        ("end_time", Timestamp(seconds=-(2**40))),
    ):
        wanted: dict[str, Any] = {field_name.partition("[")[0]: value}
        request = query_pb2.ListCaseEventsRequest(case=scene.case, **wanted)
        with pytest.raises(InvalidArgument) as refused:
            await scene.query.ListCaseEvents(request, metadata=metadata, timeout=TIMEOUT)
        assert [field_name] == [violation.field for violation in refused.value.violations]


async def test_positions_outside_the_log_are_refused_by_field(scene: Scene) -> None:
    await scene.append(2)
    metadata = await scene.assigned()
    with pytest.raises(InvalidArgument) as refused:
        await scene.query.GetInclusionProof(
            query_pb2.GetInclusionProofRequest(log_index=10_000), metadata=metadata, timeout=TIMEOUT
        )
    assert refused.value.metadata == {"field": "log_index"}
    with pytest.raises(InvalidArgument) as refused:
        await scene.query.GetConsistencyProof(
            query_pb2.GetConsistencyProofRequest(first_size=1, second_size=10_000), metadata=metadata, timeout=TIMEOUT
        )
    assert refused.value.metadata == {"field": "second_size"}
