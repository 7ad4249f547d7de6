"""Serves the console on one port: on loopback, or over TLS to the one client certificate that is the officer's."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from uvicorn.protocols.http.h11_impl import H11Protocol

from casemesh.cli.messages import Language
from casemesh.client.profile import Profile, ProfileError
from casemesh.client.session import Session
from casemesh.console.app import console
from casemesh.console.entry import Entry
from casemesh.console.guard import Place

_GRACE_SECONDS = 3


class PlaceError(ValueError):
    """The console may not be served there; the message says why and the remedy."""


def listening(address: str) -> socket.socket:
    """Return a socket that is bound to `host:port`. Raises PlaceError for an address that is none, OSError when it is
    taken."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
        number = int(port)
        if not 0 <= number < 1 << 16:
            raise ValueError("no port")
    except ValueError:
        raise PlaceError(f"{address!r} is not ADDRESS:PORT with a numeric address, e.g. 127.0.0.1:8600") from None
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, number))
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def place_of(bound: socket.socket, tls: Path | None) -> Place:
    """Return where the console on this socket is reached.

    Raises PlaceError for an address outside loopback without TLS: what an officer sees would cross a network in the
    clear.
    """
    host, port = bound.getsockname()[:2]
    written = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if tls is not None:
        names = [f"{name}:{port}" for name in _names(tls / "tls.pem")]
        return Place(f"https://{names[0] if names else written}", frozenset({written, *names}))
    if not ip_address(host).is_loopback:
        raise PlaceError(f"{host} is not a loopback address: name a folder with tls.pem, tls.key and ca.pem by --tls")
    return Place(f"http://{written}", frozenset({written, f"localhost:{port}"}))


async def serve(
    session: Session,
    profile: Profile,
    bound: socket.socket,
    *,
    announce: Callable[[str], None],
    language: Language,
    tls: Path | None = None,
) -> None:
    """Serve until the process is told to end. `tls` is a folder with tls.pem and tls.key of the console and ca.pem of
    the clients; then only the client certificate of the profile itself gets an answer.

    Raises PlaceError, ProfileError, OSError.
    """
    place = place_of(bound, tls)
    entry = Entry(announce, place.origin, language)
    config = uvicorn.Config(
        console(session, profile, place=place, entry=entry),
        http=_protocol(profile) if tls is not None else H11Protocol,
        ws="none",
        lifespan="off",
        # A path holds the name of a case; nobody asked for a second log of what an officer looks at.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=16_384,
        limit_concurrency=64,
        **_tls_options(tls),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        # The socket listens before the server does: what a browser sends meanwhile waits in it.
        entry.show_link()
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves signals to the command, which ends as every other does."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def _tls_options(tls: Path | None) -> dict[str, Any]:
    if tls is None:
        return {}
    return {
        "ssl_certfile": str(tls / "tls.pem"),
        "ssl_keyfile": str(tls / "tls.key"),
        "ssl_ca_certs": str(tls / "ca.pem"),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }


def _protocol(profile: Profile) -> type[H11Protocol]:
    """Return a protocol that ends connections of every certificate but the profile's: its CA has others."""
    file = profile.credentials().directory / "tls.pem"

    class OneClient(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            presented = transport.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
            # Read anew: certificates are replaced on disk while the console runs.
            if hashlib.sha256(presented).digest() != _fingerprint(file):
                transport.abort()
                return
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            if hasattr(self, "transport") and self.transport is not None:
                super().connection_lost(exc)

    return OneClient


def _fingerprint(file: Path) -> bytes:
    try:
        leaf = x509.load_pem_x509_certificates(file.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise ProfileError(f"{file}: no certificate can be read there") from error
    return hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest()


def _names(file: Path) -> list[str]:
    try:
        leaf = x509.load_pem_x509_certificates(file.read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    except (OSError, ValueError) as error:
        raise PlaceError(f"{file}: no certificate can be read there") from error
    addresses = [f"[{name}]" if name.version == 6 else str(name) for name in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]
