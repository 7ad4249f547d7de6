"""`casemesh exchange draft`: exchanges that are being prepared."""

from __future__ import annotations

from typing import Annotated

import typer

from casemesh.cli.agency_commands import agency_name
from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.exchange_commands import DossierVersion, ExchangeName, Fields, exchange_name, print_exchange
from casemesh.cli.invocation import Invocation, RequestId, command
from casemesh.cli.node_commands import node_name

app = typer.Typer(help="Prepare exchanges; only your agency sees them.  草稿。", no_args_is_help=True)


@command(app, "save", example="casemesh exchange draft save --case cases/... --node QS001 --field opinion=移送")
async def save(
    run: Invocation,
    case: Annotated[str, typer.Option("--case", help="The case.  案件。")],
    node: Annotated[str, typer.Option("--node", help="The collaboration node, e.g. QS001.  协同节点。")],
    to: Annotated[str, typer.Option("--to", help="The recipient, when known.  接收单位。", metavar="AGENCY")] = "",
    draft: Annotated[str, typer.Option("--draft", help="The draft to replace; else a new one.  原草稿。")] = "",
    party: Annotated[list[str] | None, typer.Option("--party", help="A party it concerns.  涉及的当事人。")] = None,
    field: Fields = None,
    dossier: DossierVersion = "",
    request_id: RequestId = "",
) -> None:
    """Keep a draft, or what became of one.  保存草稿。"""
    from casemesh.cli.payload_fields import parse_field
    from casemesh.routing.v1 import exchange_draft_service_pb2 as pb2

    request = pb2.SaveExchangeDraftRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        exchange=exchange_name(draft) if draft else "",
        node=node_name(node),
        parties=party or [],
        fields=[parse_field(text) for text in field or []],
        dossier_version=dossier,
    )
    async with run.session() as session:
        request.recipient = await agency_name(session, to) if to else ""
        saved = (await session.drafts.SaveExchangeDraft(request)).exchange
    run.output.notice("exchange.drafted", name=saved.name)
    print_exchange(run, saved)


@command(app, "list", example="casemesh exchange draft list cases/0199e3f0-...")
async def list_drafts(run: Invocation, case: CaseName) -> None:
    """List your agency's drafts on a case.  列出草稿。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import exchange_draft_service_pb2 as pb2

    request = pb2.ListExchangeDraftsRequest(case=case_name(case), page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.drafts.ListExchangeDrafts, request, "exchanges")]
    run.output.table(
        [plain(item) for item in found],
        ["DRAFT 草稿", "NODE 节点", "TO 接收"],
        [(item.name, item.node, item.recipient) for item in found],
    )


@command(app, "submit", example="casemesh exchange draft submit exchanges/0199e3f0-...")
async def submit(run: Invocation, draft: ExchangeName, request_id: RequestId = "") -> None:
    """Submit a draft under its name.  提交草稿。"""
    from casemesh.routing.v1 import exchange_draft_service_pb2 as pb2

    request = pb2.SubmitExchangeDraftRequest(request_id=run.use_request_id(request_id), exchange=exchange_name(draft))
    async with run.session() as session:
        submitted = (await session.drafts.SubmitExchangeDraft(request)).exchange
    run.output.notice("exchange.submitted", name=submitted.name)
    print_exchange(run, submitted)


@command(app, "discard", example="casemesh exchange draft discard exchanges/0199e3f0-...")
async def discard(run: Invocation, draft: ExchangeName, request_id: RequestId = "") -> None:
    """End a draft.  删除草稿。"""
    from casemesh.routing.v1 import exchange_draft_service_pb2 as pb2

    request = pb2.DiscardExchangeDraftRequest(request_id=run.use_request_id(request_id), exchange=exchange_name(draft))
    async with run.session() as session:
        gone = (await session.drafts.DiscardExchangeDraft(request)).exchange
    run.output.result({"exchange": gone}, gone)
