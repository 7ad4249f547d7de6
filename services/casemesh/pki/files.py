"""Writing certificates and keys so that a crash leaves the old file or the new one, never half of one."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casemesh.pki.errors import PkiError

PUBLIC_MODE = 0o644
PRIVATE_MODE = 0o600
_DIRECTORY_MODE = 0o700


def replace_file(path: Path, data: bytes, mode: int = PUBLIC_MODE) -> None:
    """Puts `data` at `path` in one step, durable on return; readers see the old content or the new."""
    temporary = _write_temporary(path, data, mode)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def create_key_file(path: Path, data: bytes) -> None:
    """Puts a private key at `path`, mode 0600, durable on return.

    Raises PkiError when the file exists, also when another process made it a moment ago: linking fails where
    renaming would overwrite.
    """
    temporary = _write_temporary(path, data, PRIVATE_MODE)
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise key_exists(path) from None
    finally:
        temporary.unlink(missing_ok=True)
    _sync_directory(path.parent)


def key_exists(path: Path) -> PkiError:
    """The refusal to overwrite the key at `path`."""
    return PkiError(f"{path} exists and keys are never overwritten: renew the certificate, or move the file away first")


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Holds the directory against other writers of the PKI; readers need no lock."""
    make_directory(directory)
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Makes `path` and its parents, mode 0700, the new entries durable on return."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
    _sync_directory(path.parent)


def _write_temporary(path: Path, data: bytes, mode: int) -> Path:
    make_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            # The umask narrowed the mode given to open(); public files are meant to be read by other users.
            os.fchmod(descriptor, mode)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
