"""The key that signs checkpoints."""

from __future__ import annotations

from casemesh.audit.config import Config
from casemesh.client.notes import VerifierKey
from casemesh.client.statements import SigningKey


def signing_key_of(config: Config) -> SigningKey:
    """Return the log's signing key. Raises OSError, ValueError when its files cannot be used."""
    return SigningKey.load(config.signing / "signing.pem", config.signing / "signing.key")


def log_key_of(config: Config) -> VerifierKey:
    """Return the log's public key under its name."""
    return VerifierKey(config.origin, signing_key_of(config).key.public_key())
