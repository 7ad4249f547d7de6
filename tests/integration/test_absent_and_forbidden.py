"""To someone without access, what exists and what does not look the same: in answers of every RPC that leads to a case,
in what traces and metrics tell, and in time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from casemesh.client.dossier_upload import finalize_dossier, upload_documents
from casemesh.client.upload_frames import dossier_stub
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import CaseMeshError
from casemesh.routing.v1 import case_succession_service_pb2 as succession_pb
from casemesh.routing.v1 import data_provider_service_pb2 as provider_pb
from casemesh.routing.v1 import data_query_service_pb2 as query_pb
from casemesh.routing.v1 import data_service_pb2
from casemesh.routing.v1.case_succession_service_pb2_grpc import CaseSuccessionServiceStub
from casemesh.routing.v1.collaboration_node_pb2 import PAYLOAD_FIELD_TYPE_TEXT, PayloadFieldSchema
from casemesh.routing.v1.data_provider_service_pb2_grpc import DataProviderServiceStub
from casemesh.routing.v1.data_query_service_pb2_grpc import DataQueryServiceStub
from casemesh.routing.v1.exchange_pb2 import PayloadField
from casemesh.runtime import pipeline
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import MethodPolicy
from tests.contract.test_policies import grpc_services, policies_of
from tests.support.any_request import any_request, set_path
from tests.support.dossiers import AsCaller, documents_of
from tests.support.routing import ThreeOrgans, person

TIMEOUT = 20.0
DOMAINS = ("identity", "dossier", "routing", "audit")
PAIRS = 200
# Five times the spread that chance gives over so few pairs; the bench takes more pairs and a stricter bound.
MOST_AUC = 0.65


@dataclass(frozen=True)
class Resources:
    """A case of the police, and what is in it."""

    case: str
    dossier: str
    version: str
    document: str
    exchange: str
    party: str
    data_query: str
    succession: str

    def of(self, kind: str) -> str:
        # A receipt's case is that of its exchange.
        derived = {"dossier_or_version": self.version, "receipt": f"{self.exchange}/receipts/{new_id()}"}
        return derived.get(kind) or str(getattr(self, kind))


def random_resources() -> Resources:
    dossier = f"dossiers/{new_id()}"
    return Resources(
        f"cases/{new_id()}",
        dossier,
        f"{dossier}/versions/{new_id()}",
        f"{dossier}/documents/{new_id()}",
        f"exchanges/{new_id()}",
        f"cases/{new_id()}/parties/{new_id()}",
        f"dataQueries/{new_id()}",
        f"cases/{new_id()}/successions/{new_id()}",
    )


async def made(organs: ThreeOrgans, folder: Path) -> Resources:
    """Let the police make one of everything."""
    case = await organs.register(parties=[person(), person("某甲的化名")])
    metadata = await organs.as_officer(organs.police)
    dossiers = AsCaller(organs.mesh.agency_stub("dossier", dossier_stub), metadata)
    reading = AsCaller(organs.mesh.agency_stub("dossier", DossierReadServiceStub), metadata)
    request = dossier_pb.CreateDossierRequest(request_id=new_id(), case=case.name, title="盗窃案卷宗")
    dossier = (await dossiers.CreateDossier(request)).dossier.name
    documents = documents_of(folder, [2000])
    uploaded = await upload_documents(dossiers, dossier, documents, upload_id=new_id(), patience_seconds=20)
    version = await finalize_dossier(dossiers, uploaded, request_id=new_id())
    listed = await reading.ListDocuments(read_pb.ListDocumentsRequest(version=version.name))
    exchange = await organs.submit(case)
    document, party = listed.documents[0].name, case.parties[0].name
    query = await asked(organs, case.name, metadata)
    merging = succession_pb.MergePartiesRequest(
        request_id=new_id(), party=party, predecessors=[case.parties[1].name], reason="同一人"
    )
    stub = organs.mesh.agency_stub("routing", CaseSuccessionServiceStub)
    merged = await stub.MergeParties(merging, metadata=metadata, timeout=TIMEOUT)
    succession = merged.succession.name
    async with asyncio.timeout(TIMEOUT):
        # Identity is told of the stages in the platform's own time, which must not fall among the answers compared.
        while await organs.sql("SELECT FROM stage_notice WHERE told_version < version"):
            await asyncio.sleep(0.02)
    return Resources(case.name, dossier, version.name, document, exchange.name, party, query, succession)


async def asked(organs: ThreeOrgans, case: str, metadata: Any) -> str:
    """Let the police ask a data service of the court."""
    field = PayloadFieldSchema(key="name", title_zh="姓名", title_en="Name", type=PAYLOAD_FIELD_TYPE_TEXT)
    service = data_service_pb2.DataService(
        code="record",
        title_zh="查询",
        title_en="Record",
        question=[field],
        answer=[field],
        organs=["GA"],
        purposes=[data_service_pb2.DataServicePurpose(code="handling", title_zh="办案", title_en="Handling")],
    )
    published = await organs.mesh.agency_stub("routing", DataProviderServiceStub).PublishDataService(
        provider_pb.PublishDataServiceRequest(request_id=new_id(), data_service=service),
        metadata=await organs.as_system(organs.court),
        timeout=TIMEOUT,
    )
    answer = await organs.mesh.agency_stub("routing", DataQueryServiceStub).AskQuery(
        query_pb.AskQueryRequest(
            request_id=new_id(),
            data_service=published.data_service.name,
            case=case,
            purpose="handling",
            question=[PayloadField(key="name", text="某甲")],
        ),
        metadata=metadata,
        timeout=TIMEOUT,
    )
    return str(answer.query.name)


def case_bound() -> dict[str, tuple[str, MethodPolicy]]:
    """Every RPC of the gateway that leads to a case, with its domain and row."""
    return {
        method: (domain, policy)
        for domain in DOMAINS
        for method, policy in policies_of(domain).items()
        if policy.on_case is not None and Peer.GATEWAY in policy.callers
    }


async def refusal(organs: ThreeOrgans, method: str, request: Message, metadata: Any) -> tuple[Any, ...]:
    """Return everything a client gets of a refused call but the trace's own id."""
    domain = method.split(".")[1]
    service, _, name = method.partition("/")
    rpc = next(one for one in grpc_services(domain) if one.full_name == service).methods_by_name[name]
    channel = organs.mesh.channel(domain, "gateway")
    answer_of = GetMessageClass(rpc.output_type).FromString

    async def once() -> AsyncIterator[Message]:
        yield request

    try:
        if rpc.client_streaming:
            stream = channel.stream_stream(f"/{method}", type(request).SerializeToString, answer_of)
            async for _ in stream(once(), metadata=metadata, timeout=TIMEOUT):
                pass
        elif rpc.server_streaming:
            stream = channel.unary_stream(f"/{method}", type(request).SerializeToString, answer_of)
            async for _ in stream(request, metadata=metadata, timeout=TIMEOUT):
                pass
        else:
            call = channel.unary_unary(f"/{method}", type(request).SerializeToString, answer_of)
            await call(request, metadata=metadata, timeout=TIMEOUT)
    except (CaseMeshError, grpc.aio.AioRpcError) as error:
        status: Any = error if isinstance(error, grpc.aio.AioRpcError) else error.__cause__
        trailing = {key: value for key, value in status.trailing_metadata() if key != "x-trace-id"}
        initial = tuple(key for key, _ in status.initial_metadata())
        return status.code(), status.details(), tuple(sorted(trailing.items())), initial
    return ("answered",)


def requests_for(method: str, policy: MethodPolicy, resources: Resources) -> Message:
    domain = method.split(".")[1]
    service, _, name = method.partition("/")
    rpc = next(one for one in grpc_services(domain) if one.full_name == service).methods_by_name[name]
    named = {"casemesh/Case": resources.case, "casemesh/Dossier": resources.dossier}
    request = any_request(GetMessageClass(rpc.input_type), named)
    assert policy.on_case is not None
    set_path(request, policy.on_case.field, resources.of(policy.on_case.resource))
    return request


class Told:
    """What the services' spans and metrics have told since the last look, but for identifiers and times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        monkeypatch.setattr(pipeline, "tracer", lambda: provider.get_tracer("casemesh"))
        self._measured: list[dict[str, Any]] = []

    def watch(self, organs: ThreeOrgans, monkeypatch: pytest.MonkeyPatch) -> None:
        for server in organs.mesh.servers.values():
            monkeypatch.setattr(server.pipeline, "_duration", self)

    def record(self, seconds: float, attributes: dict[str, Any]) -> None:
        self._measured.append(attributes)

    async def of(self, method: str) -> list[Any]:
        """Wait until the call's own span and figure are there, which end after its answer was sent."""
        async with asyncio.timeout(TIMEOUT):
            while sum(method in one for one in self._lines()) < 2:
                await asyncio.sleep(0.001)
        lines = self._lines()
        self._spans.clear()
        self._measured.clear()
        return lines

    def _lines(self) -> list[str]:
        finished = self._spans.get_finished_spans()
        spans = [(span.name, dict(span.attributes or {}), span.status.status_code) for span in finished]
        lines = sorted(map(str, [*spans, *self._measured]))
        # What the outbox sends it sends in its own time, and a service asks for the keys when it has none.
        return [line for line in lines if "AppendEvents" not in line and "GetSigningKeys" not in line]


async def test_absent_and_forbidden_give_the_same_bytes_spans_and_metrics_at_every_rpc(
    three_organs_with_dossiers: ThreeOrgans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organs = three_organs_with_dossiers
    theirs = await made(organs, tmp_path / "files")
    outsider = await organs.as_officer(organs.court, "wu")
    told = Told(monkeypatch)
    told.watch(organs, monkeypatch)
    for method, (_, policy) in case_bound().items():
        forbidden = await refusal(organs, method, requests_for(method, policy, theirs), outsider)
        told_of_forbidden = await told.of(method)
        absent = await refusal(organs, method, requests_for(method, policy, random_resources()), outsider)
        assert absent[0] is grpc.StatusCode.NOT_FOUND, (method, absent)
        assert absent == forbidden, method
        assert await told.of(method) == told_of_forbidden, method
    assert len(case_bound()) > 40


def auc(firsts: list[float], seconds: list[float]) -> float:
    """The chance that a threshold on time tells one from the other (Mann-Whitney), whichever is the slower."""
    ranked = sorted([(value, 0) for value in firsts] + [(value, 1) for value in seconds])
    ranks = sum(position for position, (_, which) in enumerate(ranked, start=1) if which == 0)
    count = len(firsts)
    area = (ranks - count * (count + 1) / 2) / (count * len(seconds))
    return max(area, 1 - area)


SAMPLED = (
    "casemesh.routing.v1.CaseService/GetCase",
    "casemesh.routing.v1.ExchangeService/GetExchange",
    "casemesh.dossier.v1.DossierReadService/ReadDocument",
    "casemesh.dossier.v1.DossierReadService/ListDossiers",
    "casemesh.audit.v1.AuditQueryService/ListCaseEvents",
)


async def test_no_threshold_on_time_tells_absent_from_forbidden(
    three_organs_with_dossiers: ThreeOrgans, tmp_path: Path
) -> None:
    organs = three_organs_with_dossiers
    theirs = await made(organs, tmp_path / "files")
    outsider = await organs.as_officer(organs.court, "wu")
    chance = random.Random(4)
    table = case_bound()
    told = {}
    for method in SAMPLED:
        _, policy = table[method]
        taken: dict[bool, list[float]] = {True: [], False: []}
        for number in range(PAIRS + 20):
            # Interleaved in random order, so that what the machine does meanwhile falls on both alike.
            for exists in chance.sample((True, False), 2):
                request = requests_for(method, policy, theirs if exists else random_resources())
                started = time.perf_counter()
                answer = await refusal(organs, method, request, outsider)
                elapsed = time.perf_counter() - started
                assert answer[0] is grpc.StatusCode.NOT_FOUND
                if number >= 20:
                    taken[exists].append(elapsed)
        told[method] = auc(taken[True], taken[False])
    assert {} == {method: area for method, area in told.items() if area > MOST_AUC}
