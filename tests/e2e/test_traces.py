"""One request is one tree from the gateway down, and what an outbox does later links back to it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from casemesh.client.dossier_upload import LocalDocument, upload_documents
from casemesh.client.session import Session
from casemesh.client.trace_context import tracing
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_service_pb2
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


def otlp(platform: RunningPlatform, trace_id: str) -> dict[str, Any] | None:
    """Return a trace with what links to it as OTLP JSON, or None when nothing of it has arrived."""
    try:
        with urllib.request.urlopen(f"{platform.addresses.traces}/traces/{trace_id}/otlp", timeout=10) as answer:
            document: dict[str, Any] = json.load(answer)
            return document
    except urllib.error.HTTPError as error:
        error.close()
        return None


def edges(document: dict[str, Any], trace_id: str) -> set[tuple[str, str]]:
    """Return (caller, called) of the spans of an OTLP JSON document, as `service name`; "~>" before what is linked."""
    spans = {
        (span["traceId"], span["spanId"]): (resource["resource"]["attributes"][0]["value"]["stringValue"], span)
        for resource in document["resourceSpans"]
        for span in resource["scopeSpans"][0]["spans"]
    }
    named = {key: f"{service} {span['name'].rpartition('.')[2]}" for key, (service, span) in spans.items()}
    found = set()
    for key, (_, span) in spans.items():
        if (above := (span["traceId"], span["parentSpanId"])) in named:
            found.add((named[above], named[key]))
        elif span["traceId"] == trace_id:
            found.add(("", named[key]))
        else:
            # One run of the relay may carry events of other calls, too; those are not of this trace.
            targets = [(link["traceId"], link["spanId"]) for link in span["links"]]
            found |= {("~> " + named[target], named[key]) for target in targets if target in named}
    return found


# Between gateway and client nothing is recorded, so the two calls of the transfer are two tops. While a stream is
# open its rights are asked for again: the same edge, once or more.
TRANSFER = {
    ("", "gateway ingress"),
    ("gateway ingress", "gateway router dossier egress"),
    ("gateway router dossier egress", "dossier DossierService/QueryUpload"),
    ("dossier DossierService/QueryUpload", "dossier AccessService/CheckAccess"),
    ("gateway ingress", "gateway router dossier-streams egress"),
    ("gateway router dossier-streams egress", "dossier DossierService/UploadDocuments"),
    ("dossier DossierService/UploadDocuments", "dossier AccessService/CheckAccess"),
    ("dossier AccessService/CheckAccess", "identity AccessService/CheckAccess"),
    ("dossier DossierService/UploadDocuments", "dossier stretch"),
    ("dossier DossierService/QueryUpload", "dossier statement"),
    ("dossier DossierService/UploadDocuments", "dossier statement"),
    ("dossier DossierService/UploadDocuments", "dossier transaction"),
    ("identity AccessService/CheckAccess", "identity statement"),
    ("~> dossier DossierService/UploadDocuments", "dossier relay"),
    ("dossier relay", "dossier AuditAppendService/AppendEvents"),
    ("dossier AuditAppendService/AppendEvents", "audit AuditAppendService/AppendEvents"),
}


async def test_a_transfer_exported_as_otlp_json_is_exactly_this_tree(platform: RunningPlatform, tmp_path: Path) -> None:
    case = await platform.register_case()
    path = tmp_path / "invented-name.txt"
    path.write_bytes(b"an invented page")
    document = LocalDocument(path, "01", "invented-name.txt", "text/plain", 1)
    async with Session(platform.agencies["police"].officers[0]) as session:
        create = dossier_service_pb2.CreateDossierRequest(request_id=new_id(), case=case, title="an invented dossier")
        dossier = (await session.dossiers.CreateDossier(create)).dossier.name
        with tracing() as trace:
            await upload_documents(session.dossiers, dossier, [document], upload_id=new_id())
    async with asyncio.timeout(30):
        while (exported := await asyncio.to_thread(otlp, platform, trace.trace_id)) is None or (
            not edges(exported, trace.trace_id) >= TRANSFER
        ):
            await asyncio.sleep(0.2)
    assert TRANSFER == edges(exported, trace.trace_id)
    text = json.dumps(exported, ensure_ascii=False)
    assert case in text
    for secret in ("an invented", "invented-name"):
        assert secret not in text, f"{secret!r} stands in a span"
