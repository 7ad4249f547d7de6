"""Traces by W3C's rules."""

from __future__ import annotations

import asyncio
import re

from casemesh.client.trace_context import TraceContext, current_trace, tracing


def test_a_traceparent_has_the_form_of_the_standard() -> None:
    trace = TraceContext.new()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace.traceparent())
    assert trace.trace_id in trace.traceparent()


def test_calls_of_one_trace_have_different_parents() -> None:
    trace = TraceContext.new()
    assert trace.traceparent() != trace.traceparent()


async def test_tasks_started_in_a_trace_belong_to_it() -> None:
    async def inside() -> str:
        return current_trace().trace_id

    with tracing() as trace:
        task = asyncio.create_task(inside())
    assert await task == trace.trace_id
    assert current_trace().trace_id != trace.trace_id
