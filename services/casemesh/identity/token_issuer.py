"""Access tokens: what they say and how they are signed. Who may have one is decided before.

Source: RFC 9068 (`at+jwt`), RFC 8705 (binding to a certificate).
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.identity.subjects import Subject
from casemesh.identity.token_keyring import TokenKeyring
from casemesh.identity.token_keys import ALGORITHM, certificate_confirmation
from casemesh.runtime.tokens import ACR_SYSTEM_ASSERTED, ACR_WORKSTATION, AUDIENCE, ISSUER, TOKEN_TYPE


@dataclass(frozen=True)
class StatedLogin:
    """How and how long ago the officer logged in, and the SHA-256, in hexadecimal, of the assertion that states it."""

    acr: str
    age_seconds: int
    assertion_sha256: str


@dataclass(frozen=True)
class IssuedToken:
    """A signed token and when it ends, in Unix seconds."""

    token: str
    expires_at: int


class TokenIssuer:
    """Signs tokens with the key whose turn it is, each valid for `life_seconds` from now."""

    def __init__(self, keys: TokenKeyring, life_seconds: int, clock: Clock) -> None:
        self._keys = keys
        self._life_seconds = life_seconds
        self._clock = clock

    def key_set(self) -> str:
        """Return the JSON Web Key Set that verifies what this issuer signs."""
        return self._keys.key_set()

    def issue(self, subject: Subject, certificate_sha256: bytes, login: StatedLogin | None = None) -> IssuedToken:
        """Return a token for `subject`, bound to the certificate with this SHA-256.

        `acr` and `auth_time` are the login's. Without one, `auth_time` is the time of issue, since the certificate is
        what was authenticated, just now, and `acr` says who vouches for the officer.
        """
        now = int(self._clock.now().timestamp())
        plain = ACR_WORKSTATION if subject.client_kind == "workstation" else ACR_SYSTEM_ASSERTED
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject.name,
            "client_id": subject.client,
            "iat": now,
            "nbf": now,
            "exp": now + self._life_seconds,
            "auth_time": now - login.age_seconds if login is not None else now,
            "acr": login.acr if login is not None else plain,
            "jti": new_id(),
            "cnf": certificate_confirmation(certificate_sha256),
        }
        if login is not None:
            claims["login"] = login.assertion_sha256
        key = self._keys.signer()
        headers = {"typ": TOKEN_TYPE, "kid": key.kid}
        token = jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)
        return IssuedToken(token, now + self._life_seconds)
