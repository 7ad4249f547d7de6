"""Spans as trees: by parent, and by link where an outbox lies between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SHOWN_ATTRIBUTES = ("rpc.response.status_code", "rpc.grpc.status_code", "grpc.status_code", "http.status_code")


@dataclass
class TraceNode:
    """One span with what it caused."""

    span: Mapping[str, Any]
    linked: bool = False
    """Whether it hangs here by a link: work done later on account of its parent here."""
    children: list[TraceNode] = field(default_factory=list)


def build_tree(spans: Sequence[Mapping[str, Any]], trace: str) -> list[TraceNode]:
    """Return the roots of `trace` by start, each with everything that hangs below.

    A span whose parent is not among `spans` is a root: the caller's own spans are not recorded. A root of another
    trace hangs below each span it links to, once below each root of `trace` at most, or is a root where that span is
    missing. Every span appears.
    """
    nodes = {(span["trace_id"], span["span_id"]): TraceNode(span) for span in spans}
    ordered = sorted(nodes.values(), key=lambda node: node.span["start_unix_nano"])
    roots: list[TraceNode] = []
    linking: dict[tuple[str, str], list[TraceNode]] = defaultdict(list)
    for node in ordered:
        parent = nodes.get((node.span["trace_id"], node.span.get("parent_span_id") or ""))
        targets = [key for link in node.span.get("links") or () if (key := _link_key(link)) in nodes]
        if parent is not None and not _is_within(parent, node, nodes):
            parent.children.append(node)
        elif node.span["trace_id"] != trace and targets:
            for key in dict.fromkeys(targets):
                linking[key].append(node)
        else:
            roots.append(node)
    for key, followers in linking.items():
        nodes[key].children += [
            TraceNode(follower.span, linked=True, children=follower.children) for follower in followers
        ]
    return roots


def render_tree(roots: Sequence[TraceNode]) -> Iterator[str]:
    """Yield the lines of the tree: service, name, milliseconds from the first start, duration, and a failure's code."""
    if not roots:
        return
    origin = min(root.span["start_unix_nano"] for root in roots)
    for root in roots:
        yield from _lines(root, origin, "", "", set())


def services(spans: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the services that took part, sorted."""
    return sorted({str(span["service"]) for span in spans})


def _link_key(link: Mapping[str, str]) -> tuple[str, str]:
    return link["trace_id"], link["span_id"]


def _is_within(parent: TraceNode, node: TraceNode, nodes: Mapping[tuple[str, str], TraceNode]) -> bool:
    """Say whether `parent` hangs below `node`: spans come from a network and may claim anything, a circle too."""
    seen = 0
    current: TraceNode | None = parent
    while current is not None and seen <= len(nodes):
        if current is node:
            return True
        current = nodes.get((current.span["trace_id"], current.span.get("parent_span_id") or ""))
        seen += 1
    return seen > len(nodes)


def _lines(node: TraceNode, origin: int, lead: str, below: str, on_path: set[str]) -> Iterator[str]:
    span = node.span
    begin = (span["start_unix_nano"] - origin) / 1e6
    took = (span["end_unix_nano"] - span["start_unix_nano"]) / 1e6
    arrow = "~> " if node.linked else ""
    code = next((span["attributes"][key] for key in _SHOWN_ATTRIBUTES if key in (span.get("attributes") or {})), "")
    failed = (
        f"  {code or 'ERROR'}" if span.get("status") == "ERROR" or code not in ("", "OK", "0", 0, "200", 200) else ""
    )
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
