"""A long stream has spans for its parts, in a number that grows with the logarithm of its size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from casemesh.runtime import stretches
from casemesh.runtime.stretches import Stretches

MIB = 1 << 20


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(stretches, "tracer", lambda: provider.get_tracer("test"))
    call = provider.get_tracer("test").start_span("call")
    token = otel_context.attach(trace.set_span_in_context(call))
    yield exporter
    otel_context.detach(token)


def moved(exporter: InMemorySpanExporter, size_bytes: int, step: int = 4 * MIB) -> tuple[ReadableSpan, ...]:
    parts = Stretches("part")
    for start in range(0, size_bytes, step):
        parts.moved(min(step, size_bytes - start))
    parts.end()
    return tuple(exporter.get_finished_spans())


def sizes(spans: tuple[ReadableSpan, ...]) -> list[int]:
    return [int(str((span.attributes or {})["casemesh.size_bytes"])) for span in spans]


def test_the_parts_hang_below_the_call_and_count_every_byte_once(exported: InMemorySpanExporter) -> None:
    spans = moved(exported, 100 * MIB + 5)
    above = trace.get_current_span().get_span_context()
    assert {above.span_id} == {span.parent.span_id for span in spans if span.parent is not None}
    assert 100 * MIB + 5 == sum(sizes(spans))
    assert [16 * MIB] * 6 + [4 * MIB + 5] == sizes(spans)


def test_twenty_gigabytes_are_a_hundred_parts_at_most(exported: InMemorySpanExporter) -> None:
    assert 99 == len(moved(exported, 20_000_000_000, 16 * MIB))


def test_a_stream_without_a_byte_has_one_part_that_says_so(exported: InMemorySpanExporter) -> None:
    assert [0] == sizes(moved(exported, 0))
