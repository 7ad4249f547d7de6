"""A key that signs tokens, and the JSON Web Key that verifies them.

Source: RFC 7517 (JWK), RFC 7638 (thumbprint), RFC 8037 (Ed25519 in JOSE).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from casemesh.runtime.config import ConfigError

ALGORITHM = "EdDSA"
# The members that make a key what it is, by its type; RFC 7638 section 3.2 and RFC 8037 section 2.
_REQUIRED_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}


@dataclass(frozen=True)
class TokenKey:
    """An Ed25519 key with its identifier, the RFC 7638 thumbprint of its public half."""

    private: Ed25519PrivateKey
    kid: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> TokenKey:
        """Return the token key around `private`."""
        return cls(private, thumbprint(_public_jwk(private)))

    @classmethod
    def read(cls, path: Path) -> TokenKey:
        """Read a PKCS #8 file in PEM.

        Raises ConfigError that names the file when it cannot be read or holds another kind of key.
        """
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise ConfigError(f"{path}: the token key cannot be read: {error.strerror}") from error
        except (ValueError, TypeError):
            # No cause attached: a parser's message may quote what it read.
            raise ConfigError(f"{path}: the token key must be an Ed25519 key in PEM, PKCS #8, unencrypted") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigError(f"{path}: the token key must be an Ed25519 key, not {type(private).__name__}")
        return cls.of(private)

    def jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key."""
        return {**_public_jwk(self.private), "kid": self.kid, "use": "sig", "alg": ALGORITHM}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a key in base64url without padding.

    Raises KeyError for a key type that has none, or one without its required members.
    """
    members = {name: jwk[name] for name in _REQUIRED_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def certificate_confirmation(sha256: bytes) -> dict[str, str]:
    """Return the `cnf` claim that binds a token to a certificate, by the SHA-256 of its DER form (RFC 8705, 3.1)."""
    return {"x5t#S256": _base64url(sha256)}


def _public_jwk(private: Ed25519PrivateKey) -> dict[str, str]:
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(raw)}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
