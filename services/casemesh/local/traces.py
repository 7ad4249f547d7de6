"""The telemetry backend of one machine: takes OTLP over gRPC on loopback, keeps what is recent in memory, answers over
HTTP.

`GET /traces/ID` gives a trace with the traces that link to it (an outbox relay works in a trace of its own), `GET
/traces/ID/otlp` the same as OTLP JSON; `GET /traces` lists recent ones; `GET /metrics` gives the latest value of each
metric. A browser gets the list at `/` and a trace as a waterfall at `/waterfall/ID`. Meant for one person at one
machine: it binds to loopback, keeps at most 200,000 spans, and forgets them when it stops.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import grpc.aio
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1 import common_pb2

from casemesh.local.otlp_json import otlp_document
from casemesh.local.waterfall import list_page, waterfall_page

MAX_SPANS = 200_000
_PATH = re.compile(r"/(?:traces/([0-9a-f]{32})(/otlp)?|waterfall/([0-9a-f]{32}))")
_OWN_NAMES = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[0-9]+)?")
_ANY_NAME = re.compile(".*")


@dataclass(frozen=True)
class StoredSpan:
    """One span; ids in hexadecimal, times in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    service: str
    start_unix_nano: int
    end_unix_nano: int
    status: str
    kind: int = 1
    """As OTLP counts them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer."""
    attributes: dict[str, Any] = field(default_factory=dict)
    links: list[dict[str, str]] = field(default_factory=list)


class SpanStore:
    """Recent spans by trace, the oldest trace forgotten first. Safe to use from several threads."""

    def __init__(self, max_spans: int = MAX_SPANS) -> None:
        self._max_spans = max_spans
        self._lock = threading.Lock()
        self._traces: OrderedDict[str, list[StoredSpan]] = OrderedDict()
        self._linked_by: dict[str, set[str]] = {}
        self._count = 0

    def add(self, span: StoredSpan) -> None:
        """Keep a span."""
        with self._lock:
            self._traces.setdefault(span.trace_id, []).append(span)
            self._traces.move_to_end(span.trace_id)
            for link in span.links:
                self._linked_by.setdefault(link["trace_id"], set()).add(span.trace_id)
            self._count += 1
            while self._count > self._max_spans and len(self._traces) > 1:
                forgotten, spans = self._traces.popitem(last=False)
                self._linked_by.pop(forgotten, None)
                self._count -= len(spans)

    def trace(self, trace_id: str) -> list[StoredSpan]:
        """Return the spans of a trace and of the traces that link to it, by start."""
        with self._lock:
            wanted = [trace_id, *sorted(self._linked_by.get(trace_id, ()))]
            spans = [span for one in dict.fromkeys(wanted) for span in self._traces.get(one, ())]
        return sorted(spans, key=lambda span: span.start_unix_nano)

    def recent(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the latest traces: id, name of the first span, services, number of spans."""
        with self._lock:
            latest = list(self._traces.items())[-limit:]
        return [
            {
                "trace_id": trace_id,
                "name": min(spans, key=lambda span: span.start_unix_nano).name,
                "services": sorted({span.service for span in spans}),
                "span_count": len(spans),
            }
            for trace_id, spans in reversed(latest)
        ]


class TraceReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes OTLP."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store

    async def Export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource_spans in request.resource_spans:
            service = str(_attributes(resource_spans.resource.attributes).get("service.name", "unknown"))
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    self._store.add(_stored(span, service))
        return trace_service_pb2.ExportTraceServiceResponse()


class MetricReceiver(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Takes OTLP metrics and keeps the latest point of each."""

    def __init__(self) -> None:
        self.latest: dict[tuple[str, str, str], dict[str, Any]] = {}

    async def Export(
        self, request: metrics_service_pb2.ExportMetricsServiceRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> metrics_service_pb2.ExportMetricsServiceResponse:
        for resource_metrics in request.resource_metrics:
            service = str(_attributes(resource_metrics.resource.attributes).get("service.name", "unknown"))
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    self._keep(service, metric)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def _keep(self, service: str, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points if kind else ():
            attributes = _attributes(point.attributes)
            value = {"count": point.count, "sum": point.sum} if kind == "histogram" else {"value": _number(point)}
            key = (service, metric.name, json.dumps(attributes, sort_keys=True))
            self.latest[key] = {
                "service": service,
                "name": metric.name,
                "unit": metric.unit,
                "attributes": attributes,
                **value,
            }


class Collector:
    """The receiver and the HTTP answers, on two ports of loopback, or of `host` where a network keeps others out."""

    def __init__(self, *, host: str = "127.0.0.1", otlp_port: int = 0, http_port: int = 0) -> None:
        self.store = SpanStore()
        self._host, self._wanted = host, (otlp_port, http_port)
        self._server: grpc.aio.Server | None = None
        self._http: ThreadingHTTPServer | None = None
        self.otlp_port = 0
        self.http_port = 0

    async def start(self) -> None:
        """Listen. Raises OSError when a wanted port is taken."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call]
            TraceReceiver(self.store), self._server
        )
        metrics = MetricReceiver()
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(  # type: ignore[no-untyped-call]
            metrics, self._server
        )
        self.otlp_port = self._server.add_insecure_port(f"{self._host}:{self._wanted[0]}")
        await self._server.start()
        # Pods ask by a service's name and probes by the pod's address; no browser is in their network.
        names = _OWN_NAMES if self._host == "127.0.0.1" else _ANY_NAME
        self._http = ThreadingHTTPServer((self._host, self._wanted[1]), _handler(self.store, metrics, names))
        self.http_port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, name="traces-http", daemon=True).start()

    async def stop(self) -> None:
        """Stop listening; the spans are forgotten with the object."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
        if self._server is not None:
            await self._server.stop(1)


def _handler(store: SpanStore, metrics: MetricReceiver, names: re.Pattern[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if names.fullmatch(self.headers.get("host", "")) is None:
                # A page from elsewhere that made its own name lead here must not read along.
                self._json(403, {"error": "ask by 127.0.0.1 or localhost"})
            elif (match := _PATH.fullmatch(self.path)) is not None:
                trace_id = match[1] or match[3]
                self._trace(trace_id, [asdict(span) for span in store.trace(trace_id)], match)
            elif self.path == "/":
                self._html(200, list_page(store.recent()))
            elif self.path == "/traces":
                self._json(200, {"traces": store.recent()})
            elif self.path == "/metrics":
                self._json(200, {"metrics": list(metrics.latest.values())})
            else:
                self._json(404, {"error": "ask for /traces, /traces/{32 hexadecimal digits} or /metrics"})

        def _trace(self, trace_id: str, spans: list[dict[str, Any]], match: re.Match[str]) -> None:
            status = 200 if spans else 404
            if match[3]:
                self._html(status, waterfall_page(trace_id, spans))
            elif match[2]:
                self._json(status, otlp_document(spans))
            else:
                self._json(status, {"spans": spans})

        def _json(self, status: int, document: dict[str, Any]) -> None:
            self._answer(status, "application/json", json.dumps(document, ensure_ascii=False))

        def _html(self, status: int, page: str) -> None:
            self._answer(status, "text/html", page)

        def _answer(self, status: int, media_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", f"{media_type}; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.send_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("x-content-type-options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


def _stored(span: Any, service: str) -> StoredSpan:
    return StoredSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        service=service,
        start_unix_nano=span.start_time_unix_nano,
        end_unix_nano=span.end_time_unix_nano,
        status={0: "UNSET", 1: "OK", 2: "ERROR"}.get(span.status.code, "UNSET"),
        kind=span.kind,
        attributes=_attributes(span.attributes),
        links=[{"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex()} for link in span.links],
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: common_pb2.AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    inner = getattr(value, kind)
    return inner if isinstance(inner, str | int | float | bool) else str(inner)


def _number(point: Any) -> float:
    kind = point.WhichOneof("value")
    return float(getattr(point, kind)) if kind else 0.0
