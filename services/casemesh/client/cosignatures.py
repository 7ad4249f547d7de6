"""Cosignatures of log witnesses: further signature lines under a checkpoint, each with the time it was made.

A witness signs only what continues all it has seen, so a checkpoint with cosignatures of several agencies cannot be one
of two futures shown to different people. The log's own signature says who; these say that others watch.

Only Ed25519 cosignatures (type 0x04). What is signed does not name the witness, so a key is for one witness and for
nothing else.

Source: C2SP tlog-cosignature v1.0.1, C2SP signed-note v1.0.0, RFC 8032.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemesh.client.notes import SIGNATURE_START, NoteError, VerifierKey, split_note
from casemesh.core import strict_base64

COSIGNATURE_V1 = 0x04
_TIME_SIZE = 8
_SIGNATURE_SIZE = 64
_KEY_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The public half of a log witness's key, under the name it cosigns as."""

    name: str
    public_key: Ed25519PublicKey

    def __post_init__(self) -> None:
        # The same rules for names as for a log's key.
        VerifierKey(self.name, self.public_key)

    @classmethod
    def parse(cls, text: str) -> WitnessKey:
        """Read `name+keyid+base64(type || key)`.

        Raises NoteError for another key type, and when the key id does not belong to name and key.
        """
        parts = text.split("+", 2)
        if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
            raise NoteError("a witness key is name+keyid+base64")
        try:
            material = strict_base64.decode(parts[2])
        except ValueError as error:
            raise NoteError(f"the witness key is {error}") from error
        if len(material) != 33 or material[0] != COSIGNATURE_V1:
            raise NoteError("only Ed25519 cosignature keys are accepted")
        key = cls(parts[0], Ed25519PublicKey.from_public_bytes(material[1:]))
        if key.key_id.hex() != parts[1]:
            raise NoteError("the key id does not belong to the witness key")
        return key

    @property
    def key_id(self) -> bytes:
        """4 bytes that, with the name, say which key made a cosignature."""
        return sha256(self.name.encode() + b"\n" + self._material).digest()[:4]

    @property
    def _material(self) -> bytes:
        return bytes([COSIGNATURE_V1]) + self.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{strict_base64.encode(self._material)}"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that was checked."""

    key: WitnessKey
    time: int
    """When it was made, in seconds since 1970, as the witness says."""


def cosign(note: str, name: str, key: Ed25519PrivateKey, time: int) -> str:
    """Return the signature line, newline included, of the witness `name` under the checkpoint in `note`.

    Whether the checkpoint continues those cosigned before is the caller's duty. Raises NoteError for a malformed note
    or name, ValueError for a time before 1970 or none.
    """
    if time <= 0:
        raise ValueError("a cosignature has a time")
    text, _ = split_note(note)
    signature = time.to_bytes(_TIME_SIZE, "big") + key.sign(_message(time, text))
    return f"{SIGNATURE_START}{name} {strict_base64.encode(WitnessKey(name, key.public_key()).key_id + signature)}\n"


def cosignatures(note: str | bytes, known: Sequence[WitnessKey]) -> list[Cosignature]:
    """Return the cosignatures of known witnesses under `note`, one a witness, in the order of their lines.

    Lines of others are passed over. Says nothing about the log's own signature. Raises NoteError for a malformed note,
    and when a known witness's cosignature does not hold.
    """
    text, lines = split_note(note)
    keys = {(key.name, key.key_id): key for key in known}
    found: dict[str, Cosignature] = {}
    for name, key_id, signature in lines:
        key = keys.get((name, key_id))
        if key is None or name in found:
            continue
        if len(signature) != _TIME_SIZE + _SIGNATURE_SIZE:
            raise NoteError(f"the cosignature of {name} is not {_TIME_SIZE + _SIGNATURE_SIZE} bytes")
        time = int.from_bytes(signature[:_TIME_SIZE], "big")
        try:
            key.public_key.verify(signature[_TIME_SIZE:], _message(time, text))
        except InvalidSignature as error:
            raise NoteError(f"the cosignature of {name} does not match the checkpoint") from error
        found[name] = Cosignature(key, time)
    return list(found.values())


def with_lines(note: str, lines: Iterable[str]) -> str:
    """Return `note` with further signature lines, which are not checked."""
    return note + "".join(lines)


def _message(time: int, checkpoint: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{checkpoint}".encode()
