"""`casemeshd node`: change the catalogue of collaboration nodes without a release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, RequestId, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casemesh.routing.v1.collaboration_node_admin_service_pb2 import NodeCatalogueVersion, NodeChange
    from casemesh.routing.v1.collaboration_node_admin_service_pb2_grpc import (
        CollaborationNodeAdminServiceAsyncStub,
    )

app = typer.Typer(help="Change the node catalogue.  协同节点目录管理。", no_args_is_help=True)

DataFolder = Annotated[Path, typer.Option("--data", help="The running platform's folder.  平台数据目录。")]
Administrator = Annotated[
    str, typer.Option("--as", help="The administrator who acts, see `enrol administrator`.  管理员。", metavar="NAME")
]
Version = Annotated[str, typer.Argument(help="A version, as `import` prints it.  版本。", metavar="VERSION")]


@asynccontextmanager
async def operating(data: Path, administrator: str) -> AsyncIterator[CollaborationNodeAdminServiceAsyncStub]:
    """Connect to the routing service of the platform that runs on `data`. Raises Failure when none does."""
    from casemesh.client.session import OperatorSession
    from casemesh.local.platform import PlatformError, running_addresses
    from casemesh.pki.authority import Pki
    from casemesh.pki.errors import PkiError

    try:
        addresses = running_addresses(data)
        layout = Pki(Path(addresses.pki)).layout
        files = layout.administrator(administrator) if administrator else layout.service("operator")
    except (PlatformError, PkiError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "nodes.platform", message=error) from error
    async with OperatorSession(addresses.services, files.certificate.parent) as operator:
        yield operator.node_admin


@command(app, "import", example="casemeshd node import nodes.csv --effective 2026-07-01", profile_flag=False)
async def import_nodes(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="CSV, columns as in the shipped nodes.csv.  文件。", metavar="FILE")],
    effective: Annotated[str, typer.Option("--effective", help="The first day it holds.  生效日期。", metavar="DAY")],
    province: Annotated[
        str, typer.Option("--province", help="It is this province's overlay, e.g. 35.  省级代码。")
    ] = "",
    note: Annotated[str, typer.Option("--note", help="Why it was made.  说明。")] = "",
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Load a catalogue or an overlay for preview and show what it changes; nothing is in force by it.  导入预览。"""
    from casemesh.cli.payload_fields import parse_date
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    request = pb2.ImportNodeCatalogueRequest(
        request_id=run.use_request_id(request_id),
        csv=file.read_bytes(),
        effective_from=parse_date(effective),
        province=province,
        note=note,
    )
    async with operating(data, administrator) as admin:
        answer = await admin.ImportNodeCatalogue(request)
    _print(run, answer.version, answer.changes)


@command(app, "compare", example="casemeshd node compare 0199e3f0-...", profile_flag=False)
async def compare(
    run: Invocation, version: Version, administrator: Administrator = "", data: DataFolder = Path("data")
) -> None:
    """Show what a version changes in what is in force.  比较差异。"""
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    async with operating(data, administrator) as admin:
        answer = await admin.CompareNodeCatalogue(pb2.CompareNodeCatalogueRequest(version=version))
    _print(run, answer.version, answer.changes)


@command(app, "activate", example="casemeshd node activate 0199e3f0-...", profile_flag=False)
async def activate(
    run: Invocation,
    version: Version,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Put a version in force from its day on.  启用版本。"""
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    request = pb2.ActivateNodeCatalogueRequest(request_id=run.use_request_id(request_id), version=version)
    async with operating(data, administrator) as admin:
        _print(run, (await admin.ActivateNodeCatalogue(request)).version, ())


@command(app, "list", example="casemeshd node list", profile_flag=False)
async def list_versions(run: Invocation, administrator: Administrator = "", data: DataFolder = Path("data")) -> None:
    """List the versions of the catalogue, newest first.  列出版本。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    request = pb2.ListNodeCataloguesRequest(page_size=1000)
    async with operating(data, administrator) as admin:
        found = [item async for item in paged(admin.ListNodeCatalogues, request, "versions")]
    run.output.table(
        [plain(item) for item in found],
        ["VERSION 版本", "PROVINCE 省", "FROM DAY 生效", "STATE 状态", "NODES 节点数", "NOTE 说明"],
        [(item.version, item.province, _day(item), _state(item), item.node_count, item.note) for item in found],
    )


@command(app, "province", example="casemeshd node province agencies/0199... 35", profile_flag=False)
async def province(
    run: Invocation,
    agency: Annotated[str, typer.Argument(help="agencies/ID.  单位。")],
    code: Annotated[str, typer.Argument(help="Two digits of GB/T 2260; empty for none.  省级代码。")],
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Say which province's overlay an agency uses.  设置单位所属省份。"""
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    request = pb2.SetAgencyProvinceRequest(request_id=run.use_request_id(request_id), agency=agency, province=code)
    async with operating(data, administrator) as admin:
        answer = await admin.SetAgencyProvince(request)
    run.output.fields(
        {"agency": answer.agency, "province": answer.province},
        [("agency 单位", answer.agency), ("province 省", answer.province)],
    )


@command(app, "table", example="casemeshd node table --out docs/nodes.md", profile_flag=False)
def table(
    run: Invocation,
    out: Annotated[Path, typer.Option("--out", help="The file to write.  输出文件。", metavar="FILE")],
) -> None:
    """Write the shipped nodes with documents, limits and articles as a page.  生成节点一览表。"""
    from casemesh.cli.node_table import node_table

    out.write_text(node_table(), encoding="utf-8")
    run.output.result({"file": str(out)}, str(out))


def _state(version: NodeCatalogueVersion) -> str:
    from casemesh.cli.message_json import enum_name
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    return enum_name(pb2.NodeCatalogueState.DESCRIPTOR, version.state)


def _day(version: NodeCatalogueVersion) -> str:
    day = version.effective_from
    return f"{day.year:04}-{day.month:02}-{day.day:02}"


def _print(run: Invocation, version: NodeCatalogueVersion, changes: Sequence[NodeChange]) -> None:
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2

    rows = [("version 版本", version.version), ("state 状态", _state(version)), ("from day 生效", _day(version))]
    for change in changes:
        kind = enum_name(pb2.NodeChangeKind.DESCRIPTOR, change.kind).lower()
        cells = "; ".join(f"{cell.column}: {cell.before} -> {cell.after}" for cell in change.cells)
        rows.append((f"{change.node.removeprefix('nodes/')} {kind}", cells or kind))
    run.output.fields({"version": plain(version), "changes": [plain(change) for change in changes]}, rows)
