"""A stand-in for a key management service: AES-GCM keys behind a Unix socket, with the context as associated data."""

from __future__ import annotations

import base64
import json
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class StandInKms(socketserver.ThreadingUnixStreamServer):
    """Answers until shut down. ``broken`` makes it answer with that status; ``calls`` counts by method."""

    daemon_threads = True

    def __init__(self, path: Path, key_names: tuple[str, ...] = ("dossier-1", "dossier-2")) -> None:
        super().__init__(str(path), _Handler)
        self.address = f"unix:{path}"
        self.keys = {name: AESGCM(AESGCM.generate_key(256)) for name in key_names}
        self.broken: int | None = None
        self.calls: dict[str, int] = {}


class _Handler(BaseHTTPRequestHandler):
    server: StandInKms

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls[self.path] = self.server.calls.get(self.path, 0) + 1
        if self.server.broken is not None:
            self._answer(self.server.broken, {})
            return
        key = self.server.keys.get(request["key_id"])
        if key is None:
            self._answer(404, {})
            return
        context = json.dumps(request["context"], sort_keys=True).encode()
        if self.path == "/encrypt":
            nonce = os.urandom(12)
            sealed = nonce + key.encrypt(nonce, base64.b64decode(request["plaintext"]), context)
            self._answer(200, {"key_id": request["key_id"], "ciphertext": base64.b64encode(sealed).decode()})
            return
        sealed = base64.b64decode(request["ciphertext"])
        try:
            plain = key.decrypt(sealed[:12], sealed[12:], context)
        except InvalidTag:
            self._answer(400, {})
            return
        self._answer(200, {"plaintext": base64.b64encode(plain).decode()})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        # A Unix socket's client has no address to name.
        return "local"

    def log_message(self, *arguments: object) -> None:
        """Say nothing: tests read what they ask for."""


@contextmanager
def stand_in_kms(folder: Path) -> Iterator[StandInKms]:
    """A stand-in that answers while the body runs."""
    server = StandInKms(folder / "kms.sock")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
