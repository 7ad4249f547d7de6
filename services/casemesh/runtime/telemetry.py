"""Traces and metrics, by interceptors of our own: the packaged ones lose spans under asyncio.

Span names and attributes follow OpenTelemetry's RPC conventions. A span or metric never holds personal data, evidence
or a file name; a case appears by its opaque id only. Losing telemetry never fails a call.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags

from casemesh.runtime.config import TelemetryConfig
from casemesh.runtime.forwarded import HEADER
from casemesh.runtime.tail_sampling import HeadSampler, TailProcessor

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SHUTDOWN_SECONDS = 3.0


def configure(service: str, config: TelemetryConfig) -> None:
    """Send this process's spans and metrics to the configured receiver; without one, spans still have ids."""
    resource = Resource.create({"service.name": service, "service.namespace": "casemesh"})
    sampler = HeadSampler(config.trace_one_in, record_topmost=bool(config.otlp_endpoint and config.trace_slow))
    provider = TracerProvider(sampler, resource=resource, shutdown_on_exit=False)
    readers: list[MetricReader] = []
    if config.otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=config.otlp_endpoint, insecure=True, timeout=5)
        batches = BatchSpanProcessor(exporter, schedule_delay_millis=500)
        provider.add_span_processor(TailProcessor(batches, config.trace_slow))
        pushing = OTLPMetricExporter(endpoint=config.otlp_endpoint, insecure=True, timeout=5)
        readers.append(PeriodicExportingMetricReader(pushing, export_interval_millis=15_000))
    if config.metrics_listen:
        readers.append(prometheus_page(config.metrics_listen))
    if readers:
        metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=readers, shutdown_on_exit=False))
    trace.set_tracer_provider(provider)


def prometheus_page(listen: str) -> MetricReader:
    """Serve the metrics as text for Prometheus on `host:port`, and return what reads them. Raises OSError when the
    address is taken."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from prometheus_client import CollectorRegistry, start_http_server

    host, _, port = listen.rpartition(":")
    # A registry of its own: the library's has what Python itself has to say.
    registry = CollectorRegistry()
    start_http_server(int(port), host or "127.0.0.1", registry)
    return PrometheusMetricReader(scope_info_enabled=False, registry=registry)


def shut_down() -> None:
    """Send what waits, for at most three seconds: a dead collector must not keep a service from stopping."""
    providers = [trace.get_tracer_provider(), metrics.get_meter_provider()]
    threads = [
        threading.Thread(target=provider.shutdown, daemon=True)
        for provider in providers
        if hasattr(provider, "shutdown")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SHUTDOWN_SECONDS)


def tracer() -> trace.Tracer:
    """Return the tracer of this process."""
    return _tracer_of(trace.get_tracer_provider())


# Every span asks for it, and a provider makes a new one each time, which costs half as much as the span.
@lru_cache(maxsize=4)
def _tracer_of(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer("casemesh")


def meter() -> metrics.Meter:
    """Return the meter of this process."""
    return metrics.get_meter("casemesh")


def remote_parent(metadata: Sequence[tuple[str, str | bytes]]) -> trace.Span | None:
    """Return the caller's span from the W3C `traceparent`, or None when there is none that parses.

    Its flag counts between services alone: what comes through the gateway does not say which traces are kept.
    """
    outside = any(key == HEADER for key, _ in metadata)
    for key, value in metadata:
        if key == "traceparent" and isinstance(value, str) and (context := _parse(value)) is not None:
            return NonRecordingSpan(_undecided(context) if outside else context)
    return None


def traceparent_of(span: trace.Span) -> str:
    """Return the W3C `traceparent` of a span, or "" when it is not valid."""
    context = span.get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def database_span(kind: str) -> Iterator[None]:
    """Time a use of the database as a span below the call in hand, waiting for a connection included.

    It says nothing of what was asked. Outside of a call there is none: what looks for work every second would be a
    trace a second.
    """
    if not trace.get_current_span().is_recording():
        yield
        return
    attributes = {"db.system.name": "postgresql"}
    span = tracer().start_span(f"database.{kind}", kind=trace.SpanKind.CLIENT, attributes=attributes)
    try:
        yield
    finally:
        span.end()


def link_to(traceparent: str) -> Link | None:
    """Return a link to the span that a stored `traceparent` names, or None."""
    context = _parse(traceparent)
    return Link(context) if context is not None else None


def _undecided(context: SpanContext) -> SpanContext:
    return SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=TraceFlags(0))


def _parse(traceparent: str) -> SpanContext | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    context = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16))
    )
    return context if context.is_valid else None
