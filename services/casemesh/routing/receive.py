"""The stream on which a system receives the deliveries of its agency and acknowledges them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, InvalidArgument
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.deliver import LEASE_BATCH, Deliveries
from casemesh.routing.delivery_store import Leased
from casemesh.routing.undelivered import UndeliveredWatch
from casemesh.routing.v1 import delivery_pb2, exchange_service_pb2
from casemesh.runtime.call import Call

log = structlog.get_logger(__name__)

DEFAULT_OUTSTANDING = 16
HEARTBEAT_SECONDS = 30.0
"""The gateway ends a stream that was silent for 120 seconds."""
HEAVY_SHARE = 4
"""Of what may be outstanding, every fourth place may be taken by a heavy delivery, at least one."""
_CONFIRMATIONS = 256
"""Acknowledgements confirmed but not yet read by the receiver, before no more are taken from it."""
_ACKNOWLEDGE_BATCH = 64
"""Most acknowledgements kept in one transaction."""
_NO_NAME = " "
"""What stands for an acknowledgement that names nothing: an empty text says that none follows."""


@dataclass(frozen=True)
class Outstanding:
    """What was sent and not acknowledged."""

    leased: Leased
    ends_at: float
    """When its lease ends, by the monotonic clock."""


class Receiver:
    """One Receive stream: two sides that meet in what is outstanding.

    One task takes acknowledgements, those that come while others are being kept together; the generator leases
    deliveries while there is room and sends them. The receiver ends the stream by closing its side. What it leaves
    unacknowledged, however the stream ends, is due again at once.
    """

    def __init__(
        self,
        call: Call,
        deliveries: Deliveries,
        undelivered: UndeliveredWatch,
        deliveries_due: Arrivals,
        reports_due: Arrivals,
        clock: Clock,
    ) -> None:
        self._call = call
        self._caller = call.require_caller()
        self._deliveries = deliveries
        self._undelivered = undelivered
        self._deliveries_due = deliveries_due
        self._reports_due = reports_due
        self._clock = clock
        self._lease_id = new_id()
        self._outstanding: dict[str, Outstanding] = {}
        self._read: asyncio.Queue[str] = asyncio.Queue(_ACKNOWLEDGE_BATCH)
        self._confirmed: asyncio.Queue[str] = asyncio.Queue(_CONFIRMATIONS)
        self._wake = asyncio.Event()
        self._more_due = True
        self._more_reports = True
        self._last_report = ""
        self._spoke_at = clock.monotonic()

    async def run(
        self, requests: AsyncIterator[exchange_service_pb2.ReceiveRequest]
    ) -> AsyncGenerator[exchange_service_pb2.ReceiveResponse, None]:
        """Yield deliveries, reports and confirmations until the receiver closes its side.

        Raises InvalidArgument (STREAM_NOT_OPENED); as `Deliveries.acknowledge`; Unavailable.
        """
        opening = await anext(requests)
        if opening.WhichOneof("step") != "open":
            raise _not_opened()
        most = opening.open.max_outstanding or DEFAULT_OUTSTANDING
        agency = self._caller.agency
        with self._deliveries_due.watching(agency, self._arrived), self._reports_due.watching(agency, self._reported):
            keeper = asyncio.create_task(self._keep(requests))
            keeper.add_done_callback(lambda _: self._wake.set())
            try:
                while True:
                    self._wake.clear()
                    while not self._confirmed.empty():
                        yield self._said(acknowledged=self._confirmed.get_nowait())
                    if keeper.done():
                        await keeper
                        return
                    leased = await self._lease(most)
                    for each in leased:
                        yield self._said(delivery=each.message)
                    for report in await self._new_reports():
                        yield self._said(report=report)
                    if self._clock.monotonic() - self._spoke_at >= HEARTBEAT_SECONDS:
                        yield self._said(heartbeat=exchange_service_pb2.ReceiveHeartbeat())
                    if not leased:
                        await self._rest()
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
                await asyncio.shield(self._give_back())

    def _arrived(self) -> None:
        self._more_due = True
        self._wake.set()

    def _reported(self) -> None:
        self._more_reports = True
        self._wake.set()

    async def _keep(self, requests: AsyncIterator[exchange_service_pb2.ReceiveRequest]) -> None:
        """Keep what the receiver acknowledges until it closes its side."""
        reading = asyncio.create_task(self._take(requests))
        try:
            while names := await self._next_names():
                await self._acknowledge(names)
                for name in names:
                    self._drop(name)
                    await self._confirmed.put(name)
                    self._wake.set()
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _take(self, requests: AsyncIterator[exchange_service_pb2.ReceiveRequest]) -> None:
        try:
            async for request in requests:
                if request.WhichOneof("step") != "acknowledge":
                    raise _not_opened()
                await self._read.put(request.acknowledge or _NO_NAME)
        except Exception:
            await self._read.put("")
            raise
        await self._read.put("")

    async def _next_names(self) -> list[str]:
        """Return what was acknowledged and is not kept yet, once there is any; nothing at the end."""
        names = [await self._read.get()]
        while names[-1] and not self._read.empty():
            names.append(self._read.get_nowait())
        if names[-1] == "":
            names.pop()
            if names:
                self._read.put_nowait("")
        return names

    async def _acknowledge(self, names: list[str]) -> None:
        leased = {name: self._outstanding[name].leased for name in names if name in self._outstanding}
        if leased:
            await self._deliveries.acknowledge_leased(self._call, self._lease_id, list(leased.values()))
        for name in names:
            if "/reports/" in name:
                await self._undelivered.know_report(self._call, name)
            elif name not in leased:
                await self._deliveries.acknowledge(self._call, name)

    async def _lease(self, most: int) -> list[Leased]:
        now = self._clock.monotonic()
        for name in [name for name, held in self._outstanding.items() if held.ends_at <= now]:
            self._drop(name)
        room = min(most - len(self._outstanding), LEASE_BATCH)
        if room <= 0 or not self._more_due:
            return []
        # Before the question, so that what arrives while it is asked is asked for again.
        self._more_due = False
        heavy = sum(held.leased.heavy for held in self._outstanding.values())
        heavy_room = max(0, max(1, most // HEAVY_SHARE) - heavy)
        leased = await self._deliveries.lease(self._caller, self._lease_id, room, heavy_room)
        # A heavy one may have held up a small one of its case.
        if len(leased) == room or any(each.heavy for each in leased):
            self._more_due = True
        for each in leased:
            self._outstanding[each.message.name] = Outstanding(each, now + self._deliveries.lease_seconds)
        return leased

    def _drop(self, name: str) -> None:
        held = self._outstanding.pop(name, None)
        if held is not None and held.leased.heavy:
            # Others may have waited for its place, though there was room.
            self._more_due = True

    async def _new_reports(self) -> list[delivery_pb2.DeliveryReport]:
        if not self._more_reports:
            return []
        self._more_reports = False
        reports = await self._undelivered.reports(self._caller.agency, after=self._last_report)
        if reports:
            self._last_report, self._more_reports = reports[-1].name, True
        return reports

    def _said(self, **notice: Any) -> exchange_service_pb2.ReceiveResponse:
        self._spoke_at = self._clock.monotonic()
        return exchange_service_pb2.ReceiveResponse(**notice)

    async def _rest(self) -> None:
        # Until something arrives or is acknowledged, the oldest lease ends and makes room, or silence lasts too long.
        ends = min((held.ends_at for held in self._outstanding.values()), default=self._spoke_at + HEARTBEAT_SECONDS)
        until = min(ends, self._spoke_at + HEARTBEAT_SECONDS) - self._clock.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until)):
                await self._wake.wait()

    async def _give_back(self) -> None:
        try:
            await self._deliveries.end_leases(list(self._outstanding), self._lease_id)
        except CaseMeshError as error:
            log.warning("receive.leases_left_to_end", reason=error.reason)
        if self._outstanding:
            self._deliveries_due.announce(self._caller.agency)


def _not_opened() -> InvalidArgument:
    return InvalidArgument("STREAM_NOT_OPENED", "the first message must open the stream, and no later one may")
