"""`casemeshd audit sources` and `casemeshd audit shredding`: how far each service told, and what need not be kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, RequestId, command
from casemesh.cli.node_admin_commands import Administrator, DataFolder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casemesh.audit.v1.audit_admin_service_pb2 import NumberRun, Shredding
    from casemesh.audit.v1.audit_admin_service_pb2_grpc import AuditAdminServiceAsyncStub

app = typer.Typer(
    help="Shred the texts of old readings; two administrators decide.  销毁到期查阅留痕,须两名管理员决定。",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="A proposal, as `list` prints it.  提议。", metavar="SHREDDING")]


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    audit.add_typer(app, name="shredding")
    command(audit, "sources", example="casemeshd audit sources", profile_flag=False)(sources)


@asynccontextmanager
async def _operating(data: Path, administrator: str = "") -> AsyncIterator[AuditAdminServiceAsyncStub]:
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
        yield operator.audit_admin


async def sources(run: Invocation, data: DataFolder = Path("data")) -> None:
    """Show how far each service has told its events; ends with 6 when numbers are missing or came twice.  留痕来源。"""
    from casemesh.audit.v1 import audit_admin_service_pb2 as pb
    from casemesh.cli.message_json import plain

    async with _operating(data) as admin:
        found = (await admin.ListEventSources(pb.ListEventSourcesRequest())).sources
    headings = ["SOURCE 来源", "LAST 最后编号", "MISSING 缺失", "TWICE 重复", "LAG ms 延迟"]
    run.output.table(
        [plain(source) for source in found],
        headings,
        [
            (known.source, known.last_sequence, _runs(known.missing), _runs(known.repeated_numbers), known.lag_millis)
            for known in found
        ],
    )
    if any(source.missing or source.repeated_numbers for source in found):
        raise typer.Exit(ExitCode.VERIFICATION_FAILED)


@command(
    app,
    "propose",
    example="casemeshd audit shredding propose cases/0199e3f0-... --before 2023-01-01 --reason 'keeping time over' "
    "--as liu",
    profile_flag=False,
)
async def propose(
    run: Invocation,
    case: CaseName,
    before: Annotated[
        datetime, typer.Option("--before", formats=["%Y-%m-%d"], help="What happened before this day.  截止日期。")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the trail.  理由。")],
    action: Annotated[
        list[str] | None, typer.Option("--action", help="Only such readings; else all.  仅限事项。")
    ] = None,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Propose to shred the texts of a case's readings; nothing goes before another approves.  提议销毁。"""
    from casemesh.audit.v1 import audit_admin_service_pb2 as pb
    from casemesh.core.clock import CHINA

    request = pb.ProposeShreddingRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), actions=action or [], reason=reason
    )
    request.before_time.FromDatetime(before.replace(tzinfo=CHINA))
    async with _operating(data, administrator) as admin:
        _print(run, (await admin.ProposeShredding(request)).shredding)


@command(app, "approve", example="casemeshd audit shredding approve shreddings/0199... --as zhang", profile_flag=False)
async def approve(
    run: Invocation,
    name: Name,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Approve what another administrator proposed; the log tells of it, then the texts go.  批准销毁。"""
    from casemesh.audit.v1 import audit_admin_service_pb2 as pb

    request = pb.ApproveShreddingRequest(request_id=run.use_request_id(request_id), name=name)
    async with _operating(data, administrator) as admin:
        _print(run, (await admin.ApproveShredding(request)).shredding)


@command(
    app,
    "reject",
    example="casemeshd audit shredding reject shreddings/0199... --reason 'still needed' --as zhang",
    profile_flag=False,
)
async def reject(
    run: Invocation,
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why not.  理由。")],
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """End a proposal.  否决销毁。"""
    from casemesh.audit.v1 import audit_admin_service_pb2 as pb

    request = pb.RejectShreddingRequest(request_id=run.use_request_id(request_id), name=name, reason=reason)
    async with _operating(data, administrator) as admin:
        _print(run, (await admin.RejectShredding(request)).shredding)


@command(app, "list", example="casemeshd audit shredding list", profile_flag=False)
async def list_shreddings(run: Invocation, data: DataFolder = Path("data")) -> None:
    """List proposals and what became of them, the newest first.  销毁提议列表。"""
    from casemesh.audit.v1 import audit_admin_service_pb2 as pb
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged

    async with _operating(data) as admin:
        request = pb.ListShreddingsRequest(page_size=1000)
        found = [item async for item in paged(admin.ListShreddings, request, "shreddings")]
    run.output.table(
        [plain(item) for item in found],
        [
            "NAME 提议",
            "STATE 状态",
            "CASE 案件",
            "TEXTS 条数",
            "PROPOSED 提议人",
            "DECIDED 决定人",
            "REASON 理由",
        ],
        [
            (item.name, _state(item), item.case, item.event_count, item.proposer, item.decider, item.reason)
            for item in found
        ],
    )


def _print(run: Invocation, shredding: Shredding) -> None:
    from casemesh.cli.message_json import plain

    rows: list[tuple[str, Any]] = [
        ("name 提议", shredding.name),
        ("state 状态", _state(shredding)),
        ("case 案件", shredding.case),
        ("texts 条数", shredding.event_count or ""),
        ("proposed by 提议人", shredding.proposer),
        ("decided by 决定人", shredding.decider),
    ]
    run.output.fields(plain(shredding), rows)


def _state(shredding: Shredding) -> str:
    from casemesh.audit.v1 import audit_admin_service_pb2 as pb

    return pb.ShreddingState.Name(shredding.state).removeprefix("SHREDDING_STATE_").lower()


def _runs(runs: Iterable[NumberRun]) -> str:
    return ",".join(str(run.first) if run.first == run.last else f"{run.first}-{run.last}" for run in runs)
