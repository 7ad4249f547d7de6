"""Slow, malformed and malicious clients at the gateway: each is cut, and its neighbour is served all the while."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import grpc
import pytest

from casemesh.local.ports import LOOPBACK
from casemesh.pki.authority import Pki
from tests.support import http2
from tests.support.gateway import Echo, Gateway, call, echo_server, running_gateway, tls_context
from tests.support.http2 import RawClient, frame, grpc_headers, header_block
from tests.support.pki import COURT, POLICE, SYSTEM

GET_CASE = "/casemesh.routing.v1.CaseService/GetCase"
# At another service than the neighbour's: what is held up there is its own affair.
UPLOAD = "/casemesh.dossier.v1.DossierService/UploadDocuments"


@dataclass
class Scene:
    """A gateway, what stands behind it, and a neighbour with a connection of its own."""

    pki: Pki
    gateway: Gateway
    routing: Echo
    dossier: Echo
    court: grpc.Channel

    @property
    def port(self) -> int:
        return int(self.gateway.address.partition(":")[2])

    def attacker(self, protocol: str = "h2") -> RawClient:
        """An agency's system with a good certificate and bad manners."""
        return RawClient.connect(self.port, tls_context(self.pki.layout.system(POLICE, SYSTEM), protocol))

    def serves_the_neighbour(self) -> bool:
        return bool(call(self.court, GET_CASE))


@pytest.fixture(scope="module")
def scene(mesh_pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory: Path = tmp_path_factory.mktemp("edge-hostile") / "gateway"
    with (
        echo_server(mesh_pki.layout.service("routing")) as routing,
        echo_server(mesh_pki.layout.service("dossier")) as dossier,
        running_gateway(
            mesh_pki,
            {"routing": f"{LOOPBACK}:{routing.port}", "dossier": f"{LOOPBACK}:{dossier.port}"},
            directory,
        ) as gateway,
        gateway.channel(mesh_pki.layout.system(COURT, SYSTEM)) as court,
    ):
        yield Scene(mesh_pki, gateway, routing, dossier, court)


@pytest.fixture(autouse=True)
def neighbour(scene: Scene) -> Iterator[None]:
    """Before and after each attack the neighbour is served, by the same gateway process."""
    assert scene.serves_the_neighbour()
    yield
    assert scene.serves_the_neighbour()
    assert scene.gateway.process.poll() is None


def is_closed(connection: socket.socket) -> bool:
    """Read until the other side closes; raises TimeoutError when it does not."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        raise
    except OSError:
        pass
    return True


def wait_for_end(client: RawClient) -> None:
    """Read until the call or the connection is ended; raises TimeoutError when neither is."""
    for kind, _, _, _ in client.frames():
        if kind in (http2.RST_STREAM, http2.GOAWAY):
            return


def test_slow_clients_are_cut_while_the_neighbour_is_served(scene: Scene) -> None:
    # All at once, since each takes its time-out.
    silent, dribbling = (socket.create_connection((LOOPBACK, scene.port), timeout=30) for _ in range(2))
    # The beginning of a handshake message that says it is 512 bytes long.
    dribbling.sendall(b"\x16\x03\x01\x02\x00\x01")
    slow_headers = scene.attacker()
    slow_headers.start()
    slow_headers.send(frame(http2.HEADERS, 0, 1, grpc_headers(GET_CASE)))
    slowloris = scene.attacker("http/1.1")
    slowloris.send(b"GET /v1/cases HTTP/1.1\r\nhost: localhost\r\nx-a: ")
    assert scene.serves_the_neighbour()
    assert is_closed(silent)
    assert is_closed(dribbling)
    assert is_closed(slowloris.connection)
    wait_for_end(slow_headers)
    for client in (silent, dribbling, slow_headers, slowloris):
        client.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\xff\xfe garbage \r\n\r\n",
        b"GET /v1/cases HTTP/9.9\r\nhost: localhost\r\n\r\n",
        b"GET /v1/cases HTTP/1.1\r\n\r\n",
        b"GET /v1/cases HTTP/1.1\r\nhost: localhost\r\nx\x00y: 1\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /v1/cases HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/cases HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 70_000 + b"\r\n\r\n",
        b"CONNECT localhost:443 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ],
    ids=["noise", "version", "no-host", "nul", "smuggling", "two-lengths", "bad-chunk", "huge-header", "tunnel"],
)
def test_http_1_that_is_none_is_answered_with_an_error_and_reaches_nobody(scene: Scene, request_bytes: bytes) -> None:
    before = len(scene.routing.calls)
    client = scene.attacker("http/1.1")
    client.send(request_bytes)
    answer = client.connection.recv(65536)
    client.close()
    assert answer[9:10] == b"4" or answer == b""
    assert before == len(scene.routing.calls)


def test_headers_that_are_too_large_end_the_call_and_not_the_neighbours(scene: Scene) -> None:
    before = len(scene.routing.calls)
    client = scene.attacker()
    client.start()
    block = grpc_headers(GET_CASE, **{f"x-{number}": "x" * 1000 for number in range(60)})
    first, rest = block[:16000], block[16000:]
    client.send(frame(http2.HEADERS, http2.END_STREAM, 1, first))
    while rest:
        part, rest = rest[:16000], rest[16000:]
        client.send(frame(http2.CONTINUATION, 0 if rest else http2.END_HEADERS, 1, part))
    kinds = (http2.RST_STREAM, http2.GOAWAY, http2.HEADERS)
    assert any(kind in kinds for kind, _, _, _ in client.frames())
    client.close()
    assert before == len(scene.routing.calls)


def rapid_resets() -> Iterator[bytes]:
    """Ten thousand calls, each taken back at once (CVE-2023-44487)."""
    for number in range(10_000):
        stream = 2 * number + 1
        yield frame(http2.HEADERS, http2.END_HEADERS, stream, grpc_headers(UPLOAD))
        yield frame(http2.RST_STREAM, 0, stream, (8).to_bytes(4, "big"))


def continuations() -> Iterator[bytes]:
    """Headers that never end (CVE-2024-27316)."""
    yield frame(http2.HEADERS, 0, 1, grpc_headers(GET_CASE))
    for number in range(100_000):
        yield frame(http2.CONTINUATION, 0, 1, header_block({f"x-{number}": "x" * 100}))


def empty_continuations() -> Iterator[bytes]:
    """The same without a byte in them, so that no size grows."""
    yield frame(http2.HEADERS, 0, 1, grpc_headers(GET_CASE))
    for _ in range(200_000):
        yield frame(http2.CONTINUATION, 0, 1)


def pings() -> Iterator[bytes]:
    """Pings whose answers nobody reads (CVE-2019-9512)."""
    for number in range(400_000):
        yield frame(http2.PING, 0, 0, number.to_bytes(8, "big"))


def settings() -> Iterator[bytes]:
    """Settings whose acknowledgements nobody reads (CVE-2019-9515)."""
    for _ in range(400_000):
        yield frame(http2.SETTINGS)


def empty_data() -> Iterator[bytes]:
    """A call whose body is frames without bytes (CVE-2019-9518)."""
    yield frame(http2.HEADERS, http2.END_HEADERS, 1, grpc_headers(UPLOAD))
    for _ in range(200_000):
        yield frame(http2.DATA, 0, 1)


def window_updates() -> Iterator[bytes]:
    """Credit beyond what a window can be."""
    for _ in range(10):
        yield frame(http2.WINDOW_UPDATE, 0, 0, (2**31 - 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    "attack", [rapid_resets, continuations, empty_continuations, pings, settings, empty_data, window_updates]
)
def test_a_flood_of_frames_costs_the_flooder_his_connection(
    scene: Scene, attack: Callable[[], Iterator[bytes]]
) -> None:
    client = scene.attacker()
    client.start()
    # In packets, as an attacker would: what counts is what the gateway does with them.
    packet = bytearray()
    for data in attack():
        packet += data
        if len(packet) > 32768 and not client.send(bytes(packet)):
            break
        if len(packet) > 32768:
            packet.clear()
    client.send(bytes(packet))
    assert is_closed(client.connection)
    client.close()


@pytest.mark.parametrize("attack", [rapid_resets, pings, settings])
def test_a_few_of_the_same_frames_cost_nothing(scene: Scene, attack: Callable[[], Iterator[bytes]]) -> None:
    client = scene.attacker()
    client.start()
    client.send(b"".join(islice(attack(), 20)))
    client.send(frame(http2.PING, 0, 0, b"our ping"))
    kinds = (http2.PING, http2.ACK, b"our ping")
    assert any(kinds == (kind, flags, payload) for kind, flags, _, payload in client.frames())
    client.close()


def test_of_calls_that_are_opened_and_left_a_connection_has_a_hundred(scene: Scene) -> None:
    client = scene.attacker()
    client.start()
    for number in range(150):
        client.send(frame(http2.HEADERS, http2.END_HEADERS, 2 * number + 1, grpc_headers(UPLOAD)))
    refused_stream = (7).to_bytes(4, "big")
    resets = ((stream, code) for kind, _, stream, code in client.frames() if kind == http2.RST_STREAM)
    expected = [(2 * number + 1, refused_stream) for number in range(100, 150)]
    assert expected == list(islice(resets, 50))
    assert scene.serves_the_neighbour()
    client.close()


def test_a_client_that_goes_away_in_the_middle_of_a_frame_leaves_nothing_behind(scene: Scene) -> None:
    for _ in range(20):
        client = scene.attacker()
        client.start()
        client.send(frame(http2.HEADERS, http2.END_HEADERS, 1, grpc_headers(UPLOAD)))
        client.send(frame(http2.DATA, 0, 1, bytes(1000))[:500])
        client.close()
