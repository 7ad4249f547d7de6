"""Whom the holder of a certificate may speak for, and what it states of an officer's login.

An assertion is signed with the key of the client certificate that the gateway saw, and brings that certificate along.
The certificate is not believed because it is in there: its SHA-256 must be that of the connection's, which TLS proved
and the directory knows. So the statement can be verified for years from itself and the agency's CA alone.

Source: RFC 7523 (JWT bearer assertions), section 3; RFC 7521, section 5.2; RFC 7515, section 4.1.6 (`x5c`); RFC 8725.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemesh.core.names import OFFICER
from casemesh.errors import PermissionDenied, Unauthenticated
from casemesh.identity.directory_store import CertificateHolder
from casemesh.identity.subjects import Subject
from casemesh.pki.certificates import spiffe_id_of
from casemesh.runtime.compact_jws import CompactJws, JwsError
from casemesh.runtime.tokens import ACR_RANKS, ACR_WORKSTATION, ISSUER, clock_time

ASSERTION_TYPE = "casemesh-login+jwt"
MAX_LIFE_SECONDS = 300
CLOCK_LEEWAY_SECONDS = 600
"""How far an agency's clock may differ from ours. Agencies' machines are not ours to set; theirs are off by minutes."""
LOGIN_MAX_AGE_SECONDS = 24 * 3600
"""A turn of duty: what was logged in longer ago is no login any more."""
_MAX_CHARACTERS = 8192
_HEADER_KEYS = frozenset({"alg", "typ", "x5c"})
_CLAIMS = frozenset({"iss", "sub", "aud", "iat", "exp", "jti", "auth_time", "acr"})
_JTI = re.compile(r"[A-Za-z0-9_-]{16,64}")
_LEVELS = frozenset(ACR_RANKS) - {ACR_WORKSTATION}


@dataclass(frozen=True)
class Assertion:
    """What a client stated of its officer's login, its signature verified."""

    text: str
    officer: str
    officer_id: str
    jti: str
    acr: str
    auth_time: int
    """When the officer logged in, in Unix seconds by the agency's clock."""
    login_age_seconds: int
    """How long that was before the assertion was signed; both by the agency's clock, whatever that shows."""
    usable_until: int
    """Unix seconds by our clock after which it would be refused anyway."""
    clock_skew_seconds: int
    """How far the agency's clock seems ahead of ours."""

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the text, 32 bytes."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def states_login(self) -> bool:
        """Whether it says that, and how, the officer logged in; else the system merely vouches for the officer."""
        return ACR_RANKS[self.acr] > 0


def read_assertion(text: str, certificate_sha256: bytes, now: int) -> Assertion:
    """Return what `text` states. `certificate_sha256` is that of the certificate on the connection, `now` is in Unix
    seconds.

    Raises Unauthenticated: ASSERTION_INVALID that names the check; CLOCK_SKEWED that names both clocks. Whether the
    officer may be spoken for, and whether `jti` is new, is not asked here.
    """
    try:
        read = CompactJws.read(text, _MAX_CHARACTERS)
    except JwsError as error:
        raise _invalid("form", str(error)) from error
    if set(read.header) != _HEADER_KEYS or read.header["typ"] != ASSERTION_TYPE:
        raise _invalid("header", f"its header must have alg, x5c and typ {ASSERTION_TYPE}, and nothing else")
    certificate = _certificate(read.header["x5c"], certificate_sha256)
    if read.header["alg"] != certificate.algorithm:
        raise _invalid("algorithm", f"its algorithm must be the key's, {certificate.algorithm}")
    if not read.is_signed_by(certificate.public_key, certificate.algorithm):
        raise _invalid("signature", "its signature is not that of the certificate's key")
    return _stated(text, read.claims, certificate.spiffe_id, now)


def _stated(text: str, claims: Mapping[str, Any], issuer: str, now: int) -> Assertion:
    if set(claims) != _CLAIMS:
        raise _invalid("claims", f"its claims must be {', '.join(sorted(_CLAIMS))}, and nothing else")
    if claims["iss"] != issuer:
        raise _invalid("iss", "iss must be the SPIFFE id of the certificate")
    if claims["aud"] != ISSUER:
        raise _invalid("aud", f"aud must be {ISSUER}")
    if not isinstance(claims["jti"], str) or _JTI.fullmatch(claims["jti"]) is None:
        raise _invalid("jti", "jti must be 16 to 64 letters, digits, '-' and '_'")
    if not isinstance(claims["acr"], str) or claims["acr"] not in _LEVELS:
        raise _invalid("acr", f"acr must be one of {', '.join(sorted(_LEVELS))}")
    officer_id = _officer_id(claims["sub"])
    times = [claims[name] for name in ("iat", "exp", "auth_time")]
    if any(type(value) is not int for value in times):
        raise _invalid("times", "times must be whole seconds")
    issued, expires, logged_in = times
    if not 0 < expires - issued <= MAX_LIFE_SECONDS:
        raise _invalid("exp", f"it must live at least a second and at most {MAX_LIFE_SECONDS}")
    if issued > now + CLOCK_LEEWAY_SECONDS or expires <= now - CLOCK_LEEWAY_SECONDS:
        raise _skewed(issued, now)
    if not 0 <= issued - logged_in <= LOGIN_MAX_AGE_SECONDS:
        raise _invalid("auth_time", f"auth_time must lie before iat, by at most {LOGIN_MAX_AGE_SECONDS // 3600} hours")
    return Assertion(
        text=text,
        officer=claims["sub"],
        officer_id=officer_id,
        jti=claims["jti"],
        acr=claims["acr"],
        auth_time=logged_in,
        login_age_seconds=issued - logged_in,
        usable_until=expires + CLOCK_LEEWAY_SECONDS,
        clock_skew_seconds=issued - now,
    )


@dataclass(frozen=True)
class _ClientCertificate:
    spiffe_id: str
    public_key: EllipticCurvePublicKey | Ed25519PublicKey
    algorithm: str


def _certificate(chain: Any, sha256: bytes) -> _ClientCertificate:
    if not isinstance(chain, list) or len(chain) != 1 or not isinstance(chain[0], str):
        raise _invalid("certificate", "x5c must hold the client certificate alone")
    try:
        der = base64.b64decode(chain[0], validate=True)
    except ValueError as error:
        raise _invalid("certificate", "x5c does not hold a certificate in base64 of its DER form") from error
    # Before it is read: nobody has vouched for any other, and a certificate can be made to break its reader.
    if hashlib.sha256(der).digest() != sha256:
        raise _invalid("certificate", "it brings another certificate than that of the connection")
    return _read_certificate(der)


# The same few certificates sign all day, and reading one takes longer than checking a signature.
@lru_cache(maxsize=1024)
def _read_certificate(der: bytes) -> _ClientCertificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        name = spiffe_id_of(certificate)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _invalid("certificate", "its certificate or its kind of key cannot be read") from error
    if name is None:
        raise _invalid("certificate", "its certificate has no single SPIFFE id")
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return _ClientCertificate(name, key, "ES256")
    if isinstance(key, Ed25519PublicKey):
        return _ClientCertificate(name, key, "EdDSA")
    raise _invalid("algorithm", "its certificate's key must be of P-256 or Ed25519")


def _officer_id(name: Any) -> str:
    try:
        return OFFICER.parse(name)["officer"]
    except (ValueError, TypeError):
        raise _invalid("sub", "sub must be the resource name of an officer") from None


def _invalid(check: str, why: str) -> Unauthenticated:
    return Unauthenticated("ASSERTION_INVALID", f"the assertion is not valid: {why}", {"check": check})


def _skewed(issued: int, now: int) -> Unauthenticated:
    agency, platform = clock_time(issued), clock_time(now)
    return Unauthenticated(
        "CLOCK_SKEWED",
        f"the agency's clock said {agency} when the assertion was signed, the platform's says {platform}; at most "
        f"{CLOCK_LEEWAY_SECONDS // 60} minutes are let pass: set the agency's clock, or sign anew",
        {"agency_time": agency, "platform_time": platform},
    )


def officer_id_of(name: str) -> str | None:
    """Return the identifier of the officer a token is asked for, or None when none is named."""
    return OFFICER.parse(name)["officer"] if name else None


def asserted_subject(holder: CertificateHolder, officer: str) -> Subject:
    """Return the subject of a token that `holder` asks for; `officer` is empty when it names none.

    A system speaks for itself or for any active officer of its agency, a workstation for its own active officer alone.
    `holder` must tell of the officer that is asked about.

    Raises PermissionDenied (OFFICER_NOT_ASSERTABLE), alike for an officer of another agency, a suspended one and one
    who does not exist.
    """
    if holder.kind == "system" and not officer:
        return Subject(holder.agency_id, holder.kind, holder.client_id, None)
    assertable = holder.assertable_officer_id
    if assertable is None or (officer and officer != OFFICER.format(agency=holder.agency_id, officer=assertable)):
        raise _not_assertable()
    if holder.kind == "workstation" and assertable != holder.own_officer_id:
        raise _not_assertable()
    return Subject(holder.agency_id, holder.kind, holder.client_id, assertable)


def _not_assertable() -> PermissionDenied:
    return PermissionDenied("OFFICER_NOT_ASSERTABLE", "officer is not one that this certificate may speak for")
