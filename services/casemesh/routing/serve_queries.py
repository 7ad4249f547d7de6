"""The stream on which a provider's system takes questions and answers them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, InvalidArgument
from casemesh.routing.answer_query import LEASE_SECONDS, Answering
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.v1 import data_provider_service_pb2, data_service_pb2
from casemesh.runtime.call import Call

log = structlog.get_logger(__name__)

DEFAULT_OUTSTANDING = 16
_HEARTBEAT_SECONDS = 30.0
_CONFIRMATIONS = 256

_Request = data_provider_service_pb2.ServeQueriesRequest
_Response = data_provider_service_pb2.ServeQueriesResponse


class QueryServing:
    """One ServeQueries stream: a task takes answers while the generator puts questions before the provider.

    The provider ends the stream by closing its side. What it leaves without an answer, however the stream ends, is due
    again at once.
    """

    def __init__(self, call: Call, answering: Answering, questions: Arrivals, clock: Clock) -> None:
        self._call = call
        self._caller = call.require_caller()
        self._answering = answering
        self._questions = questions
        self._clock = clock
        self._lease_id = new_id()
        self._outstanding: dict[str, float] = {}
        self._answered: asyncio.Queue[str] = asyncio.Queue(_CONFIRMATIONS)
        self._wake = asyncio.Event()

    async def run(self, requests: AsyncIterator[_Request]) -> AsyncGenerator[_Response, None]:
        """Yield questions and confirmations until the provider closes its side.

        Raises InvalidArgument (STREAM_NOT_OPENED); as `Answering.answer`; Unavailable.
        """
        opening = await anext(requests)
        if opening.WhichOneof("step") != "open":
            raise _not_opened()
        most = opening.open.max_outstanding or DEFAULT_OUTSTANDING
        with self._questions.watching(self._caller.agency, self._wake.set):
            reader = asyncio.create_task(self._read(requests))
            reader.add_done_callback(lambda _: self._wake.set())
            try:
                async for response in self._serve(reader, most):
                    yield response
                await reader
            finally:
                reader.cancel()
                with contextlib.suppress(asyncio.CancelledError, CaseMeshError):
                    await reader
                await self._give_back()

    async def _serve(self, reader: asyncio.Task[None], most: int) -> AsyncIterator[_Response]:
        while True:
            self._wake.clear()
            while not self._answered.empty():
                yield _Response(answered=self._answered.get_nowait())
            if reader.done():
                return
            leased = await self._lease(most)
            for query in leased:
                yield _Response(query=query)
            if not leased and not await self._rest():
                yield _Response(heartbeat=data_provider_service_pb2.ServeQueriesHeartbeat())

    async def _read(self, requests: AsyncIterator[_Request]) -> None:
        async for request in requests:
            if request.WhichOneof("step") != "answer":
                raise _not_opened()
            await self._answering.answer(self._call, request.answer)
            self._outstanding.pop(request.answer.query, None)
            await self._answered.put(request.answer.query)
            self._wake.set()

    async def _lease(self, most: int) -> list[data_service_pb2.DataQuery]:
        now = self._clock.monotonic()
        self._outstanding = {name: ends for name, ends in self._outstanding.items() if ends > now}
        room = most - len(self._outstanding)
        if room <= 0:
            return []
        leased = await self._answering.lease(self._caller, self._lease_id, room)
        self._outstanding.update((query.name, now + LEASE_SECONDS) for query in leased)
        return leased

    async def _rest(self) -> bool:
        """Wait until something happens or a lease ends; False when nothing did for as long as a heartbeat."""
        heartbeat = self._clock.monotonic() + _HEARTBEAT_SECONDS
        ends = min([*self._outstanding.values(), heartbeat])
        try:
            async with asyncio.timeout(max(0.0, ends - self._clock.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            return ends < heartbeat
        return True

    async def _give_back(self) -> None:
        try:
            await self._answering.end_leases(list(self._outstanding), self._lease_id)
        except CaseMeshError as error:
            log.warning("queries.leases_left_to_end", reason=error.reason)
        if self._outstanding:
            self._questions.announce(self._caller.agency)


def _not_opened() -> InvalidArgument:
    return InvalidArgument("STREAM_NOT_OPENED", "the first message must open the stream, and no later one may")
