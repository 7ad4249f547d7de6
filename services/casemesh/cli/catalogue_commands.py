"""`casemesh dossier catalogue`, `correct`, `rules`, `forget`: what documents are, and officers' word on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.invocation import Failure, Invocation, RequestId, command

if TYPE_CHECKING:
    from casemesh.client.catalogue_table import VolumeTable
    from casemesh.client.session import Session
    from casemesh.dossier.v1.dossier_catalogue_service_pb2 import CatalogueEntry


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh dossier`."""

    @command(app, "catalogue", example="casemesh dossier catalogue dossiers/0199e3f0-... --pdf ./卷内目录.pdf")
    async def catalogue(
        run: Invocation,
        parent: Annotated[str, typer.Argument(help="A dossier or a version.  卷宗或版本。", metavar="DOSSIER|VERSION")],
        csv: Annotated[
            Path | None, typer.Option("--csv", help="Write it as CSV.  输出 CSV 文件。", metavar="FILE")
        ] = None,
        pdf: Annotated[
            Path | None, typer.Option("--pdf", help="Write it as PDF.  输出 PDF 文件。", metavar="FILE")
        ] = None,
        by_type: Annotated[
            bool, typer.Option("--by-type", help="Volumes by type, not as sent.  按类型归目, 不按报送的卷。")
        ] = False,
    ) -> None:
        """Show the table of contents with types and pages, or write it as CSV or PDF.  卷内目录。"""
        from casemesh.cli.message_json import plain

        name = parent if "/" in parent else f"dossiers/{parent}"
        async with run.session() as session:
            entries, waiting = await _entries(session, name)
            tables = _arrange(entries, by_type=by_type)
            if csv is not None:
                from casemesh.client.catalogue_table import to_csv

                csv.write_bytes(to_csv(tables))
                run.output.notice("catalogue.written", path=csv)
            if pdf is not None:
                pdf.write_bytes(await _pdf(session, name, tables, waiting))
                run.output.notice("catalogue.written", path=pdf)
        if waiting:
            run.output.notice("catalogue.waiting", count=waiting)
        if run.output.as_json or (csv is None and pdf is None):
            run.output.table(
                {"entries": [plain(entry) for entry in entries], "waiting_count": waiting},
                [
                    "VOLUME 卷", "NO. 序号", "DOCUMENT 文书", "TYPE 类型", "PAGES 页次", "SURE 可信度", "FILE 文件",
                    "PROBLEMS 问题",
                ],
                [
                    (
                        table.name or "-", line.number, line.entry.type_name or "-", line.entry.type_code or "-",
                        line.pages, f"{line.entry.confidence:.0%}", line.entry.file_name,
                        " ".join(line.entry.problems) or "-",
                    )
                    for table in tables
                    for line in table.lines
                ],
            )  # fmt: skip

    @command(app, "correct", example="casemesh dossier correct dossiers/../documents/.. A030")
    async def correct(
        run: Invocation,
        document: Annotated[str, typer.Argument(help="dossiers/../documents/..  文件。", metavar="DOCUMENT")],
        type_code: Annotated[
            str, typer.Argument(help="The type's code, or `none`.  文书类型代码, 都不是则写 none。", metavar="TYPE")
        ],
        only_this: Annotated[
            bool, typer.Option("--only-this", help="Learn nothing from it.  仅更正本件, 不作为规则。")
        ] = False,
        request_id: RequestId = "",
    ) -> None:
        """Say what a document is. It wins, and is learnt for your agency.  更正文书类型。"""
        from casemesh.cli.message_json import plain
        from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

        request = pb.CorrectDocumentRequest(
            request_id=run.use_request_id(request_id), document=document,
            type_code="" if type_code == "none" else type_code, only_this=only_this,
        )  # fmt: skip
        async with run.session() as session:
            answer = await session.dossier_catalogue.CorrectDocument(request)
        entry = answer.entry
        run.output.result(
            plain(answer),
            run.output.text("catalogue.corrected", file=entry.file_name, code=entry.type_code, name=entry.type_name),
        )
        if answer.HasField("rule"):
            run.output.notice("catalogue.learnt", title=answer.rule.title, rule=answer.rule.rule_id)

    @command(app, "rules", example="casemesh dossier rules")
    async def rules(run: Invocation) -> None:
        """List what your agency has taught, newest first.  列出本单位的识别规则。"""
        from casemesh.cli.message_json import plain
        from casemesh.client.paging import paged
        from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

        request = pb.ListRecognitionRulesRequest(page_size=1000)
        async with run.session() as session:
            found = [item async for item in paged(session.dossier_catalogue.ListRecognitionRules, request, "rules")]
        run.output.table(
            [plain(rule) for rule in found],
            ["RULE 规则", "TITLE 题名", "TYPE 类型", "SINCE 起始"],
            [(rule.rule_id, rule.title, rule.type_code or "-", rule.create_time.ToJsonString()) for rule in found],
        )

    @command(app, "forget", example="casemesh dossier forget 0199e3f0-...")
    async def forget(
        run: Invocation,
        rule: Annotated[str, typer.Argument(help="The rule's id, see `rules`.  规则编号。", metavar="RULE")],
        request_id: RequestId = "",
    ) -> None:
        """Remove a rule. Documents keep the types they have.  删除识别规则。"""
        from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

        request = pb.ForgetRecognitionRuleRequest(request_id=run.use_request_id(request_id), rule_id=rule)
        async with run.session() as session:
            await session.dossier_catalogue.ForgetRecognitionRule(request)
        run.output.result({"rule_id": rule}, run.output.text("catalogue.forgotten", rule=rule))


async def _entries(session: Session, parent: str) -> tuple[list[CatalogueEntry], int]:
    """The whole table of contents, and how many documents are not examined yet."""
    from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

    request = pb.ListCatalogueEntriesRequest(parent=parent, page_size=5000)
    entries: list[CatalogueEntry] = []
    while True:
        answer = await session.dossier_catalogue.ListCatalogueEntries(request)
        entries += answer.entries
        if not answer.next_page_token:
            return entries, answer.waiting_count
        request.page_token = answer.next_page_token


def _arrange(entries: list[CatalogueEntry], *, by_type: bool) -> list[VolumeTable]:
    from casemesh.client import catalogue_table

    if not by_type:
        return catalogue_table.as_sent(entries)
    from casemesh.data.dossier_catalogue import load

    catalogue = load()
    return catalogue_table.by_type(
        entries,
        {code: f"{code} {volume.name_zh}" for code, volume in catalogue.volumes.items()},
        {code: place for place, code in enumerate(catalogue.types)},
    )


async def _pdf(session: Session, parent: str, tables: list[VolumeTable], waiting: int) -> bytes:
    from datetime import datetime

    from casemesh.core.clock import CHINA

    try:
        from casemesh.client.catalogue_pdf import ReportHeading, to_pdf
    except ModuleNotFoundError as missing:
        raise Failure(2, "catalogue.no_report", package=missing.name) from missing
    from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb

    dossier: Any = await session.dossier_read.GetDossier(
        read_pb.GetDossierRequest(name=parent.partition("/versions/")[0])
    )
    made_at = f"{datetime.now(CHINA):%Y-%m-%d %H:%M} (UTC+8)"
    return to_pdf(tables, ReportHeading(dossier.dossier.title, parent, dossier.dossier.case, made_at, waiting))
