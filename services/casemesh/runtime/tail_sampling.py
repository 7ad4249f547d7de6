"""Which traces are kept: one in so many by their id, and besides them every transfer, failure and slow call.

Whether a call failed or was slow is known at its end, so of a call that was not drawn each process records one span,
its topmost, and exports or forgets it then. What lies below is not recorded: recording all of it took a quarter of what
the platform can carry. What was drawn at the head, and what a service of the mesh says it keeps, is kept whole by all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

TRANSFER = "casemesh.transfer"
"""Attribute, true on the span of a stream: it is always kept."""
POLLS = frozenset({"casemesh.audit.v1.AuditFeedService/FeedEvents"})
"""Calls that one service makes to another every moment, also when nothing happens: drawn, they would be most traces."""


class HeadSampler(Sampler):
    """Draws one of `one_in` traces, the same ones in all services; transfers, and what a caller of the mesh keeps or a
    link leads to, always. Of what is not drawn, the topmost span of a process is recorded and not flagged, so that a
    `TailProcessor` can still keep it, or, with `record_topmost` false, not recorded."""

    def __init__(self, one_in: int, *, record_topmost: bool) -> None:
        self._ratio = TraceIdRatioBased(1 / max(1, one_in))
        self._topmost = Decision.RECORD_ONLY if record_topmost else Decision.DROP

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
        otherwise = Decision.DROP if parent.is_valid and not parent.is_remote else self._topmost
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else otherwise, attributes, trace_state)

    def _drawn(self, parent_context: otel_context.Context | None, trace_id: int, name: str) -> bool:
        return self._ratio.should_sample(parent_context, trace_id, name).decision is Decision.RECORD_AND_SAMPLE

    def get_description(self) -> str:
        return f"HeadSampler{{{self._ratio.get_description()}}}"


class TailProcessor(SpanProcessor):
    """Hands on what was drawn, and of what was not drawn but recorded the span of a call that failed or took
    `slow_seconds` or longer."""

    def __init__(self, onward: SpanProcessor, slow_seconds: float) -> None:
        self._onward = onward
        self._slow_nanos = int(slow_seconds * 1e9)

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or span.context.trace_flags.sampled:
            self._onward.on_end(span)
        elif self._is_kept(span):
            self._onward.on_end(_flagged(span))

    def shutdown(self) -> None:
        self._onward.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._onward.force_flush(timeout_millis)

    def _is_kept(self, span: ReadableSpan) -> bool:
        took = (span.end_time or 0) - (span.start_time or 0)
        return took >= self._slow_nanos or span.status.status_code is trace.StatusCode.ERROR


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
