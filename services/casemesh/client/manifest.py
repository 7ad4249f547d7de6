"""The manifest of a dossier version: what it holds, and one root that stands for every page of it.

The root is the RFC 6962 tree hash over these leaves, for each document in the order of its index: one leaf for the
document, then one for each of its pages from 1. Each leaf is the canonical JSON of an object:

    document  {"document_index", "file_name", "media_type", "page_count", "sha256", "size_bytes", "volume"}
    page      {"page", "sha256"}

with digests in lowercase hexadecimal. A page is the pair of its document's digest and its number; nothing is claimed
about how it renders. Sender and service compute the root independently; the service signs the manifest with the
dossier's document-signing key, so that a recipient can prove any page later with public keys alone.

Format 2 adds the version's place among the dossier's versions (see `version_lineage`); format 1 is read for ever.

Source: RFC 9162 section 2.1 (tree), RFC 8785 (canonical JSON), DSSE v1.0 (signature, see `statements`).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from casemesh.client import statements
from casemesh.client.canonical_json import Json
from casemesh.client.version_lineage import Lineage, changes_between, lineage_fields, parse_lineage
from casemesh.core import merkle

PAYLOAD_TYPE: Final = "application/vnd.casemesh.dossier-manifest+json"
MANIFEST_SIGNER = "spiffe://mesh.casemesh/signing/dossier"
"""Whose signature a manifest bears: the dossier service's, and that of no other signer under the same roots."""
_FORMAT_WITHOUT_LINEAGE: Final = 1
_FORMAT: Final = 2


class ManifestError(ValueError):
    """The manifest contradicts itself, or bytes contradict the manifest."""


@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """One document of a version. ``sha256`` is 32 bytes; sizes in bytes."""

    document_index: int
    volume: str
    file_name: str
    media_type: str
    page_count: int
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What a manifest states of its version besides the documents. ``finalize_time`` is RFC 3339 in UTC."""

    version: str
    dossier: str
    case: str
    agency: str
    finalize_time: str


@dataclass(frozen=True, slots=True)
class PageProof:
    """That one page is part of a version: the page, the index of its leaf and the audit path."""

    sha256: bytes
    page: int
    leaf_index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LeafProof:
    """The place of a leaf in the version's tree and its audit path."""

    leaf_index: int
    path: tuple[bytes, ...]


def leaf_hashes(documents: Iterable[ManifestDocument]) -> Iterator[bytes]:
    """The leaves of the version's tree in order."""
    for document in documents:
        digest = document.sha256.hex()
        yield merkle.leaf_hash(document_leaf(document))
        for page in range(1, document.page_count + 1):
            yield merkle.leaf_hash(page_leaf(digest, page))


def root_hash(documents: Iterable[ManifestDocument]) -> bytes:
    """The version's root, 32 bytes. ``documents`` must come in the order of their indexes."""
    return merkle.root_of(leaf_hashes(documents))


def payload(
    facts: VersionFacts, documents: Sequence[ManifestDocument], lineage: Lineage | None = None
) -> dict[str, Json]:
    """The manifest of these documents, ready to be signed. Without ``lineage`` it is one of format 1."""
    return {
        "format": _FORMAT_WITHOUT_LINEAGE if lineage is None else _FORMAT,
        "version": facts.version,
        "dossier": facts.dossier,
        "case": facts.case,
        "agency": facts.agency,
        "finalize_time": facts.finalize_time,
        "document_count": len(documents),
        "page_count": sum(document.page_count for document in documents),
        "size_bytes": sum(document.size_bytes for document in documents),
        "root_hash": root_hash(documents).hex(),
        "volumes": _volumes(documents),
        "documents": [document_fields(document) for document in documents],
        **({} if lineage is None else lineage_fields(lineage)),
    }


class Manifest:
    """A manifest that agrees with itself: its counts, its sizes and its root are those of its documents.

    ``lineage`` is None for format 1. What it says of the parent's documents is the signer's word until
    `verify_changes` was given the parent.
    """

    def __init__(
        self, facts: VersionFacts, documents: Sequence[ManifestDocument], lineage: Lineage | None = None
    ) -> None:
        self.facts = facts
        self.documents = tuple(documents)
        self.lineage = lineage
        self._tree = merkle.Tree(leaf_hashes(documents))
        self._first_leaf: list[int] = []
        leaf = 0
        for document in documents:
            self._first_leaf.append(leaf)
            leaf += 1 + document.page_count

    @property
    def root_hash(self) -> bytes:
        return self._tree.root()

    @property
    def leaf_count(self) -> int:
        """How many leaves the tree has: one a document and one a page."""
        return self._tree.size

    @property
    def page_count(self) -> int:
        return sum(document.page_count for document in self.documents)

    @property
    def size_bytes(self) -> int:
        return sum(document.size_bytes for document in self.documents)

    @classmethod
    def from_payload(cls, value: Json) -> Manifest:
        """Raises ManifestError where a field is missing or malformed, or a stated figure is not the computed one."""
        try:
            manifest = cls(*_parse(value))
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestError(f"the manifest is malformed: {error}") from error
        if value != payload(manifest.facts, manifest.documents, manifest.lineage):
            raise ManifestError("the manifest's figures are not those of its documents")
        return manifest

    @classmethod
    def verify(
        cls,
        envelope: bytes,
        trusted_roots: Sequence[x509.Certificate],
        *,
        at: dt.datetime | None = None,
        signer: str | None = None,
    ) -> Manifest:
        """The manifest in a signed envelope. See `statements.verify` for ``at`` and ``signer``.

        Without ``at`` the manifest's own time is taken, which is only the signer's word. Raises StatementError where
        the signature does not hold, ManifestError where the content does not.
        """
        if at is None:
            at = stated_time(envelope)
        statement = statements.verify(envelope, trusted_roots, PAYLOAD_TYPE, at=at, signer=signer)
        return cls.from_payload(statement.payload)

    def verify_changes(self, parent: Manifest) -> None:
        """Return only if this version names ``parent`` and differs from it as it says. Raises ManifestError."""
        named = self.lineage.parent if self.lineage is not None else None
        if named is None or (named.version, named.root_hash) != (parent.facts.version, parent.root_hash):
            raise ManifestError("the version does not name this one as its parent")
        assert self.lineage is not None
        if changes_between(parent.documents, self.documents) != self.lineage.changes:
            raise ManifestError("the version differs from its parent in other documents than it says")

    def document_at(self, page: int) -> tuple[int, int]:
        """The document with the dossier's ``page``-th page, from 1, and the page's number in it.

        Raises ManifestError.
        """
        left = page
        for document in self.documents:
            if 1 <= left <= document.page_count:
                return document.document_index, left
            left -= document.page_count
        raise ManifestError(f"the version has {self.page_count} pages, and no page {page}")

    def document_proof(self, document_index: int) -> LeafProof:
        """The proof that a document stands in this version with all that its leaf says. Raises ManifestError."""
        self._require_document(document_index)
        leaf = self._first_leaf[document_index]
        return LeafProof(leaf, tuple(self._tree.inclusion_proof(leaf)))

    def page_proof(self, document_index: int, page: int) -> PageProof:
        """The proof that ``page``, from 1, of a document is part of this version. Raises ManifestError."""
        self._require_document(document_index)
        document = self.documents[document_index]
        if not 1 <= page <= document.page_count:
            raise ManifestError(f"document {document_index} has no page {page}")
        leaf = self._first_leaf[document_index] + page
        return PageProof(document.sha256, page, leaf, tuple(self._tree.inclusion_proof(leaf)))

    def _require_document(self, document_index: int) -> None:
        if not 0 <= document_index < len(self.documents):
            raise ManifestError(f"the version has no document {document_index}")


def verify_page(proof: PageProof, root: bytes, leaf_count: int) -> None:
    """Return only if the page is part of the version with ``root`` over ``leaf_count`` leaves.

    Both must come from a verified manifest: its root, and its documents and pages together. Raises MerkleError.
    """
    leaf = merkle.leaf_hash(page_leaf(proof.sha256.hex(), proof.page))
    merkle.verify_inclusion(proof.leaf_index, leaf_count, leaf, proof.path, root)


def page_leaf(digest: str, page: int) -> bytes:
    """The page's leaf. Spelled out since a dossier has thousands: canonical for a hexadecimal digest."""
    return f'{{"page":{page},"sha256":"{digest}"}}'.encode()


def document_leaf(document: ManifestDocument) -> bytes:
    """The document's leaf."""
    # Keys are ASCII and values strings or small integers; for these, sorted keys and minimal separators are the
    # canonical form, and the C encoder is many times faster. A test holds it against the real canonicaliser.
    return json.dumps(document_fields(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def document_fields(document: ManifestDocument) -> dict[str, Json]:
    """A document as manifests and proofs spell it."""
    return {
        "document_index": document.document_index,
        "file_name": document.file_name,
        "media_type": document.media_type,
        "page_count": document.page_count,
        "sha256": document.sha256.hex(),
        "size_bytes": document.size_bytes,
        "volume": document.volume,
    }


def document_of(item: Any) -> ManifestDocument:
    """The document in its fields. Raises KeyError, TypeError, ValueError."""
    return ManifestDocument(
        int(item["document_index"]),
        str(item["volume"]),
        str(item["file_name"]),
        str(item["media_type"]),
        int(item["page_count"]),
        int(item["size_bytes"]),
        bytes.fromhex(item["sha256"]),
    )


def stamp(at: dt.datetime) -> str:
    """An instant as statements spell it: RFC 3339 in UTC with microseconds."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stated_time(envelope: bytes | Mapping[str, Any], field: str = "finalize_time") -> dt.datetime:
    """The instant that a statement states of itself, before anything of it was verified. Raises ManifestError."""
    try:
        fields = statements.parse_envelope(envelope) if isinstance(envelope, bytes) else envelope
        payload_bytes = base64.b64decode(fields["payload"], validate=True)
        stated = dt.datetime.fromisoformat(json.loads(payload_bytes)[field])
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError("the statement states no time") from error
    if stated.tzinfo is None:
        raise ManifestError("the statement's time has no zone")
    return stated


def _volumes(documents: Sequence[ManifestDocument]) -> list[Json]:
    volumes: dict[str, list[ManifestDocument]] = {}
    for document in documents:
        volumes.setdefault(document.volume, []).append(document)
    return [
        {
            "name": name,
            "document_count": len(members),
            "page_count": sum(document.page_count for document in members),
            "size_bytes": sum(document.size_bytes for document in members),
        }
        for name, members in volumes.items()
    ]


def _parse(value: Any) -> tuple[VersionFacts, list[ManifestDocument], Lineage | None]:
    if value["format"] not in (_FORMAT_WITHOUT_LINEAGE, _FORMAT):
        raise ManifestError(f"manifest format {value['format']} is not known to this release")
    facts = VersionFacts(*(str(value[field]) for field in VersionFacts.__slots__))
    documents = [document_of(item) for item in value["documents"]]
    for index, document in enumerate(documents):
        if document.document_index != index or document.page_count < 0 or len(document.sha256) != merkle.HASH_SIZE:
            raise ManifestError(f"document {index} is malformed")
    return facts, documents, None if value["format"] == _FORMAT_WITHOUT_LINEAGE else parse_lineage(value)
