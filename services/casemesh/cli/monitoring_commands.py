"""The commands of `casemesh access` that watch browsing: alerts, decoys, and marks of copies."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Invocation, RequestId, command

if TYPE_CHECKING:
    from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlert, Decoy

_ALERTS = ("ALERT 编号", "WHEN 时间", "WHAT 事项", "OFFICER 人员", "CASE 案件", "COUNT 计数", "RESOLVED 处理")
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.  理由。")]


class Resolution(StrEnum):
    """What came of an alert."""

    EXPLAINED = "explained"
    MISUSE = "misuse"


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh access`."""
    command(app, "alerts", example="casemesh access alerts")(alerts)
    command(app, "resolve", example="casemesh access resolve 0199e3f1-... explained --reason 集中核案, 已核实")(resolve)
    command(app, "decoy", example="casemesh access decoy cases/0199e3f0-... --reason 例行检测")(decoy)
    command(app, "end-decoy", example="casemesh access end-decoy cases/0199e3f0-... --reason 检测结束")(end_decoy)
    command(app, "decoys", example="casemesh access decoys")(decoys)
    command(app, "mark", example="casemesh access mark 0199e3f1-...")(mark)


async def alerts(
    run: Invocation,
    everything: Annotated[bool, typer.Option("--all", help="Also those resolved.  含已处理的。")] = False,
) -> None:
    """List browsing out of the ordinary in your agency; as a supervisor.  异常阅卷预警。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_monitoring_service_pb2

    request = access_monitoring_service_pb2.ListAccessAlertsRequest(page_size=1000, include_resolved=everything)
    async with run.session() as session:
        found = [alert async for alert in paged(session.access_monitoring.ListAccessAlerts, request, "alerts")]
    run.output.table([plain(alert) for alert in found], _ALERTS, [_row(run, alert) for alert in found])


async def resolve(
    run: Invocation,
    alert: Annotated[str, typer.Argument(help="The alert's id; see `casemesh access alerts`.  预警编号。")],
    resolution: Annotated[Resolution, typer.Argument(help="What came of it.  结论。")],
    reason: Reason,
    request_id: RequestId = "",
) -> None:
    """Say what came of an alert; as a supervisor.  处理预警。"""
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1 import access_monitoring_service_pb2

    request = access_monitoring_service_pb2.ResolveAccessAlertRequest(
        request_id=run.use_request_id(request_id),
        alert=alert,
        resolution=f"ACCESS_ALERT_RESOLUTION_{resolution.name}",
        reason=reason,
    )
    async with run.session() as session:
        resolved = (await session.access_monitoring.ResolveAccessAlert(request)).alert
    run.output.result(plain(resolved), run.output.text("access.alert_resolved", alert=resolved.alert))


async def decoy(run: Invocation, case: CaseName, reason: Reason, request_id: RequestId = "") -> None:
    """Make a case a decoy: any look at it raises an alert; as a supervisor.  设为诱饵案件。"""
    from casemesh.identity.v1 import access_monitoring_service_pb2

    request = access_monitoring_service_pb2.MarkDecoyRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), reason=reason
    )
    async with run.session() as session:
        marked = (await session.access_monitoring.MarkDecoy(request)).decoy
    _print_decoy(run, marked, "access.decoy_marked")


async def end_decoy(run: Invocation, case: CaseName, reason: Reason, request_id: RequestId = "") -> None:
    """Make a decoy a case like any other; as a supervisor.  取消诱饵案件。"""
    from casemesh.identity.v1 import access_monitoring_service_pb2

    request = access_monitoring_service_pb2.UnmarkDecoyRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), reason=reason
    )
    async with run.session() as session:
        unmarked = (await session.access_monitoring.UnmarkDecoy(request)).decoy
    _print_decoy(run, unmarked, "access.decoy_unmarked")


async def decoys(run: Invocation) -> None:
    """List your agency's decoys; as a supervisor.  诱饵案件。"""
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_monitoring_service_pb2

    request = access_monitoring_service_pb2.ListDecoysRequest(page_size=1000)
    async with run.session() as session:
        found = [one async for one in paged(session.access_monitoring.ListDecoys, request, "decoys")]
    run.output.table(
        [plain(one) for one in found],
        ("CASE 案件", "SINCE 起", "MARKED BY 设定人", "REASON 理由"),
        [(one.case, instant(one.valid_from), one.marked_by, one.reason) for one in found],
    )


async def mark(
    run: Invocation,
    number: Annotated[str, typer.Argument(help="What stands on the copy after 水印 Mark.  水印编号。", metavar="MARK")],
) -> None:
    """Say who made a marked copy, when and for what, and which reading it leads back to.  水印溯源。"""
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1 import export_mark_service_pb2

    async with run.session() as session:
        found = (
            await session.export_marks.GetExportMark(export_mark_service_pb2.GetExportMarkRequest(mark=number))
        ).mark
    run.output.fields(
        plain(found),
        [
            ("officer 人员", f"{found.officer_display_name} {found.officer}"),
            ("agency 单位", found.agency_display_name),
            ("read 阅卷", instant(found.reading_time)),
            ("marked 加注", instant(found.create_time)),
            ("purpose 目的", found.purpose),
            ("case 案件", found.case),
            ("version 版本", found.version),
            ("reading 阅卷记录", found.reading),
        ],
    )


def _print_decoy(run: Invocation, found: Decoy, key: str) -> None:
    from casemesh.cli.message_json import plain

    run.output.result(plain(found), run.output.text(key, case=found.case))


def _row(run: Invocation, alert: AccessAlert) -> tuple[object, ...]:
    from casemesh.cli.access_tables import instant
    from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlertResolution, AccessAlertRule

    rule = AccessAlertRule.Name(alert.rule).removeprefix("ACCESS_ALERT_RULE_").lower()
    resolution = AccessAlertResolution.Name(alert.resolution).removeprefix("ACCESS_ALERT_RESOLUTION_").lower()
    return (
        alert.alert,
        instant(alert.create_time),
        run.output.text(f"access.rule_{rule}"),
        alert.officer,
        alert.case,
        f"{alert.observed_count} / {alert.limit_count}" if alert.limit_count else "",
        f"{resolution}: {alert.resolve_reason}" if alert.resolution else "",
    )
