"""The manifest: one root stands for every document and page, in order, and any page can be shown to be under it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client import canonical_json, statements
from casemesh.client.manifest import (
    PAYLOAD_TYPE,
    Manifest,
    ManifestDocument,
    ManifestError,
    VersionFacts,
    document_leaf,
    page_leaf,
    payload,
    root_hash,
    verify_page,
)
from casemesh.core.merkle import MerkleError, leaf_hash, root_of
from tests.support.signing import NOW, SIGNER, make_authority, make_signing_key

FACTS = VersionFacts(
    "dossiers/01890000-0000-7000-8000-00000000000d/versions/01890000-0000-7000-8000-00000000000e",
    "dossiers/01890000-0000-7000-8000-00000000000d",
    "cases/01890000-0000-7000-8000-00000000000c",
    "agencies/01890000-0000-7000-8000-00000000000a",
    "2026-03-02T09:30:00Z",
)


def document(index: int, pages: int = 3, volume: str = "证据卷一") -> ManifestDocument:
    sha256 = hashlib.sha256(b"%d" % index).digest()
    return ManifestDocument(index, volume, f"讯问笔录{index}.pdf", "application/pdf", pages, 1000 + index, sha256)


DOCUMENTS = [document(0), document(1, 1, "诉讼文书卷"), document(2, 5)]


def test_the_root_is_over_each_document_and_then_its_pages() -> None:
    leaves: list[bytes] = []
    for item in DOCUMENTS:
        digest = item.sha256.hex()
        leaves.append(
            canonical_json.dumps(
                {
                    "document_index": item.document_index,
                    "volume": item.volume,
                    "file_name": item.file_name,
                    "media_type": item.media_type,
                    "page_count": item.page_count,
                    "size_bytes": item.size_bytes,
                    "sha256": digest,
                }
            )
        )
        leaves += [canonical_json.dumps({"sha256": digest, "page": page + 1}) for page in range(item.page_count)]
    assert root_of(leaf_hash(leaf) for leaf in leaves) == root_hash(DOCUMENTS)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_quick_spelling_of_leaves_is_the_canonical_one(volume: str, file_name: str) -> None:
    item = replace(document(7), volume=volume, file_name=file_name)
    fast = document_leaf(item)
    assert canonical_json.dumps(json.loads(fast)) == fast
    page = page_leaf(item.sha256.hex(), 3117)
    assert canonical_json.dumps(json.loads(page)) == page


@pytest.mark.parametrize(
    "changes",
    [
        {"volume": "证据卷二"},
        {"file_name": "讯问笔录0.pdf "},
        {"media_type": "image/jpeg"},
        {"page_count": 4},
        {"size_bytes": 1},
        {"sha256": bytes(32)},
    ],
)
def test_any_change_to_a_document_changes_the_root(changes: dict[str, object]) -> None:
    changed = [replace(DOCUMENTS[0], **changes), *DOCUMENTS[1:]]  # type: ignore[arg-type]
    assert root_hash(changed) != root_hash(DOCUMENTS)


def test_a_page_or_document_moved_changes_the_root() -> None:
    moved = [replace(DOCUMENTS[0], page_count=2), replace(DOCUMENTS[1], page_count=2), DOCUMENTS[2]]
    swapped = [replace(DOCUMENTS[1], document_index=0), replace(DOCUMENTS[0], document_index=1), DOCUMENTS[2]]
    assert len({root_hash(documents) for documents in (DOCUMENTS, moved, swapped)}) == 3


def test_every_page_and_no_other_can_be_proved() -> None:
    manifest = Manifest(FACTS, DOCUMENTS)
    proved = 0
    for item in DOCUMENTS:
        for page in range(1, item.page_count + 1):
            proof = manifest.page_proof(item.document_index, page)
            verify_page(proof, manifest.root_hash, manifest.leaf_count)
            for wrong in (
                replace(proof, page=page + 1),
                replace(proof, sha256=bytes(32)),
                replace(proof, leaf_index=proof.leaf_index + 1),
                replace(proof, path=proof.path[:-1]),
            ):
                with pytest.raises(MerkleError):
                    verify_page(wrong, manifest.root_hash, manifest.leaf_count)
            proved += 1
    assert proved == manifest.page_count == 9


@pytest.mark.parametrize(("index", "page"), [(-1, 1), (3, 1), (0, 0), (0, 4)])
def test_a_page_that_is_not_in_the_version_has_no_proof(index: int, page: int) -> None:
    with pytest.raises(ManifestError):
        Manifest(FACTS, DOCUMENTS).page_proof(index, page)


def test_a_manifest_read_back_is_the_one_written() -> None:
    made = payload(FACTS, DOCUMENTS)
    manifest = Manifest.from_payload(canonical_json.loads_canonical(canonical_json.dumps(made)))
    assert (manifest.facts, list(manifest.documents)) == (FACTS, DOCUMENTS)
    assert (made["page_count"], made["size_bytes"], made["document_count"]) == (9, 3003, 3)
    assert [volume["page_count"] for volume in made["volumes"]] == [8, 1]  # type: ignore[union-attr, call-overload, index]


@pytest.mark.parametrize(
    "path",
    ["format", "page_count", "document_count", "size_bytes", "root_hash", "volumes", "documents", "version", "case"],
)
def test_a_manifest_that_contradicts_itself_or_lacks_a_field_is_refused(path: str) -> None:
    missing = payload(FACTS, DOCUMENTS)
    del missing[path]
    with pytest.raises(ManifestError):
        Manifest.from_payload(missing)
    if path not in ("version", "case"):
        wrong = {**payload(FACTS, DOCUMENTS), path: payload(FACTS, DOCUMENTS[:2])[path]}
        if path == "format":
            wrong[path] = 2
        with pytest.raises(ManifestError):
            Manifest.from_payload(wrong)


def test_a_document_with_a_malformed_entry_is_refused() -> None:
    for field, value in (("sha256", "00"), ("sha256", "zz"), ("document_index", 5), ("page_count", -1)):
        made = payload(FACTS, DOCUMENTS)
        made["documents"][1][field] = value  # type: ignore[index, call-overload]
        with pytest.raises(ManifestError):
            Manifest.from_payload(made)


def test_a_signed_manifest_verifies_and_an_altered_one_does_not() -> None:
    authority = make_authority()
    signer = make_signing_key(authority)
    envelope = statements.sign(payload(FACTS, DOCUMENTS), PAYLOAD_TYPE, signer)
    text = json.dumps(envelope).encode()
    manifest = Manifest.verify(text, [authority.certificate], at=NOW, signer=SIGNER)
    assert root_hash(DOCUMENTS) == manifest.root_hash
    other = statements.sign(payload(FACTS, DOCUMENTS[:2]), PAYLOAD_TYPE, signer)
    forged = json.dumps({**envelope, "payload": other["payload"]}).encode()
    with pytest.raises(statements.StatementError):
        Manifest.verify(forged, [authority.certificate], at=NOW)
    with pytest.raises(statements.StatementError):
        Manifest.verify(text, [make_authority().certificate], at=NOW)
