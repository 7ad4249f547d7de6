"""One stream of an upload, seen from the sender: its window, its pace, what the service says of it.

No more than the window that the service states is ever on its way without having been received, so a break costs at
most that much again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from casemesh.client.upload_frames import MESSAGE_BYTES
from casemesh.client.upload_messages import LocalFileChanged
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Unavailable, from_rpc_error, from_status

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub

Message = bytes | pb.UploadDocumentsRequest
Sized = tuple[Message, int]
"""A message with the number of document bytes in it."""


class Pace:
    """Keeps what several streams send together within a rate; without one, everything passes at once."""

    def __init__(
        self, bytes_per_second: float | None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._rate = bytes_per_second
        self._sleep = sleep
        self._free_at = 0.0

    async def wait(self, size: int) -> None:
        """Wait until ``size`` bytes may leave."""
        if self._rate is None:
            return
        now = asyncio.get_running_loop().time()
        begin = max(now, self._free_at)
        self._free_at = begin + size / self._rate
        await self._sleep(begin - now)


class UploadStream:
    """One stream. The figures are document bytes of this stream and never fall; ``told`` hears of each change."""

    def __init__(
        self, dossiers: DossierServiceAsyncStub, opening: pb.UploadOpen, pace: Pace, told: Callable[[], None]
    ) -> None:
        self._dossiers = dossiers
        self._opening = opening
        self._pace = pace
        self._told = told
        self._window: asyncio.Future[int] = asyncio.Future()
        self._changed = asyncio.Event()
        self._stopped = False
        self._failure: Exception | None = None
        self.sent_bytes = 0
        self.received_bytes = 0
        self.committed_bytes = 0

    async def run(self, opened: Callable[[], Awaitable[None]], messages: Callable[[], AsyncGenerator[Sized]]) -> bool:
        """Open the stream, await ``opened``, then send ``messages``. Says whether the upload is finished by it.

        False means that everything sent is committed and more may follow on another stream. Raises CaseMeshError,
        what ``messages`` raised of LocalFileChanged and OSError, and Unavailable where the stream ended too early.
        """
        requests: Any = self._requests(messages)
        call = self._dossiers.UploadDocuments(requests)
        try:
            async for response in call:
                match response.WhichOneof("notice"):
                    case "opened":
                        await opened()
                        self._window.set_result(max(response.opened.window_bytes, MESSAGE_BYTES))
                    case "progress":
                        self.received_bytes = response.progress.received_bytes
                        self.committed_bytes = response.progress.committed_bytes
                        self._changed.set()
                        self._told()
                    case "finished":
                        return True
                    case "error":
                        raise from_status(response.error)
                    case _:
                        pass
            if self._failure is None and self._window.done() and self.committed_bytes == self.sent_bytes:
                return False
            raise self._failure or Unavailable("UNKNOWN", "the stream ended before all of it was committed")
        except grpc.aio.AioRpcError as error:
            raise self._failure or from_rpc_error(error) from error
        except CaseMeshError:
            if self._failure is not None:
                raise self._failure from None
            raise
        finally:
            self._stop()
            call.cancel()

    async def committed(self) -> None:
        """Wait until everything sent so far is committed, or the stream has ended."""
        while self.committed_bytes < self.sent_bytes and not self._stopped:
            await self._change()

    async def _requests(self, messages: Callable[[], AsyncGenerator[Sized]]) -> AsyncIterator[Message]:
        yield pb.UploadDocumentsRequest(open=self._opening)
        window = await self._window
        try:
            async with contextlib.aclosing(messages()) as sized:
                async for message, size in sized:
                    await self._pace.wait(size)
                    while self.sent_bytes + size - self.received_bytes > window and not self._stopped:
                        await self._change()
                    if self._stopped:
                        return
                    self.sent_bytes += size
                    yield message
        except (LocalFileChanged, OSError, CaseMeshError) as error:
            # Raised in here it would reach the caller as a cancelled call.
            self._failure = error

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _stop(self) -> None:
        self._stopped = True
        self._changed.set()
        if not self._window.done():
            self._window.set_result(0)
