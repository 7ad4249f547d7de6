"""Configuration of the identity service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from casemesh.runtime.config import ConfigError, Duration
from casemesh.runtime.host import HostConfig
from casemesh.runtime.tokens import MAX_LIFE_SECONDS

_FIVE_MINUTES = Duration(MAX_LIFE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Config(HostConfig):
    """What identity has beyond every service's configuration.

    Raises ConfigError when the life of tokens is out of its range.
    """

    token_key: Path
    """The key that signs tokens: Ed25519, PKCS #8 in PEM, without password. Or, for rotation, a folder of such files,
    each named for when it begins to sign (`20260301T080000Z.pem`); a folder is read again when it changes."""
    token_life: Duration = _FIVE_MINUTES
    """How long a token is valid, 1s to 300s, in whole seconds. Default 300s, the most that verifiers take: revocation
    does not wait for it, since rights are asked for at every call."""

    signing: Path | None = None
    """Folder with `signing.pem` and `signing.key`, the document-signing key of the directory. Default none: then there
    is no signed directory."""
    direct_enrolment: bool = False
    """Whether an administrator may register systems and workstations by fingerprint alone, active at once. Default
    false: by certificate request and with a second administrator's approval. One machine and tests say true."""

    def __post_init__(self) -> None:
        if not 1 <= self.token_life <= MAX_LIFE_SECONDS or self.token_life % 1:
            raise ConfigError(f"token_life must be 1s to {MAX_LIFE_SECONDS}s in whole seconds, not {self.token_life}s")
