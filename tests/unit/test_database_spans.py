"""A use of the database is a span of the call it is for, and none where there is no call."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from casemesh.runtime import telemetry
from casemesh.runtime.telemetry import database_span


def test_the_database_stands_below_the_call_and_is_silent_outside_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "tracer", lambda: provider.get_tracer("test"))
    with database_span("statement"):
        pass
    assert () == exporter.get_finished_spans()
    with provider.get_tracer("test").start_as_current_span("call") as call, database_span("write"):
        # Not made current: what the call does besides does not hang below its database.
        assert call is trace.get_current_span()
    [used, _] = exporter.get_finished_spans()
    assert "database.write" == used.name
    assert used.parent is not None
    assert call.get_span_context().span_id == used.parent.span_id
    assert {"db.system.name": "postgresql"} == dict(used.attributes or {})
