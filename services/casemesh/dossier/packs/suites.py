"""Cipher suites for packs: how a pack's key is derived and how one record is sealed and opened.

A suite is named by a number in every pack header, so that packs written under one suite stay readable when
another becomes the default. Sealing is deterministic in (key, record number): callers must never use one record
number twice under one key, which the pack writer guarantees by taking a fresh random salt for every pack.

Source: NIST SP 800-38D (GCM, nonce by counter), RFC 5869 (HKDF), RFC 5116 (AEAD interface).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CASE_KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
TAG_BYTES: Final = 16

Buffer = bytes | bytearray | memoryview


class TagMismatch(Exception):
    """The record is not what was sealed under this key, number and header. Carries nothing of its content."""


class RecordCipher(Protocol):
    """Seals and opens the records of one pack.

    ``number`` is the record's position in its pack, from 0. ``header`` is authenticated, not encrypted.
    """

    def seal_into(self, number: int, plain: Buffer, header: Buffer, out: memoryview) -> None:
        """Write ciphertext and tag to ``out``, whose length must be ``len(plain) + TAG_BYTES``."""

    def open(self, number: int, sealed: Buffer, header: Buffer) -> bytes:
        """The plaintext of ciphertext and tag. Raises TagMismatch."""


class Suite(Protocol):
    """One way to derive a pack's key and to seal its records."""

    @property
    def suite_id(self) -> int: ...

    @property
    def name(self) -> str: ...

    def cipher(self, case_key: bytes, salt: bytes, pack_id: bytes) -> RecordCipher:
        """The cipher of one pack. ``case_key`` and ``salt`` are 32 bytes, ``pack_id`` 16."""


class _AesGcmRecords:
    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal_into(self, number: int, plain: Buffer, header: Buffer, out: memoryview) -> None:
        self._aead.encrypt_into(number.to_bytes(12, "big"), plain, header, out)

    def open(self, number: int, sealed: Buffer, header: Buffer) -> bytes:
        try:
            return self._aead.decrypt(number.to_bytes(12, "big"), sealed, header)
        except InvalidTag:
            raise TagMismatch from None


@dataclass(frozen=True)
class Aes256GcmHkdfSha256:
    """AES-256-GCM under HKDF-SHA256(case key, salt, suite name | pack id); nonce = record number, big-endian."""

    suite_id: int = 1
    name: str = "AES-256-GCM/HKDF-SHA256"

    def cipher(self, case_key: bytes, salt: bytes, pack_id: bytes) -> RecordCipher:
        if len(case_key) != CASE_KEY_BYTES or len(salt) != SALT_BYTES or len(pack_id) != 16:
            raise ValueError("case key and salt are 32 bytes, pack id 16")
        info = b"casemesh/pack/" + self.name.encode() + b"\x00" + pack_id
        return _AesGcmRecords(HKDF(SHA256(), 32, salt, info).derive(case_key))


DEFAULT_SUITE: Final[Suite] = Aes256GcmHkdfSha256()
_SUITES: Final[dict[int, Suite]] = {DEFAULT_SUITE.suite_id: DEFAULT_SUITE}


def suite_by_id(suite_id: int) -> Suite | None:
    """The suite a pack header names, or None if this build does not know it."""
    return _SUITES.get(suite_id)
