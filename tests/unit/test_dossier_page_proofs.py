"""Proofs of single pages, root statements, confirmations and lineage: signed, small, and refused when altered."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from casemesh.client import canonical_json, delivery_confirmation, manifest, root_statement, statements
from casemesh.client.delivery_confirmation import Confirmation
from casemesh.client.manifest import Manifest, ManifestDocument, ManifestError, VersionFacts
from casemesh.client.page_proofs import prove_page, verify_proof
from casemesh.client.statements import StatementError
from casemesh.client.version_lineage import Changes, DocumentName, Lineage, Parent, changes_between
from casemesh.core.merkle import MerkleError
from tests.support.signing import NOW, make_authority, make_signing_key

AUTHORITY = make_authority()
KEY = make_signing_key(AUTHORITY)
ROOTS = [AUTHORITY.certificate]
DOSSIER = "dossiers/01890000-0000-7000-8000-00000000000d"
CASE = "cases/01890000-0000-7000-8000-00000000000c"
AGENCY = "agencies/01890000-0000-7000-8000-00000000000a"


def facts(version: int) -> VersionFacts:
    return VersionFacts(
        f"{DOSSIER}/versions/01890000-0000-7000-8000-{version:012}", DOSSIER, CASE, AGENCY, manifest.stamp(NOW)
    )


def document(index: int, pages: int = 3, content: bytes = b"") -> ManifestDocument:
    sha256 = hashlib.sha256(content or b"%d" % index).digest()
    return ManifestDocument(index, "证据卷一", f"讯问笔录{index}.pdf", "application/pdf", pages, 1000, sha256)


DOCUMENTS = [document(index, 1 + index % 5) for index in range(1200)]
MANIFEST = Manifest(facts(1), DOCUMENTS, Lineage(1, False))


def signed_root(of: Manifest = MANIFEST) -> bytes:
    digest = hashlib.sha256(canonical_json.dumps(manifest.payload(of.facts, of.documents, of.lineage))).digest()
    stated = root_statement.payload(root_statement.of_manifest(of, digest))
    return json.dumps(statements.sign(stated, root_statement.PAYLOAD_TYPE, KEY)).encode()


def test_a_page_of_thousands_is_proved_by_some_kilobytes() -> None:
    document_index, page = MANIFEST.document_at(3117)
    proof = prove_page(MANIFEST, signed_root(), document_index, page)
    assert len(proof) < 10_000
    proved = verify_proof(proof, ROOTS)
    assert (DOCUMENTS[document_index], page) == (proved.document, proved.page)
    assert (MANIFEST.root_hash, MANIFEST.facts.version) == (proved.version.root_hash, proved.version.version)


def test_every_running_page_is_found_in_its_document() -> None:
    places = [
        (item.document_index, page) for item in DOCUMENTS[:20] for page in range(1, item.page_count + 1)
    ]  # fmt: skip
    assert places == [MANIFEST.document_at(number) for number in range(1, len(places) + 1)]
    for outside in (0, -1, MANIFEST.page_count + 1):
        with pytest.raises(ManifestError):
            MANIFEST.document_at(outside)


@pytest.mark.parametrize(
    "change",
    [
        {"page": 2},
        {"page": 0},
        {"document_leaf_index": 0},
        {"page_path": []},
        {"document_path": ["00" * 32]},
        {"format": 2},
        {"more": 1},
        {"document": manifest.document_fields(replace(DOCUMENTS[7], file_name="判决书.pdf"))},
        {"document": manifest.document_fields(replace(DOCUMENTS[7], page_count=99))},
        {"root_statement": json.loads(signed_root(Manifest(facts(2), DOCUMENTS[:9], Lineage(1, False))))},
    ],
)
def test_an_altered_proof_proves_nothing(change: dict[str, Any]) -> None:
    proof = json.loads(prove_page(MANIFEST, signed_root(), 7, 1))
    verify_proof(json.dumps(proof).encode(), ROOTS)
    with pytest.raises((ManifestError, MerkleError, StatementError)):
        verify_proof(json.dumps({**proof, **change}).encode(), ROOTS)


def test_a_page_beyond_the_document_is_not_one_of_its_pages() -> None:
    with pytest.raises(ManifestError):
        prove_page(MANIFEST, signed_root(), 7, DOCUMENTS[7].page_count + 1)


def test_a_root_of_another_signer_is_refused() -> None:
    with pytest.raises(StatementError):
        root_statement.verify(signed_root(), [make_authority("another").certificate])


@pytest.mark.parametrize("change", [{"leaf_count": 1}, {"page_count": 1}, {"root_hash": "00"}, {"more": 1}])
def test_a_root_statement_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    stated: dict[str, Any] = root_statement.payload(root_statement.of_manifest(MANIFEST, bytes(32)))
    envelope = json.dumps(statements.sign({**stated, **change}, root_statement.PAYLOAD_TYPE, KEY)).encode()
    with pytest.raises(ManifestError):
        root_statement.verify(envelope, ROOTS)


def test_a_confirmation_says_who_held_what_and_when() -> None:
    confirmation = Confirmation(facts(1).version, CASE, AGENCY, f"{AGENCY}/officers/lin", bytes(32), NOW)
    envelope = statements.sign(delivery_confirmation.payload(confirmation), delivery_confirmation.PAYLOAD_TYPE, KEY)
    assert confirmation == delivery_confirmation.verify(json.dumps(envelope).encode(), ROOTS)
    with pytest.raises(StatementError):
        root_statement.verify(json.dumps(envelope).encode(), ROOTS, at=NOW)
    late = NOW + dt.timedelta(days=9999)
    with pytest.raises(StatementError):
        delivery_confirmation.verify(json.dumps(envelope).encode(), ROOTS, at=late)


def supplement() -> Manifest:
    after = [document(0), document(1, 3, b"another"), document(2)]
    named = replace(after[2], file_name="补充侦查报告.pdf")
    changes = changes_between(PARENT.documents, [*after[:2], named])
    lineage = Lineage(2, False, Parent(PARENT.facts.version, PARENT.root_hash), changes)
    return Manifest(facts(2), [*after[:2], named], lineage)


PARENT = Manifest(facts(1), [document(0), document(1), document(2)], Lineage(1, False))


def test_a_supplement_reads_back_as_it_was_written_and_its_changes_are_those_against_the_parent() -> None:
    child = supplement()
    read = Manifest.from_payload(manifest.payload(child.facts, child.documents, child.lineage))
    assert child.lineage == read.lineage
    assert read.lineage is not None
    assert read.lineage.changes == Changes(
        (DocumentName("证据卷一", "补充侦查报告.pdf"),), (DocumentName("证据卷一", "讯问笔录2.pdf"),),
        (DocumentName("证据卷一", "讯问笔录1.pdf"),),
    )  # fmt: skip
    read.verify_changes(PARENT)


def test_changes_that_are_not_those_against_the_parent_are_refused() -> None:
    child = supplement()
    assert child.lineage is not None
    untold = Manifest(child.facts, child.documents, replace(child.lineage, changes=Changes((), (), ())))
    with pytest.raises(ManifestError, match="other documents"):
        untold.verify_changes(PARENT)
    with pytest.raises(ManifestError, match="does not name"):
        child.verify_changes(Manifest(facts(1), [document(0)], Lineage(1, False)))
    with pytest.raises(ManifestError, match="does not name"):
        PARENT.verify_changes(child)


def test_a_manifest_without_lineage_is_read_for_ever() -> None:
    first = manifest.payload(facts(1), DOCUMENTS[:3])
    assert 1 == first["format"]
    assert Manifest.from_payload(first).lineage is None


@pytest.mark.parametrize(
    "change",
    [
        {"changes": None},
        {"parent": None},
        {"revision": 0},
        {"internal": "yes"},
        {"changes": {"added": [], "removed": [], "replaced": [], "added_count": 1}},
    ],
)
def test_a_lineage_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    child = supplement()
    value = manifest.payload(child.facts, child.documents, child.lineage)
    with pytest.raises(ManifestError):
        Manifest.from_payload({**value, **change})
