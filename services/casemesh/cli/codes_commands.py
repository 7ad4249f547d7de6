"""`casemeshd codes`: import, preview, activate and retire tables and maps, and what becomes of unmapped codes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.codes_operator import (
    Administrator,
    CsvFile,
    DataFolder,
    Day,
    MapName,
    Version,
    is_map,
    operating,
    pack_message,
    read_pack,
)
from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, RequestId, command

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_pb2 import TranslationTarget

app = typer.Typer(help="Tables of codes and maps between them.  代码表与映射管理。", no_args_is_help=True)

Identifier = Annotated[str, typer.Argument(help="A table or map.  代码表或映射。", metavar="NAME")]
Table = Annotated[str, typer.Option("--table", help="The file is this table.  代码表标识。", metavar="SYSTEM")]
Map = Annotated[str, typer.Option("--map", help="The file is this map.  映射标识。", metavar="MAP")]
Source = Annotated[str, typer.Option("--from", help="The table translated from.  源代码表。", metavar="SYSTEM")]
Target = Annotated[str, typer.Option("--to", help="The table translated to.  目标代码表。", metavar="SYSTEM")]


@command(
    app,
    "import",
    example="casemeshd codes import places.csv --table places --version 2026-01 --statement places.sig",
    profile_flag=False,
)
async def import_pack(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="CSV, or JSON by its ending .json.  文件。", metavar="FILE")],
    version: Annotated[str, typer.Option("--version", help="The version it becomes.  版本。")],
    table: Table = "",
    concept_map: Map = "",
    source: Source = "",
    target: Target = "",
    layout: Annotated[
        str, typer.Option("--layout", help="How a published table is laid out; `-` for the file's name.  表格样式。")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="What people read.  名称。")] = "",
    origin: Annotated[str, typer.Option("--origin", help="Whence it comes.  来源。")] = "",
    statement: Annotated[
        Path | None, typer.Option("--statement", help="Its signed statement, see `codes sign`.  签名声明。")
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Take it though nobody signed it.  接受未签名文件。")
    ] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Load without putting it in force.  仅作草稿导入。")] = False,
    first_day: Annotated[
        str, typer.Option("--effective-from", help="The first day a map is used for.  生效日期。", metavar="DAY")
    ] = "",
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
    request_id: RequestId = "",
) -> None:
    """Load a table or a map, all of it or nothing; errors name line and column.  导入代码表或映射。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_date
    from casemesh.translation.table_layouts import map_layouts, table_layouts
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    layout = file.stem if layout == "-" else layout
    table_layout, map_layout = table_layouts().get(layout), map_layouts().get(layout)
    if layout and table_layout is None and map_layout is None:
        raise Failure(ExitCode.USAGE, "codes.layout", layout=layout, known=" ".join((*table_layouts(), *map_layouts())))
    if bool(table or table_layout) == bool(concept_map or map_layout):
        raise Failure(ExitCode.USAGE, "codes.table_or_map")
    sent, pack = pack_message(file, read_pack(file), statement, unsigned=unsigned, draft=draft)
    key = run.use_request_id(request_id)
    async with operating(data, administrator) as admin:
        if table or table_layout:
            answer = await admin.ImportCodeSystem(
                pb.ImportCodeSystemRequest(
                    request_id=key,
                    code_system=table or (table_layout.code_system if table_layout else ""),
                    version=version,
                    display_name=name or (table_layout.display_name if table_layout else table),
                    source=origin,
                    csv=sent,
                    pack=pack,
                    columns=table_layout.columns if table_layout else None,
                )
            )
            made = plain(answer.code_system)
        else:
            answer_map = await admin.ImportConceptMap(
                pb.ImportConceptMapRequest(
                    request_id=key,
                    concept_map=concept_map or (map_layout.concept_map if map_layout else ""),
                    version=version,
                    source_code_system=source or (map_layout.source_code_system if map_layout else ""),
                    target_code_system=target or (map_layout.target_code_system if map_layout else ""),
                    effective_from=parse_date(first_day) if first_day else None,
                    direction=map_layout.direction if map_layout else "",
                    csv=sent,
                    pack=pack,
                    columns=map_layout.columns if map_layout else None,
                )
            )
            made = plain(answer_map.concept_map)
    run.output.fields(made, made.items())


@command(
    app,
    "sign",
    example="casemeshd codes sign places.csv --table places --version 2026-01 --signing ./signing --out places.sig",
    profile_flag=False,
)
def sign(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="The pack.  文件。", metavar="FILE")],
    version: Annotated[str, typer.Option("--version", help="The version it is to become.  版本。")],
    signing: Annotated[
        Path, typer.Option("--signing", help="Folder with signing.pem and signing.key.  签名密钥目录。")
    ],
    out: Annotated[Path, typer.Option("--out", help="The statement to write.  声明文件。")],
    table: Table = "",
    concept_map: Map = "",
    source: Source = "",
    target: Target = "",
) -> None:
    """Sign a pack: a statement over its digest.  对代码包签名。"""
    from casemesh.client.statements import SigningKey
    from casemesh.translation.pack_statements import PackEntry, digest_of, sign_packs

    if bool(table) == bool(concept_map) or bool(concept_map) != bool(source and target):
        raise Failure(ExitCode.USAGE, "codes.table_or_map")
    entry = PackEntry(table or concept_map, version, digest_of(read_pack(file)), source, target)
    key = SigningKey.load(signing / "signing.pem", signing / "signing.key")
    out.write_text(json.dumps(sign_packs([entry], key)), encoding="utf-8")
    run.output.fields(entry.payload(), [("sha256", entry.sha256), ("file 文件", out)])


@command(app, "versions", example="casemeshd codes versions police-6-to-8", profile_flag=False)
async def versions(
    run: Invocation,
    name: Annotated[str, typer.Argument(help="A table or map; else all.  代码表或映射。", metavar="[NAME]")] = "",
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
) -> None:
    """List versions, newest first, drafts and retired ones included.  列出版本。"""
    from casemesh.cli.code_commands import day_text
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb
    from casemesh.translation.v1.translation_pb2 import VersionState

    async with operating(data, administrator) as admin:
        request = pb.ListVersionsRequest(identifier=name, page_size=1000)
        found = [each async for each in paged(admin.ListVersions, request, "versions")]
    rows = []
    for each in found:
        table, concept_map = each.code_system, each.concept_map
        of_map = each.WhichOneof("version") == "concept_map"
        state = enum_name(VersionState.DESCRIPTOR, concept_map.state if of_map else table.state).lower()
        if of_map:
            days = (day_text(concept_map, "effective_from"), day_text(concept_map, "effective_until"))
            rows.append((concept_map.concept_map, concept_map.version, state, concept_map.pair_count, *days))
        else:
            rows.append((table.code_system, table.version, state, table.code_count, "", ""))
    run.output.table(
        [plain(each) for each in found],
        ["NAME 名称", "VERSION 版本", "STATE 状态", "ROWS 行数", "FROM 起", "UNTIL 止"],
        rows,
    )


@command(app, "preview", example="casemeshd codes preview police-6-to-8 2026-07", profile_flag=False)
async def preview(
    run: Invocation,
    concept_map: MapName,
    version: Version,
    date: Day = "",
    since: Annotated[
        str, typer.Option("--since", help="Count traffic from this month on.  统计起始日期。", metavar="DAY")
    ] = "",
    csv: CsvFile = None,
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
) -> None:
    """Show what a version would change, by how often each code was carried.  预览映射变更的影响。"""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.cli.payload_fields import parse_date
    from casemesh.client.paging import paged
    from casemesh.client.spreadsheet_csv import spreadsheet_csv
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb
    from casemesh.translation.v1.translation_pb2 import Equivalence

    request = pb.PreviewConceptMapRequest(
        concept_map=concept_map, version=version, page_size=1000,
        date=parse_date(date) if date else None, traffic_since=parse_date(since) if since else None,
    )  # fmt: skip
    async with operating(data, administrator) as admin:
        found = await admin.PreviewConceptMap(request)
        changes = [each async for each in paged(admin.PreviewConceptMap, request, "changes")]

    def targets(values: Iterable[TranslationTarget]) -> str:
        return "; ".join(
            f"{each.value.code} {each.value.display} ({enum_name(Equivalence.DESCRIPTOR, each.equivalence).lower()})"
            for each in values
        )

    headings = ["CODE 代码", "NAME 名称", "USES 使用次数", "NOW 现行", "THEN 变更后"]
    rows = [
        (each.value.code, each.value.display, each.use_count, targets(each.before), targets(each.after))
        for each in changes
    ]
    if csv is not None:
        csv.write_bytes(spreadsheet_csv(headings, rows))
    counts = {kind: plain(getattr(found, kind)) for kind in ("unchanged", "newly_mapped", "remapped", "lost")}
    if not run.output.as_json:
        for kind, count in counts.items():
            run.output.notice(
                "codes.preview", kind=kind, codes=count.get("code_count", 0), uses=count.get("use_count", 0)
            )
    run.output.table({**counts, "changes": [plain(each) for each in changes]}, headings, rows)


@command(
    app, "activate", example="casemeshd codes activate police-6-to-8 2026-07 --from 2026-07-01", profile_flag=False
)
async def activate(
    run: Invocation,
    name: Identifier,
    version: Version,
    first_day: Annotated[
        str, typer.Option("--from", help="The first day a map is used for.  生效日期。", metavar="DAY")
    ] = "",
    last_day: Annotated[
        str, typer.Option("--until", help="The last day a map is used for.  失效日期。", metavar="DAY")
    ] = "",
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
    request_id: RequestId = "",
) -> None:
    """Put a version in force; what it maps in the queue is resolved.  启用版本。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_date
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    key = run.use_request_id(request_id)
    async with operating(data, administrator) as admin:
        if not await is_map(admin, name, version):
            request = pb.ActivateCodeSystemRequest(request_id=key, code_system=name, version=version)
            made = plain((await admin.ActivateCodeSystem(request)).code_system)
        else:
            request_map = pb.ActivateConceptMapRequest(
                request_id=key,
                concept_map=name,
                version=version,
                effective_from=parse_date(first_day) if first_day else None,
                effective_until=parse_date(last_day) if last_day else None,
            )
            answer = await admin.ActivateConceptMap(request_map)
            made = {**plain(answer.concept_map), "resolved_count": answer.resolved_count}
    run.output.fields(made, made.items())


@command(app, "retire", example="casemeshd codes retire police-6-to-8 2026-01 --until 2026-06-30", profile_flag=False)
async def retire(
    run: Invocation,
    name: Identifier,
    version: Version,
    last_day: Annotated[
        str, typer.Option("--until", help="The last day a map is used for; else none.  失效日期。", metavar="DAY")
    ] = "",
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
    request_id: RequestId = "",
) -> None:
    """Take a version out of use; what was translated with it stays.  停用版本。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_date
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    key = run.use_request_id(request_id)
    async with operating(data, administrator) as admin:
        if not await is_map(admin, name, version):
            request = pb.RetireCodeSystemRequest(request_id=key, code_system=name, version=version)
            made = plain((await admin.RetireCodeSystem(request)).code_system)
        else:
            request_map = pb.RetireConceptMapRequest(
                request_id=key, concept_map=name, version=version, last_day=parse_date(last_day) if last_day else None
            )
            made = plain((await admin.RetireConceptMap(request_map)).concept_map)
    run.output.fields(made, made.items())


@command(
    app,
    "reverse",
    example="casemeshd codes reverse police-6-to-8 2026-07 --map police-8-to-6-derived --version 2026-07",
    profile_flag=False,
)
async def reverse(
    run: Invocation,
    concept_map: MapName,
    version: Version,
    reverse_map: Annotated[str, typer.Option("--map", help="The map to draft.  反向映射标识。", metavar="MAP")],
    reverse_version: Annotated[str, typer.Option("--version", help="The version to draft.  版本。")],
    data: DataFolder = Path("data"),
    administrator: Administrator = "",
    request_id: RequestId = "",
) -> None:
    """Draft the map of the other direction and say what it loses.  生成反向映射草稿。"""
    from casemesh.cli.message_json import plain
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    request = pb.DeriveReverseMapRequest(
        request_id=run.use_request_id(request_id), concept_map=concept_map, version=version,
        reverse_concept_map=reverse_map, reverse_version=reverse_version,
    )  # fmt: skip
    async with operating(data, administrator) as admin:
        made = await admin.DeriveReverseMap(request)
    run.output.fields(
        plain(made),
        [
            ("map 映射", f"{made.concept_map.concept_map} {made.concept_map.version}"),
            ("pairs 条数", made.concept_map.pair_count),
            ("weaker 弱化", made.weakened_pair_count),
            ("no way back 无法反向", made.omitted_code_count),
            ("choice of several 多选一", made.folded_source_count),
        ],
    )
