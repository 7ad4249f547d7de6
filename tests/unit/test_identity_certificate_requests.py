"""Which certificates may be registered, and by which check each of the others is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from casemesh.errors import InvalidArgument
from casemesh.identity.certificate_requests import accept, read_authority
from casemesh.pki import certificates as profile
from casemesh.pki.certificates import Authority

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DOMAIN = "beihu-police.agency.casemesh"
NAME = f"spiffe://{DOMAIN}/system/cms"


def authority(trust_domain: str = DOMAIN) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    made = profile.tls_authority(key, trust_domain=trust_domain, now=NOW - timedelta(days=30), clients_only=True)
    return Authority(made, key)


CA, OTHER_CA = authority(), authority("beihu-court.agency.casemesh")
SAME_NAME_CA = authority()
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT_USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
UNKNOWN_USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING])


def request(key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cms")])
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Leaf:
    """A certificate that deviates from a good one in what is set."""

    issuer: Authority = CA
    key: ec.EllipticCurvePrivateKey = KEY
    names: tuple[x509.GeneralName, ...] = (x509.UniformResourceIdentifier(NAME),)
    usage: x509.ExtendedKeyUsage | None = CLIENT_USAGE
    is_authority: bool = False
    begins: datetime = NOW - timedelta(days=1)
    life: timedelta = timedelta(days=90)

    def der(self) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cms")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.issuer.certificate.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.begins)
            .not_valid_after(self.begins + self.life)
            .add_extension(x509.BasicConstraints(ca=self.is_authority, path_length=None), critical=True)
        )
        if self.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(self.names), critical=False)
        if self.usage is not None:
            builder = builder.add_extension(self.usage, critical=False)
        return builder.sign(self.issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def uri(*names: str) -> tuple[x509.GeneralName, ...]:
    return tuple(x509.UniformResourceIdentifier(name) for name in names)


def check_of(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidArgument) as refused:
        call()
    assert refused.value.reason == "CERTIFICATE_NOT_ACCEPTABLE"
    return refused.value.metadata["check"]


def accepted(certificate: bytes, asked: bytes | None = None, kind: str = "system") -> object:
    return accept(asked or request(), certificate, authority=CA.certificate, trust_domain=DOMAIN, kind=kind, now=NOW)


def test_a_certificate_of_the_agencys_ca_for_the_requested_key_is_accepted_with_its_name_and_end() -> None:
    taken = accept(request(), Leaf().der(), authority=CA.certificate, trust_domain=DOMAIN, kind="system", now=NOW)
    fingerprint = x509.load_der_x509_certificate(Leaf().der()).fingerprint(hashes.SHA256())
    assert len(fingerprint) == len(taken.sha256) == 32
    assert (NAME, NOW + timedelta(days=89)) == (taken.spiffe_id, taken.not_after)


@pytest.mark.parametrize(
    ("leaf", "check"),
    [
        (Leaf(key=OTHER_KEY), "key"),
        (Leaf(issuer=OTHER_CA), "issuer"),
        (Leaf(issuer=SAME_NAME_CA), "issuer"),
        (Leaf(names=uri("spiffe://beihu-court.agency.casemesh/system/cms")), "name"),
        (Leaf(names=uri(NAME, f"spiffe://{DOMAIN}/system/other")), "name"),
        (Leaf(names=(*uri(NAME), x509.DNSName("gateway.casemesh.svc"))), "name"),
        (Leaf(names=()), "name"),
        (Leaf(names=uri(f"spiffe://{DOMAIN}/workstation/cms")), "name"),
        (Leaf(names=uri(f"{NAME}/more")), "name"),
        (Leaf(names=uri(NAME.replace(".agency", "xagency"))), "name"),
        (Leaf(usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])), "usage"),
        (Leaf(usage=UNKNOWN_USAGE), "usage"),
        (Leaf(usage=None), "usage"),
        (Leaf(is_authority=True), "usage"),
        (Leaf(begins=NOW + timedelta(minutes=1)), "validity"),
        (Leaf(begins=NOW - timedelta(days=91)), "validity"),
        (Leaf(begins=NOW - timedelta(days=90)), "validity"),
        (Leaf(life=timedelta(days=399)), "validity"),
    ],
)
def test_any_other_certificate_is_refused_by_the_check_it_fails(leaf: Leaf, check: str) -> None:
    assert check == check_of(lambda: accepted(leaf.der()))


def test_a_request_that_its_own_key_did_not_sign_proves_nothing() -> None:
    altered = bytearray(request())
    altered[-1] ^= 1
    assert check_of(lambda: accepted(Leaf().der(), bytes(altered))) == "proof"
    # Somebody else's certificate, with a request for one's own key.
    assert check_of(lambda: accepted(Leaf().der(), request(OTHER_KEY))) == "key"


@pytest.mark.parametrize("junk", [b"\x00", b"-----BEGIN CERTIFICATE-----", request()[:-8]], ids=["NUL", "PEM", "cut"])
def test_what_cannot_be_read_is_refused(junk: bytes) -> None:
    assert check_of(lambda: accepted(junk)) == "form"
    assert check_of(lambda: accepted(Leaf().der(), junk)) == "form"
    assert check_of(lambda: read_authority(junk)) == "form"


def test_an_agencys_ca_must_be_one() -> None:
    assert read_authority(CA.certificate.public_bytes(Encoding.DER)) == CA.certificate
    assert check_of(lambda: read_authority(Leaf().der())) == "form"
