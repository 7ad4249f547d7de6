"""Wrapping keys that never leave a key management service or hardware module (密钥管理系统).

`Kms` is what such a thing must do; it has the shape of AWS KMS Encrypt and Decrypt with an encryption context, and of
a PKCS#11 module whose AES-GCM key takes the context as associated data. `HttpKms` speaks it to an agent that stands
before the module, over a Unix socket or HTTPS:

    POST /encrypt  {"key_id", "plaintext", "context": {"case"}}    ->  {"key_id", "ciphertext"}
    POST /decrypt  {"key_id", "ciphertext", "context": {"case"}}   ->  {"plaintext"}

with bytes in base64. 400 to 499 mean no and stay no; any other failure means not now.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from casemesh.dossier.keys.provider import KeyProviderError, KeyProviderUnavailable
from casemesh.dossier.packs.suites import CASE_KEY_BYTES

_VERSION: Final = b"\x02"
_MAX_ANSWER_BYTES: Final = 64 * 1024
_TIMEOUT_SECONDS: Final = 5.0


class Kms(Protocol):
    """Encrypts small secrets under keys it keeps. ``context`` is authenticated with them and not kept secret.

    Both raise KeyProviderError where it refuses, KeyProviderUnavailable where it does not answer in time.
    """

    async def encrypt(self, key_id: str, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        """The ciphertext; opaque, and only this service opens it."""

    async def decrypt(self, key_id: str, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        """The plaintext of what ``encrypt`` gave under the same key and context."""


class KmsKeyProvider:
    """Wraps under one key of a KMS, and unwraps under whichever key the wrapped form names."""

    def __init__(self, kms: Kms, key_name: str) -> None:
        if not 0 < len(key_name.encode()) < 256:
            raise KeyProviderError("a key's name in the KMS has 1 to 255 bytes")
        self._kms = kms
        self._active = key_name

    async def wrap(self, case: str, data_key: bytes) -> bytes:
        ciphertext = await self._kms.encrypt(self._active, data_key, _context(case))
        return _head(self._active) + ciphertext

    async def unwrap(self, case: str, wrapped: bytes) -> bytes:
        used = _key_name(wrapped)
        if used is None:
            raise KeyProviderError("the wrapped key has an unknown form")
        key = await self._kms.decrypt(used, wrapped[len(_head(used)) :], _context(case))
        if len(key) != CASE_KEY_BYTES:
            raise KeyProviderError("what the KMS decrypted is no case key")
        return key

    def made(self, wrapped: bytes) -> bool:
        return _key_name(wrapped) is not None

    def is_current(self, wrapped: bytes) -> bool:
        return _key_name(wrapped) == self._active


class HttpKms:
    """A KMS behind ``address``: `https://host:port`, or `unix:/path` of a socket that its file mode protects.

    A call is one connection and takes at most five seconds; there is no retry here, for its caller has a deadline.
    """

    def __init__(self, address: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("https", "unix") or (parts.scheme == "https" and parts.hostname is None):
            raise KeyProviderError(f"a KMS is at https://host:port or unix:/path, not {address}")
        self._parts = parts
        self._tls = tls or ssl.create_default_context()

    async def encrypt(self, key_id: str, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        return await self._call("encrypt", key_id, {"plaintext": plaintext}, context, "ciphertext")

    async def decrypt(self, key_id: str, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        return await self._call("decrypt", key_id, {"ciphertext": ciphertext}, context, "plaintext")

    async def _call(
        self, method: str, key_id: str, data: Mapping[str, bytes], context: Mapping[str, str], answer: str
    ) -> bytes:
        encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
        body = json.dumps({"key_id": key_id, **encoded, "context": context}).encode()
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                status, text = await asyncio.to_thread(self._post, f"/{method}", body)
        except (OSError, TimeoutError, http.client.HTTPException) as error:
            raise KeyProviderUnavailable(f"the KMS does not answer: {type(error).__name__}") from error
        if 400 <= status < 500:
            raise KeyProviderError(f"the KMS refuses to {method} under {key_id} (status {status})")
        if status != 200:
            raise KeyProviderUnavailable(f"the KMS fails with status {status}")
        try:
            return base64.b64decode(json.loads(text)[answer], validate=True)
        except (ValueError, KeyError, TypeError):
            raise KeyProviderUnavailable("the KMS answers in an unknown form") from None

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read(_MAX_ANSWER_BYTES)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._parts.scheme == "unix":
            return _UnixConnection(Path(self._parts.path))
        assert self._parts.hostname is not None
        return http.client.HTTPSConnection(
            self._parts.hostname, self._parts.port, timeout=_TIMEOUT_SECONDS, context=self._tls
        )


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _context(case: str) -> dict[str, str]:
    return {"case": case}


def _head(key_name: str) -> bytes:
    name = key_name.encode()
    return _VERSION + bytes([len(name)]) + name


def _key_name(wrapped: bytes) -> str | None:
    """The key a wrapped form names, or None for what is no wrapped form of a KMS."""
    if wrapped[:1] != _VERSION or len(wrapped) < 3 or len(wrapped) <= 2 + wrapped[1]:
        return None
    return wrapped[2 : 2 + wrapped[1]].decode(errors="replace")
