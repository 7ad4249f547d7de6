"""`casemesh exchange preflight|return|supplement|withdraw|revisions`: before an exchange leaves, when it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.agency_commands import agency_name
from casemesh.cli.case_commands import case_name
from casemesh.cli.exchange_commands import (
    DossierVersion,
    ExchangeName,
    Fields,
    exchange_name,
    parties_or_all,
    print_exchange,
)
from casemesh.cli.invocation import Invocation, RequestId, command
from casemesh.cli.messages import Language
from casemesh.cli.node_commands import node_name

if TYPE_CHECKING:
    from casemesh.routing.v1.exchange_pb2 import ExchangeDefect
    from casemesh.routing.v1.exchange_preflight_service_pb2 import PreflightFinding

Parties = Annotated[
    list[str] | None, typer.Option("--party", help="A party it concerns; else all of the case.  涉及的当事人。")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh exchange`."""

    @command(
        app,
        "preflight",
        example="casemesh exchange preflight --case cases/... --node QS001 --to beihu-procuratorate",
    )
    async def preflight(
        run: Invocation,
        case: Annotated[str, typer.Option("--case", help="The case.  案件。")],
        node: Annotated[str, typer.Option("--node", help="The collaboration node, e.g. QS001.  协同节点。")],
        to: Annotated[str, typer.Option("--to", help="The recipient: its code or name.  接收单位。", metavar="AGENCY")],
        party: Parties = None,
        field: Fields = None,
        dossier: DossierVersion = "",
    ) -> None:
        """Say all that is at fault before submitting; exits with 7 if it cannot leave so.  提交前预检。"""
        from casemesh.cli.exit_codes import ExitCode
        from casemesh.cli.message_json import plain
        from casemesh.cli.payload_fields import parse_field
        from casemesh.routing.v1 import exchange_preflight_service_pb2 as pb2

        request = pb2.PreflightExchangeRequest(
            case=case_name(case),
            node=node_name(node),
            fields=[parse_field(text) for text in field or []],
            dossier_version=dossier,
        )
        async with run.session() as session:
            request.recipient = await agency_name(session, to)
            request.parties.extend(party or await parties_or_all(session, request.case))
            answer = await session.preflight.PreflightExchange(request)
        run.output.table(
            plain(answer),
            ["", "WHERE 位置", "REASON 代码", "WHAT TO DO 处理办法"],
            [_row(run, finding) for finding in answer.findings],
        )
        run.output.notice("exchange.preflight", blocking=answer.blocking_count, findings=len(answer.findings))
        if answer.blocking_count:
            raise typer.Exit(ExitCode.BLOCKED)

    @command(
        app,
        "return",
        example="casemesh exchange return exchanges/0199... --defect DOCUMENT_MISSING:拘留证:补充拘留证",
    )
    async def give_back(
        run: Invocation,
        exchange: ExchangeName,
        defect: Annotated[
            list[str],
            typer.Option("--defect", help="CODE[:WHERE[:WHAT TO MEND]]; repeatable, see `reasons`.  补正事项。"),
        ],
        request_id: RequestId = "",
    ) -> None:
        """Return an exchange for correction, before accepting it.  退回补正。"""
        from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2

        request = pb2.ReturnExchangeRequest(
            request_id=run.use_request_id(request_id),
            exchange=exchange_name(exchange),
            defects=[_defect(text) for text in defect],
        )
        async with run.session() as session:
            returned = (await session.corrections.ReturnExchange(request)).exchange
        run.output.notice("exchange.returned", name=returned.name)
        print_exchange(run, returned)

    @command(app, "supplement", example="casemesh exchange supplement exchanges/0199... --field case_name=某甲盗窃案")
    async def supplement(
        run: Invocation,
        exchange: ExchangeName,
        field: Fields = None,
        party: Annotated[
            list[str] | None, typer.Option("--party", help="The parties; else as before.  涉及的当事人。")
        ] = None,
        dossier: DossierVersion = "",
        request_id: RequestId = "",
    ) -> None:
        """Mend a returned exchange; give all of its fields, those of before are not kept.  补正后重新提交。"""
        from casemesh.cli.payload_fields import parse_field
        from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2

        request = pb2.SupplementExchangeRequest(
            request_id=run.use_request_id(request_id),
            exchange=exchange_name(exchange),
            parties=party or [],
            fields=[parse_field(text) for text in field or []],
            dossier_version=dossier,
        )
        async with run.session() as session:
            mended = (await session.corrections.SupplementExchange(request)).exchange
        run.output.notice("exchange.supplemented", name=mended.name)
        print_exchange(run, mended)

    @command(app, "withdraw", example="casemesh exchange withdraw exchanges/0199... --ground 重复移送")
    async def withdraw(
        run: Invocation,
        exchange: ExchangeName,
        ground: Annotated[str, typer.Option("--ground", help="Why; the recipient reads it.  撤回理由。")],
        request_id: RequestId = "",
    ) -> None:
        """Take an exchange back before it is accepted.  撤回。"""
        from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2

        request = pb2.WithdrawExchangeRequest(
            request_id=run.use_request_id(request_id), exchange=exchange_name(exchange), ground=ground
        )
        async with run.session() as session:
            withdrawn = (await session.corrections.WithdrawExchange(request)).exchange
        run.output.notice("exchange.withdrawn", name=withdrawn.name)
        print_exchange(run, withdrawn)

    @command(app, "revisions", example="casemesh exchange revisions exchanges/0199e3f0-...")
    async def revisions(run: Invocation, exchange: ExchangeName) -> None:
        """List what an exchange held before each supplement, and why it was returned.  历次补正。"""
        from casemesh.cli.message_json import plain
        from casemesh.client.paging import paged
        from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2

        request = pb2.ListExchangeRevisionsRequest(exchange=exchange_name(exchange), page_size=1000)
        async with run.session() as session:
            found = [item async for item in paged(session.corrections.ListExchangeRevisions, request, "revisions")]
        run.output.table(
            [plain(item) for item in found],
            ["REVISION 版本", "RETURNED 退回时间", "WHY 原因"],
            [
                (
                    item.revision,
                    item.returned.return_time.ToJsonString(),
                    "; ".join(f"{each.code} {each.field} {each.mend}".strip() for each in item.returned.defects),
                )
                for item in found
            ],
        )

    @command(app, "reasons", example="casemesh exchange reasons")
    async def reasons(run: Invocation) -> None:
        """List the coded reasons to return an exchange.  退回补正原因。"""
        from casemesh.cli.message_json import plain
        from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2

        async with run.session() as session:
            found = (await session.corrections.ListReturnReasons(pb2.ListReturnReasonsRequest())).reasons
        chinese = run.output.language is Language.CHINESE
        run.output.table(
            [plain(reason) for reason in found],
            ["CODE 代码", "REASON 原因", "WHAT TO DO 处理办法"],
            [
                (
                    reason.code,
                    reason.title_zh if chinese else reason.title_en,
                    reason.remedy_zh if chinese else reason.remedy_en,
                )
                for reason in found
            ],
        )


def _row(run: Invocation, finding: PreflightFinding) -> tuple[Any, ...]:
    mark = run.output.text("exchange.blocks" if finding.blocking else "exchange.warns")
    remedy = finding.remedy_zh if run.output.language is Language.CHINESE else finding.remedy_en
    return mark, finding.field, finding.reason, remedy


def _defect(text: str) -> ExchangeDefect:
    from casemesh.routing.v1.exchange_pb2 import ExchangeDefect

    code, _, rest = text.partition(":")
    field, _, mend = rest.partition(":")
    return ExchangeDefect(code=code, field=field, mend=mend)
