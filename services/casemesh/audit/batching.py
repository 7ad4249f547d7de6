"""Appends of many callers as few transactions.

There is no timer: while one batch commits, the next gathers, and a lone event goes at once. Under load batches grow to
their limit by themselves; without load an append costs one commit, which matters because a reader of a dossier waits
for it.

Sources take turns, a request each, and each has its own bound: what floods the log waits behind itself alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from casemesh.audit.events import Submitted
from casemesh.audit.sequencing import Outcome, Place
from casemesh.errors import CaseMeshError, ResourceExhausted, Unavailable

MAX_BATCH_EVENTS = 256
MAX_WAITING_EVENTS = 4096

log = structlog.get_logger(__name__)

Result = list[Place] | Exception

Waiting = tuple[list[Submitted], asyncio.Future[list[Place]]]

AppendBatch = Callable[[Sequence[Sequence[Submitted]]], Awaitable[list[Outcome]]]


class Batcher:
    """Gathers requests and hands them on in batches, those of one source in the order they came, for as long as `run`
    runs."""

    def __init__(self, append_batch: AppendBatch) -> None:
        self._append_batch = append_batch
        self._waiting: defaultdict[str, deque[Waiting]] = defaultdict(deque)
        self._waiting_events: Counter[str] = Counter()
        self._turns: deque[str] = deque()
        self._arrived = asyncio.Event()
        self._stopped: CaseMeshError | None = None

    @property
    def contradicted(self) -> bool:
        """Whether the log takes nothing more until its operator has looked."""
        return self._stopped is not None and self._stopped.reason == "LOG_CONTRADICTED"

    async def append(self, events: list[Submitted]) -> list[Place]:
        """Return the places of `events`, all of one source and at least one, once they are durable.

        A caller that goes away while waiting does not undo what was begun. Raises ResourceExhausted when 4096 events of
        the source wait already, and what the batch raised otherwise. After LOG_CONTRADICTED every append fails with it.
        """
        if self._stopped is not None:
            # One instance raised again and again would gather the frames of all its callers.
            raise self._stopped.with_traceback(None)
        source = events[0].source
        waiting = self._waiting_events[source]
        if waiting + len(events) > MAX_WAITING_EVENTS:
            raise ResourceExhausted(
                "LIMIT_EXCEEDED",
                f"{waiting} events of {source} wait already; append again later",
                {"limit": f"{MAX_WAITING_EVENTS} waiting events"},
                retry_after_seconds=1.0,
            )
        future: asyncio.Future[list[Place]] = asyncio.get_running_loop().create_future()
        if not self._waiting[source]:
            self._turns.append(source)
        self._waiting[source].append((events, future))
        self._waiting_events[source] += len(events)
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Append what arrives until cancelled; what waits then is refused with SHUTTING_DOWN."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._turns:
                    await self._append_next()
        finally:
            self._stopped = self._stopped or Unavailable("SHUTTING_DOWN", "the log is stopping; append again later")
            while self._turns:
                for _, future in self._take():
                    _resolve(future, self._stopped)

    async def _append_next(self) -> None:
        batch = self._take()
        results: list[Result] = [Unavailable("SHUTTING_DOWN", "the log is stopping; append again later")] * len(batch)
        try:
            results = await self._results([events for events, _ in batch])
        finally:
            for (_, future), result in zip(batch, results, strict=True):
                _resolve(future, result)

    async def _results(self, requests: list[list[Submitted]]) -> list[Result]:
        try:
            return [*await self._append_batch(requests)]
        except CaseMeshError as error:
            if error.reason == "LOG_CONTRADICTED":
                self._stopped = error
            return [error] * len(requests)
        except Exception as error:
            log.exception("batch.failed", requests=len(requests))
            if len(requests) == 1:
                return [error]
            # One request must not keep the others of its batch from being appended.
            return [result for request in requests for result in await self._results([request])]

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        count = 0
        while self._turns:
            source = self._turns[0]
            requests = self._waiting[source]
            events, _ = requests[0]
            # Whose turn it is keeps it for the next batch: large requests are not passed over for small ones.
            if batch and count + len(events) > MAX_BATCH_EVENTS:
                break
            self._turns.popleft()
            batch.append(requests.popleft())
            count += len(events)
            self._waiting_events[source] -= len(events)
            if requests:
                self._turns.append(source)
        return batch


def _resolve(future: asyncio.Future[list[Place]], result: Result) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
        # The caller may be gone; an error nobody fetched is not one to warn of.
        future.exception()
    else:
        future.set_result(result)
