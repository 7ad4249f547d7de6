"""Runs a blocking producer in a thread of its own, a few items ahead of its consumer and never more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Iterate it once. The producer's exception is raised where it happened in the order of items.

    ``depth`` items at most are made and not yet consumed. Close it when leaving early: the producer then stops at its
    next item, and its generator is closed in its own thread.
    """

    def __init__(self, produce: Callable[[], Iterator[T]], depth: int) -> None:
        self._produce = produce
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[T | _End] = asyncio.Queue()
        self._room = threading.Semaphore(depth)
        self._closed = False
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)

    async def items(self) -> AsyncGenerator[T, None]:
        """The items in order."""
        self._thread.start()
        try:
            while True:
                item = await self._items.get()
                if isinstance(item, _End):
                    if item.error is not None:
                        raise item.error
                    return
                yield item
                self._room.release()
        finally:
            self._closed = True
            self._room.release()
            await asyncio.shield(self._ended.wait())

    def _run(self) -> None:
        end = _End(None)
        items = self._produce()
        try:
            for item in items:
                self._room.acquire()
                if self._closed:
                    break
                self._tell(self._items.put_nowait, item)
        except Exception as error:
            end = _End(error)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
            self._tell(self._items.put_nowait, end)
            self._tell(self._ended.set)

    def _tell(self, what: Callable[..., object], *arguments: object) -> None:
        # A loop that is closed has nobody left to tell; the producer then ends like one whose consumer left.
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            self._closed = True


class _End:
    def __init__(self, error: Exception | None) -> None:
        self.error = error
