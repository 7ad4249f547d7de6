"""Which traces are kept: one in so many by their id, and besides them every transfer, failure and slow call.

Whether a call failed or was slow is known at its end, so the spans of a call that was not drawn wait for it: when the
topmost span of this process ends, they are all exported or all forgotten. Each process decides for itself; what was
drawn at the head, and what a service of the mesh says it keeps, is kept by all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

TRANSFER = "casemesh.transfer"
"""Attribute, true on the span of a stream: it is always kept."""
POLLS = frozenset({"casemesh.audit.v1.AuditFeedService/FeedEvents"})
"""Calls that one service makes to another every moment, also when nothing happens: drawn, they would be most traces."""
MAX_WAITING_SPANS = 20_000
"""How many spans of undecided calls one process holds; the calls beyond it are decided by their head alone."""


class HeadSampler(Sampler):
    """Draws one of `one_in` traces, the same ones in all services; transfers, and what a caller of the mesh keeps or a
    link leads to, always. What is not drawn is recorded and not flagged, so that a `TailProcessor` can still keep it,
    or, with `record_all` false, not recorded."""

    def __init__(self, one_in: int, *, record_all: bool) -> None:
        self._ratio = TraceIdRatioBased(1 / max(1, one_in))
        self._otherwise = Decision.RECORD_ONLY if record_all else Decision.DROP

    def should_sample(
        self,
        parent_context: otel_context.Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        kept = (
            (parent.is_valid and parent.trace_flags.sampled)
            or bool((attributes or {}).get(TRANSFER))
            # What an outbox does later for a trace that is kept.
            or any(link.context.trace_flags.sampled for link in links or ())
            or (name not in POLLS and self._drawn(parent_context, trace_id, name))
        )
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else self._otherwise, attributes, trace_state)

    def _drawn(self, parent_context: otel_context.Context | None, trace_id: int, name: str) -> bool:
        return self._ratio.should_sample(parent_context, trace_id, name).decision is Decision.RECORD_AND_SAMPLE

    def get_description(self) -> str:
        return f"HeadSampler{{{self._ratio.get_description()}}}"


class TailProcessor(SpanProcessor):
    """Hands on what was drawn at once, and the spans of a call that was not drawn when the call failed or took
    `slow_seconds` or longer. Safe to use from several threads."""

    def __init__(self, onward: SpanProcessor, slow_seconds: float, max_waiting: int = MAX_WAITING_SPANS) -> None:
        self._onward = onward
        self._slow_nanos = int(slow_seconds * 1e9)
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._root_of: dict[int, int] = {}
        self._waiting: dict[int, list[ReadableSpan]] = {}
        self._count = 0

    def on_start(self, span: Span, parent_context: otel_context.Context | None = None) -> None:
        context = span.get_span_context()
        if context is None or context.trace_flags.sampled:
            return
        with self._lock:
            above = span.parent.span_id if span.parent is not None and not span.parent.is_remote else None
            root = self._root_of.get(above, context.span_id) if above is not None else context.span_id
            self._root_of[context.span_id] = root
            if root == context.span_id:
                self._waiting[root] = []

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None or context.trace_flags.sampled:
            self._onward.on_end(span)
            return
        with self._lock:
            root = self._root_of.pop(context.span_id, context.span_id)
            spans = self._waiting.get(root)
            if spans is not None and self._count < self._max_waiting:
                spans.append(span)
                self._count += 1
            if root != context.span_id:
                return
            ended = self._waiting.pop(root, [])
            self._count -= len(ended)
        if self._is_kept(span, ended):
            for one in ended:
                self._onward.on_end(_flagged(one))

    def shutdown(self) -> None:
        self._onward.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._onward.force_flush(timeout_millis)

    def _is_kept(self, root: ReadableSpan, spans: Sequence[ReadableSpan]) -> bool:
        took = (root.end_time or 0) - (root.start_time or 0)
        return took >= self._slow_nanos or any(one.status.status_code is trace.StatusCode.ERROR for one in spans)


def _flagged(span: ReadableSpan) -> ReadableSpan:
    """Return the span as if it had been drawn: processors pass nothing else on."""
    context = span.get_span_context()
    assert context is not None
    drawn = SpanContext(
        context.trace_id, context.span_id, context.is_remote, TraceFlags(TraceFlags.SAMPLED), context.trace_state
    )
    return ReadableSpan(
        name=span.name,
        context=drawn,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
