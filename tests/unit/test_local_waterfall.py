"""The page of a trace shows every span in its place and lets nothing of a span act."""

from __future__ import annotations

import re
from typing import Any

from casemesh.local.otlp_json import otlp_document
from casemesh.local.waterfall import MAX_BARS, list_page, waterfall_page

T, U = "a" * 32, "b" * 32
HOSTILE = "<script>alert(1)</script>\"' onload=x"


def span(span_id: str, parent: str = "", start: int = 0, end: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "trace_id": T,
        "span_id": span_id,
        "parent_span_id": parent,
        "name": f"call-{span_id}",
        "service": "routing",
        "start_unix_nano": start * 1_000_000,
        "end_unix_nano": end * 1_000_000,
        "status": "UNSET",
        "kind": 2,
        "attributes": {},
        "links": [],
        **more,
    }


def bars(page: str) -> list[tuple[str, str, float, float]]:
    row = re.compile(r'title="call-(.*?)".*?<div class="(.*?)" style="margin-left:(.*?)%;width:(.*?)%"')
    return [(name, kind, float(left), float(width)) for name, kind, left, width in row.findall(page)]


def test_each_bar_stands_where_its_span_lay_in_time() -> None:
    shown = bars(waterfall_page(T, [span("1"), span("3", "1", 5, 10), span("2", "1", 0, 5)]))
    assert [("1", "bar", 0.0, 100.0), ("2", "bar", 0.0, 50.0), ("3", "bar", 50.0, 50.0)] == shown


def test_a_failure_and_what_was_done_later_look_different() -> None:
    failed = span("2", "1", status="ERROR", attributes={"rpc.response.status_code": "UNAVAILABLE"})
    later = span("3", start=40, end=50, trace_id=U, links=[{"trace_id": T, "span_id": "1"}])
    page = waterfall_page(T, [span("1"), failed, later])
    assert [("1", "bar"), ("2", "bar failed"), ("3", "bar later")] == [shown[:2] for shown in bars(page)]
    assert "UNAVAILABLE" in page
    assert (100.0, 0.0) == bars(page)[2][2:]


def test_nothing_that_a_span_says_is_markup() -> None:
    attributes = {"rpc.response.status_code": HOSTILE}
    page = waterfall_page(T, [span("1", name=HOSTILE, service=HOSTILE, status="ERROR", attributes=attributes)])
    listed = list_page([{"trace_id": T, "name": HOSTILE, "services": [HOSTILE], "span_count": 1}])
    for text in (page, listed):
        assert "<script" not in text
        assert HOSTILE not in text
        assert "&lt;script&gt;" in text


def test_a_trace_without_end_of_spans_is_drawn_in_part_and_said_so() -> None:
    page = waterfall_page(T, [span("0")] + [span(str(number), "0") for number in range(1, MAX_BARS + 5)])
    assert MAX_BARS == len(bars(page))
    assert "5 more spans are not drawn" in page


def test_a_circle_of_links_ends() -> None:
    first = span("1", trace_id=U, links=[{"trace_id": U, "span_id": "2"}])
    second = span("2", trace_id=U, links=[{"trace_id": U, "span_id": "1"}])
    assert len(bars(waterfall_page(T, [span("0"), first, second]))) < 10


def test_a_span_that_links_to_itself_is_drawn() -> None:
    alone = span("1", trace_id=U, links=[{"trace_id": U, "span_id": "1"}])
    assert ["0", "1"] == [name for name, *_ in bars(waterfall_page(T, [span("0"), alone]))]


def test_otlp_json_has_hexadecimal_ids_and_numbers_of_64_bits_as_strings() -> None:
    document = otlp_document([span("1" * 16, attributes={"casemesh.size_bytes": 5, "casemesh.transfer": True})])
    [resource] = document["resourceSpans"]
    assert [{"key": "service.name", "value": {"stringValue": "routing"}}] == resource["resource"]["attributes"]
    [found] = resource["scopeSpans"][0]["spans"]
    assert (T, "1" * 16, "", 2, "10000000") == (
        found["traceId"], found["spanId"], found["parentSpanId"], found["kind"], found["endTimeUnixNano"]
    )  # fmt: skip
    assert [
        {"key": "casemesh.size_bytes", "value": {"intValue": "5"}},
        {"key": "casemesh.transfer", "value": {"boolValue": True}},
    ] == found["attributes"]
