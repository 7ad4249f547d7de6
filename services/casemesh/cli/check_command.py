"""`casemesh dossier check`: what a dossier lacks before it leaves (预检)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from casemesh.cli.invocation import Invocation, command
from casemesh.cli.node_commands import node_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casemesh.client.session import Session
    from casemesh.dossier.v1.dossier_catalogue_service_pb2 import (
        CatalogueEntry,
        CheckCompletenessResponse,
        Finding,
    )

_TEXTS: Final = {
    "MISSING": "check.missing",
    "DUPLICATE": "check.duplicate",
    "UNREADABLE": "check.unreadable",
    "EMPTY": "check.empty",
    "OUT_OF_ORDER": "check.out_of_order",
    "NEVER_CROSSES": "check.never_crosses",
    "UNCLASSIFIED": "check.unclassified",
    "PAGE_COUNT": "check.page_count",
    "NOT_EXAMINED": "check.not_examined",
}


def register(app: typer.Typer) -> None:
    """Add the command to `casemesh dossier`."""

    @command(app, "check", example="casemesh dossier check dossiers/0199e3f0-... --node QS001")
    async def check(
        run: Invocation,
        parent: Annotated[str, typer.Argument(help="A dossier or a version.  卷宗或版本。", metavar="DOSSIER|VERSION")],
        node: Annotated[str, typer.Option("--node", help="The node it is to leave with.  移送所用节点。")] = "",
        party: Annotated[
            list[str] | None, typer.Option("--party", help="Only these suspects; repeatable.  涉及的当事人。")
        ] = None,
    ) -> None:
        """Say what is missing, unreadable or must never leave; exits with 7 if it must not leave so.  移送前预检。"""
        from casemesh.cli.exit_codes import ExitCode
        from casemesh.cli.message_json import plain
        from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

        name = parent if "/" in parent else f"dossiers/{parent}"
        request = pb.CheckCompletenessRequest(parent=name, node=node_name(node) if node else "", parties=party or [])
        async with run.session() as session:
            answer = await session.dossier_catalogue.CheckCompleteness(request)
            places = {} if run.output.as_json else await _places(session, name, answer.findings)
        counts = {
            "finding_count": answer.finding_count,
            "blocking_count": answer.blocking_count,
            "required_count": answer.required_count,
        }
        run.output.table(
            {"findings": [{"blocking": False, **plain(finding)} for finding in answer.findings], **counts},
            ["WEIGHT 级别", "FINDING 问题", "PLACE 位置", "PARTY 当事人"],
            [_row(run, finding, places) for finding in answer.findings],
        )
        _summarize(run, answer)
        if answer.blocking_count:
            raise typer.Exit(ExitCode.BLOCKED)


async def _places(session: Session, parent: str, findings: Sequence[Finding]) -> Mapping[str, CatalogueEntry]:
    """Where the documents of the findings stand, by resource name."""
    from casemesh.client.paging import paged
    from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

    wanted = {finding.document for finding in findings} - {""}
    if not wanted:
        return {}
    request = pb.ListCatalogueEntriesRequest(parent=parent, page_size=5000)
    entries = paged(session.dossier_catalogue.ListCatalogueEntries, request, "entries")
    return {entry.document: entry async for entry in entries if entry.document in wanted}


def _row(run: Invocation, finding: Finding, places: Mapping[str, CatalogueEntry]) -> tuple[object, ...]:
    from casemesh.cli.message_json import enum_name
    from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

    kind = enum_name(pb.FindingKind.DESCRIPTOR, finding.kind)
    entry = places.get(finding.document)
    name = finding.type_name or "-"
    stated, counted = (entry.stated_page_count, entry.found_page_count) if entry is not None else ("?", "?")
    # A kind that a newer platform tells of has no sentence of ours yet.
    problem = f"{name}: {finding.detail}"
    if kind in _TEXTS:
        problem = run.output.text(_TEXTS[kind], name=name, stated=stated, counted=counted)
    return (
        run.output.text("check.blocking" if finding.blocking else "check.warning"),
        problem,
        f"{entry.volume}/{entry.file_name}" if entry is not None else finding.document,
        finding.party,
    )


def _summarize(run: Invocation, answer: CheckCompletenessResponse) -> None:
    if not answer.finding_count:
        run.output.notice("check.clean", required=answer.required_count)
        return
    run.output.notice(
        "check.summary",
        findings=answer.finding_count,
        blocking=answer.blocking_count,
        shown=len(answer.findings),
        required=answer.required_count,
    )
