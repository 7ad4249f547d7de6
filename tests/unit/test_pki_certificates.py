"""What the certificates say, and who they are good for."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from casemesh.pki import certificates as profile
from casemesh.pki.errors import PkiError
from casemesh.pki.names import (
    agency_trust_domain,
    mesh_spiffe_id,
    signing_uri,
    system_spiffe_id,
    workstation_spiffe_id,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DOMAIN = "beihu-police.agency.casemesh"


def _authority(*, clients_only: bool = True) -> profile.Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = profile.tls_authority(key, trust_domain=DOMAIN, now=NOW, clients_only=clients_only)
    return profile.Authority(certificate, key)


def _leaf(authority: profile.Authority, **changes: object) -> x509.Certificate:
    arguments = {
        "spiffe_id": f"spiffe://{DOMAIN}/system/cms",
        "common_name": "cms",
        "server": False,
        "now": NOW,
        **changes,
    }
    return profile.tls_leaf(authority, ec.generate_private_key(ec.SECP256R1()), **arguments)  # type: ignore[arg-type]


def _openssl_accepts(directory: Path, authority: x509.Certificate, leaf: x509.Certificate, purpose: str) -> bool:
    (directory / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    (directory / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    at = str(int((NOW + timedelta(days=1)).timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", at, "-purpose", purpose, "-CAfile", "ca.pem", "leaf.pem"]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode == 0


def test_a_leaf_has_exactly_one_uri_and_cannot_sign_others() -> None:
    leaf = _leaf(_authority(clients_only=False), host_names=["localhost"])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert [f"spiffe://{DOMAIN}/system/cms"] == names.get_values_for_type(x509.UniformResourceIdentifier)
    assert not profile.is_authority(leaf)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign


def test_a_client_certificate_is_refused_as_a_server(tmp_path: Path) -> None:
    authority = _authority()
    leaf = _leaf(authority)
    assert _openssl_accepts(tmp_path, authority.certificate, leaf, "sslclient")
    assert not _openssl_accepts(tmp_path, authority.certificate, leaf, "sslserver")


def test_a_service_certificate_serves_and_calls(tmp_path: Path) -> None:
    authority = _authority(clients_only=False)
    leaf = _leaf(authority, server=True, host_names=["localhost"])
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} == set(usages)
    assert _openssl_accepts(tmp_path, authority.certificate, leaf, "sslserver")


@pytest.mark.parametrize(
    "changes",
    [
        {"spiffe_id": "spiffe://beihu-court.agency.casemesh/system/cms"},
        {"spiffe_id": "spiffe://mesh.casemesh/gateway"},
        {"spiffe_id": f"spiffe://sub.{DOMAIN}/system/cms"},
        {"host_names": ["gateway.casemesh.svc"]},
    ],
    ids=["another agency", "the mesh", "below its own", "a host"],
)
def test_name_constraints_stop_an_agency_from_naming_what_is_not_its_own(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    authority = _authority()
    assert _openssl_accepts(tmp_path, authority.certificate, _leaf(authority), "sslclient")
    assert not _openssl_accepts(tmp_path, authority.certificate, _leaf(authority, **changes), "sslclient")


def test_a_leaf_never_outlives_its_authority() -> None:
    authority = _authority()
    late = authority.certificate.not_valid_after_utc - timedelta(days=3)
    assert authority.certificate.not_valid_after_utc == _leaf(authority, now=late).not_valid_after_utc


def test_a_signing_certificate_is_good_for_documents_and_not_for_tls(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    root = profile.Authority(profile.signing_authority(key, now=NOW), key)
    leaf_key = Ed25519PrivateKey.generate()
    leaf = profile.signing_leaf(root, leaf_key, signer="audit", now=NOW)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert leaf_key.public_key() == leaf.public_key()
    assert signing_uri("audit") == profile.spiffe_id_of(leaf)
    assert usage.digital_signature
    assert usage.content_commitment
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [profile.DOCUMENT_SIGNING]
    leaf.verify_directly_issued_by(root.certificate)
    assert _openssl_accepts(tmp_path, root.certificate, leaf, "any")
    assert not _openssl_accepts(tmp_path, root.certificate, leaf, "sslclient")
    assert not _openssl_accepts(tmp_path, root.certificate, leaf, "sslserver")


def test_renewing_keeps_names_and_usages_and_moves_the_validity() -> None:
    authority = _authority(clients_only=False)
    old = _leaf(authority, server=True, host_names=["localhost", "node-3.example"])
    key = ec.generate_private_key(ec.SECP256R1())
    new = profile.renewed(authority, old, key, now=NOW + timedelta(days=80))
    for extension in (x509.SubjectAlternativeName, x509.KeyUsage, x509.ExtendedKeyUsage, x509.BasicConstraints):
        assert (
            old.extensions.get_extension_for_class(extension).value
            == new.extensions.get_extension_for_class(extension).value
        )
    assert old.subject == new.subject
    assert old.not_valid_after_utc + timedelta(days=80) == new.not_valid_after_utc
    assert old.serial_number != new.serial_number


def test_names_follow_the_scheme_of_the_mesh() -> None:
    assert mesh_spiffe_id("dossier") == "spiffe://mesh.casemesh/service/dossier"
    assert mesh_spiffe_id("gateway") == "spiffe://mesh.casemesh/gateway"
    assert mesh_spiffe_id("operator") == "spiffe://mesh.casemesh/operator"
    assert agency_trust_domain("beihu-police") == DOMAIN
    assert system_spiffe_id("beihu-police", "cms") == f"spiffe://{DOMAIN}/system/cms"
    assert workstation_spiffe_id("beihu-police", "desk-7") == f"spiffe://{DOMAIN}/workstation/desk-7"


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "a.b", "a b", "a\n", "é", "x" * 64])
def test_a_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(PkiError):
        mesh_spiffe_id(name)
    with pytest.raises(PkiError):
        agency_trust_domain(name)
    with pytest.raises(PkiError):
        system_spiffe_id("beihu-police", name)
