"""Certificate chains of document-signing keys.

Not a general path validation: the platform's own profile, and nothing else passes. `cryptography`'s verifier is
made for TLS peers; it takes no Ed25519 key and no usage but server or client.

Profile: signer first, then issuers in order, the root left out or last; at most four certificates. The signer's
certificate is no CA, holds an Ed25519 key, has keyUsage digitalSignature and contentCommitment and no other, and
is for documentSigning alone. Issuers are CAs with keyCertSign and a path length that allows what is below.
Signatures are Ed25519, or ECDSA with SHA-256 or stronger.

Source: RFC 5280 section 6.1 (validity, names, signatures, basic constraints, key usage, critical extensions);
RFC 9336 (documentSigning).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
MAX_CERTIFICATES = 4

# What is critical and not read here must end the check (RFC 5280 section 4.2), name constraints among it.
_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class ChainError(ValueError):
    """The chain does not lead from a document-signing certificate to a trusted root."""


def verify_signing_chain(
    chain: Sequence[x509.Certificate], trusted_roots: Sequence[x509.Certificate], *, at: dt.datetime
) -> None:
    """Return only if `chain` follows the profile, was valid throughout at `at`, and ends in a trusted root.

    `at` must have a time zone. A trusted root is trusted as a whole certificate: its validity, basic constraints
    and key usage are checked like any other's. Raises ChainError. Does not check revocation.
    """
    if at.tzinfo is None:
        raise ChainError("the instant to check at has no time zone")
    if not 1 <= len(chain) <= MAX_CERTIFICATES:
        raise ChainError(f"a chain has 1 to {MAX_CERTIFICATES} certificates")
    path = list(chain)
    try:
        if path[-1] not in trusted_roots:
            path.append(_trusted_issuer(path[-1], trusted_roots, at))
        _check_signer(path[0])
        for depth, issuer in enumerate(path[1:]):
            _check_issuer(issuer, certificates_below=depth)
            _check_issued(path[depth], issuer)
        for certificate in path:
            _check_instant(certificate, at)
            _check_critical(certificate)
    except ChainError:
        raise
    except (x509.ExtensionNotFound, x509.DuplicateExtension, UnsupportedAlgorithm, ValueError) as error:
        raise ChainError(f"a certificate of the chain does not follow the profile: {error}") from error


def uri_name(certificate: x509.Certificate) -> str:
    """Return the certificate's one URI name. Raises ChainError when it has none or several."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise ChainError("the certificate has no URI name") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise ChainError(f"the certificate has {len(uris)} URI names, not one")
    return uris[0]


def _trusted_issuer(
    certificate: x509.Certificate, trusted_roots: Sequence[x509.Certificate], at: dt.datetime
) -> x509.Certificate:
    failures = []
    for root in trusted_roots:
        try:
            _check_issued(certificate, root)
            # A root renewed under its old name and key has two certificates; either may be the valid one.
            _check_instant(root, at)
        except ChainError as error:
            failures.append(str(error))
            continue
        return root
    tried = "; ".join(failures) or "no root is trusted"
    raise ChainError(f"no trusted root issued {certificate.subject.rfc4514_string()} ({tried})")


def _check_signer(certificate: x509.Certificate) -> None:
    extensions = certificate.extensions
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise ChainError("a CA's certificate signs no documents")
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    if not (usage.digital_signature and usage.content_commitment):
        raise ChainError("the signer's key usage is not digitalSignature and contentCommitment")
    if (
        usage.key_cert_sign
        or usage.crl_sign
        or usage.key_encipherment
        or usage.data_encipherment
        or usage.key_agreement
    ):
        raise ChainError("the signer's key has other uses than signing documents")
    if list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) != [DOCUMENT_SIGNING]:
        raise ChainError("the signer's certificate is not for documentSigning alone")
    if not isinstance(certificate.public_key(), Ed25519PublicKey):
        raise ChainError("the signer's key is not Ed25519")


def _check_issuer(certificate: x509.Certificate, *, certificates_below: int) -> None:
    """`certificates_below`: how many issuers stand between this one and the signer."""
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if not constraints.ca:
        raise ChainError("an issuer of the chain is not a CA")
    if constraints.path_length is not None and constraints.path_length < certificates_below:
        raise ChainError("the chain is longer than an issuer's path length allows")
    if not certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
        raise ChainError("an issuer's key may not sign certificates")


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    if not isinstance(issuer.public_key(), Ed25519PublicKey | EllipticCurvePublicKey):
        raise ChainError("an issuer's key is neither Ed25519 nor elliptic-curve")
    digest = certificate.signature_hash_algorithm
    if digest is not None and not isinstance(digest, _DIGESTS):
        raise ChainError(f"a certificate is signed with {digest.name}")
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ChainError("a certificate was not issued by the next one of the chain") from error


def _check_instant(certificate: x509.Certificate, at: dt.datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        name = certificate.subject.rfc4514_string()
        raise ChainError(f"the certificate of {name} was not valid at {at.isoformat(timespec='seconds')}")


def _check_critical(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and not isinstance(extension.value, _UNDERSTOOD):
            raise ChainError(f"a certificate has the critical extension {extension.oid.dotted_string}")
