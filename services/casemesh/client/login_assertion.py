"""An officer's login, as a system or workstation states it to the platform: a JWT under its own certificate's key.

The platform keeps the statement and names it in every act that binds the officer, so who signs it vouches for it.

Source: RFC 7523 (JWT bearer assertions), RFC 7515 (JWS), RFC 7518, section 3.4 (ES256).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from casemesh.client.channel import Credentials
from casemesh.client.profile import ProfileError
from casemesh.core.ids import new_id

ACR_PREFIX = "urn:casemesh:acr:"
_NO_LOGIN = f"{ACR_PREFIX}system-asserted"
_TYPE = "casemesh-login+jwt"
_AUDIENCE = "casemesh/identity"
# It is used at once; a minute is for slow lines. How far clocks may differ is the platform's business.
_LIFE_SECONDS = 60


@dataclass(frozen=True)
class OfficerLogin:
    """That an officer logged in."""

    auth_time: float
    """When, in Unix seconds by this machine's clock."""
    level: str
    """How: `password`, `two-factor` or `certificate`."""


def sign_assertion(credentials: Credentials, officer: str, login: OfficerLogin | None, now: float) -> str:
    """Return the assertion that states `login` of an officer; None states that the officer acts, but no login.

    `now` is Unix seconds. It can be used once, within a minute. Raises ProfileError when the certificate's key is not
    of P-256 or Ed25519, OSError when its files cannot be read.
    """
    key, certificate = _read(credentials)
    issued = int(now)
    claims = {
        "iss": _name(certificate, credentials),
        "sub": officer,
        "aud": _AUDIENCE,
        "iat": issued,
        "exp": issued + _LIFE_SECONDS,
        "jti": new_id(),
        "auth_time": min(int(login.auth_time), issued) if login is not None else issued,
        "acr": f"{ACR_PREFIX}{login.level}" if login is not None else _NO_LOGIN,
    }
    header = {
        "alg": "ES256" if isinstance(key, EllipticCurvePrivateKey) else "EdDSA",
        "typ": _TYPE,
        "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()],
    }
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{signed}.{_base64url(_signature(key, signed.encode()))}"


def _read(credentials: Credentials) -> tuple[EllipticCurvePrivateKey | Ed25519PrivateKey, x509.Certificate]:
    key_file = credentials.directory / "tls.key"
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    certificate = x509.load_pem_x509_certificates((credentials.directory / "tls.pem").read_bytes())[0]
    if isinstance(key, Ed25519PrivateKey) or (
        isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
    ):
        return key, certificate
    raise ProfileError(f"{key_file}: to state an officer's login the key must be of P-256 or Ed25519")


def _name(certificate: x509.Certificate, credentials: Credentials) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (name,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        raise ProfileError(f"{credentials.directory / 'tls.pem'}: it must have one SPIFFE id") from None
    return name


def _signature(key: EllipticCurvePrivateKey | Ed25519PrivateKey, signed: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(signed)
    r, s = decode_dss_signature(key.sign(signed, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
