"""What a log witness keeps: its key, and what it has seen of the log.

    key.pem     the private key, for this one purpose
    seen        the largest checkpoint verified, as the log signed it
    cosigned    the checkpoint cosigned last
    evidence-*  checkpoints that contradict each other

All of it is on stable storage before anything that builds on it leaves. `seen` is a plain signed note: copied
elsewhere it is what `casemeshd audit fsck --checkpoint` takes.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from casemesh.client.cosignatures import WitnessKey
from casemesh.client.durable_files import sync_names
from casemesh.client.notes import Checkpoint, NoteError, VerifierKey, open_checkpoint

_KEY = "key.pem"
_NAME = "name"
_SEEN = "seen"
_COSIGNED = "cosigned"


class WitnessFolderError(ValueError):
    """The folder is not a witness's, or another process works in it; the message names what is wrong."""


class WitnessFolder:
    """The folder of one log witness. Methods raise WitnessFolderError, OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, name: str) -> WitnessFolder:
        """Make the folder and a new key for the witness `name`; a key that is there is never replaced.

        Raises NoteError for a name that cannot stand in a signature line.
        """
        key = Ed25519PrivateKey.generate()
        WitnessKey(name, key.public_key())
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (path / _KEY).exists():
            raise WitnessFolderError(f"{path / _KEY} exists and is never replaced; choose another folder")
        _write(path / _NAME, name.encode())
        _write(path / _KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(path)

    @property
    def name(self) -> str:
        """The name it cosigns as."""
        try:
            return (self.path / _NAME).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise WitnessFolderError(f"{self.path} is no witness's folder; `casemesh log-witness init`") from error

    def private_key(self) -> Ed25519PrivateKey:
        """Return the key it cosigns with."""
        try:
            key = load_pem_private_key((self.path / _KEY).read_bytes(), password=None)
        except FileNotFoundError as error:
            raise WitnessFolderError(f"{self.path} is no witness's folder; `casemesh log-witness init`") from error
        except (ValueError, TypeError) as error:
            raise WitnessFolderError(f"{self.path / _KEY}: not an unencrypted PEM private key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise WitnessFolderError(f"{self.path / _KEY}: not an Ed25519 key")
        return key

    def verifier_key(self) -> WitnessKey:
        """Return what the log's operator and verifiers need."""
        return WitnessKey(self.name, self.private_key().public_key())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against other processes: two that cosign from one memory could cosign a fork between them."""
        descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WitnessFolderError(f"another process works in {self.path}") from error
            yield
        finally:
            os.close(descriptor)

    def seen(self, log_key: VerifierKey) -> Checkpoint | None:
        """Return the largest checkpoint verified, None before the first."""
        return self._checkpoint(_SEEN, log_key)

    def cosigned(self, log_key: VerifierKey) -> Checkpoint | None:
        """Return the checkpoint cosigned last, None before the first."""
        return self._checkpoint(_COSIGNED, log_key)

    def note_seen(self) -> str:
        """Return the largest checkpoint verified as the log signed it."""
        return (self.path / _SEEN).read_text(encoding="utf-8")

    def remember_seen(self, note: str) -> None:
        """Put `note` in place of the largest checkpoint, durable on return."""
        _write(self.path / _SEEN, note.encode())

    def remember_cosigned(self, note: str) -> None:
        """Put `note` in place of the checkpoint cosigned last, durable on return."""
        _write(self.path / _COSIGNED, note.encode())

    def keep_evidence(self, note: str) -> Path:
        """Keep a checkpoint that contradicts another, durable on return; the same one once."""
        path = self.path / f"evidence-{sha256(note.encode()).hexdigest()[:16]}"
        _write(path, note.encode())
        return path

    def _checkpoint(self, name: str, log_key: VerifierKey) -> Checkpoint | None:
        try:
            return open_checkpoint((self.path / name).read_bytes(), log_key)
        except FileNotFoundError:
            return None
        except NoteError as error:
            raise WitnessFolderError(f"{self.path / name} is no checkpoint of {log_key.name}: {error}") from error


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_names(path.parent)
