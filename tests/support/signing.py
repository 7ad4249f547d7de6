"""Document-signing keys for tests, made on the spot, with every part of the profile open to change."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from casemesh.client.chains import DOCUMENT_SIGNING
from casemesh.client.statements import SigningKey

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
SIGNER = "spiffe://mesh.casemesh/signing/dossier"

Key = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class SigningAuthority:
    """A CA of a test."""

    certificate: x509.Certificate
    key: Key


def key_usage(**uses: bool) -> x509.KeyUsage:
    """A key usage with only the named uses."""
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: uses.get(name, False) for name in names})


def make_authority(
    name: str = "test signing root",
    *,
    key: Key | None = None,
    issuer: SigningAuthority | None = None,
    path_length: int | None = None,
    ca: bool = True,
    usage: x509.KeyUsage | None = None,
    begin: dt.datetime = NOW - dt.timedelta(days=30),
    end: dt.datetime = NOW + dt.timedelta(days=3650),
) -> SigningAuthority:
    """A CA, self-signed without `issuer`."""
    key = key or Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, issuer.certificate.subject if issuer else subject, key, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), True)
    builder = builder.add_extension(usage or key_usage(key_cert_sign=True, crl_sign=True), True)
    return SigningAuthority(_signed(builder, issuer.key if issuer else key), key)


def make_certificate(
    authority: SigningAuthority,
    key: Key,
    *,
    uris: Sequence[str] = (SIGNER,),
    usage: x509.KeyUsage | None = None,
    purposes: Sequence[x509.ObjectIdentifier] = (DOCUMENT_SIGNING,),
    ca: bool = False,
    begin: dt.datetime = NOW - dt.timedelta(days=1),
    end: dt.datetime = NOW + dt.timedelta(days=365),
    extra: x509.ExtensionType | None = None,
) -> x509.Certificate:
    """A document-signing certificate that follows the profile unless told otherwise."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test signer")])
    builder = _builder(subject, authority.certificate.subject, key, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
    builder = builder.add_extension(usage or key_usage(digital_signature=True, content_commitment=True), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
    if uris:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
        builder = builder.add_extension(names, False)
    if extra is not None:
        builder = builder.add_extension(extra, True)
    return _signed(builder, authority.key)


def make_signing_key(authority: SigningAuthority, *, uri: str = SIGNER) -> SigningKey:
    """A signing key with its certificate, the root left out."""
    key = Ed25519PrivateKey.generate()
    return SigningKey(key, (make_certificate(authority, key, uris=[uri]),))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, begin: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _signed(builder: x509.CertificateBuilder, key: Key) -> x509.Certificate:
    return builder.sign(key, None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256())
