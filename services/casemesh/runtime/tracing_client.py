"""The client's half of the mesh: a span per call, `traceparent` sent on, failures as the errors they carry.

Only unary calls cross between services; the streams of agencies pass through the gateway, which starts their trace. A
channel of our own rather than interceptors on gRPC's: those make a call object and a task for every call, which costs
as much again as the call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace

from casemesh.client.channel import ReloadingChannel
from casemesh.errors import from_rpc_error
from casemesh.runtime.telemetry import traceparent_of, tracer

_Metadata = Sequence[tuple[str, str | bytes]]


class TracingChannel(grpc.aio.Channel):
    """A channel whose unary calls are traced and raise CaseMeshError. They return an awaitable, not gRPC's call object.
    Streams are gRPC's own. A stub made on it goes on with the renewed certificate."""

    def __init__(self, channels: ReloadingChannel) -> None:
        self._channels = channels

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        made: tuple[grpc.aio.Channel, Any] | None = None

        def plain() -> Any:
            nonlocal made
            channel = self._channels.current()
            if made is None or made[0] is not channel:
                made = channel, channel.unary_unary(method, request_serializer, response_deserializer)
            return made[1]

        return _traced(method.lstrip("/"), plain)

    def unary_stream(self, *arguments: Any, **named: Any) -> Any:
        return self._channels.current().unary_stream(*arguments, **named)

    def stream_unary(self, *arguments: Any, **named: Any) -> Any:
        return self._channels.current().stream_unary(*arguments, **named)

    def stream_stream(self, *arguments: Any, **named: Any) -> Any:
        return self._channels.current().stream_stream(*arguments, **named)

    async def close(self, grace: float | None = None) -> None:
        await self._channels.close()

    async def __aenter__(self) -> TracingChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channels.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channels.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channels.current().channel_ready()


def _traced(method: str, plain: Callable[[], Any]) -> Callable[..., Awaitable[Any]]:
    attributes = {"rpc.system.name": "grpc", "rpc.method": method}

    async def call(request: Any, *, metadata: _Metadata = (), **options: Any) -> Any:
        # Not made current: nothing within the call opens a span.
        span = tracer().start_span(method, kind=trace.SpanKind.CLIENT, attributes=attributes)
        sent = [pair for pair in metadata if pair[0] != "traceparent"]
        if parent := traceparent_of(span):
            sent.append(("traceparent", parent))
        try:
            answer = await plain()(request, metadata=sent, **options)
        except grpc.aio.AioRpcError as error:
            span.set_attribute("rpc.response.status_code", error.code().name)
            span.set_status(trace.StatusCode.ERROR, error.code().name)
            raise from_rpc_error(error) from error
        else:
            span.set_attribute("rpc.response.status_code", "OK")
            return answer
        finally:
            span.end()

    return call
