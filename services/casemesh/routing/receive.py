"""The stream on which a system receives the deliveries of its agency and acknowledges them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, InvalidArgument
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.deliver import LEASE_BATCH, Deliveries
from casemesh.routing.v1 import exchange_pb2, exchange_service_pb2
from casemesh.runtime.call import Call

log = structlog.get_logger(__name__)

DEFAULT_OUTSTANDING = 16
HEARTBEAT_SECONDS = 30.0
"""The gateway ends a stream that was silent for 120 seconds."""
_CONFIRMATIONS = 256
"""Acknowledgements confirmed but not yet read by the receiver, before no more are taken from it."""


class Receiver:
    """One Receive stream: two sides that meet in what is outstanding.

    One task reads acknowledgements; the generator leases deliveries while there is room and sends them. The receiver
    ends the stream by closing its side. What it leaves unacknowledged, however the stream ends, is due again at once.
    """

    def __init__(self, call: Call, deliveries: Deliveries, arrivals: Arrivals, clock: Clock) -> None:
        self._call = call
        self._caller = call.require_caller()
        self._deliveries = deliveries
        self._arrivals = arrivals
        self._clock = clock
        self._lease_id = new_id()
        self._outstanding: dict[str, float] = {}
        self._confirmed: asyncio.Queue[str] = asyncio.Queue(_CONFIRMATIONS)
        self._wake = asyncio.Event()
        self._more_due = True
        self._spoke_at = clock.monotonic()

    async def run(
        self, requests: AsyncIterator[exchange_service_pb2.ReceiveRequest]
    ) -> AsyncGenerator[exchange_service_pb2.ReceiveResponse, None]:
        """Yield deliveries and confirmations until the receiver closes its side.

        Raises InvalidArgument (STREAM_NOT_OPENED); as `Deliveries.acknowledge`; Unavailable.
        """
        opening = await anext(requests)
        if opening.WhichOneof("step") != "open":
            raise _not_opened()
        most = opening.open.max_outstanding or DEFAULT_OUTSTANDING
        with self._arrivals.watching(self._caller.agency, self._arrived):
            reader = asyncio.create_task(self._read(requests))
            reader.add_done_callback(lambda _: self._wake.set())
            try:
                while True:
                    self._wake.clear()
                    while not self._confirmed.empty():
                        yield self._said(acknowledged=self._confirmed.get_nowait())
                    if reader.done():
                        await reader
                        return
                    leased = await self._lease(most)
                    for delivery in leased:
                        yield self._said(delivery=delivery)
                    if self._clock.monotonic() - self._spoke_at >= HEARTBEAT_SECONDS:
                        yield self._said(heartbeat=exchange_service_pb2.ReceiveHeartbeat())
                    if not leased:
                        await self._rest()
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
                await asyncio.shield(self._give_back())

    def _arrived(self) -> None:
        self._more_due = True
        self._wake.set()

    async def _read(self, requests: AsyncIterator[exchange_service_pb2.ReceiveRequest]) -> None:
        async for request in requests:
            if request.WhichOneof("step") != "acknowledge":
                raise _not_opened()
            await self._deliveries.acknowledge(self._call, request.acknowledge)
            self._outstanding.pop(request.acknowledge, None)
            await self._confirmed.put(request.acknowledge)
            self._wake.set()

    async def _lease(self, most: int) -> list[exchange_pb2.Delivery]:
        now = self._clock.monotonic()
        for name in [name for name, ends in self._outstanding.items() if ends <= now]:
            del self._outstanding[name]
        room = min(most - len(self._outstanding), LEASE_BATCH)
        if room <= 0 or not self._more_due:
            return []
        # Before the question, so that what arrives while it is asked is asked for again.
        self._more_due = False
        leased = await self._deliveries.lease(self._caller, self._lease_id, room)
        if len(leased) == room:
            self._more_due = True
        for delivery in leased:
            self._outstanding[delivery.name] = now + self._deliveries.lease_seconds
        return leased

    def _said(self, **notice: Any) -> exchange_service_pb2.ReceiveResponse:
        self._spoke_at = self._clock.monotonic()
        return exchange_service_pb2.ReceiveResponse(**notice)

    async def _rest(self) -> None:
        # Until something arrives or is acknowledged, the oldest lease ends and makes room, or silence lasts too long.
        ends = min(self._outstanding.values(), default=self._spoke_at + HEARTBEAT_SECONDS)
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
            self._arrivals.announce(self._caller.agency)


def _not_opened() -> InvalidArgument:
    return InvalidArgument("STREAM_NOT_OPENED", "the first message must open the stream, and no later one may")
