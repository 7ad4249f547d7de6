"""Chains of document-signing certificates: the profile passes, and everything beside it is refused."""

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from casemesh.client.chains import DOCUMENT_SIGNING, ChainError, uri_name, verify_signing_chain
from tests.support.signing import NOW, SIGNER, key_usage, make_authority, make_certificate

ROOT = make_authority(path_length=1)
KEY = Ed25519PrivateKey.generate()


def test_a_certificate_of_the_profile_passes_with_the_root_left_out_or_last() -> None:
    leaf = make_certificate(ROOT, KEY)
    verify_signing_chain([leaf], [ROOT.certificate], at=NOW)
    verify_signing_chain([leaf, ROOT.certificate], [ROOT.certificate], at=NOW)


def test_an_elliptic_curve_root_passes() -> None:
    root = make_authority(key=ec.generate_private_key(ec.SECP256R1()))
    verify_signing_chain([make_certificate(root, KEY)], [root.certificate], at=NOW)


def test_an_intermediate_passes_in_its_place_only() -> None:
    middle = make_authority("test intermediate", issuer=ROOT, path_length=0)
    leaf = make_certificate(middle, KEY)
    verify_signing_chain([leaf, middle.certificate], [ROOT.certificate], at=NOW)
    with pytest.raises(ChainError, match="no trusted root"):
        verify_signing_chain([leaf], [ROOT.certificate], at=NOW)
    with pytest.raises(ChainError):
        verify_signing_chain([middle.certificate, leaf], [ROOT.certificate], at=NOW)
    with pytest.raises(ChainError, match="not issued by the next"):
        verify_signing_chain([leaf, ROOT.certificate], [ROOT.certificate], at=NOW)


def test_a_chain_beyond_an_issuers_path_length_is_refused() -> None:
    first = make_authority("first", issuer=ROOT)
    second = make_authority("second", issuer=first)
    leaf = make_certificate(second, KEY)
    with pytest.raises(ChainError, match="path length"):
        verify_signing_chain([leaf, second.certificate, first.certificate], [ROOT.certificate], at=NOW)


def test_a_signer_cannot_issue_for_others() -> None:
    leaf = make_certificate(ROOT, KEY)
    forged = make_authority("test signer", key=KEY, ca=False, issuer=None)
    below = make_certificate(forged, Ed25519PrivateKey.generate())
    with pytest.raises(ChainError, match="not a CA"):
        verify_signing_chain([below, leaf], [ROOT.certificate], at=NOW)


def test_a_root_of_the_same_name_and_another_key_is_not_trusted() -> None:
    impostor = make_authority()
    with pytest.raises(ChainError, match="no trusted root"):
        verify_signing_chain([make_certificate(impostor, KEY)], [ROOT.certificate], at=NOW)
    with pytest.raises(ChainError):
        verify_signing_chain([make_certificate(impostor, KEY), impostor.certificate], [ROOT.certificate], at=NOW)


def test_no_trusted_root_trusts_nobody() -> None:
    with pytest.raises(ChainError, match="no root is trusted"):
        verify_signing_chain([make_certificate(ROOT, KEY)], [], at=NOW)


def test_of_a_renewed_roots_two_certificates_the_valid_one_counts() -> None:
    old = make_authority(key=ROOT.key, begin=NOW - dt.timedelta(days=9), end=NOW - dt.timedelta(days=1))
    leaf = make_certificate(ROOT, KEY)
    verify_signing_chain([leaf], [old.certificate, ROOT.certificate], at=NOW)
    with pytest.raises(ChainError, match="not valid"):
        verify_signing_chain([leaf], [old.certificate], at=NOW)


@pytest.mark.parametrize("days", [-2, 366])
def test_a_certificate_not_valid_at_the_instant_is_refused(days: int) -> None:
    with pytest.raises(ChainError, match="was not valid"):
        verify_signing_chain([make_certificate(ROOT, KEY)], [ROOT.certificate], at=NOW + dt.timedelta(days=days))


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ChainError, match="time zone"):
        verify_signing_chain([make_certificate(ROOT, KEY)], [ROOT.certificate], at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"usage": key_usage(digital_signature=True)}, "contentCommitment"),
        ({"usage": key_usage(content_commitment=True)}, "digitalSignature"),
        ({"usage": key_usage(digital_signature=True, content_commitment=True, key_cert_sign=True)}, "other uses"),
        ({"usage": key_usage(digital_signature=True, content_commitment=True, key_encipherment=True)}, "other uses"),
        ({"purposes": [ExtendedKeyUsageOID.CLIENT_AUTH]}, "documentSigning"),
        ({"purposes": [DOCUMENT_SIGNING, ExtendedKeyUsageOID.SERVER_AUTH]}, "documentSigning"),
        ({"ca": True}, "CA"),
        ({"extra": x509.PolicyConstraints(0, None)}, "critical extension"),
        ({"extra": x509.NameConstraints([x509.DNSName("a.example")], None)}, "critical extension"),
    ],
)
def test_a_certificate_beside_the_profile_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ChainError, match=reason):
        verify_signing_chain([make_certificate(ROOT, KEY, **change)], [ROOT.certificate], at=NOW)


def test_keys_of_other_kinds_are_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(ChainError, match="not Ed25519"):
        verify_signing_chain([make_certificate(ROOT, curve)], [ROOT.certificate], at=NOW)
    root = make_authority(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    with pytest.raises(ChainError, match="neither Ed25519 nor elliptic-curve"):
        verify_signing_chain([make_certificate(root, KEY)], [root.certificate], at=NOW)


def test_a_root_that_may_not_sign_certificates_is_refused() -> None:
    root = make_authority(usage=key_usage(digital_signature=True))
    with pytest.raises(ChainError, match="may not sign"):
        verify_signing_chain([make_certificate(root, KEY)], [root.certificate], at=NOW)


def test_a_bare_self_signed_certificate_is_refused_even_when_trusted() -> None:
    bare = (
        x509.CertificateBuilder()
        .subject_name(ROOT.certificate.subject)
        .issuer_name(ROOT.certificate.subject)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
        .sign(KEY, None)
    )
    with pytest.raises(ChainError, match="does not follow the profile"):
        verify_signing_chain([bare], [bare], at=NOW)


@pytest.mark.parametrize("count", [0, 5])
def test_a_chain_of_no_or_too_many_certificates_is_refused(count: int) -> None:
    with pytest.raises(ChainError, match="1 to 4"):
        verify_signing_chain([make_certificate(ROOT, KEY)] * count, [ROOT.certificate], at=NOW)


def test_a_signer_has_exactly_one_uri_name() -> None:
    assert uri_name(make_certificate(ROOT, KEY)) == SIGNER
    with pytest.raises(ChainError, match="no URI name"):
        uri_name(make_certificate(ROOT, KEY, uris=[]))
    with pytest.raises(ChainError, match="2 URI names"):
        uri_name(make_certificate(ROOT, KEY, uris=[SIGNER, "spiffe://mesh.casemesh/signing/audit"]))
