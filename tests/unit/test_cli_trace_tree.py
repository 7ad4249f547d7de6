"""Every span appears, under its parent or under what it links to."""

from __future__ import annotations

from typing import Any

from casemesh.cli.trace_tree import build_tree, render_tree, services

T, U = "a" * 32, "b" * 32


def span(
    span_id: str, parent: str = "", *, trace: str = T, start: int = 0, links: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    return {
        "trace_id": trace,
        "span_id": span_id,
        "parent_span_id": parent,
        "name": f"call-{span_id}",
        "service": more.pop("service", "routing"),
        "start_unix_nano": start * 1_000_000,
        "end_unix_nano": (start + 5) * 1_000_000,
        "status": "UNSET",
        "attributes": {},
        "links": [{"trace_id": T, "span_id": link} for link in links],
        **more,
    }


def lines(*spans: dict[str, Any]) -> list[str]:
    return list(render_tree(build_tree(spans, T)))


def test_children_stand_below_their_parents_by_start() -> None:
    shown = lines(span("1", "client"), span("3", "1", start=4), span("2", "1", start=2), span("4", "2", start=3))
    assert [line.split("call-")[1][0] for line in shown] == ["1", "2", "4", "3"]
    assert shown[1].startswith("├─ ")
    assert shown[2].startswith("│  └─ ")
    assert shown[3].startswith("└─ ")
    assert shown[3].endswith("+4.0 ms  5.0 ms")


def test_spans_without_a_recorded_parent_are_roots() -> None:
    roots = build_tree([span("2", "client", start=2), span("1", "client")], T)
    assert [root.span["span_id"] for root in roots] == ["1", "2"]


def test_work_done_later_hangs_below_what_it_links_to() -> None:
    shown = lines(
        span("1"), span("9", trace=U, start=50, links=("1",), service="audit"), span("8", "9", trace=U, start=51)
    )
    assert "└─ ~> audit" in shown[1]
    assert shown[2].startswith("   └─ ")


def test_work_for_several_calls_shows_below_each() -> None:
    shown = lines(span("1"), span("2", start=1), span("9", trace=U, start=50, links=("1", "2")))
    assert [line.strip("└─ ~>").split()[1] for line in shown] == ["call-1", "call-9", "call-2", "call-9"]


def test_a_link_to_what_is_not_there_loses_no_span() -> None:
    assert len(lines(span("1"), span("9", trace=U, links=("gone",)))) == 2


def test_a_circle_ends() -> None:
    for circle in ([span("1", "2"), span("2", "1")], [span("1", "1")]):
        assert sum(1 for _ in render_tree(build_tree(circle, T))) == len(circle)
    linked = [span("1"), span("9", trace=U, links=("1",)), span("2", "1", start=1)]
    linked[1]["links"].append({"trace_id": U, "span_id": "9"})
    assert 3 <= len(lines(*linked)) <= 6


def test_a_failure_shows_its_code() -> None:
    failed = span("1", status="ERROR", attributes={"rpc.response.status_code": "UNAVAILABLE"})
    refused = span("2", start=1, attributes={"rpc.response.status_code": "NOT_FOUND"})
    fine = span("3", start=2, attributes={"rpc.response.status_code": "OK"})
    shown = [line.rpartition(" ms")[2].strip() for line in lines(failed, refused, fine)]
    assert shown == ["UNAVAILABLE", "NOT_FOUND", ""]


def test_services_are_named_once() -> None:
    assert services([span("1"), span("2"), span("3", service="audit")]) == ["audit", "routing"]
