"""Certificates of the mesh, of agencies and of document signing: their profiles, without files.

Profiles
- CA: path length 0, name constraint to its own trust domain, critical. With it even a verifier that pooled all CAs
  in one bundle would refuse one agency's CA speaking for another.
- TLS leaf: EC P-256, exactly one URI SAN (the SPIFFE id), digitalSignature only; extended key usage says whether it
  may serve. Systems and workstations may not, so that a stolen one cannot pose as the gateway.
- Signing leaf: Ed25519, digitalSignature and contentCommitment, extended key usage documentSigning, under a root of
  its own: neither can stand in for the other.

Lifetimes
- CA 10 years: replacing a trust anchor has to be agreed with every agency.
- TLS leaf 90 days: long enough to renew by hand on one machine, short enough that a lost key ends by itself.
- Signing leaf 5 years: a key that signs for years needs few changes; what it signed stays verifiable afterwards,
  because a signature is judged at the time the audit log proves for it.

Source: SPIFFE X509-SVID sections 2 to 4; RFC 5280 section 4.2.1; RFC 9336 (documentSigning).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from casemesh.pki.names import signing_uri

AUTHORITY_LIFETIME = timedelta(days=3650)
TLS_LIFETIME = timedelta(days=90)
SIGNING_LIFETIME = timedelta(days=5 * 365)
# Clocks of agencies differ; a certificate that is valid "from now" would be refused by the slower ones.
CLOCK_SKEW = timedelta(minutes=5)

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Authority:
    """A CA: its certificate and the key that signs."""

    certificate: x509.Certificate
    key: PrivateKey


def tls_authority(key: PrivateKey, *, trust_domain: str, now: datetime, clients_only: bool) -> x509.Certificate:
    """A self-signed CA for one trust domain.

    With `clients_only` it also may not name any host or address, so that nobody who trusts it as an agency's CA
    ends up trusting it for a server.
    """
    permitted: list[x509.GeneralName] = [x509.UniformResourceIdentifier(trust_domain)]
    excluded: list[x509.GeneralName] = []
    if clients_only:
        # BoringSSL and OpenSSL read an empty DNS subtree as "every name".
        excluded = [
            x509.DNSName(""),
            x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
            x509.IPAddress(ipaddress.ip_network("::/0")),
        ]
    return _self_signed(
        key,
        common_name=f"{trust_domain} CA",
        now=now,
        extra=[
            (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"spiffe://{trust_domain}")]), False),
            (x509.NameConstraints(permitted, excluded or None), True),
        ],
    )


def signing_authority(key: PrivateKey, *, now: datetime) -> x509.Certificate:
    """The self-signed root of document signing."""
    return _self_signed(key, common_name="CaseMesh document signing root", now=now, extra=[])


def tls_leaf(
    authority: Authority,
    key: PrivateKey | EllipticCurvePublicKey,
    *,
    spiffe_id: str,
    common_name: str,
    server: bool,
    host_names: Sequence[str] = (),
    addresses: Sequence[Address] = (),
    now: datetime,
) -> x509.Certificate:
    """A TLS certificate for one SPIFFE id; a client always, a server only with `server`.

    `key` may be the public half alone, where the key was made elsewhere.
    """
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if server:
        usages.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(spiffe_id)]
    names += [x509.DNSName(name) for name in host_names]
    names += [x509.IPAddress(address) for address in addresses]
    return _leaf(
        authority,
        key,
        common_name=common_name,
        lifetime=TLS_LIFETIME,
        now=now,
        extra=[
            (x509.SubjectAlternativeName(names), False),
            (_key_usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage(usages), False),
        ],
    )


def signing_leaf(authority: Authority, key: PrivateKey, *, signer: str, now: datetime) -> x509.Certificate:
    """A document-signing certificate for one service. Verifiers tell signers apart by its one URI SAN."""
    return _leaf(
        authority,
        key,
        common_name=f"CaseMesh {signer} document signing",
        lifetime=SIGNING_LIFETIME,
        now=now,
        extra=[
            (_key_usage(digital_signature=True, content_commitment=True), True),
            (x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), False),
            (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(signing_uri(signer))]), False),
        ],
    )


def renewed(authority: Authority, previous: x509.Certificate, key: PrivateKey, *, now: datetime) -> x509.Certificate:
    """The certificate `previous` again with a new validity: same subject, names and usages, same lifetime.

    `authority` may be the certificate's own key (a CA that renews itself).
    """
    lifetime = previous.not_valid_after_utc - previous.not_valid_before_utc - CLOCK_SKEW
    kept = (x509.SubjectAlternativeName, x509.NameConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
    extra = [(e.value, e.critical) for e in previous.extensions if isinstance(e.value, kept)]
    if is_authority(previous):
        return _self_signed(key, subject=previous.subject, now=now, lifetime=lifetime, extra=extra)
    return _leaf(authority, key, subject=previous.subject, lifetime=lifetime, now=now, extra=extra)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the certificate may sign others."""
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def spiffe_id_of(certificate: x509.Certificate) -> str | None:
    """The certificate's SPIFFE id, or None when it has no single URI name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if len(uris) == 1 else None


def fingerprint(certificate: x509.Certificate) -> str:
    """Lowercase hex SHA-256 of the DER form: what the gateway writes as `Hash`, and what systems register."""
    return certificate.fingerprint(hashes.SHA256()).hex()


_Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def _self_signed(
    key: PrivateKey,
    *,
    common_name: str = "",
    subject: x509.Name | None = None,
    now: datetime,
    lifetime: timedelta = AUTHORITY_LIFETIME,
    extra: _Extensions,
) -> x509.Certificate:
    name = subject or _name(common_name)
    extensions = [*extra]
    if not any(isinstance(value, x509.KeyUsage) for value, _ in extensions):
        extensions.append((_key_usage(key_cert_sign=True, crl_sign=True), True))
    builder = _builder(name, name, key, now, now + lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(builder, extensions, key)


def _leaf(
    authority: Authority,
    key: PrivateKey | EllipticCurvePublicKey,
    *,
    common_name: str = "",
    subject: x509.Name | None = None,
    lifetime: timedelta,
    now: datetime,
    extra: _Extensions,
) -> x509.Certificate:
    issuer = authority.certificate
    not_after = min(now + lifetime, issuer.not_valid_after_utc)
    builder = _builder(subject or _name(common_name), issuer.subject, key, now, not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    issuer_key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    extensions = [*extra, (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), False)]
    return _signed(builder, extensions, authority.key)


def _name(common_name: str) -> x509.Name:
    # 64 is the limit of a common name (RFC 5280, ub-common-name); nothing is decided by it, the SAN counts.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey | EllipticCurvePublicKey, now: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    public_key = key if isinstance(key, EllipticCurvePublicKey) else key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, extensions: _Extensions, key: PrivateKey) -> x509.Certificate:
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    # Ed25519 hashes inside the signature scheme and takes no separate digest.
    return builder.sign(key, None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256())


def _key_usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
