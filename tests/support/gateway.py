"""A real gateway for tests, and a server behind it that tells what it saw.

    with running_gateway(pki, services={"routing": "127.0.0.1:4711", ...}, directory=tmp_path / "gateway") as gateway:
        channel = gateway.channel(pki.layout.system(POLICE, SYSTEM))

The echo server is synchronous on purpose: it belongs to no event loop, so one can serve a whole module.
"""

import http.client
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from casemesh.local.envoy import AGENCY_SERVICES, AgencyLimits, EnvoyGateway
from casemesh.local.ports import LOOPBACK, free_port, is_free
from casemesh.pki.authority import Pki
from casemesh.pki.layout import CredentialFiles
from tests.support.pki import channel_credentials, server_credentials

STREAMS = {method for service in AGENCY_SERVICES for method in service.streams}
MAX_MESSAGE = 5 * 1024 * 1024
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 30.0
_SETTLED_POLLS = 25


@dataclass
class Gateway:
    """A gateway that listens."""

    address: str
    log_file: Path
    process: subprocess.Popen[bytes]

    def channel(self, files: CredentialFiles) -> grpc.Channel:
        """A channel of its own connection for the client with these files."""
        return open_channel(self.address, channel_credentials(files))

    def https(self, files: CredentialFiles) -> http.client.HTTPSConnection:
        """An HTTP/1.1 connection for the client with these files, as those have who call JSON."""
        host, _, port = self.address.partition(":")
        return http.client.HTTPSConnection(host, int(port), timeout=20, context=tls_context(files, "http/1.1"))

    def log(self) -> list[dict[str, Any]]:
        """What the gateway has logged so far."""
        return [json.loads(line) for line in self.log_file.read_text().splitlines() if line.startswith("{")]

    def logged(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first log line that fits; waits for it, since Envoy writes a call's line after its end."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [line for line in self.log() if wanted(line)]
            return bool(found)

        wait_until(look)
        return found[0]


@contextmanager
def running_gateway(
    pki: Pki,
    services: Mapping[str, str],
    directory: Path,
    *,
    otlp_port: int | None = None,
    port: int = 0,
    limits: AgencyLimits | None = None,
) -> Iterator[Gateway]:
    """Envoy in front of `services`, whose addresses are "127.0.0.1:port"; a service without one is unreachable."""
    port = port or free_port()
    addresses = {entry.service: f"{LOOPBACK}:1" for entry in AGENCY_SERVICES} | dict(services)
    envoy = EnvoyGateway(
        directory, pki=pki.layout.root, port=port, services=addresses, otlp_port=otlp_port, limits=limits
    )
    envoy.write()
    log_file = directory / "envoy.log"
    setpriv = shutil.which("setpriv")
    command = [*([setpriv, "--pdeathsig", "KILL"] if setpriv else []), *envoy.command()]
    with log_file.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            while is_free(port):
                if process.poll() is not None:
                    raise AssertionError(f"the gateway ended with {process.returncode}: {log_file.read_text()}")
                wait_until(lambda: not is_free(port) or process.poll() is not None)
            yield Gateway(address=f"localhost:{port}", log_file=log_file, process=process)
        finally:
            process.terminate()


def tls_context(files: CredentialFiles, protocol: str) -> ssl.SSLContext:
    """What a client with these files connects with, to speak `protocol`."""
    context = ssl.create_default_context(cafile=str(files.trust))
    context.load_cert_chain(files.certificate, files.key)
    context.set_alpn_protocols([protocol])
    return context


def open_channel(address: str, credentials: grpc.ChannelCredentials) -> grpc.Channel:
    """A channel that shares no connection with another and comes back quickly."""
    return grpc.secure_channel(
        address,
        credentials,
        options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0),
            ("grpc.max_reconnect_backoff_ms", 100),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
        ],
    )


def call(channel: grpc.Channel, path: str, body: bytes = b"", *, metadata: Any = None, timeout: float = 20) -> bytes:
    """A call with one answer to `path`, bytes in and bytes out; raises grpc.RpcError."""
    answer: bytes = channel.unary_unary(path)(body, timeout=timeout, metadata=metadata)
    return answer


def wait_until(condition: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> None:
    """Returns when the condition holds; AssertionError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the condition did not come true in time")
        time.sleep(_POLL_SECONDS)


def wait_until_settled(value: Callable[[], int]) -> None:
    """Returns when the value has stayed the same for a while."""
    last = [-1] * _SETTLED_POLLS

    def settled() -> bool:
        last.append(value())
        return len(set(last[-_SETTLED_POLLS:])) == 1

    wait_until(settled)


@dataclass
class Echo(grpc.GenericRpcHandler):
    """One service behind the gateway. It answers every unary call with what it saw of it, and echoes streams.

    Bodies it understands: b"fail" (UNAVAILABLE from the service), b"large" (4 MiB back); on DownloadDocuments the body
    is how many MiB to send. A call with the header `x-empty` gets an empty message, which is one of any type.
    """

    calls: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    port: int = 0
    sent_messages: int = 0

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """grpc's hook: every method exists."""
        name = details.method.rpartition("/")[2]
        metadata = [(key, value) for key, value in details.invocation_metadata if isinstance(value, str)]
        self.calls.append((details.method, metadata))
        if name == "DownloadDocuments":
            return grpc.unary_stream_rpc_method_handler(self._download)
        if name in STREAMS:
            return grpc.stream_stream_rpc_method_handler(self._echo)
        return grpc.unary_unary_rpc_method_handler(lambda body, context: self._answer(body, context, metadata))

    def _answer(self, body: bytes, context: grpc.ServicerContext, metadata: list[tuple[str, str]]) -> bytes:
        self.deadlines.append(context.time_remaining())
        if any(key == "x-empty" for key, _ in metadata):
            return b""
        if body == b"fail":
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        if body == b"large":
            return bytes(4 * 1024 * 1024)
        return json.dumps(metadata).encode()

    def _echo(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from requests

    def _download(self, body: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for _ in range(int(body)):
            self.sent_messages += 1
            yield bytes(1024 * 1024)


@contextmanager
def echo_server(files: CredentialFiles) -> Iterator[Echo]:
    """An echo server with these certificates on a port of its own."""
    echo = Echo()
    server = grpc.server(
        ThreadPoolExecutor(16),
        handlers=[echo],
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
        ],
    )
    echo.port = server.add_secure_port(f"{LOOPBACK}:0", server_credentials(files))
    server.start()
    try:
        yield echo
    finally:
        server.stop(grace=0).wait()


@contextmanager
def echo_services(pki: Pki) -> Iterator[dict[str, Echo]]:
    """An echo server in the place of every service, each with that service's certificate."""
    with ExitStack() as stack:
        names = sorted({entry.service for entry in AGENCY_SERVICES})
        yield {name: stack.enter_context(echo_server(pki.layout.service(name))) for name in names}
