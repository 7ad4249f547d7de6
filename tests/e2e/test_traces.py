"""One request is one tree from the gateway down, and what an outbox does later links back to it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

from casemesh.client.session import Session
from casemesh.client.trace_context import tracing
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.routing.v1 import case_service_pb2
from tests.support.platform import RunningPlatform

SERVICES = {"gateway", "routing", "identity", "translation", "audit"}


def tops(spans: list[dict[str, Any]], trace_id: str) -> set[str]:
    """Return the services at the top of a trace: the client keeps its own spans, so the gateway's stand there."""
    own = [span for span in spans if span["trace_id"] == trace_id]
    known = {span["span_id"] for span in own}
    return {span["service"] for span in own if span["parent_span_id"] not in known}


async def spans_of(platform: RunningPlatform, trace_id: str) -> list[dict[str, Any]]:
    """Return the spans of a trace and of those that link to it, once all services have sent theirs."""

    def ask() -> list[dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{platform.addresses.traces}/traces/{trace_id}", timeout=10) as answer:
                return list(json.load(answer)["spans"])
        except urllib.error.HTTPError as error:
            error.close()
            return []

    async with asyncio.timeout(30):
        while True:
            spans = await asyncio.to_thread(ask)
            if {span["service"] for span in spans} >= SERVICES and tops(spans, trace_id) == {"gateway"}:
                return spans
            await asyncio.sleep(0.2)


async def test_registering_a_case_is_one_tree_with_the_log_linked_to_it(platform: RunningPlatform) -> None:
    charge = CodedValue(code_system="police-case-categories", code="05000200")
    party = case_service_pb2.PartyDraft(kind=1, display_name="an invented person", charges=[charge])
    request = case_service_pb2.RegisterCaseRequest(request_id=new_id(), title="an invented theft", parties=[party])
    with tracing() as trace:
        async with Session(platform.agencies["police"].officers[0]) as session:
            case = (await session.cases.RegisterCase(request)).case.name
    spans = await spans_of(platform, trace.trace_id)
    own = {span["span_id"]: span for span in spans if span["trace_id"] == trace.trace_id}
    later = {span["span_id"]: span for span in spans if span["trace_id"] != trace.trace_id}

    def ancestors(span: dict[str, Any]) -> list[str]:
        line = []
        while (parent := own.get(span["parent_span_id"])) is not None:
            line.append(parent["service"])
            span = parent
        return line

    [register] = [
        one for one in own.values() if one["service"] == "routing" and one["name"].endswith("CaseService/RegisterCase")
    ]
    assert set(ancestors(register)) == {"gateway"}
    for service in ("identity", "translation"):
        [*asked] = [one for one in own.values() if one["service"] == service and "routing" in ancestors(one)]
        assert asked, f"{service} is not below routing"
        assert all(ancestors(one)[-1] == "gateway" for one in asked)
    relay = [one for one in later.values() if one["service"] == "routing" and one["links"]]
    assert register["span_id"] in {link["span_id"] for one in relay for link in one["links"]}
    assert {one["service"] for one in later.values()} >= {"routing", "audit"}

    text = json.dumps(spans, ensure_ascii=False)
    for secret in ("an invented person", "an invented theft", "05000200"):
        assert secret not in text, f"{secret!r} stands in a span"
    assert case.startswith("cases/")
