"""What the pages compute: sequence charts, flows, waterfalls; and that every sentence is there in both languages."""

from __future__ import annotations

import ast
import datetime as dt
import re
import string
from pathlib import Path
from typing import Any

import pytest

import casemesh.console
from casemesh.cli import messages
from casemesh.console import words
from casemesh.console.flow_pages import count
from casemesh.console.page import short
from casemesh.console.sequence import Happening, chart, moments
from casemesh.console.waterfall import WIDTH, bars
from casemesh.routing.v1 import exchange_pb2
from tests.support.console import NOW, POLICE, PROCURATORATE, exchange, stamp

FOLDER = Path(casemesh.console.__file__).parent
TRACE = "a" * 32
LATER = dt.timedelta(minutes=5)


def written() -> str:
    """Return the pages' code and templates."""
    return "".join(source.read_text("utf-8") for source in [*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")])


def used_keys() -> set[str]:
    """Return every `group.name` that stands whole in the pages."""
    groups = {key.partition(".")[0] for key in words.catalogue()}
    found = re.findall(r"[\"']([a-z_]+)\.([a-z0-9_]*[a-z0-9])[\"']", written())
    return {f"{group}.{name}" for group, name in found if group in groups and name != "html"}


def test_every_sentence_used_is_there() -> None:
    assert used_keys() - set(words.catalogue()) - messages.keys() == set()


def test_no_sentence_is_left_over() -> None:
    # Groups whose names are values of enumerations, or stand in the scripts; and keys put together from a beginning.
    groups = (
        "rank.",
        "limit_state.",
        "unit.",
        "happening.",
        "finding.",
        "warning_rank.",
        "warning_state.",
        "warning_move.",
    )
    begun = tuple(re.findall(r"[\"']([a-z]+\.[a-z_]*)[\"'] ~", written()))
    assert {key for key in set(words.catalogue()) - used_keys() if not key.startswith((*groups, *begun))} == set()


def test_every_finding_of_the_scripts_has_a_sentence() -> None:
    scripts = "".join(script.read_text("utf-8") for script in FOLDER.glob("static/*.js"))
    thrown = set(re.findall(r"VerificationError\(\"([a-z_0-9]+)\"\)", scripts))
    said = set(re.findall(r"words\(\"([a-z_0-9]+)\"", scripts))
    assert {f"finding.{name}" for name in thrown | said} <= set(words.catalogue())


def test_both_languages_have_the_same_places() -> None:
    def places(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    assert {key: places(said["zh"]) for key, said in words.catalogue().items()} == {
        key: places(said["en"]) for key, said in words.catalogue().items()
    }


def test_no_handler_swallows_a_failure_it_does_not_name() -> None:
    for source in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, source.name
                assert not (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")), (
                    source.name
                )


def test_a_chart_has_a_row_for_each_thing_that_happened_in_order() -> None:
    first = exchange(
        2,
        deliver_time=stamp(NOW),
        accept_time=stamp(NOW),
        returned=exchange_pb2.ExchangeReturn(return_time=stamp(NOW + LATER)),
    )
    found = moments([exchange(1), first, exchange_pb2.Exchange(state=exchange_pb2.EXCHANGE_STATE_DRAFT)])
    assert [moment.happening for moment in found] == [
        Happening.SUBMITTED,
        Happening.SUBMITTED,
        Happening.DELIVERED,
        Happening.ACCEPTED,
        Happening.RETURNED,
    ]
    drawn = chart(found, PROCURATORATE)
    assert [lane.agency for lane in drawn.lanes] == [PROCURATORATE, POLICE]
    assert [row.y for row in drawn.rows] == sorted({row.y for row in drawn.rows})
    assert [row.from_x > row.to_x for row in drawn.rows] == [True, True, False, False, False]
    assert drawn.rows[-1].y < drawn.height


@pytest.mark.parametrize(
    ("state", "happening"),
    [
        (exchange_pb2.EXCHANGE_STATE_WITHDRAWN, Happening.WITHDRAWN),
        (exchange_pb2.EXCHANGE_STATE_EXPIRED, Happening.EXPIRED),
    ],
)
def test_a_chart_tells_how_an_exchange_ended(state: exchange_pb2.ExchangeState, happening: Happening) -> None:
    found = moments([exchange(1, state=state, end_time=stamp(NOW))])
    assert found[-1].happening is happening


def test_flows_count_each_exchange_once_and_drafts_not() -> None:
    states = exchange_pb2.ExchangeState
    exchanges = [exchange(number, state=state) for number, state in enumerate(states.values()[1:])]
    [flow] = count(exchanges, by_node=False)
    assert len(exchanges) - 1 == flow.total
    assert flow.counts == {"under_way": 3, "accepted": 1, "answered": 1, "returned": 2, "ended": 2}
    other = exchange(99, node="nodes/QS002")
    assert [(one.node, one.total) for one in count([*exchanges, other], by_node=True)] == [
        ("nodes/QS001", 9),
        ("nodes/QS002", 1),
    ]


def span(span_id: str, parent: str, start_ms: float, end_ms: float, **fields: Any) -> dict[str, Any]:
    return {
        "trace_id": TRACE,
        "span_id": span_id,
        "parent_span_id": parent,
        "name": "casemesh.Invented/Call",
        "service": "routing",
        "start_unix_nano": int(start_ms * 1e6),
        "end_unix_nano": int(end_ms * 1e6),
        "status": "UNSET",
        "attributes": {},
        "links": [],
        **fields,
    }


def test_a_waterfall_places_each_span_under_its_caller_and_in_time() -> None:
    spans = [
        span("1", "", 100, 200),
        span("2", "1", 150, 200, status="ERROR"),
        span("9", "", 500, 600, trace_id="b" * 32, links=[{"trace_id": TRACE, "span_id": "1"}]),
    ]
    first, second, later = bars(spans, TRACE)
    assert (first.depth, first.x, first.width, first.failure) == (0, 0, WIDTH, "")
    assert (second.depth, second.x, second.width, second.failure) == (1, WIDTH // 2, WIDTH // 2, "ERROR")
    assert (later.depth, later.is_linked, later.start_ms) == (1, True, 400.0)
    assert later.x + later.width <= WIDTH


def test_a_waterfall_ends_whatever_spans_claim() -> None:
    circle = [
        span("1", "2", 0, 1, name="call 1"),
        span("2", "1", 0, 1, name="call 2"),
        span("3", "3", 5, 5, name="call 3"),
    ]
    drawn = bars(circle, TRACE)
    assert {bar.name for bar in drawn} == {"call 1", "call 2", "call 3"}
    assert len(drawn) < 20
    assert bars([], TRACE) == []


def test_a_name_is_cut_where_ids_are_alike() -> None:
    long = "agencies/01970000-0000-7000-8000-0000000000ff/officers/01970000-0000-7000-8000-0000000000aa"
    assert short(long) == "agencies/…0000000000ff/officers/…0000000000aa"
    assert short("service/routing") == "service/routing"
