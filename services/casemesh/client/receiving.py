"""Receiving deliveries: hand each one over durably, then acknowledge it.

An acknowledgement tells the platform that the delivery is stored and need not come again, so it is sent only after the
caller's `store` has returned. A delivery may come more than once (its lease ran out, the process was killed before its
acknowledgement arrived); `store` must have one outcome per delivery name.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from casemesh.client.retry import pause_after, pauses
from casemesh.errors import CaseMeshError, Unavailable
from casemesh.routing.v1 import delivery_pb2, exchange_pb2, exchange_service_pb2

if TYPE_CHECKING:
    from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceAsyncStub

Store = Callable[[exchange_pb2.Delivery], Awaitable[None]]
"""Makes a delivery durable; what it raises ends the receiving, and the delivery comes again."""

OnReport = Callable[[delivery_pb2.DeliveryReport], Awaitable[None]]
"""Is given each report of a delivery of one's own that has not arrived; once it returns, the report is acknowledged."""

OnAcknowledged = Callable[[str], None]
"""Is told the name of each delivery whose acknowledgement the platform has confirmed."""


class Receiver:
    """Takes deliveries from the platform for as long as `run` runs. For one run of one program.

    Deliveries of one case are stored one after another, in the order they come; different cases side by side, so that
    a heavy package holds up no other case. A break of the connection does not interrupt a `store` in progress; it is
    mended with growing pauses.
    """

    def __init__(
        self,
        exchanges: ExchangeServiceAsyncStub,
        store: Store,
        *,
        max_outstanding: int = 16,
        on_acknowledged: OnAcknowledged = lambda name: None,
        on_report: OnReport | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._store = store
        self._max_outstanding = max_outstanding
        self._on_acknowledged = on_acknowledged
        self._on_report = on_report
        self._to_acknowledge: asyncio.Queue[str] = asyncio.Queue()
        self._in_store: set[str] = set()
        self._stored: set[str] = set()
        self._of_case: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self) -> None:
        """Receive until cancelled.

        Raises what `store` raises, and CaseMeshError for a failure that does not pass.
        """
        try:
            async with asyncio.TaskGroup() as storing:
                await self._keep_streaming(storing)
        except BaseExceptionGroup as group:
            # One failure ended the group; the rest are its cancellations.
            raise group.exceptions[0] from group

    async def _keep_streaming(self, storing: asyncio.TaskGroup) -> None:
        waits = pauses()
        while True:
            heard = False
            try:
                async for response in self._exchanges.Receive(self._requests()):
                    heard = True
                    self._take(response, storing)
                raise Unavailable("UNKNOWN", "the platform ended the stream", retry_after_seconds=None)
            except CaseMeshError as failure:
                error = _break_of(failure)
                if not isinstance(error, Unavailable) and error.reason != "DELIVERY_LEASE_LOST":
                    raise
                waits = pauses() if heard else waits
                pause = next(waits, None)
                if pause is None:
                    raise error from failure
                await asyncio.sleep(pause_after(error, pause))

    def _take(self, response: exchange_service_pb2.ReceiveResponse, storing: asyncio.TaskGroup) -> None:
        # A heartbeat, and what a later release may add, asks for nothing. So do reports that nobody here wants: they
        # stay open for those who list them.
        match response.WhichOneof("notice"):
            case "acknowledged":
                self._stored.discard(response.acknowledged)
                self._on_acknowledged(response.acknowledged)
            case "delivery" if response.delivery.name in self._stored:
                # Its acknowledgement was lost with a connection.
                self._to_acknowledge.put_nowait(response.delivery.name)
            case "report" if self._on_report is not None and response.report.name not in self._in_store:
                self._in_store.add(response.report.name)
                storing.create_task(self._tell(self._on_report, response.report))
            case "delivery" if response.delivery.name not in self._in_store:
                self._in_store.add(response.delivery.name)
                storing.create_task(self._hand_over(response.delivery))

    async def _requests(self) -> AsyncIterator[exchange_service_pb2.ReceiveRequest]:
        opening = exchange_service_pb2.ReceiveOpen(max_outstanding=self._max_outstanding)
        yield exchange_service_pb2.ReceiveRequest(open=opening)
        while True:
            yield exchange_service_pb2.ReceiveRequest(acknowledge=await self._to_acknowledge.get())

    async def _hand_over(self, delivery: exchange_pb2.Delivery) -> None:
        async with self._of_case[delivery.exchange.case]:
            await self._store(delivery)
        self._in_store.discard(delivery.name)
        self._stored.add(delivery.name)
        self._to_acknowledge.put_nowait(delivery.name)

    async def _tell(self, on_report: OnReport, report: delivery_pb2.DeliveryReport) -> None:
        await on_report(report)
        self._in_store.discard(report.name)
        self._to_acknowledge.put_nowait(report.name)


def _break_of(failure: CaseMeshError) -> CaseMeshError:
    """Return Unavailable for what no service of the platform said: a gateway whose service was killed resets a stream
    under way, which is INTERNAL to gRPC, and another stream mends it."""
    if failure.reason != "UNKNOWN" or isinstance(failure, Unavailable):
        return failure
    return Unavailable("UNKNOWN", f"the stream broke: {failure.message}")


async def run_until(work: Coroutine[Any, Any, None], done: asyncio.Event) -> None:
    """Run `work`, which goes on for ever, until `done` is set; raises what it raises."""
    running = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(done.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
