"""Whether a certificate may be registered: its request proves the key, and the agency's own CA issued it for this.

The platform signs no certificate of an agency. It checks what the gateway will check again at each handshake, so that
a mistake shows when a system is enrolled and not when it first connects.

Source: RFC 2986 (certification request); RFC 5280, section 4.2.1; SPIFFE X509-SVID, sections 2 to 4.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from casemesh.errors import InvalidArgument

MAX_LIFETIME = timedelta(days=398)
_NAME = "[a-z0-9-]{1,63}"


@dataclass(frozen=True)
class AcceptedCertificate:
    """A certificate that passed every check."""

    sha256: bytes
    spiffe_id: str
    not_after: datetime


def read_authority(der: bytes) -> x509.Certificate:
    """Return an agency's CA certificate.

    Raises InvalidArgument (CERTIFICATE_NOT_ACCEPTABLE) when it is none, or no CA's.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        is_authority = False
    if not is_authority:
        raise _refused("form", "authority_certificate must be the certificate of a CA in DER")
    return certificate


def accept(
    request: bytes, certificate: bytes, *, authority: x509.Certificate, trust_domain: str, kind: str, now: datetime
) -> AcceptedCertificate:
    """Return what is registered of `certificate`; `kind` is `system` or `workstation`, all bytes are DER.

    Raises InvalidArgument (CERTIFICATE_NOT_ACCEPTABLE) that names the first check that failed. Does not ask whether the
    CA itself is still trusted: the gateway's bundle says that.
    """
    try:
        asked = x509.load_der_x509_csr(request)
        given = x509.load_der_x509_certificate(certificate)
    except ValueError:
        raise _refused(
            "form", "certificate_request must be a PKCS #10 request and certificate X.509, both in DER"
        ) from None
    if not asked.is_signature_valid:
        raise _refused("proof", "certificate_request is not signed with its own key")
    if asked.public_key() != given.public_key():
        raise _refused("key", "certificate is for another key than certificate_request")
    _require_issuer(given, authority)
    spiffe_id = _require_name(given, trust_domain, kind)
    _require_usage(given)
    if not given.not_valid_before_utc <= now < given.not_valid_after_utc:
        raise _refused("validity", "certificate must be valid now")
    if given.not_valid_after_utc - given.not_valid_before_utc > MAX_LIFETIME:
        raise _refused("validity", f"certificate must live at most {MAX_LIFETIME.days} days")
    return AcceptedCertificate(hashlib.sha256(certificate).digest(), spiffe_id, given.not_valid_after_utc)


def _require_issuer(given: x509.Certificate, authority: x509.Certificate) -> None:
    try:
        given.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        raise _refused("issuer", "certificate must be issued by the agency's own CA") from None


def _require_name(given: x509.Certificate, trust_domain: str, kind: str) -> str:
    try:
        names = list(given.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    form = f"spiffe://{trust_domain}/{kind}/"
    uris = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    if len(names) != 1 or len(uris) != 1 or re.fullmatch(re.escape(form) + _NAME, uris[0]) is None:
        raise _refused("name", f"certificate must have one name, a URI that begins with {form}")
    return uris[0]


def _require_usage(given: x509.Certificate) -> None:
    key = given.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1 | SECP384R1):
        raise _refused("usage", "certificate must be for a key on P-256 or P-384")
    try:
        authority = given.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        uses = list(given.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        authority, uses = True, []
    if authority or uses != [ExtendedKeyUsageOID.CLIENT_AUTH]:
        raise _refused("usage", "certificate must be for client authentication alone")


def _refused(check: str, why: str) -> InvalidArgument:
    return InvalidArgument("CERTIFICATE_NOT_ACCEPTABLE", why, {"check": check})
