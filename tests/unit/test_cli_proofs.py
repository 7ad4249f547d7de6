"""Proofs of pages on the command line: made from a downloaded folder, verified with the signing roots alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from casemesh.cli import main
from casemesh.cli.draft_commands import indexes_of
from casemesh.cli.invocation import Failure
from casemesh.client import canonical_json, manifest, root_statement, statements
from casemesh.client.manifest import Manifest, ManifestDocument, VersionFacts
from casemesh.client.version_lineage import Lineage
from tests.support.signing import NOW, make_authority, make_signing_key

VERSION = "dossiers/01890000-0000-7000-8000-00000000000d/versions/01890000-0000-7000-8000-00000000000e"
AUTHORITY = make_authority()
runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A downloaded dossier of three documents of five pages, and the roots it is signed under."""
    key, target = make_signing_key(AUTHORITY), tmp_path / "received"
    documents = []
    for index in range(3):
        content = f"讯问笔录 {index}".encode()
        path = target / "documents" / "证据卷一" / f"{index}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).digest()
        documents.append(ManifestDocument(index, "证据卷一", f"{index}.txt", "text/plain", 5, len(content), sha256))
    facts = VersionFacts(VERSION, VERSION.partition("/versions/")[0], "cases/c", "agencies/a", manifest.stamp(NOW))
    fixed = Manifest(facts, documents, Lineage(1, False))
    payload = manifest.payload(facts, documents, fixed.lineage)
    digest = hashlib.sha256(canonical_json.dumps(payload)).digest()
    stated = root_statement.payload(root_statement.of_manifest(fixed, digest))
    (target / "manifest.json").write_text(json.dumps(statements.sign(payload, manifest.PAYLOAD_TYPE, key)))
    (target / "root.json").write_text(json.dumps(statements.sign(stated, root_statement.PAYLOAD_TYPE, key)))
    (tmp_path / "roots.pem").write_bytes(AUTHORITY.certificate.public_bytes(Encoding.PEM))
    return target


def casemesh(folder: Path, *arguments: str | Path) -> Any:
    roots = ["--signing-roots", str(folder.parent / "roots.pem"), "--lang", "en"]
    return runner.invoke(main.app, ["dossier", *map(str, arguments), *roots])


def test_a_page_by_its_running_number_is_proved_and_verified(folder: Path) -> None:
    proof = folder.parent / "page.json"
    made = casemesh(folder, "prove-page", folder, "--page", "12", "--out", proof)
    assert 0 == made.exit_code, made.output
    found = casemesh(
        folder, "verify-page", proof, "--file", folder / "documents" / "证据卷一" / "2.txt", "--json"
    )  # fmt: skip
    assert 0 == found.exit_code, found.output
    value = json.loads(found.stdout)
    assert (VERSION, 2, 2, True) == (
        value["version"], value["document_index"], value["page"], value["file_compared"],
    )  # fmt: skip


def test_another_file_or_another_root_verifies_nothing(folder: Path) -> None:
    proof = folder.parent / "page.json"
    assert 0 == casemesh(folder, "prove-page", folder, "--document", "1", "--page", "5", "--out", proof).exit_code
    other = folder / "documents" / "证据卷一" / "2.txt"
    assert 6 == casemesh(folder, "verify-page", proof, "--file", other).exit_code
    other_root = make_authority("another").certificate.public_bytes(Encoding.PEM)
    (folder.parent / "roots.pem").write_bytes(other_root)
    assert 6 == casemesh(folder, "verify-page", proof).exit_code


def test_a_version_without_a_root_statement_has_no_proofs_and_no_page_beyond_its_last(folder: Path) -> None:
    proof = folder.parent / "page.json"
    assert 6 == casemesh(folder, "prove-page", folder, "--page", "16", "--out", proof).exit_code
    (folder / "root.json").unlink()
    assert 4 == casemesh(folder, "prove-page", folder, "--page", "1", "--out", proof).exit_code
    assert not proof.exists()


def test_documents_are_named_by_number_and_range() -> None:
    assert [3, 10, 11, 12] == indexes_of(["3", "10-12"])
    for wrong in ("", "x", "3-", "-3", "12-10", "٣", "0-1000000"):
        with pytest.raises(Failure):
            indexes_of([wrong])
