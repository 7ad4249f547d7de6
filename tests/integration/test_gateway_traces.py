"""The gateway's part in a trace, and its line in the log."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from casemesh.core.ids import new_id
from casemesh.local.ports import LOOPBACK
from casemesh.pki.authority import Pki
from tests.support.gateway import Gateway, call, echo_server, running_gateway, wait_until
from tests.support.pki import POLICE, SYSTEM

GET_CASE = "/casemesh.routing.v1.CaseService/GetCase"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):  # type: ignore[misc]
    """Keeps the spans it is sent, with the name of the service that sent them."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

    def Export(self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext) -> object:
        for resource_spans in request.resource_spans:
            attributes = {item.key: item.value.string_value for item in resource_spans.resource.attributes}
            for scope_spans in resource_spans.scope_spans:
                self.spans += [(attributes["service.name"], span) for span in scope_spans.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def of_trace(self, trace_id: str) -> list[tuple[str, Span]]:
        return [(name, span) for name, span in self.spans if span.trace_id.hex() == trace_id]


@contextmanager
def collecting() -> Iterator[tuple[Collector, int]]:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    try:
        yield collector, port
    finally:
        server.stop(grace=0).wait()


@pytest.fixture(scope="module")
def traced(
    mesh_pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Collector, grpc.Channel]]:
    directory: Path = tmp_path_factory.mktemp("traced") / "gateway"
    with (
        collecting() as (collector, otlp_port),
        echo_server(mesh_pki.layout.service("routing")) as routing,
        running_gateway(mesh_pki, {"routing": f"{LOOPBACK}:{routing.port}"}, directory, otlp_port=otlp_port) as gateway,
        gateway.channel(mesh_pki.layout.system(POLICE, SYSTEM)) as channel,
    ):
        yield gateway, collector, channel


def arriving_traceparent(channel: grpc.Channel, **arguments: object) -> list[str]:
    metadata = dict(json.loads(call(channel, GET_CASE, **arguments)))  # type: ignore[arg-type]
    parts: list[str] = metadata["traceparent"].split("-")
    return parts


def test_a_call_without_a_trace_starts_one_that_the_service_continues(
    traced: tuple[Gateway, Collector, grpc.Channel],
) -> None:
    gateway, collector, channel = traced
    _, trace_id, parent_id, flags = arriving_traceparent(channel)
    wait_until(lambda: len(collector.of_trace(trace_id)) == 2)
    spans = {span.span_id.hex(): span for _, span in collector.of_trace(trace_id)}
    towards_service = spans[parent_id]
    from_client = spans[towards_service.parent_span_id.hex()]
    assert flags == "01"
    assert {name for name, _ in collector.of_trace(trace_id)} == {"gateway"}
    assert (from_client.kind, towards_service.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert from_client.parent_span_id == b""
    line = gateway.logged(lambda entry: entry.get("trace_id") == trace_id)
    assert (line["path"], line["grpc_status"]) == (GET_CASE, "OK")


def test_a_trace_that_the_client_began_goes_on(traced: tuple[Gateway, Collector, grpc.Channel]) -> None:
    gateway, collector, channel = traced
    trace_id, client_span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    arrived = arriving_traceparent(channel, metadata=[("traceparent", f"00-{trace_id}-{client_span}-01")])
    wait_until(lambda: len(collector.of_trace(trace_id)) == 2)
    assert arrived[1] == trace_id
    assert arrived[2] != client_span
    parents = {span.parent_span_id.hex() for _, span in collector.of_trace(trace_id)}
    assert client_span in parents
    assert gateway.logged(lambda entry: entry.get("trace_id") == trace_id)


def test_spans_say_nothing_about_the_clients_text(traced: tuple[Gateway, Collector, grpc.Channel]) -> None:
    _, collector, channel = traced
    _, trace_id, *_ = arriving_traceparent(channel, body=b"canary-4711", metadata=[("x-note", "canary-4711")])
    wait_until(lambda: len(collector.of_trace(trace_id)) == 2)
    assert "canary" not in "".join(str(span) for _, span in collector.of_trace(trace_id))


def test_spans_say_nothing_of_what_a_json_caller_writes_into_a_path(
    traced: tuple[Gateway, Collector, grpc.Channel], mesh_pki: Pki
) -> None:
    gateway, collector, _ = traced
    connection = gateway.https(mesh_pki.layout.system(POLICE, SYSTEM))
    for path in ("/v1/canary-4711", "/v1/cases?title=canary-4711", "/v1/cases/canary-4711"):
        trace_id = new_id().replace("-", "")
        connection.request("GET", path, headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
        connection.getresponse().read()
        wait_until(lambda trace_id=trace_id: len(collector.of_trace(trace_id)) > 0)  # type: ignore[misc]
        assert "canary" not in "".join(str(span) for _, span in collector.of_trace(trace_id))
    connection.close()
