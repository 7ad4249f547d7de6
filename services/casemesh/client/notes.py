"""Signed notes and log checkpoints: the form in which the audit log's tree heads are published.

A note is text with signature lines below. Each line names its key; lines of keys one does not know are passed
over, so that log witnesses can add theirs. A checkpoint is a note whose text is a tree head. Both are what other
logs and their tools use, so that people can check ours with software that is not ours.

Only Ed25519 keys (type 0x01) are signed and verified with. Parsing is strict: one checkpoint has one spelling.

Source: C2SP signed-note v1.0.0, C2SP tlog-checkpoint v1.0.0, RFC 8032.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemesh.core import strict_base64
from casemesh.core.merkle import EMPTY_ROOT, HASH_SIZE

MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 100
ED25519 = 0x01

SIGNATURE_START = "— "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class NoteError(ValueError):
    """The note is malformed, or its signatures do not hold."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a note key, under the name it signs as."""

    name: str
    public_key: Ed25519PublicKey

    def __post_init__(self) -> None:
        _require_key_name(self.name)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `name+keyid+base64(type || key)`.

        Raises NoteError for another key type, and when the key id does not belong to name and key.
        """
        parts = text.split("+", 2)
        if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
            raise NoteError("a verifier key is name+keyid+base64")
        name, key_id, material = parts[0], parts[1], _unb64(parts[2], "the verifier key")
        if len(material) != 33 or material[0] != ED25519:
            raise NoteError("only Ed25519 verifier keys are accepted")
        key = cls(name, Ed25519PublicKey.from_public_bytes(material[1:]))
        if key.key_id.hex() != key_id:
            raise NoteError("the key id does not belong to the verifier key")
        return key

    @property
    def key_id(self) -> bytes:
        """4 bytes that, with the name, say which key made a signature. Not a fingerprint: easily collided."""
        return sha256(self.name.encode() + b"\n" + self._material).digest()[:4]

    @property
    def _material(self) -> bytes:
        return bytes([ED25519]) + self.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{strict_base64.encode(self._material)}"


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private note key under the name it signs as."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier_key(self) -> VerifierKey:
        """What others need to check this key's signatures."""
        return VerifierKey(self.name, self.key.public_key())


@dataclass(frozen=True, slots=True)
class Note:
    """A note whose signatures were checked."""

    text: str
    signed_by: tuple[VerifierKey, ...]
    """The known keys that signed, in the order of their lines; at least one."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head of the log `origin`: how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or not all(self.extensions):
            raise NoteError("the lines of a checkpoint are not empty")
        for line in (self.origin, *self.extensions):
            _require_note_text(line)
            if "\n" in line:
                raise NoteError("a line of a checkpoint is one line")
        if not 0 <= self.size < 1 << 63:
            raise NoteError("the size of a tree is 0 to 2**63 - 1")
        if len(self.root) != HASH_SIZE:
            raise NoteError(f"a root is {HASH_SIZE} bytes, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise NoteError("an empty tree has one root only")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint. Raises NoteError for any deviation from the one spelling."""
        lines = text.split("\n")
        if lines[-1] or len(lines) < 4:
            raise NoteError("a checkpoint has at least three lines and ends in a newline")
        if not _DECIMAL.fullmatch(lines[1]):
            raise NoteError("the size is a decimal number without leading zeros")
        root = _unb64(lines[2], "the root")
        return cls(lines[0], int(lines[1]), root, tuple(lines[3:-1]))

    def format(self) -> str:
        """The text to be signed."""
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), strict_base64.encode(self.root), *self.extensions)
        )


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """Return `text` with one signature line of each signer.

    Deterministic. Raises NoteError for text without a final newline or with control characters.
    """
    _require_note_text(text)
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends in a newline")
    if not signers:
        raise NoteError("a note has at least one signature")
    lines = []
    for signer in signers:
        key = signer.verifier_key
        lines.append(
            f"{SIGNATURE_START}{key.name} {strict_base64.encode(key.key_id + signer.key.sign(text.encode()))}\n"
        )
    return f"{text}\n{''.join(lines)}"


def open_note(note: str | bytes, known: Sequence[VerifierKey]) -> Note:
    """Return the text of `note` only if a known key signed it and no known key's signature fails.

    Signatures of other keys are passed over; a second line of the same key as well, as the first decided. Raises
    NoteError for a malformed note, a failed signature, no known signature, or two known keys that one line
    cannot tell apart.
    """
    text, signatures = split_note(note)
    keys = {(key.name, key.key_id): key for key in known}
    if len(keys) != len(known):
        raise NoteError("two known keys have the same name and key id")
    signed_by: list[VerifierKey] = []
    for name, key_id, signature in signatures:
        key = keys.get((name, key_id))
        if key is None or key in signed_by:
            continue
        try:
            key.public_key.verify(signature, text.encode())
        except InvalidSignature as error:
            raise NoteError(f"the signature of {name} does not match the note") from error
        signed_by.append(key)
    if not signed_by:
        raise NoteError("no known key signed the note")
    return Note(text, tuple(signed_by))


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> str:
    """Return the signed note of `checkpoint`.

    Raises NoteError unless the key signs under the log's name. Whether the tree extends the one signed before is
    the caller's duty.
    """
    if signer.name != checkpoint.origin:
        raise NoteError(f"the log {checkpoint.origin} does not sign as {signer.name}")
    return sign_note(checkpoint.format(), [signer])


def open_checkpoint(note: str | bytes, log_key: VerifierKey) -> Checkpoint:
    """Return the tree head in `note` only if the log `log_key` signed it, under its own name as origin.

    Raises NoteError otherwise. Says nothing about whether it is the newest, or consistent with another.
    """
    checkpoint = Checkpoint.parse(open_note(note, [log_key]).text)
    if checkpoint.origin != log_key.name:
        raise NoteError(f"a checkpoint of {checkpoint.origin}, not of {log_key.name}")
    return checkpoint


def split_note(note: str | bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the text of a note, and (name, key id, signature) of each signature line; none of them is checked.

    Raises NoteError for a malformed note.
    """
    if len(note) > MAX_NOTE_BYTES:
        raise NoteError(f"a note is at most {MAX_NOTE_BYTES} bytes")
    try:
        whole = note.decode("utf-8", "strict") if isinstance(note, bytes) else note
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    _require_note_text(whole)
    # The text may hold empty lines of its own; only the last one parts it from the signatures.
    at = whole.rfind("\n\n")
    if at < 0:
        raise NoteError("a note has an empty line before its signatures")
    text, below = whole[: at + 1], whole[at + 2 :]
    if not below.endswith("\n"):
        raise NoteError("a note ends in a newline, after at least one signature")
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures")
    return text, [_signature_line(line) for line in lines]


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(SIGNATURE_START):
        raise NoteError("a signature line starts with an em dash and a space")
    name, space, encoded = line.removeprefix(SIGNATURE_START).partition(" ")
    if not space:
        raise NoteError("a signature line has a name and a signature")
    _require_key_name(name)
    signature = _unb64(encoded, "a signature")
    if len(signature) < 5:
        raise NoteError("a signature is longer than its key id")
    return name, signature[:4], signature[4:]


def _require_key_name(name: str) -> None:
    _require_note_text(name)
    if not name or "+" in name or any(character.isspace() for character in name):
        raise NoteError("a key name is not empty and has no space and no plus")


def _require_note_text(text: str) -> None:
    if _CONTROL.search(text):
        raise NoteError("a note has no control characters but newlines")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NoteError("a note is UTF-8") from error


def _unb64(text: str, what: str) -> bytes:
    try:
        return strict_base64.decode(text)
    except ValueError as error:
        raise NoteError(f"{what} is {error}") from error
