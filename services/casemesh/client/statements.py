"""Signed statements: a JSON payload, its signature, and the certificates that say who signed.

Receipts and dossier manifests are relied on for years, by people who have nothing of the platform but its
signing root. So one envelope carries all that a verifier needs: a DSSE envelope over canonical JSON, with the
algorithm and the signer's certificate chain beside the signature:

    {"payload": base64, "payloadType": "application/vnd.casemesh....+json",
     "signatures": [{"algorithm": "Ed25519", "certificates": [base64 DER, signer first], "keyid": hex, "sig": base64}]}

Algorithm and chain are not under the signature, and need not be: the algorithm must be the only one known, the
chain must lead to a root that the verifier already trusts, and the key is taken from the chain alone.

Source: DSSE v1.0 (pre-authentication encoding); RFC 8785; RFC 8032; RFC 5280 for the chain (see `chains`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from casemesh.client import canonical_json, chains
from casemesh.client.chains import MAX_CERTIFICATES
from casemesh.core import strict_base64

ALGORITHM = "Ed25519"
MAX_ENVELOPE_BYTES = 64 << 20


Envelope: TypeAlias = dict[str, Any]


class StatementError(ValueError):
    """The statement cannot be relied on: malformed, altered, or not signed by whom it must be."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A document-signing key with its certificate chain, signer first, root left out or last."""

    key: Ed25519PrivateKey
    certificates: tuple[x509.Certificate, ...]

    def __post_init__(self) -> None:
        if not self.certificates or len(self.certificates) > MAX_CERTIFICATES:
            raise StatementError(f"a signing key comes with 1 to {MAX_CERTIFICATES} certificates")
        if _raw(self.key.public_key()) != _raw(_ed25519_key(self.certificates[0])):
            raise StatementError("the signing key does not belong to the first certificate")

    @property
    def key_id(self) -> bytes:
        """SHA-256 of the public key, 32 bytes; an envelope has it in hexadecimal."""
        return bytes.fromhex(_key_id(self.certificates[0]))

    @property
    def chain(self) -> list[bytes]:
        """The certificates in DER, signer first."""
        return [certificate.public_bytes(Encoding.DER) for certificate in self.certificates]

    @classmethod
    def load(cls, certificates: Path, key: Path) -> SigningKey:
        """Read `signing.pem` (signer's certificate, then its chain) and `signing.key` (PKCS #8, no passphrase).

        Raises StatementError naming the file when it does not hold what it should; OSError when it cannot be
        read. Reads once: a caller that rotates keys loads again.
        """
        try:
            chain = x509.load_pem_x509_certificates(certificates.read_bytes())
        except ValueError as error:
            raise StatementError(f"{certificates}: not PEM certificates") from error
        try:
            private_key = load_pem_private_key(key.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise StatementError(f"{key}: not an unencrypted PEM private key") from error
        if not isinstance(private_key, Ed25519PrivateKey):
            raise StatementError(f"{key}: not an Ed25519 key")
        return cls(private_key, tuple(chain))


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that was verified."""

    payload: canonical_json.Json
    payload_bytes: bytes
    """The signed bytes, for a digest of the statement."""
    certificate: x509.Certificate
    signer: str
    """The signer's one URI name, for example a SPIFFE id."""


def sign(payload: canonical_json.Json, payload_type: str, signer: SigningKey) -> Envelope:
    """Return the envelope of `payload` signed by `signer`.

    The same payload and key give the same envelope (Ed25519 is deterministic). Raises CanonicalJsonError for a
    payload outside the signed subset of JSON. Does not check that the certificate is valid now.
    """
    body = canonical_json.dumps(payload)
    return _envelope(body, payload_type, signature_over(body, payload_type, signer), signer.key_id, signer.chain)


def signature_over(body: bytes, payload_type: str, signer: SigningKey) -> bytes:
    """Return the signature that an envelope of `body` carries. `body` must be canonical JSON."""
    return signer.key.sign(_pre_authentication_encoding(payload_type, body))


def envelope_of(
    body: bytes, payload_type: str, signature: bytes, key_id: bytes, certificates: Sequence[bytes]
) -> bytes:
    """Return the envelope, as JSON, of what was signed before and kept in parts. Verifies nothing."""
    return json.dumps(_envelope(body, payload_type, signature, key_id, certificates)).encode()


def _envelope(
    body: bytes, payload_type: str, signature: bytes, key_id: bytes, certificates: Sequence[bytes]
) -> Envelope:
    return {
        "payload": strict_base64.encode(body),
        "payloadType": payload_type,
        "signatures": [
            {
                "algorithm": ALGORITHM,
                "certificates": [strict_base64.encode(certificate) for certificate in certificates],
                "keyid": key_id.hex(),
                "sig": strict_base64.encode(signature),
            }
        ],
    }


def verify(
    envelope: Mapping[str, Any] | bytes | str,
    trusted_roots: Sequence[x509.Certificate],
    payload_type: str,
    *,
    at: dt.datetime,
    signer: str | None = None,
) -> Statement:
    """Return the statement only if its signature, chain, type and form hold.

    `at` (with a time zone) is the instant at which every certificate must have been valid. A statement is
    usually read after its certificate ended, so pass when it was made, as an audit checkpoint or another source
    the signer does not control attests it; a time taken from the payload alone is only the signer's word.
    `signer` is the URI name that must have signed; None leaves that question to the caller.

    Raises StatementError. Does not ask whether a certificate was revoked.
    """
    fields = _fields(envelope)
    if fields["payloadType"] != payload_type:
        raise StatementError(f"a statement of type {fields['payloadType']!r}, not {payload_type!r}")
    signature = fields["signatures"][0]
    if signature["algorithm"] != ALGORITHM:
        raise StatementError(f"signed with {signature['algorithm']!r}; only {ALGORITHM} is accepted")
    chain = [_certificate(text) for text in signature["certificates"]]
    try:
        chains.verify_signing_chain(chain, trusted_roots, at=at)
        name = chains.uri_name(chain[0])
    except chains.ChainError as error:
        raise StatementError(str(error)) from error
    if signer is not None and name != signer:
        raise StatementError(f"signed by {name}, not by {signer}")
    if signature["keyid"] != _key_id(chain[0]):
        raise StatementError("the key id is not that of the first certificate")
    body = _unb64(fields["payload"], "payload")
    try:
        _ed25519_key(chain[0]).verify(_unb64(signature["sig"], "sig"), _pre_authentication_encoding(payload_type, body))
    except InvalidSignature as error:
        raise StatementError("the signature does not match the payload") from error
    try:
        payload = canonical_json.loads_canonical(body)
    except canonical_json.CanonicalJsonError as error:
        raise StatementError(f"the payload is {error}") from error
    return Statement(payload, body, chain[0], name)


def parse_envelope(data: bytes | str) -> Envelope:
    """Return the envelope in a JSON text, refusing what readers could take two ways. Verifies no signature."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise StatementError(f"an envelope is at most {MAX_ENVELOPE_BYTES} bytes")
    try:
        envelope = canonical_json.loads(data)
    except canonical_json.CanonicalJsonError as error:
        raise StatementError(f"the envelope is not accepted: {error}") from error
    if not isinstance(envelope, dict):
        raise StatementError("an envelope is a JSON object")
    return cast(Envelope, envelope)


def _fields(envelope: Mapping[str, Any] | bytes | str) -> Mapping[str, Any]:
    """The envelope with every field present and of its type, and with nothing besides."""
    fields = parse_envelope(envelope) if isinstance(envelope, bytes | str) else envelope
    _require_keys(fields, {"payload", "payloadType", "signatures"}, "envelope")
    signatures = fields["signatures"]
    # Exactly one: with several, verifiers would differ on which of them have to hold.
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], Mapping):
        raise StatementError("an envelope has exactly one signature")
    signature = signatures[0]
    _require_keys(signature, {"algorithm", "certificates", "keyid", "sig"}, "signature")
    certificates = signature["certificates"]
    if not isinstance(certificates, list) or not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise StatementError(f"a signature comes with 1 to {MAX_CERTIFICATES} certificates")
    texts = [fields["payload"], fields["payloadType"], *certificates]
    if not all(isinstance(text, str) for text in [*texts, *(signature[key] for key in ("algorithm", "keyid", "sig"))]):
        raise StatementError("the fields of an envelope are strings")
    return fields


def _require_keys(fields: Mapping[str, Any], expected: set[str], what: str) -> None:
    if set(fields) != expected:
        raise StatementError(f"the {what} has not exactly the fields {', '.join(sorted(expected))}")


def _pre_authentication_encoding(payload_type: str, body: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(_unb64(text, "certificate"))
    except ValueError as error:
        raise StatementError("a certificate cannot be read") from error


def _ed25519_key(certificate: x509.Certificate) -> Ed25519PublicKey:
    key = certificate.public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise StatementError("the signer's certificate is not for an Ed25519 key")
    return key


def _key_id(certificate: x509.Certificate) -> str:
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _unb64(text: str, what: str) -> bytes:
    try:
        return strict_base64.decode(text)
    except ValueError as error:
        raise StatementError(f"{what} is {error}") from error
