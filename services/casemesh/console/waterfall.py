"""A trace as bars over time, in the order in which the calls hang below one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casemesh.local.trace_tree import TraceNode, build_tree, failure_of

WIDTH = 1000
"""Units of a bar's place and width: the whole of the trace."""
_NARROWEST = 3


@dataclass(frozen=True)
class Bar:
    """One span. Times in milliseconds."""

    service: str
    name: str
    depth: int
    is_linked: bool
    """Whether it was done later on account of what it hangs below."""
    start_ms: float
    took_ms: float
    x: int
    width: int
    failure: str
    """The code it failed with, "" when it did not."""


def bars(spans: Sequence[Mapping[str, Any]], trace: str) -> list[Bar]:
    """Return the bars of a trace and of what links to it. What began after the trace ended is drawn at its edge."""
    if not spans:
        return []
    own = [span for span in spans if span["trace_id"] == trace] or list(spans)
    origin = min(span["start_unix_nano"] for span in own)
    whole = max(max(span["end_unix_nano"] for span in own) - origin, 1)
    return [bar for root in build_tree(spans, trace) for bar in _bars(root, 0, origin, whole, frozenset())]


def _bars(node: TraceNode, depth: int, origin: int, whole: int, on_path: frozenset[str]) -> Iterator[Bar]:
    span = node.span
    start, end = span["start_unix_nano"] - origin, span["end_unix_nano"] - origin
    x = round(WIDTH * min(max(start, 0), whole) / whole)
    width = max(round(WIDTH * min(end, whole) / whole) - x, _NARROWEST)
    yield Bar(
        service=str(span["service"]),
        name=str(span["name"]),
        depth=depth,
        is_linked=node.linked,
        start_ms=start / 1e6,
        took_ms=(end - start) / 1e6,
        x=min(x, WIDTH - _NARROWEST),
        width=min(width, WIDTH - min(x, WIDTH - _NARROWEST)),
        failure=failure_of(span),
    )
    # Spans come from a network and may claim anything, a circle too.
    if span["span_id"] in on_path:
        return
    for child in node.children:
        yield from _bars(child, depth + 1, origin, whole, on_path | {span["span_id"]})
