"""Which traces are kept: what is drawn, and every failure, slow call and transfer besides."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, Span, StatusCode

from casemesh.runtime.tail_sampling import TRANSFER, HeadSampler, TailProcessor
from casemesh.runtime.telemetry import remote_parent, traceparent_of

NEVER = 2**63
SECOND = 1_000_000_000


class Recorder:
    """A process's tracer, and what it exported."""

    def __init__(self, one_in: int = NEVER) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(HeadSampler(one_in, record_topmost=True), shutdown_on_exit=False)
        provider.add_span_processor(TailProcessor(SimpleSpanProcessor(self.exporter), 1.0))
        self.tracer = provider.get_tracer("test")

    def call(
        self,
        name: str,
        seconds: float = 0.0,
        *,
        fails: str = "",
        below: Span | None = None,
        attributes: dict[str, bool] | None = None,
    ) -> Span:
        """Run a call with one call within it; `fails` names which of the two fails."""
        context = trace.set_span_in_context(below) if below is not None else None
        root = self.tracer.start_span(name, context, attributes=attributes, start_time=0)
        inner = self.tracer.start_span(f"{name}.inner", trace.set_span_in_context(root), start_time=0)
        for span in (inner, root):
            if fails in (name, f"{name}.inner") and getattr(span, "name", "") == fails:
                span.set_status(StatusCode.ERROR)
            span.end(int(seconds * SECOND))
        return root

    @property
    def kept(self) -> Sequence[str]:
        return sorted(span.name for span in self.exporter.get_finished_spans())


def test_a_quiet_call_that_was_not_drawn_leaves_nothing() -> None:
    recorder = Recorder()
    recorder.call("quiet")
    assert [] == recorder.kept


def test_of_a_call_that_failed_its_own_span_is_kept() -> None:
    recorder = Recorder()
    recorder.call("quiet")
    recorder.call("call", fails="call")
    assert ["call"] == recorder.kept


def test_a_failure_below_that_the_call_got_over_is_none_of_the_call() -> None:
    recorder = Recorder()
    recorder.call("call", fails="call.inner")
    assert [] == recorder.kept


def test_a_slow_call_is_kept_and_a_faster_one_is_not() -> None:
    recorder = Recorder()
    recorder.call("slow", 1.0)
    recorder.call("faster", 0.999)
    assert ["slow"] == recorder.kept


def test_a_transfer_is_kept_with_all_below_it_whatever_is_drawn() -> None:
    recorder = Recorder()
    recorder.call("transfer", attributes={TRANSFER: True})
    assert ["transfer", "transfer.inner"] == recorder.kept


def test_what_was_drawn_is_exported_flagged_and_once() -> None:
    recorder = Recorder(one_in=1)
    recorder.call("drawn", 5.0, fails="drawn")
    assert ["drawn", "drawn.inner"] == recorder.kept


def test_the_next_service_keeps_what_the_one_before_it_keeps() -> None:
    first, second = Recorder(), Recorder()
    upstream = first.call("transfer", attributes={TRANSFER: True})
    parent = remote_parent([("traceparent", traceparent_of(upstream))])
    second.call("check", below=parent)
    assert ["check", "check.inner"] == second.kept


def test_the_flag_of_a_caller_outside_decides_nothing() -> None:
    header = ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    through_gateway = remote_parent([header, ("x-forwarded-client-cert", "Hash=" + "c" * 64)])
    assert through_gateway is not None
    recorder = Recorder()
    span = recorder.call("check", below=through_gateway)
    assert ("a" * 32, []) == (f"{span.get_span_context().trace_id:032x}", recorder.kept)


def test_what_an_outbox_does_later_for_a_kept_call_is_kept() -> None:
    recorder = Recorder()
    transfer = recorder.call("transfer", attributes={TRANSFER: True})
    recorder.tracer.start_span("outbox.relay", links=[Link(transfer.get_span_context())]).end()
    quiet = recorder.call("quiet")
    recorder.tracer.start_span("outbox.other", links=[Link(quiet.get_span_context())]).end()
    assert ["outbox.relay", "transfer", "transfer.inner"] == recorder.kept


def test_two_calls_of_one_trace_in_one_process_are_decided_apart() -> None:
    recorder = Recorder()
    parent = remote_parent([("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-00")])
    recorder.call("failed", fails="failed", below=parent)
    recorder.call("well", below=parent)
    assert ["failed"] == recorder.kept
