"""Channels over mTLS: the certificate from files that are watched, time-outs and keepalive stated, errors as ours.

Used by agencies (to the gateway) and by services (to each other).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import grpc.aio

from casemesh.errors import from_rpc_error

T = TypeVar("T")

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

# Argument names are C strings that gRPC ignores without a word when misspelt; tests hold their effect.
_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A client stream that broke must be resumed by the application from the committed offset; unary calls are retried
    # by `casemesh.client` where their request id makes that safe.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    # Despite its name this bounds one connection attempt, TLS included; a busy machine or a slow line needs seconds.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.use_local_subchannel_pool", 1),
    # A name with several addresses, as of a headless service, is several replicas; the default takes the first alone.
    ("grpc.lb_policy_name", "round_robin"),
    # Asked again when a connection ends, at the latest when a server asks it to go; 30 s between would miss a restart.
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
)


@dataclass(frozen=True)
class Credentials:
    """A client's certificate as a folder: `tls.pem` (leaf first), `tls.key`, and `ca.pem` to verify the server with."""

    directory: Path

    def stamp(self) -> tuple[int, ...]:
        """Return what changes when any of the files does."""
        return tuple((self.directory / name).stat().st_mtime_ns for name in ("tls.pem", "tls.key", "ca.pem"))

    def load(self) -> grpc.ChannelCredentials:
        """Read the files.

        Raises OSError that names a file that cannot be read.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=(self.directory / "ca.pem").read_bytes(),
            private_key=(self.directory / "tls.key").read_bytes(),
            certificate_chain=(self.directory / "tls.pem").read_bytes(),
        )


def open_channel(
    target: str,
    credentials: Credentials,
    *,
    server_name: str,
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    options: Sequence[tuple[str, Any]] = (),
) -> grpc.aio.Channel:
    """Return a channel to `target` whose server must have a certificate for `server_name`.

    Connects on first use.
    """
    return grpc.aio.secure_channel(
        target,
        credentials.load(),
        options=[*_OPTIONS, ("grpc.ssl_target_name_override", server_name), *options],
        interceptors=[*interceptors],
    )


class ReloadingChannel:
    """A channel that is replaced when its certificate files change; calls in flight end on the old one.

    gRPC for Python cannot exchange a client's certificate on a live channel, so a new channel is made first. The
    old one stays for the streams on it, which the server ends at their greatest age, and is closed with the rest.
    """

    def __init__(self, make: Callable[[], grpc.aio.Channel], credentials: Credentials) -> None:
        self._make = make
        self._credentials = credentials
        self._stamp = credentials.stamp()
        self._channel = make()
        self._old: list[grpc.aio.Channel] = []

    def current(self) -> grpc.aio.Channel:
        """Return the channel to make new calls on."""
        stamp = self._credentials.stamp()
        if stamp != self._stamp:
            self._old.append(self._channel)
            self._channel = self._make()
            self._stamp = stamp
        return self._channel

    async def close(self) -> None:
        """Close all channels."""
        for channel in (*self._old, self._channel):
            await channel.close()


class ErrorInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Turns a failed unary call into the CaseMeshError it carries. Streams: see `raising`."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        call = await continuation(details, request)
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error


async def raising(call: grpc.aio.Call, responses: AsyncIterator[T]) -> AsyncIterator[T]:
    """Yield a stream's responses; a failure is raised as the CaseMeshError it carries.

    The call is cancelled when the consumer stops early, so that the server does not go on sending to nobody.
    """
    try:
        async for response in responses:
            yield response
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    finally:
        call.cancel()
