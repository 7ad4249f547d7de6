"""An agency's system that receives for as long as the demo runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from casemesh.cli.receive_command import store_delivery
from casemesh.client.receiving import Receiver
from casemesh.routing.v1.exchange_pb2 import Delivery

if TYPE_CHECKING:
    from casemesh.client.session import Session

_WAIT_SECONDS = 60.0


class Inbox:
    """Keeps a `Receive` stream open and stores what comes; use it in an `async with`."""

    def __init__(self, session: Session, folder: Path) -> None:
        self._folder = folder
        self._stored: dict[str, Delivery] = {}
        self._confirmed: asyncio.Queue[Delivery] = asyncio.Queue()
        self._receiver = Receiver(session.exchanges, self._store, on_acknowledged=self._confirm)
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Inbox:
        self._folder.mkdir(parents=True)
        self._running = asyncio.create_task(self._receiver.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def next(self) -> Delivery:
        """Return the next delivery that is stored and whose acknowledgement the platform has confirmed.

        Raises what ended the receiving; TimeoutError when nothing comes within a minute.
        """
        assert self._running is not None
        coming = asyncio.ensure_future(self._confirmed.get())
        done, _ = await asyncio.wait(
            {coming, self._running}, timeout=_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if coming in done:
            return coming.result()
        coming.cancel()
        if self._running in done:
            self._running.result()
        raise TimeoutError(f"no delivery came within {_WAIT_SECONDS:.0f} s")

    async def _store(self, delivery: Delivery) -> None:
        await asyncio.to_thread(store_delivery, self._folder, delivery)
        self._stored[delivery.name] = delivery

    def _confirm(self, name: str) -> None:
        if (delivery := self._stored.pop(name, None)) is not None:
            self._confirmed.put_nowait(delivery)
