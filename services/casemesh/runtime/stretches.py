"""Spans for the parts of a long stream, a bounded number of them.

A stream of a dossier lasts minutes; one span says nothing of where they went. A span a message would be thousands.
"""

from __future__ import annotations

from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace

from casemesh.runtime.telemetry import tracer

_FIRST_BYTES: Final = 16 << 20
_OF_ONE_LENGTH: Final = 16


class Stretches:
    """Child spans of the call in hand, one a stretch of its bytes: 16 of 16 MiB, 16 of 32 MiB and so on.

    A stream of n bytes has at most 16 * (1 + log2(1 + n / 256 MiB)) + 1 of them, one of 20 GB 99. Their attribute
    counts bytes; they name nothing. Begin it within the call; `moved` and `end` may be called from any task.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._above = otel_context.get_current()
        self._span: trace.Span | None = None
        self._ended = 0
        self._bytes = 0
        self.begin()

    def begin(self) -> None:
        """Begin the next stretch where none is open: the time until its first byte belongs to it."""
        if self._span is None:
            self._span = tracer().start_span(self._name, context=self._above)

    def moved(self, size_bytes: int) -> None:
        """Count what moved; a stretch that has its length ends here."""
        self.begin()
        self._bytes += size_bytes
        if self._bytes >= _FIRST_BYTES << (self._ended // _OF_ONE_LENGTH):
            self._close()

    def end(self) -> None:
        """End the last stretch. One in which nothing moved says how long the end took."""
        if self._span is not None:
            self._close()

    def _close(self) -> None:
        assert self._span is not None
        self._span.set_attribute("casemesh.size_bytes", self._bytes)
        self._span.end()
        self._span = None
        self._ended += 1
        self._bytes = 0
