"""The keys that sign tokens, one after the other: rotation without a restart and without a call that breaks.

A key's file is named for the moment from which it signs, so that all replicas of identity change over together. It is
published from the moment its file is there, and as long as tokens that it signed may still be used. A verifier keeps a
key set for five minutes and asks for an unknown key at most every 30 seconds: a key published longer than both before
it signs is known to all when its first token arrives.

Source: RFC 7517 (key sets); RFC 8725, section 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from casemesh.core.clock import Clock
from casemesh.identity.token_keys import TokenKey
from casemesh.pki.files import create_key_file
from casemesh.runtime.config import ConfigError
from casemesh.runtime.tokens import KEYS_MAX_AGE_SECONDS, LEEWAY_SECONDS, MAX_LIFE_SECONDS, REFRESH_COOLDOWN_SECONDS

log = structlog.get_logger(__name__)

# A minute more than verifiers and tokens need, for clocks that differ and for files that take time to reach a replica.
PUBLISHED_AHEAD = timedelta(seconds=KEYS_MAX_AGE_SECONDS + REFRESH_COOLDOWN_SECONDS + 60)
KEPT_AFTER = timedelta(seconds=MAX_LIFE_SECONDS + LEEWAY_SECONDS + 60)
_NAME_FORMAT = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"\d{8}T\d{6}Z")
_LOOK_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class ScheduledKey:
    """A key and from when on it signs, until another begins."""

    starts_at: datetime
    key: TokenKey
    path: Path


class TokenKeyring:
    """The keys of one file, or of a folder of `YYYYMMDDTHHMMSSZ.pem` files (UTC), read again when its files change.

    Raises ConfigError that names the file when at the start a key cannot be used, a name is no time, or there is none.
    A folder that does not read later on leaves the last good keys in place.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._names = _names(path)
        self._keys = read_keys(path)
        self._looked_at = clock.monotonic()

    def signer(self) -> TokenKey:
        """Return the key that signs now."""
        return signing(self._current(), self._clock.now()).key

    def key_set(self) -> str:
        """Return the JSON Web Key Set of all keys under which a token may arrive, now and in the minutes to come."""
        published = [scheduled.key.jwk() for scheduled in published_keys(self._current(), self._clock.now())]
        return json.dumps({"keys": published}, sort_keys=True, separators=(",", ":"))

    def _current(self) -> Sequence[ScheduledKey]:
        now = self._clock.monotonic()
        if now - self._looked_at >= _LOOK_EVERY_SECONDS:
            self._looked_at = now
            try:
                names = _names(self._path)
                if names != self._names:
                    self._keys, self._names = read_keys(self._path), names
                    log.info("token_keys.reloaded", keys=len(self._keys))
            except ConfigError as error:
                log.error("token_keys.not_reloaded", problem=str(error))
        return self._keys


def read_keys(path: Path) -> Sequence[ScheduledKey]:
    """Return the keys of a file or folder in the order in which they sign.

    Raises ConfigError that names what cannot be used.
    """
    if not path.is_dir():
        return [ScheduledKey(datetime.fromtimestamp(0, UTC), TokenKey.read(path), path)]
    found = [ScheduledKey(_start_of(path / name), TokenKey.read(path / name), path / name) for name in _names(path)]
    if not found:
        raise ConfigError(f"{path}: there is no token key in it")
    return found


def signing(keys: Sequence[ScheduledKey], now: datetime) -> ScheduledKey:
    """Return the key that signs at `now`: the last that has begun, or the first when none has."""
    begun = [scheduled for scheduled in keys if scheduled.starts_at <= now]
    return begun[-1] if begun else keys[0]


def published_keys(keys: Sequence[ScheduledKey], now: datetime) -> Sequence[ScheduledKey]:
    """Return the keys of `keys` that verifiers need at `now`: all but those replaced longer ago than tokens live."""
    replaced_at = [following.starts_at for following in keys[1:]]
    needed = [key for key, end in zip(keys, replaced_at, strict=False) if now < end + KEPT_AFTER]
    return [*needed, keys[-1]]


def rotate(folder: Path, now: datetime) -> ScheduledKey:
    """Make the next key and remove those that no verifier needs any more; returns the next key.

    It signs from `PUBLISHED_AHEAD` later on. In an empty or new folder it signs at once. Raises ConfigError when a key
    waits for its turn already, or the folder cannot be read.
    """
    keys = read_keys(folder) if folder.is_dir() and _names(folder) else []
    if keys and keys[-1].starts_at > now:
        raise ConfigError(f"{keys[-1].path}: the next key signs from {keys[-1].starts_at:{_NAME_FORMAT}}; wait for it")
    starts_at = (now + PUBLISHED_AHEAD if keys else now).replace(microsecond=0)
    private = Ed25519PrivateKey.generate()
    path = folder / f"{starts_at:{_NAME_FORMAT}}.pem"
    create_key_file(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    needed = {scheduled.path for scheduled in published_keys(keys, now)} if keys else set[Path]()
    for scheduled in keys:
        if scheduled.path not in needed:
            scheduled.path.unlink()
    return ScheduledKey(starts_at, TokenKey.of(private), path)


def _names(path: Path) -> Sequence[str]:
    try:
        return sorted(entry.name for entry in path.iterdir() if entry.suffix == ".pem") if path.is_dir() else []
    except OSError as error:
        raise ConfigError(f"{path}: the token keys cannot be listed: {error.strerror}") from error


def _start_of(path: Path) -> datetime:
    if _NAME.fullmatch(path.stem) is None:
        raise ConfigError(f"{path}: must be named for when it begins to sign, as in 20260301T080000Z.pem")
    try:
        return datetime.strptime(path.stem, _NAME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise ConfigError(f"{path}: {path.stem} is no time") from error
