"""A proof of one page as a file: a few kilobytes that anyone verifies offline with the signing root alone (页面证明).

    {"format": 1, "root_statement": envelope, "document": {the document's leaf}, "document_path": [hex, ...],
     "document_leaf_index", "page", "page_path": [hex, ...]}

It shows that the version finalised with the signed root holds the document, by name, digest and number of pages, and
that this is one of its pages. It says nothing about how the page renders; who holds the document compares its digest.

Source: RFC 9162 section 2.1.3 (inclusion), see `manifest` and `root_statement`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from casemesh.client import root_statement
from casemesh.client.canonical_json import loads
from casemesh.client.manifest import (
    Manifest,
    ManifestDocument,
    ManifestError,
    PageProof,
    document_fields,
    document_leaf,
    document_of,
    verify_page,
)
from casemesh.client.root_statement import RootStatement
from casemesh.core import merkle

MAX_PROOF_BYTES: Final = 1 << 20
_FORMAT: Final = 1
_FIELDS: Final = {"format", "root_statement", "document", "document_path", "document_leaf_index", "page", "page_path"}


@dataclass(frozen=True, slots=True)
class ProvedPage:
    """A page that was verified: of which document of which version."""

    version: RootStatement
    document: ManifestDocument
    page: int


def prove_page(manifest: Manifest, root: bytes, document_index: int, page: int) -> bytes:
    """The proof of a page, from 1, of a document, as JSON. ``root`` is the signed root statement of the version.

    Raises ManifestError.
    """
    document = manifest.document_proof(document_index)
    proof = manifest.page_proof(document_index, page)
    value = {
        "format": _FORMAT,
        "root_statement": json.loads(root),
        "document": document_fields(manifest.documents[document_index]),
        "document_leaf_index": document.leaf_index,
        "document_path": [item.hex() for item in document.path],
        "page": page,
        "page_path": [item.hex() for item in proof.path],
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def verify_proof(
    data: bytes, trusted_roots: Sequence[x509.Certificate], *, at: dt.datetime | None = None
) -> ProvedPage:  # fmt: skip
    """The page that a proof proves. Needs no connection.

    For ``at`` see `root_statement.verify`. Raises ManifestError, StatementError, MerkleError.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise ManifestError(f"a proof has at most {MAX_PROOF_BYTES} bytes")
    try:
        value: Any = loads(data)
        if set(value) != _FIELDS or value["format"] != _FORMAT:
            raise ManifestError("the proof is of a form that is not known to this release")
        document, page, leaf = document_of(value["document"]), int(value["page"]), int(value["document_leaf_index"])
        document_path, page_path = (
            tuple(bytes.fromhex(item) for item in value[field]) for field in ("document_path", "page_path")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"the proof is malformed: {error}") from error
    stated = root_statement.verify(value["root_statement"], trusted_roots, at=at)
    merkle.verify_inclusion(
        leaf, stated.leaf_count, merkle.leaf_hash(document_leaf(document)), document_path, stated.root_hash
    )
    verify_page(PageProof(document.sha256, page, leaf + page, page_path), stated.root_hash, stated.leaf_count)
    return ProvedPage(stated, document, page)
