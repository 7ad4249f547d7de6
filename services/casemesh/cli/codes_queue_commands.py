"""`casemeshd codes queue`, `resolve`, `draft`, `coverage`: codes without a counterpart, and how maps cover tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from casemesh.cli.codes_operator import Administrator, CsvFile, DataFolder, Day, MapName, Version, operating
from casemesh.cli.invocation import Invocation, RequestId, command


class State(StrEnum):
    """Where the matter of an unmapped code stands."""

    OPEN = "open"
    DECIDED = "decided"
    RESOLVED = "resolved"


class Relation(StrEnum):
    """How a target stands to the code."""

    EXACT = "exact"
    BROADER = "broader"
    NARROWER = "narrower"
    NONE = "none"


def register(app: typer.Typer) -> None:
    """Add the commands to `casemeshd codes`."""
    command(app, "queue", example="casemeshd codes queue --csv queue.csv", profile_flag=False)(_queue)
    command(
        app,
        "resolve",
        example="casemeshd codes resolve unmappedCodes/0199... --to 05000100 --relation broader --note 入户抢劫并入",
        profile_flag=False,
    )(_resolve)
    command(
        app,
        "draft",
        example="casemeshd codes draft police-6-to-8 2026-07 --from police-case-categories-6 "
        "--to police-case-categories-8",
        profile_flag=False,
    )(_draft)
    command(app, "coverage", example="casemeshd codes coverage police-6-to-8 --csv folded.csv", profile_flag=False)(
        _coverage
    )


async def _queue(
    run: Invocation,
    state: Annotated[State, typer.Option("--state", help="open, decided or resolved.  状态。")] = State.OPEN,
    table: Annotated[str, typer.Option("--table", help="Only codes of this table.  代码表。", metavar="SYSTEM")] = "",
    csv: CsvFile = None,
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
) -> None:
    """List codes that were carried without a counterpart, most often seen first.  未映射代码队列。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.client.spreadsheet_csv import spreadsheet_csv
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    request = pb.ListUnmappedCodesRequest(
        state=f"UNMAPPED_CODE_STATE_{state.value.upper()}", code_system=table, page_size=1000
    )
    async with operating(data, administrator) as admin:
        found = [each async for each in paged(admin.ListUnmappedCodes, request, "unmapped_codes")]
    headings = [
        "SEEN 次数",
        "CODE 代码",
        "NAME 名称",
        "TO 目标表",
        "DECIDED 决定",
        "LAST 最近",
        "EXAMPLE 示例",
        "ENTRY 编号",
    ]
    rows = [
        (
            each.seen_count, f"{each.value.code_system}:{each.value.code}", each.value.display, each.target_code_system,
            each.decided_code, each.last_seen_time.ToJsonString()[:19] + "Z", each.example, each.name,
        )
        for each in found
    ]  # fmt: skip
    if csv is not None:
        csv.write_bytes(spreadsheet_csv(headings, rows))
    run.output.table([plain(each) for each in found], headings, rows)


async def _resolve(
    run: Invocation,
    entry: Annotated[str, typer.Argument(help="unmappedCodes/ID, see `codes queue`.  队列编号。", metavar="ENTRY")],
    relation: Annotated[
        Relation, typer.Option("--relation", help="exact, broader, narrower; none: no counterpart.  对应关系。")
    ],
    target: Annotated[str, typer.Option("--to", help="The code it stands for.  目标代码。", metavar="CODE")] = "",
    note: Annotated[
        str, typer.Option("--note", help="Why; it stands in the map, so no personal data.  理由, 不得含个人信息。")
    ] = "",
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
    request_id: RequestId = "",
) -> None:
    """Decide what a code stands for, or that it has no counterpart; `draft` takes it up.  处理未映射代码。"""
    from casemesh.cli.message_json import plain
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    request = pb.ResolveUnmappedCodeRequest(
        request_id=run.use_request_id(request_id), name=entry, target_code=target, note=note,
        equivalence=f"EQUIVALENCE_{relation.value.upper()}",
    )  # fmt: skip
    async with operating(data, administrator) as admin:
        decided = plain((await admin.ResolveUnmappedCode(request)).unmapped_code)
    run.output.fields(decided, decided.items())


async def _draft(
    run: Invocation,
    concept_map: MapName,
    version: Version,
    source: Annotated[str, typer.Option("--from", help="The table translated from.  源代码表。", metavar="SYSTEM")],
    target: Annotated[str, typer.Option("--to", help="The table translated to.  目标代码表。", metavar="SYSTEM")],
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
    request_id: RequestId = "",
) -> None:
    """Draft the next version of a map with the decisions of the queue; then `preview`, `activate`.  生成映射草稿。"""
    from casemesh.cli.message_json import plain
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    request = pb.DraftResolvedMapRequest(
        request_id=run.use_request_id(request_id), concept_map=concept_map, version=version,
        source_code_system=source, target_code_system=target,
    )  # fmt: skip
    async with operating(data, administrator) as admin:
        made = await admin.DraftResolvedMap(request)
    shown = {**plain(made.concept_map), "decision_count": made.decision_count}
    run.output.fields(shown, shown.items())


async def _coverage(
    run: Invocation,
    concept_map: MapName,
    version: Annotated[str, typer.Option("--version", help="Else the one in force.  版本。")] = "",
    date: Day = "",
    csv: CsvFile = None,
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
) -> None:
    """Count how a map covers its tables, and list which codes fold into one.  映射覆盖情况。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_date
    from casemesh.client.paging import paged
    from casemesh.client.spreadsheet_csv import spreadsheet_csv
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    request = pb.GetCoverageRequest(
        concept_map=concept_map, version=version, date=parse_date(date) if date else None, page_size=1000
    )
    async with operating(data, administrator) as admin:
        found = await admin.GetCoverage(request)
        folded = [each async for each in paged(admin.GetCoverage, request, "folded")]
    headings = ["TARGET 目标", "NAME 名称", "SOURCES 源代码"]
    rows = [
        (each.target.code, each.target.display, "; ".join(f"{one.code} {one.display}" for one in each.sources))
        for each in folded
    ]
    if csv is not None:
        csv.write_bytes(spreadsheet_csv(headings, rows))
    run.output.fields(
        {**plain(found), "folded": [plain(each) for each in folded]},
        [
            ("map 映射", f"{found.concept_map.concept_map} {found.concept_map.version}"),
            ("codes 源代码", found.source_count),
            ("exact 等同", found.exact_count),
            ("broader 变宽", found.broader_count),
            ("narrower 待确认", found.narrower_count),
            ("none 无对应", found.none_count),
            ("unmapped 未映射", found.unmapped_count),
            ("targets reached 到达目标", f"{found.reached_target_count} / {found.target_count}"),
            ("folded 合并", f"{found.folded_source_count} -> {found.folded_target_count}"),
        ],
    )
