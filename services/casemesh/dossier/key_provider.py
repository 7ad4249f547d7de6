"""Case data keys and the providers that wrap them.

A case's data key encrypts all its packs. It is kept only wrapped; the wrapping keys stay with a provider, so that
whoever holds the database and the disk but not the provider reads nothing, and dropping a case's wrapped key makes
its bytes unreadable for good.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casemesh.dossier.packs.suites import CASE_KEY_BYTES

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_ID_BYTES: Final = 8
_WRAPPING_KEY_BYTES: Final = 32


class KeyProviderError(Exception):
    """A wrapping key is missing, unreadable, too widely readable, or did not make this wrapped key."""


class KeyProvider(Protocol):
    """Wraps case data keys. Implementations keep their wrapping keys to themselves.

    ``case`` is bound into the wrapped form: a wrapped key moved to another case does not unwrap.
    """

    def wrap(self, case: str, data_key: bytes) -> bytes:
        """The wrapped form of ``data_key``; it names the wrapping key used."""

    def unwrap(self, case: str, wrapped: bytes) -> bytes:
        """The data key again. Raises KeyProviderError."""


def new_case_key() -> bytes:
    """A fresh random data key of 32 bytes."""
    return secrets.token_bytes(CASE_KEY_BYTES)


class FileKeyProvider:
    """Wrapping keys from files of 32 random bytes: one that wraps, and retired ones that still unwrap.

    A file must be readable by nobody but its owner (mode 0600 or 0400). AES-256-GCM with a random nonce: far below the
    2**32 wraps a key may make, since a case is wrapped once. Keys are known by the first 8 bytes of a digest.

    Raises KeyProviderError. Does not watch the files: a rotation takes effect on restart.

    Source: NIST SP 800-38D section 8.3 (bound on random nonces).
    """

    def __init__(self, active: Path, retired: Sequence[Path] = ()) -> None:
        self._keys: dict[bytes, AESGCM] = {}
        for path in (active, *retired):
            key = _read_private(path)
            self._keys[hashlib.sha256(b"casemesh/wrapping-key\x00" + key).digest()[:_ID_BYTES]] = AESGCM(key)
        self._active = next(iter(self._keys))

    def wrap(self, case: str, data_key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._active].encrypt(nonce, data_key, _binding(case, self._active))
        return _VERSION + self._active + nonce + sealed

    def unwrap(self, case: str, wrapped: bytes) -> bytes:
        head = len(_VERSION) + _ID_BYTES
        if wrapped[:1] != _VERSION or len(wrapped) != head + _NONCE_BYTES + CASE_KEY_BYTES + 16:
            raise KeyProviderError("the wrapped key has an unknown form")
        key_id, nonce, sealed = wrapped[1:head], wrapped[head : head + _NONCE_BYTES], wrapped[head + _NONCE_BYTES :]
        aead = self._keys.get(key_id)
        if aead is None:
            raise KeyProviderError(f"wrapping key {key_id.hex()} is not at hand")
        try:
            return aead.decrypt(nonce, sealed, _binding(case, key_id))
        except InvalidTag:
            raise KeyProviderError("the wrapped key does not belong to this case and wrapping key") from None


def _binding(case: str, key_id: bytes) -> bytes:
    return b"casemesh/case-key\x00" + key_id + b"\x00" + case.encode()


def _read_private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyProviderError(f"cannot read the key file {path}: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            raise KeyProviderError(f"{path} has mode {mode:04o}; others can read the wrapping key: chmod 600 {path}")
        key = file.read(_WRAPPING_KEY_BYTES + 1)
    if len(key) != _WRAPPING_KEY_BYTES:
        raise KeyProviderError(f"{path} is not a wrapping key of {_WRAPPING_KEY_BYTES} bytes")
    return key
