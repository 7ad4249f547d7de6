"""Wrapping keys at hand: from files of random bytes, or derived from a passphrase."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casemesh.dossier.keys.provider import KeyProviderError
from casemesh.dossier.packs.suites import CASE_KEY_BYTES

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_ID_BYTES: Final = 8
_HEAD_BYTES: Final = len(_VERSION) + _ID_BYTES
_WRAPPED_BYTES: Final = _HEAD_BYTES + _NONCE_BYTES + CASE_KEY_BYTES + 16
_WRAPPING_KEY_BYTES: Final = 32

_MIN_PASSPHRASE_CHARACTERS: Final = 16
_MAX_PASSPHRASE_BYTES: Final = 1024
_SALT_BYTES: Final = 16
# The least OWASP names for scrypt where a file decides the cost; the most keeps a start within a second and 1 GiB.
_LEAST_COST: Final = 1 << 17
_MOST_MEMORY_BYTES: Final = 1 << 30


class LocalKeyProvider:
    """One wrapping key of 32 bytes that wraps, and retired ones that still unwrap.

    AES-256-GCM with a random nonce: far below the 2**32 wraps a key may make, since a case is wrapped once. Keys are
    known by the first 8 bytes of a digest.

    Source: NIST SP 800-38D section 8.3 (bound on random nonces).
    """

    def __init__(self, active: bytes, retired: Sequence[bytes] = ()) -> None:
        self._keys = {key_id(key): AESGCM(key) for key in (active, *retired)}
        self._active = key_id(active)

    async def wrap(self, case: str, data_key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._active].encrypt(nonce, data_key, _binding(case, self._active))
        return _VERSION + self._active + nonce + sealed

    async def unwrap(self, case: str, wrapped: bytes) -> bytes:
        if wrapped[:1] != _VERSION or len(wrapped) != _WRAPPED_BYTES:
            raise KeyProviderError("the wrapped key has an unknown form")
        used, nonce, sealed = (
            wrapped[1:_HEAD_BYTES],
            wrapped[_HEAD_BYTES:][:_NONCE_BYTES],
            wrapped[-CASE_KEY_BYTES - 16 :],
        )
        aead = self._keys.get(used)
        if aead is None:
            raise KeyProviderError(f"wrapping key {used.hex()} is not at hand")
        try:
            return aead.decrypt(nonce, sealed, _binding(case, used))
        except InvalidTag:
            raise KeyProviderError("the wrapped key does not belong to this case and wrapping key") from None

    def made(self, wrapped: bytes) -> bool:
        return wrapped[:1] == _VERSION and wrapped[1:_HEAD_BYTES] in self._keys

    def is_current(self, wrapped: bytes) -> bool:
        return wrapped[:1] == _VERSION and wrapped[1:_HEAD_BYTES] == self._active


def key_id(key: bytes) -> bytes:
    """What a wrapping key is known by: 8 bytes that tell nothing of it."""
    return hashlib.sha256(b"casemesh/wrapping-key\x00" + key).digest()[:_ID_BYTES]


def wrapping_key_from_file(path: Path) -> bytes:
    """A wrapping key of 32 random bytes. Raises KeyProviderError, also where others may read the file."""
    key = _read_private(path, _WRAPPING_KEY_BYTES + 1)
    if len(key) != _WRAPPING_KEY_BYTES:
        raise KeyProviderError(f"{path} is not a wrapping key of {_WRAPPING_KEY_BYTES} bytes")
    return key


@dataclass(frozen=True, slots=True)
class ScryptParameters:
    """How a passphrase becomes a key. ``salt`` is hexadecimal; memory used is 128 * n * r bytes."""

    salt: str
    n: int = _LEAST_COST
    r: int = 8
    p: int = 1

    def derive(self, passphrase: bytes) -> bytes:
        """The key of 32 bytes; takes some tenths of a second and, as made here, 128 MiB."""
        salt, memory = bytes.fromhex(self.salt), 128 * self.r * (self.n + self.p + 2)
        return hashlib.scrypt(
            passphrase, salt=salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=_WRAPPING_KEY_BYTES
        )  # fmt: skip


def make_scrypt_parameters(path: Path) -> ScryptParameters:
    """Write a fresh salt and today's costs to a new file. Raises FileExistsError: with another salt, the same
    passphrase gives another key."""
    parameters = ScryptParameters(secrets.token_hex(_SALT_BYTES))
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
        json.dump({"kdf": "scrypt", **asdict(parameters)}, file)
        file.flush()
        os.fsync(file.fileno())
    return parameters


def wrapping_key_from_passphrase(passphrase: Path, parameters: Path) -> bytes:
    """The wrapping key that the passphrase in a private file gives under a file of `make_scrypt_parameters`.

    White space at the passphrase's end does not count. Raises KeyProviderError, also where others may read the
    passphrase, it has fewer than 16 characters, or the costs are below what is written today.

    Source: RFC 7914 (scrypt).
    """
    words = _read_private(passphrase, _MAX_PASSPHRASE_BYTES).rstrip()
    if len(words.decode(errors="replace")) < _MIN_PASSPHRASE_CHARACTERS:
        raise KeyProviderError(f"the passphrase in {passphrase} has fewer than {_MIN_PASSPHRASE_CHARACTERS} characters")
    return _read_parameters(parameters).derive(words)


def _read_parameters(path: Path) -> ScryptParameters:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.pop("kdf") != "scrypt":
            raise ValueError("kdf")
        parameters = ScryptParameters(**fields)
        costs = (parameters.n, parameters.r, parameters.p)
        if len(bytes.fromhex(parameters.salt)) < _SALT_BYTES or any(type(cost) is not int for cost in costs):
            raise ValueError("salt or costs")
    except OSError as error:
        raise KeyProviderError(f"cannot read the scrypt parameters {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise KeyProviderError(f"{path} does not hold scrypt parameters") from None
    power_of_two = parameters.n & (parameters.n - 1) == 0
    if parameters.n < _LEAST_COST or parameters.r < 8 or parameters.p < 1 or not power_of_two:
        raise KeyProviderError(f"{path} asks for less than scrypt with n {_LEAST_COST}, r 8, p 1")
    if 128 * parameters.n * parameters.r > _MOST_MEMORY_BYTES or parameters.p > 16:
        raise KeyProviderError(f"{path} asks for more memory or time than a start may take")
    return parameters


def _binding(case: str, used: bytes) -> bytes:
    return b"casemesh/case-key\x00" + used + b"\x00" + case.encode()


def _read_private(path: Path, at_most: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyProviderError(f"cannot read the key file {path}: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        # Kubernetes hands a secret's file over by a group of the pod's own.
        if mode & 0o037:
            raise KeyProviderError(f"{path} has mode {mode:04o}; others can read the wrapping key: chmod 600 {path}")
        return file.read(at_most)
