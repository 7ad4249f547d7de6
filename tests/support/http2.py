"""HTTP/2 by hand, for clients that misbehave: frames as bytes on a TLS connection.

Source: RFC 9113, sections 4.1, 6 and 8.3; RFC 7541, section 6.2.2.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def header_block(headers: Mapping[str, str]) -> bytes:
    """Return headers as literals without indexing, which needs no table on either side."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in headers.items())


def _text(text: str) -> bytes:
    # A length of 127 or more goes on in groups of seven bits after the first byte.
    data, rest = text.encode(), len(text.encode()) - 127
    if rest < 0:
        return bytes([len(data)]) + data
    length = b"\x7f"
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + data


def grpc_headers(path: str, **more: str) -> bytes:
    """Return the headers of a gRPC call."""
    named = {":method": "POST", ":scheme": "https", ":path": path, ":authority": "localhost", "te": "trailers"}
    return header_block({**named, "content-type": "application/grpc", "grpc-timeout": "20S", **more})


@dataclass
class RawClient:
    """A connection on which anything may be said."""

    connection: ssl.SSLSocket
    received: bytearray = field(default_factory=bytearray)

    @classmethod
    def connect(cls, port: int, context: ssl.SSLContext, *, timeout: float = 30.0) -> RawClient:
        """Connect and finish the handshake; reading and writing give up after `timeout`."""
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        return cls(context.wrap_socket(plain, server_hostname="localhost"))

    def start(self) -> None:
        """Send the preface and empty settings."""
        self.connection.sendall(PREFACE + frame(SETTINGS))

    def send(self, data: bytes) -> bool:
        """Send, and return whether the other side still took it."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Give frames as kind, flags, stream and payload, until the other side closes.

        Raises TimeoutError when it says nothing for too long.
        """
        while True:
            while len(self.received) >= 9 and len(self.received) >= 9 + (
                size := int.from_bytes(self.received[:3], "big")
            ):
                kind, flags = self.received[3], self.received[4]
                stream, payload = int.from_bytes(self.received[5:9], "big"), bytes(self.received[9 : 9 + size])
                del self.received[: 9 + size]
                yield kind, flags, stream, payload
            try:
                data = self.connection.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                return
            if not data:
                return
            self.received += data

    def close(self) -> None:
        """Close without a word."""
        self.connection.close()
