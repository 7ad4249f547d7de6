"""A trace as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from casemesh.local.trace_tree import TraceNode, build_tree, failure_of, services

__all__ = ["TraceNode", "build_tree", "render_tree", "services"]


def render_tree(roots: Sequence[TraceNode]) -> Iterator[str]:
    """Yield the lines of the tree: service, name, milliseconds from the first start, duration, and a failure's code."""
    if not roots:
        return
    origin = min(root.span["start_unix_nano"] for root in roots)
    for root in roots:
        yield from _lines(root, origin, "", "", set())


def _lines(node: TraceNode, origin: int, lead: str, below: str, on_path: set[str]) -> Iterator[str]:
    span = node.span
    begin = (span["start_unix_nano"] - origin) / 1e6
    took = (span["end_unix_nano"] - span["start_unix_nano"]) / 1e6
    arrow = "~> " if node.linked else ""
    failed = f"  {code}" if (code := failure_of(span)) else ""
    yield f"{lead}{arrow}{span['service']:<12} {span['name']}  +{begin:.1f} ms  {took:.1f} ms{failed}"
    if span["span_id"] in on_path:
        return
    for index, child in enumerate(node.children):
        last = index == len(node.children) - 1
        yield from _lines(
            child,
            origin,
            below + ("└─ " if last else "├─ "),
            below + ("   " if last else "│  "),
            on_path | {span["span_id"]},
        )
