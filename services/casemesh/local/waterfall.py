"""A trace as a page for a browser: each span a bar over time, below what called it.

Everything from spans is escaped, since they come over a network; there is no script and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from casemesh.local.trace_tree import TraceNode, build_tree, failure_of

MAX_BARS = 2_000
"""What lies beyond is counted and not drawn; the JSON has all."""
_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%}th{text-align:left}td{padding:1px 6px;white-space:nowrap}
td.name{max-width:38rem;overflow:hidden;text-overflow:ellipsis}td.time{text-align:right}
td.line{width:45%}.bar{height:.8rem;min-width:2px;background:#2b6cb0}.failed{background:#c53030}.later{opacity:.55}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ab4f8}}
"""


def list_page(traces: Sequence[Mapping[str, Any]]) -> str:
    """Return the recent traces, each with a way to its waterfall."""
    rows = "".join(
        f'<tr><td><a href="/waterfall/{escape(trace["trace_id"])}">{escape(trace["trace_id"])}</a></td>'
        f"<td>{escape(str(trace['name']))}</td><td>{escape(', '.join(trace['services']))}</td>"
        f'<td class="time">{int(trace["span_count"])}</td></tr>'
        for trace in traces
    )
    head = "<tr><th>Trace 跟踪号</th><th>First call 首个调用</th><th>Services 服务</th><th>Spans</th></tr>"
    return _page("Traces 链路", f"<table>{head}{rows}</table>")


def waterfall_page(trace: str, spans: Sequence[Mapping[str, Any]]) -> str:
    """Return the bars of a trace and of what was done later on its account, the latter paler.

    The line spans the trace itself; what began after it stands at its end. An unknown trace gives a page that says so.
    """
    title = f"Trace 链路 {trace}"
    if not spans:
        return _page(title, "<p>No span of it is kept here.  没有该链路的记录。</p>")
    own = [span for span in spans if span["trace_id"] == trace] or list(spans)
    origin = min(span["start_unix_nano"] for span in own)
    whole = max(max(span["end_unix_nano"] for span in own) - origin, 1)
    nodes = [item for root in build_tree(spans, trace) for item in _walk(root, 0, False, frozenset())]
    rows = "".join(_row(node, depth, later, origin, whole) for node, depth, later in nodes[:MAX_BARS])
    left = f"<p>{len(nodes) - MAX_BARS} more spans are not drawn.</p>" if len(nodes) > MAX_BARS else ""
    ways = f'<p><a href="/">All 全部</a> · <a href="/traces/{escape(trace)}/otlp">OTLP JSON</a></p>'
    head = "<tr><th>Service 服务</th><th>Call 调用</th><th>ms</th><th>Failure 失败</th><th></th></tr>"
    return _page(title, f"{ways}<table>{head}{rows}</table>{left}")


def _walk(
    node: TraceNode, depth: int, later: bool, on_path: frozenset[str]
) -> Iterator[tuple[TraceNode, int, bool]]:  # fmt: skip
    later = later or node.linked
    yield node, depth, later
    span_id = str(node.span["span_id"])
    # Spans may claim anything, a circle of links too.
    for child in node.children if span_id not in on_path else ():
        yield from _walk(child, depth + 1, later, on_path | {span_id})


def _row(node: TraceNode, depth: int, later: bool, origin: int, whole: int) -> str:
    span = node.span
    start, end = span["start_unix_nano"] - origin, span["end_unix_nano"] - origin
    left = 100 * min(max(start, 0), whole) / whole
    width = max(0.0, 100 * min(end, whole) / whole - left)
    failure = failure_of(span)
    kind = "bar" + (" failed" if failure else "") + (" later" if later else "")
    name, arrow = escape(str(span["name"])), "⤷ " if node.linked else ""
    return (
        f"<tr><td>{escape(str(span['service']))}</td>"
        f'<td class="name" title="{name}" style="padding-left:{min(depth, 20)}rem">{arrow}{name}</td>'
        f'<td class="time">{(end - start) / 1e6:.1f}</td><td>{escape(failure)}</td>'
        f'<td class="line"><div class="{kind}" style="margin-left:{left:.2f}%;width:{width:.2f}%"></div></td></tr>'
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
