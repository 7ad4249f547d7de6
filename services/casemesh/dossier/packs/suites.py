"""Cipher suites for packs: how a pack's key is derived and how one record is sealed and opened.

A suite is named by a number in every pack header, so that packs written under one suite stay readable when
another becomes the default. Sealing is deterministic in (key, record number): callers must never use one record
number twice under one key, which the pack writer guarantees by taking a fresh random salt for every pack.

Source: NIST SP 800-38D (GCM, nonce by counter), RFC 5869 (HKDF), RFC 5116 (AEAD interface), RFC 8998 (SM4-GCM),
GB/T 32907 (SM4), GB/T 32905 (SM3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256, SM3
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


class Sm4GcmRecords:
    """SM4-GCM under a key of 16 bytes; the library has no one-call form of it as it has of AES-GCM."""

    def __init__(self, key: bytes) -> None:
        self._key = SM4(key)

    def seal_into(self, number: int, plain: Buffer, header: Buffer, out: memoryview) -> None:
        if len(out) != len(plain) + TAG_BYTES:
            raise ValueError("the output holds the ciphertext and its tag, no more and no less")
        encryptor = Cipher(self._key, GCM(number.to_bytes(12, "big"))).encryptor()
        encryptor.authenticate_additional_data(header)
        encryptor.update_into(plain, out)
        encryptor.finalize()
        out[len(plain) :] = encryptor.tag

    def open(self, number: int, sealed: Buffer, header: Buffer) -> bytes:
        body, tag = memoryview(sealed)[:-TAG_BYTES], bytes(memoryview(sealed)[-TAG_BYTES:])
        if len(tag) != TAG_BYTES:
            raise TagMismatch
        decryptor = Cipher(self._key, GCM(number.to_bytes(12, "big"), tag)).decryptor()
        decryptor.authenticate_additional_data(header)
        plain = decryptor.update(body)
        try:
            decryptor.finalize()
        except InvalidTag:
            raise TagMismatch from None
        return plain


@dataclass(frozen=True)
class Aes256GcmHkdfSha256:
    """AES-256-GCM under HKDF-SHA256(case key, salt, suite name | pack id); nonce = record number, big-endian."""

    suite_id: int = 1
    name: str = "AES-256-GCM/HKDF-SHA256"

    def cipher(self, case_key: bytes, salt: bytes, pack_id: bytes) -> RecordCipher:
        return _AesGcmRecords(HKDF(SHA256(), 32, salt, _info(self, case_key, salt, pack_id)).derive(case_key))


@dataclass(frozen=True)
class Sm4GcmHkdfSm3:
    """SM4-GCM (国密) with a key of 128 bits under HKDF-SM3; what is derived and counted is as in suite 1."""

    suite_id: int = 2
    name: str = "SM4-GCM/HKDF-SM3"

    def cipher(self, case_key: bytes, salt: bytes, pack_id: bytes) -> RecordCipher:
        return Sm4GcmRecords(HKDF(SM3(), 16, salt, _info(self, case_key, salt, pack_id)).derive(case_key))


DEFAULT_SUITE: Final[Suite] = Aes256GcmHkdfSha256()
SUITES: Final[Mapping[str, Suite]] = {"AES-256-GCM": DEFAULT_SUITE, "SM4-GCM": Sm4GcmHkdfSm3()}
"""What new packs may be sealed under, by the name a configuration uses."""
_BY_ID: Final = {suite.suite_id: suite for suite in SUITES.values()}


def suite_by_id(suite_id: int) -> Suite | None:
    """The suite a pack header names, or None if this build does not know it."""
    return _BY_ID.get(suite_id)


def _info(suite: Suite, case_key: bytes, salt: bytes, pack_id: bytes) -> bytes:
    if len(case_key) != CASE_KEY_BYTES or len(salt) != SALT_BYTES or len(pack_id) != 16:
        raise ValueError("case key and salt are 32 bytes, pack id 16")
    return b"casemesh/pack/" + suite.name.encode() + b"\x00" + pack_id
