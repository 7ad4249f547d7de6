"""What a PKI directory holds, and what is never done to it."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from casemesh.pki.authority import KeyChoice, Pki
from casemesh.pki.errors import PkiError
from casemesh.pki.files import create_key_file

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = Pki(tmp_path / "pki", clock=lambda: NOW)
    made.create_mesh()
    made.add_agency("beihu-police")
    return made


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _status(pki: Pki, entry: str) -> str | None:
    return next(line.problem for line in pki.status() if line.entry == entry)


def test_the_layout_is_the_one_that_processes_are_configured_with(pki: Pki) -> None:
    pki.issue_service("dossier")
    pki.issue_system("beihu-police", "cms")
    pki.issue_workstation("beihu-police", "desk-7")
    pki.issue_signing("dossier")
    assert {
        "mesh/ca.pem",
        "mesh/ca.key",
        "mesh/dossier/tls.pem",
        "mesh/dossier/tls.key",
        "mesh/dossier/ca.pem",
        "agencies/beihu-police/ca.pem",
        "agencies/beihu-police/ca.key",
        "agencies/beihu-police/systems/cms/tls.pem",
        "agencies/beihu-police/systems/cms/tls.key",
        "agencies/beihu-police/systems/cms/ca.pem",
        "agencies/beihu-police/workstations/desk-7/tls.pem",
        "agencies/beihu-police/workstations/desk-7/tls.key",
        "agencies/beihu-police/workstations/desk-7/ca.pem",
        "signing/ca.pem",
        "signing/ca.key",
        "signing/dossier/signing.pem",
        "signing/dossier/signing.key",
        "bundles/beihu-police.agency.casemesh.pem",
        "bundles/spiffe.json",
        ".lock",
    } == set(_files(pki.layout.root))


def test_keys_are_readable_by_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        pki = Pki(tmp_path / "pki")
        pki.create_mesh()
        pki.issue_service("audit")
        pki.issue_signing("audit")
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in pki.layout.root.rglob("*.key")}
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(
    ("create", "key"),
    [
        (lambda pki: pki.create_mesh(), "mesh/ca.key"),
        (lambda pki: pki.add_agency("beihu-police"), "agencies/beihu-police/ca.key"),
        (lambda pki: pki.issue_service("audit"), "mesh/audit/tls.key"),
        (lambda pki: pki.issue_system("beihu-police", "cms"), "agencies/beihu-police/systems/cms/tls.key"),
        (lambda pki: pki.issue_workstation("beihu-police", "d"), "agencies/beihu-police/workstations/d/tls.key"),
        (lambda pki: pki.issue_signing("audit"), "signing/audit/signing.key"),
    ],
    ids=["mesh", "agency", "service", "system", "workstation", "signing"],
)
def test_creating_again_changes_nothing_and_names_the_key(pki: Pki, create: Callable[[Pki], object], key: str) -> None:
    pki.issue_service("audit")
    pki.issue_system("beihu-police", "cms")
    pki.issue_workstation("beihu-police", "d")
    pki.issue_signing("audit")
    before = _files(pki.layout.root)
    with pytest.raises(PkiError, match=str(pki.layout.root / key)):
        create(pki)
    assert before == _files(pki.layout.root)


def test_a_key_that_appears_at_the_last_moment_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tls.key"
    create_key_file(path, b"first")
    with pytest.raises(PkiError, match=str(path)):
        create_key_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert [path] == list(tmp_path.iterdir())


def test_a_run_that_died_before_the_mesh_key_can_be_repeated(pki: Pki) -> None:
    (pki.layout.root / "mesh" / "ca.key").unlink()
    signing = pki.layout.authority("signing").key.read_bytes()
    pki.create_mesh()
    assert signing == pki.layout.authority("signing").key.read_bytes()
    assert [_status(pki, "mesh"), _status(pki, "signing")] == [None, None]


def test_what_was_issued_is_what_lies_in_the_files(pki: Pki) -> None:
    issued = pki.issue_system("beihu-police", "cms")
    certificate = x509.load_pem_x509_certificate(issued.files.certificate.read_bytes())
    key = serialization.load_pem_private_key(issued.files.key.read_bytes(), None)
    assert issued == pki.credential("agencies/beihu-police/systems/cms")
    assert issued.identity == "spiffe://beihu-police.agency.casemesh/system/cms"
    assert certificate.public_key() == key.public_key()
    assert issued.not_after == NOW + timedelta(days=90)
    assert issued.files.trust.read_bytes() == pki.layout.mesh_trust.read_bytes()


def test_before_the_first_agency_the_bundle_map_trusts_somebody_who_does_not_exist(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    pki.create_mesh()
    assert list(json.loads(pki.layout.bundle_map.read_text())["trust_domains"]) == ["nobody.agency.casemesh"]
    pki.add_agency("beihu-police")
    domains = json.loads(pki.layout.bundle_map.read_text())["trust_domains"]
    assert list(domains) == ["beihu-police.agency.casemesh"]


def test_the_bundle_map_holds_every_agency_and_not_the_mesh(pki: Pki) -> None:
    pki.add_agency("beihu-court")
    domains = json.loads(pki.layout.bundle_map.read_text())["trust_domains"]
    assert {"beihu-police.agency.casemesh", "beihu-court.agency.casemesh"} == set(domains)


def test_renewing_with_the_same_key_leaves_the_key_alone(pki: Pki) -> None:
    issued = pki.issue_service("audit")
    key = issued.files.key.read_bytes()
    later = Pki(pki.layout.root, clock=lambda: NOW + timedelta(days=60))
    renewed = later.renew("mesh/audit", key=KeyChoice.SAME)
    assert key == issued.files.key.read_bytes()
    assert issued.not_after + timedelta(days=60) == renewed.not_after
    assert issued.fingerprint != renewed.fingerprint


def test_renewing_with_a_new_key_replaces_the_pair(pki: Pki) -> None:
    issued = pki.issue_signing("audit")
    key = issued.files.key.read_bytes()
    pki.renew("signing/audit", key=KeyChoice.NEW)
    assert key != issued.files.key.read_bytes()
    assert issued.files.key.stat().st_mode & 0o777 == 0o600
    assert _status(pki, "signing/audit") is None
    assert len(x509.load_pem_x509_certificates(issued.files.certificate.read_bytes())) == 2


def test_a_renewed_mesh_authority_still_vouches_for_what_it_signed(pki: Pki) -> None:
    issued = pki.issue_service("audit")
    pki.renew("mesh", key=KeyChoice.SAME)
    authority = x509.load_pem_x509_certificate(issued.files.trust.read_bytes())
    assert authority == x509.load_pem_x509_certificate(pki.layout.mesh_trust.read_bytes())
    x509.load_pem_x509_certificate(issued.files.certificate.read_bytes()).verify_directly_issued_by(authority)


def test_a_renewed_agency_authority_is_published(pki: Pki) -> None:
    before = pki.layout.bundle_map.read_bytes()
    pki.renew("agencies/beihu-police", key=KeyChoice.SAME)
    assert before != pki.layout.bundle_map.read_bytes()
    assert pki.layout.bundle("beihu-police").read_bytes() == pki.layout.agency("beihu-police").certificate.read_bytes()


def test_a_new_key_for_an_authority_is_refused(pki: Pki) -> None:
    with pytest.raises(PkiError, match="own key only"):
        pki.renew("mesh", key=KeyChoice.NEW)


def test_status_counts_the_days_and_sees_expiry(pki: Pki) -> None:
    pki.issue_service("audit")
    (line,) = [line for line in pki.status() if line.entry == "mesh/audit"]
    assert (line.days_left, line.problem) == (90, None)
    later = Pki(pki.layout.root, clock=lambda: NOW + timedelta(days=91))
    assert "expired" in (_status(later, "mesh/audit") or "")


def test_status_sees_a_pair_that_was_left_half_renewed_and_renewing_repairs_it(pki: Pki) -> None:
    pki.issue_service("audit")
    old = pki.layout.service("audit").certificate.read_bytes()
    pki.renew("mesh/audit", key=KeyChoice.NEW)
    pki.layout.service("audit").certificate.write_bytes(old)
    assert "renew it" in (_status(pki, "mesh/audit") or "")
    pki.renew("mesh/audit", key=KeyChoice.SAME)
    assert _status(pki, "mesh/audit") is None


def test_status_sees_a_missing_key(pki: Pki) -> None:
    pki.issue_service("audit").files.key.unlink()
    assert "tls.key is missing" in (_status(pki, "mesh/audit") or "")


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda pki: pki.issue_system("nowhere", "cms"), "agencies/nowhere/ca.key"),
        (lambda pki: pki.credential("mesh/audit"), "mesh/audit/tls.pem"),
        (lambda pki: pki.renew("mesh/audit", key=KeyChoice.SAME), "mesh/audit"),
    ],
    ids=["agency unknown", "not issued", "nothing to renew"],
)
def test_what_is_missing_is_named(pki: Pki, call: Callable[[Pki], object], named: str) -> None:
    with pytest.raises(PkiError, match=named):
        call(pki)


def test_without_a_mesh_nothing_is_issued(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    with pytest.raises(PkiError, match="make the mesh first"):
        pki.add_agency("beihu-police")
    with pytest.raises(PkiError, match="make the mesh first"):
        pki.issue_service("audit")


def test_a_broken_key_is_named_and_not_quoted(pki: Pki) -> None:
    key = pki.layout.authority("mesh").key
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    with pytest.raises(PkiError, match=str(key)) as caught:
        pki.issue_service("audit")
    assert "c2VjcmV0" not in str(caught.value)
    assert caught.value.__cause__ is None
