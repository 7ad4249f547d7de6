"""The channel under a session: what generated stubs call, with token, trace, deadline, errors and repeats seen to.

It is a channel of our own rather than interceptors on gRPC's, because the channel beneath it is exchanged when the
certificate's files change, and stubs are bound to one channel for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from casemesh.client.access_token import AccessToken, TokenSource
from casemesh.client.channel import ReloadingChannel
from casemesh.client.retry import asks_for_fresh_login, asks_for_new_token, is_repeatable, pause_after, pauses
from casemesh.client.trace_context import TraceContext, current_trace
from casemesh.errors import CaseMeshError, DeadlineExceeded, Unavailable, from_rpc_error

DEFAULT_TIMEOUT_SECONDS = 30.0
Metadata = Sequence[tuple[str, str | bytes]]


class AgencyChannel(grpc.aio.Channel):
    """A channel whose calls carry what the platform asks for and fail with CaseMeshError.

    Unary calls: a deadline of 30 seconds unless `timeout` says otherwise, over all attempts; UNAVAILABLE is tried
    again, at most three times, where that is safe (see `retry`). Streams: no deadline, no repeats; the call is
    cancelled when its consumer stops. Without `tokens` the calls carry no token. `metadata` goes with each call.

    Calls return an awaitable or an async iterator, not gRPC's call objects: no `write`, no `read`.
    """

    def __init__(self, channel: ReloadingChannel, tokens: TokenSource | None = None, metadata: Metadata = ()) -> None:
        self._channel = channel
        self._tokens = tokens
        self._metadata = metadata

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        def call(request: Message, *, timeout: float | None = None, metadata: Metadata = ()) -> Awaitable[Any]:
            def attempt(seconds: float, sent: Metadata) -> Awaitable[Any]:
                stub = self._channel.current().unary_unary(method, request_serializer, response_deserializer)
                return stub(request, timeout=seconds, metadata=[*sent])

            return self._repeat(attempt, request, timeout or DEFAULT_TIMEOUT_SECONDS, metadata)

        return call

    def unary_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        def call(request: Message, *, timeout: float | None = None, metadata: Metadata = ()) -> ResponseStream:
            def open_stream(sent: Metadata) -> Any:
                stub = self._channel.current().unary_stream(method, request_serializer, response_deserializer)
                return stub(request, timeout=timeout, metadata=[*sent])

            return ResponseStream(self, open_stream, metadata)

        return call

    def stream_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        def call(
            requests: AsyncIterator[Message], *, timeout: float | None = None, metadata: Metadata = ()
        ) -> ResponseStream:
            def open_stream(sent: Metadata) -> Any:
                stub = self._channel.current().stream_stream(method, request_serializer, response_deserializer)
                return stub(requests, timeout=timeout, metadata=[*sent])

            return ResponseStream(self, open_stream, metadata)

        return call

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Any:
        # The contract has none: an upload that is cut off could not be told from one that ended.
        raise TypeError(f"{method}: CaseMesh has no client-streaming calls")

    async def sent_metadata(
        self, metadata: Metadata, trace: TraceContext
    ) -> tuple[list[tuple[str, str | bytes]], AccessToken | None]:
        """Return what a call carries, and the token that stands in it."""
        token = await self._tokens.current() if self._tokens is not None else None
        sent: list[tuple[str, str | bytes]] = [*self._metadata, *metadata, ("traceparent", trace.traceparent())]
        if token is not None:
            sent.append(("authorization", token.bearer))
        return sent, token

    async def _repeat(
        self, attempt: Callable[[float, Metadata], Awaitable[Any]], request: Message, timeout: float, metadata: Metadata
    ) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        trace = current_trace()
        waits = pauses()
        renewed = logged_in = False
        while True:
            token: AccessToken | None = None
            try:
                async with asyncio.timeout_at(deadline):
                    sent, token = await self.sent_metadata(metadata, trace)
                return await attempt(deadline - loop.time(), sent)
            except TimeoutError as failure:
                late = DeadlineExceeded("UNKNOWN", "the call's time ran out while a token was fetched")
                raise _traced(late, trace) from failure
            except (CaseMeshError, grpc.aio.AioRpcError) as failure:
                error = failure if isinstance(failure, CaseMeshError) else from_rpc_error(failure)
                if token is not None:
                    assert self._tokens is not None
                    if asks_for_new_token(error) and not renewed:
                        self._tokens.forget(token)
                        renewed = True
                        continue
                    if asks_for_fresh_login(error) and not logged_in and await self._tokens.log_in_again(token):
                        # The call's time does not run while a person types.
                        deadline, logged_in = loop.time() + timeout, True
                        continue
                pause = next(waits, None) if isinstance(error, Unavailable) and is_repeatable(request) else None
                if pause is None or loop.time() + pause_after(error, pause) >= deadline:
                    raise _traced(error, trace) from failure
                await asyncio.sleep(pause_after(error, pause))

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close()

    async def __aenter__(self) -> AgencyChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.current().channel_ready()


class ResponseStream:
    """The responses of one stream, to be iterated once. The call is made when the first is asked for.

    Its failure is raised as the CaseMeshError it carries. Closing the iterator, or `cancel`, ends the call.
    """

    def __init__(self, channel: AgencyChannel, open_stream: Callable[[Metadata], Any], metadata: Metadata) -> None:
        self._channel = channel
        self._open = open_stream
        self._metadata = metadata
        self._call: grpc.aio.Call | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._responses()

    def cancel(self) -> bool:
        """End the call; says whether there was one to end."""
        return self._call is not None and self._call.cancel()

    async def _responses(self) -> AsyncIterator[Any]:
        trace = current_trace()
        try:
            sent, _ = await self._channel.sent_metadata(self._metadata, trace)
            self._call = call = self._open(sent)
            async for response in call:
                yield response
        except (CaseMeshError, grpc.aio.AioRpcError) as failure:
            error = failure if isinstance(failure, CaseMeshError) else from_rpc_error(failure)
            raise _traced(error, trace) from failure
        finally:
            # An abandoned call object is never collected and its server goes on sending (grpc/grpc#43462).
            self.cancel()


def _traced(error: CaseMeshError, trace: TraceContext) -> CaseMeshError:
    note = f"trace {trace.trace_id}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error
