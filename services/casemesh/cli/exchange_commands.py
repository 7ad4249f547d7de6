"""`casemesh exchange`: move a case between agencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.agency_commands import agency_name
from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Failure, Invocation, RequestId, command
from casemesh.cli.node_commands import node_name

if TYPE_CHECKING:
    from casemesh.client.session import Session

app = typer.Typer(help="Submit, accept and answer exchanges.  协同流转。", no_args_is_help=True)

ExchangeName = Annotated[str, typer.Argument(help="exchanges/ID or just the ID.  流转。", metavar="EXCHANGE")]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        help="KEY=TEXT, KEY:code=SYSTEM:CODE, KEY:date=2026-01-31, KEY:integer=3, KEY:flag=yes.  业务数据。",
    ),
]
DossierVersion = Annotated[
    str, typer.Option("--dossier", help="The dossier version that goes with it.  随附卷宗版本。", metavar="VERSION")
]


@command(
    app,
    "submit",
    example="casemesh exchange submit --case cases/... --node QS001 --to beihu-procuratorate "
    "--dossier dossiers/../versions/..",
)
async def submit(
    run: Invocation,
    case: Annotated[str, typer.Option("--case", help="The case.  案件。")],
    node: Annotated[str, typer.Option("--node", help="The collaboration node, e.g. QS001.  协同节点。")],
    to: Annotated[str, typer.Option("--to", help="The recipient: its code or name.  接收单位。", metavar="AGENCY")],
    party: Annotated[
        list[str] | None, typer.Option("--party", help="A party it concerns; else all of the case.  涉及的当事人。")
    ] = None,
    field: Fields = None,
    dossier: DossierVersion = "",
    paper: Annotated[str, typer.Option("--paper", help="It was done on paper: why.  纸质办理的理由。")] = "",
    handed_over: Annotated[
        str, typer.Option("--handed-over", help="The day the paper was handed over.  纸质移交日期。", metavar="DAY")
    ] = "",
    answer_by: Annotated[
        str, typer.Option("--answer-by", help="It expires then, e.g. 2026-07-01T00:00:00+08:00.  答复时限。")
    ] = "",
    request_id: RequestId = "",
) -> None:
    """Submit a case to another agency by a node.  发起流转。"""
    from casemesh.cli.payload_fields import parse_date, parse_field
    from casemesh.routing.v1 import exchange_service_pb2

    request = exchange_service_pb2.SubmitExchangeRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        node=node_name(node),
        fields=[parse_field(text) for text in field or []],
        dossier_version=dossier,
    )
    if paper:
        request.paper.ground = paper
        request.paper.handed_over_on.CopyFrom(parse_date(handed_over))
    if answer_by:
        try:
            request.answer_by.FromJsonString(answer_by)
        except ValueError as error:
            raise Failure(4, "input.time", text=answer_by) from error
    async with run.session() as session:
        request.recipient = await agency_name(session, to)
        request.parties.extend(party or await parties_or_all(session, request.case))
        exchange = (await session.exchanges.SubmitExchange(request)).exchange
    run.output.notice("exchange.submitted", name=exchange.name)
    print_exchange(run, exchange)


@command(app, "show", example="casemesh exchange show exchanges/0199e3f0-...")
async def show(run: Invocation, exchange: ExchangeName) -> None:
    """Show an exchange, with what became of its codes.  查看流转。"""
    from casemesh.routing.v1 import exchange_service_pb2

    async with run.session() as session:
        request = exchange_service_pb2.GetExchangeRequest(name=exchange_name(exchange))
        found = (await session.exchanges.GetExchange(request)).exchange
    print_exchange(run, found)


@command(app, "list", example="casemesh exchange list cases/0199e3f0-...")
async def list_exchanges(run: Invocation, case: CaseName) -> None:
    """List the exchanges of a case that your agency sent or received, oldest first.  列出流转。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import exchange_service_pb2

    request = exchange_service_pb2.ListExchangesRequest(case=case_name(case), page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.exchanges.ListExchanges, request, "exchanges")]
    run.output.table(
        [plain(item) for item in found],
        ["EXCHANGE", "NODE 节点", "STATE 状态", "SUBMITTED 提交时间", "FROM 发送", "TO 接收"],
        [
            (item.name, item.node, _state(item), item.submit_time.ToJsonString(), item.sender, item.recipient)
            for item in found
        ],
    )


@command(app, "accept", example="casemesh exchange accept exchanges/0199e3f0-... --number B2026017")
async def accept(
    run: Invocation,
    exchange: ExchangeName,
    number: Annotated[str, typer.Option("--number", help="Your own case number.  本单位案号。")] = "",
    request_id: RequestId = "",
) -> None:
    """Take a matter on for your agency.  受理。"""
    from casemesh.routing.v1 import exchange_service_pb2

    request = exchange_service_pb2.AcceptExchangeRequest(
        request_id=run.use_request_id(request_id), exchange=exchange_name(exchange), local_number=number
    )
    async with run.session() as session:
        accepted = (await session.exchanges.AcceptExchange(request)).exchange
    run.output.notice("exchange.accepted", name=accepted.name)
    print_exchange(run, accepted)


@command(app, "answer", example="casemesh exchange answer exchanges/0199e3f0-... --node QS002 --field result=已受理")
async def answer(
    run: Invocation,
    exchange: ExchangeName,
    node: Annotated[str, typer.Option("--node", help="The node of the answer, e.g. QS002.  反馈节点。")],
    field: Fields = None,
    dossier: DossierVersion = "",
    request_id: RequestId = "",
) -> None:
    """Answer an exchange by one of its node's feedback nodes.  反馈。"""
    from casemesh.cli.payload_fields import parse_field
    from casemesh.routing.v1 import exchange_service_pb2

    request = exchange_service_pb2.AnswerExchangeRequest(
        request_id=run.use_request_id(request_id),
        exchange=exchange_name(exchange),
        node=node_name(node),
        fields=[parse_field(text) for text in field or []],
        dossier_version=dossier,
    )
    async with run.session() as session:
        given = (await session.exchanges.AnswerExchange(request)).exchange
    run.output.notice("exchange.answered", name=given.name)
    print_exchange(run, given)


def exchange_name(text: str) -> str:
    """Return the resource name of an exchange given by name or by id."""
    return text if "/" in text else f"exchanges/{text}"


def _state(exchange: Any) -> str:
    from casemesh.cli.message_json import enum_name
    from casemesh.routing.v1 import exchange_pb2

    return enum_name(exchange_pb2.ExchangeState.DESCRIPTOR, exchange.state)


async def parties_or_all(session: Session, case: str) -> list[str]:
    """Return the names of all parties of a case."""
    from casemesh.routing.v1 import case_service_pb2

    found = await session.cases.GetCase(case_service_pb2.GetCaseRequest(name=case))
    return [member.name for member in found.case.parties]


def print_exchange(run: Invocation, exchange: Any) -> None:
    """Print an exchange, with what became of its codes and why it was returned."""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.translation.v1 import translation_pb2

    rows = [
        ("exchange", exchange.name),
        ("case 案件", exchange.case),
        ("node 节点", exchange.node),
        ("state 状态", _state(exchange)),
        ("from 发送", exchange.sender),
        ("to 接收", exchange.recipient),
        ("answers 答复", exchange.answers),
        ("dossier 卷宗", exchange.dossier_version),
        ("submitted 提交", exchange.submit_time.ToJsonString() if exchange.HasField("submit_time") else ""),
        ("nodes as of 目录版本", exchange.catalogue_version),
        ("single track 单轨", exchange.single_track),
        ("on paper 纸质", exchange.paper.ground),
        ("revision 补正次数", exchange.revision or ""),
        ("withdrawn 撤回", exchange.withdraw_ground),
    ]
    rows += [
        (f"mend {defect.code}", f"{defect.field} {defect.mend}".strip() or "-") for defect in exchange.returned.defects
    ]
    rows += [(f"field {entry['key']}", _field_text(entry)) for entry in plain(exchange).get("fields", [])]
    for item in exchange.translations:
        translated = item.translation
        outcome = enum_name(translation_pb2.TranslationOutcome.DESCRIPTOR, translated.outcome).lower()
        targets = ", ".join(f"{target.value.code} {target.value.display}".strip() for target in translated.targets)
        rows.append((f"code {item.field}", f"{translated.original.code} -> {targets or outcome}"))
    run.output.fields(plain(exchange), rows)


def _field_text(entry: dict[str, Any]) -> str:
    return next((str(value) for key, value in entry.items() if key != "key"), "")
