"""Spans as trees: by parent, and by link where an outbox lies between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_CODES = ("rpc.response.status_code", "rpc.grpc.status_code", "grpc.status_code", "http.status_code")
_GOOD = ("", "OK", "0", 0, "200", 200)


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
        itself = (node.span["trace_id"], node.span["span_id"])
        targets = [key for link in node.span.get("links") or () if (key := _link_key(link)) in nodes and key != itself]
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


def failure_of(span: Mapping[str, Any]) -> str:
    """Return the code a span failed with, "ERROR" where it has none, or "" when it did not fail."""
    attributes = span.get("attributes") or {}
    code = next((attributes[key] for key in _CODES if key in attributes), "")
    return str(code or "ERROR") if span.get("status") == "ERROR" or code not in _GOOD else ""


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
