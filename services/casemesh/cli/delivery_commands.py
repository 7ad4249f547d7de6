"""`casemesh delivery`: how far deliveries have come, and those that do not arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from casemesh.cli.exchange_commands import ExchangeName, exchange_name
from casemesh.cli.invocation import Failure, Invocation, RequestId, command

app = typer.Typer(help="Watch deliveries, refuse and re-drive them.  送达管理。", no_args_is_help=True)

DeliveryName = Annotated[str, typer.Argument(help="The delivery's name.  送达件名称。", metavar="DELIVERY")]


@command(app, "list", example="casemesh delivery list exchanges/0199e3f0-...")
async def list_deliveries(run: Invocation, exchange: ExchangeName) -> None:
    """List the deliveries of an exchange: all to its sender, else your own.  查看送达情况。"""
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import delivery_service_pb2 as pb

    request = pb.ListDeliveriesRequest(exchange=exchange_name(exchange), page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.deliveries.ListDeliveries, request, "deliveries")]
    _print(run, found)


@command(app, "undelivered", example="casemesh delivery undelivered")
async def undelivered(run: Invocation) -> None:
    """List what has not arrived, from or to your agency. Uses the system's own token.  未送达清单。"""
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import delivery_service_pb2 as pb

    request = pb.ListUndeliveredRequest(page_size=1000)
    async with run.session(as_system=True) as session:
        found = [item async for item in paged(session.deliveries.ListUndelivered, request, "deliveries")]
    _print(run, found)


@command(app, "reject", example="casemesh delivery reject exchanges/../deliveries/.. --reason unreadable")
async def reject(
    run: Invocation,
    delivery: DeliveryName,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            help="unreadable, too-large, not-addressee, code-unknown or contradicts-record.  原因。",
        ),
    ],
    detail: Annotated[
        str, typer.Option("--detail", help="What helps the sender; no evidence, no personal data.  说明。")
    ] = "",
    request_id: RequestId = "",
) -> None:
    """Refuse a delivery that your system cannot process; its sender is told.  拒收。"""
    from casemesh.routing.v1 import delivery_pb2
    from casemesh.routing.v1 import delivery_service_pb2 as pb

    names = delivery_pb2.UndeliveredReason.keys()
    name = f"UNDELIVERED_REASON_{reason.upper().replace('-', '_')}"
    if name not in names:
        raise Failure(2, "delivery.reason", text=reason)
    request = pb.RejectDeliveryRequest(
        request_id=run.use_request_id(request_id),
        delivery=delivery,
        reason=name,
        detail=detail,
    )
    async with run.session(as_system=True) as session:
        _print(run, [(await session.deliveries.RejectDelivery(request)).delivery])


@command(app, "redrive", example="casemesh delivery redrive exchanges/../deliveries/..")
async def redrive(run: Invocation, delivery: DeliveryName, request_id: RequestId = "") -> None:
    """Put a delivery that was set aside before your system again, under the same name.  重新送达。"""
    from casemesh.routing.v1 import delivery_service_pb2 as pb

    request = pb.RedriveDeliveryRequest(request_id=run.use_request_id(request_id), delivery=delivery)
    async with run.session(as_system=True) as session:
        _print(run, [(await session.deliveries.RedriveDelivery(request)).delivery])


@command(app, "acknowledge-report", example="casemesh delivery acknowledge-report exchanges/../reports/..")
async def acknowledge_report(
    run: Invocation,
    report: Annotated[str, typer.Argument(help="The report's name.  报告名称。", metavar="REPORT")],
    request_id: RequestId = "",
) -> None:
    """Say that your agency knows of a report of what has not arrived.  确认未送达报告。"""
    from casemesh.routing.v1 import delivery_service_pb2 as pb

    request = pb.AcknowledgeReportRequest(request_id=run.use_request_id(request_id), report=report)
    async with run.session(as_system=True) as session:
        name = (await session.deliveries.AcknowledgeReport(request)).report
    run.output.result({"report": name}, run.output.text("delivery.report_known", name=name))


def _print(run: Invocation, found: Sequence[Any]) -> None:
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.routing.v1 import delivery_pb2

    run.output.table(
        [plain(item) for item in found],
        ["DELIVERY 送达件", "TO 接收", "STATE 状态", "ATTEMPT 次数", "REASON 原因", "DETAIL 说明"],
        [
            (
                item.name,
                item.recipient,
                enum_name(delivery_pb2.DeliveryState.DESCRIPTOR, item.state),
                item.attempt,
                enum_name(delivery_pb2.UndeliveredReason.DESCRIPTOR, item.reason) if item.reason else "-",
                item.detail or "-",
            )
            for item in found
        ],
    )
