"""Traces as a client starts them: W3C ids, without any tracing library.

An agency's program exports no spans. It only names the trace, so that what the platform did for one piece of work is
found under one id, which the program can print, log and quote to the platform's operators.

Source: W3C Trace Context, sections 3.2.2.3 (trace-id) and 3.2.2.4 (parent-id).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One trace; `trace_id` is 32 lowercase hexadecimal digits, not all zero."""

    trace_id: str

    @classmethod
    def new(cls) -> TraceContext:
        """Return a trace with a random id."""
        return cls(_random_id(16))

    def traceparent(self) -> str:
        """Return the header of one call in this trace: sampled, with a parent id of its own."""
        return f"00-{self.trace_id}-{_random_id(8)}-01"


_current: ContextVar[TraceContext | None] = ContextVar("casemesh_client_trace", default=None)


@contextmanager
def tracing(trace: TraceContext | None = None) -> Iterator[TraceContext]:
    """Make all calls of the body, and of the tasks it starts, part of one trace: `trace`, or a new one."""
    chosen = trace if trace is not None else TraceContext.new()
    token = _current.set(chosen)
    try:
        yield chosen
    finally:
        _current.reset(token)


def current_trace() -> TraceContext:
    """Return the trace set by `tracing`, or a new one for a call outside of any."""
    return _current.get() or TraceContext.new()


def _random_id(size_bytes: int) -> str:
    while not any(value := secrets.token_bytes(size_bytes)):
        pass  # an id of zeros means "none" to every reader
    return value.hex()
