"""`casemesh receive`: take deliveries for your agency's system and store them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from casemesh.cli.invocation import Invocation, command


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @command(app, "receive", example="casemesh receive --to ./inbox --count 1")
    async def receive(
        run: Invocation,
        to: Annotated[Path, typer.Option("--to", help="Folder to store deliveries in.  存放目录。")],
        count: Annotated[
            int, typer.Option("--count", min=0, help="End after so many; 0 goes on until Ctrl-C.  收到几件后结束。")
        ] = 0,
        pull: Annotated[bool, typer.Option("--pull", help="Take what waits now, then end.  只取当前待收。")] = False,
    ) -> None:
        """Receive deliveries: each is stored as a file, then acknowledged. Uses the system's own token.  接收。"""
        to.mkdir(parents=True, exist_ok=True)
        if pull:
            await _pull(run, to)
        else:
            await _stream(run, to, count)


async def _stream(run: Invocation, to: Path, count: int) -> None:
    import asyncio

    from casemesh.client.receiving import Receiver, run_until

    done = asyncio.Event()
    stored: dict[str, Any] = {}
    acknowledged = 0

    async def store(delivery: Any) -> None:
        stored[delivery.name] = await asyncio.to_thread(store_delivery, to, delivery)

    def confirm(name: str) -> None:
        nonlocal acknowledged
        acknowledged += 1
        _print_stored(run, name, stored.pop(name, None))
        if acknowledged == count:
            done.set()

    async def tell(report: Any) -> None:
        _print_report(run, report)

    async with run.session(as_system=True) as session:
        receiver = Receiver(
            session.exchanges, store, max_outstanding=min(count, 16), on_acknowledged=confirm, on_report=tell
        )
        await run_until(receiver.run(), done)


async def _pull(run: Invocation, to: Path) -> None:
    import asyncio

    from casemesh.core.ids import new_id
    from casemesh.routing.v1 import exchange_service_pb2

    async with run.session(as_system=True) as session:
        while True:
            answer = await session.exchanges.PullDeliveries(exchange_service_pb2.PullDeliveriesRequest())
            if not answer.deliveries:
                return
            for delivery in answer.deliveries:
                path = await asyncio.to_thread(store_delivery, to, delivery)
                await session.exchanges.AcknowledgeDelivery(
                    exchange_service_pb2.AcknowledgeDeliveryRequest(request_id=new_id(), delivery=delivery.name)
                )
                _print_stored(run, delivery.name, path)


def _print_report(run: Invocation, report: Any) -> None:
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.routing.v1 import delivery_pb2

    if run.output.as_json:
        print(json.dumps({"report": plain(report)}, ensure_ascii=False), file=run.output.stdout, flush=True)
    else:
        reason = enum_name(delivery_pb2.UndeliveredReason.DESCRIPTOR, report.reason)
        run.output.notice("receive.undelivered", delivery=report.delivery, recipient=report.recipient, reason=reason)


def store_delivery(folder: Path, delivery: Any) -> Path:
    """Write a delivery to `folder` so that it survives a crash, and return the file.

    The same delivery gives the same file, however often it comes. Beside its fields stands the digest that receipts
    state of the exchange.
    """
    from casemesh.cli.message_json import plain
    from casemesh.client.receipts import exchange_digest

    value = {**plain(delivery), "exchange_sha256": exchange_digest(delivery.exchange).hex()}
    path = folder / f"{delivery.name.replace('/', '_')}.json"
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(folder)
    return path


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a crash, where the system allows it."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _print_stored(run: Invocation, name: str, path: Path | None) -> None:
    value = {"delivery": name, "file": str(path or "")}
    if run.output.as_json:
        # One line each: a stream of results has no end to wait for.
        print(json.dumps(value, ensure_ascii=False), file=run.output.stdout, flush=True)
    else:
        run.output.result(value, run.output.text("receive.stored", name=name, path=path or ""))
