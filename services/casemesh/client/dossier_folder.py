"""A downloaded dossier as a folder, and its verification with public keys alone.

    manifest.json          the signed manifest, as the service gave it out
    root.json              the signed statement of its root, for proofs of single pages
    documents/<volume>/    the documents, named as their senders named them
    partial/<index>        a document that has not arrived whole
    found.txt              what a download has found right, so that another need not hash it again

Names come from other organs. A manifest with a name that would leave the folder is refused before anything is written.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from casemesh.client.document_names import check_name, name_key
from casemesh.client.manifest import Manifest, ManifestDocument, ManifestError, verify_page
from casemesh.errors import InvalidArgument

_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class VerifiedDossier:
    """What was verified: every document's digest, and of every page that it is under the signed root."""

    manifest: Manifest
    document_count: int
    page_count: int
    size_bytes: int


class DossierFolder:
    """One dossier version on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def manifest_path(self) -> Path:
        return self.root / "manifest.json"

    @property
    def root_statement_path(self) -> Path:
        return self.root / "root.json"

    @property
    def note_path(self) -> Path:
        return self.root / "found.txt"

    @property
    def partial_folder(self) -> Path:
        return self.root / "partial"

    def document_path(self, document: ManifestDocument) -> Path:
        """Where a document lies. Raises ManifestError for names that do not make one file below `documents`."""
        try:
            check_name("volume", document.volume, document.document_index)
            check_name("file_name", document.file_name, document.document_index)
        except InvalidArgument as error:
            raise ManifestError(f"the manifest has an unsafe name: {error.message}") from error
        return self.root.joinpath("documents", document.volume, document.file_name)

    def partial_path(self, document: ManifestDocument) -> Path:
        """Where a document lies while it is not whole."""
        return self.partial_folder / str(document.document_index)

    def check_names(self, manifest: Manifest) -> None:
        """Return if every document has a place of its own. Raises ManifestError."""
        places = set()
        for document in manifest.documents:
            self.document_path(document)
            places.add(name_key(document.volume, document.file_name))
        if len(places) != len(manifest.documents):
            raise ManifestError("the manifest gives two documents of one volume the same name")

    def verify(
        self,
        trusted_roots: Sequence[x509.Certificate],
        *,
        at: dt.datetime | None = None,
        signer: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> VerifiedDossier:
        """Return only if signature, root, every document and every page hold. Needs no connection.

        ``at`` is the instant the signing certificate must have been valid at; without it the manifest's own time, which
        is the signer's word. ``progress`` is told bytes read so far. Raises StatementError, ManifestError (also for a
        missing or altered file, naming its index), MerkleError.
        """
        manifest = Manifest.verify(self.manifest_path.read_bytes(), trusted_roots, at=at, signer=signer)
        self.check_names(manifest)
        done = 0
        for document in manifest.documents:
            if file_digest(self.document_path(document), document.document_index) != document.sha256:
                raise ManifestError(f"document {document.document_index} is not the one in the manifest")
            done += document.size_bytes
            if progress is not None:
                progress(done)
        return verified_pages(manifest)


def verified_pages(manifest: Manifest) -> VerifiedDossier:
    """Return only if every page of a verified manifest is under its root; its documents must have been verified.

    Raises MerkleError.
    """
    root, leaves, pages = manifest.root_hash, manifest.leaf_count, 0
    for document in manifest.documents:
        for page in range(1, document.page_count + 1):
            verify_page(manifest.page_proof(document.document_index, page), root, leaves)
            pages += 1
    return VerifiedDossier(manifest, len(manifest.documents), pages, manifest.size_bytes)


def file_digest(path: Path, index: int) -> bytes:
    """The SHA-256 of a document's file. Raises ManifestError when it cannot be read."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_READ_BYTES))
    try:
        with open(path, "rb", buffering=0) as file:
            while read := file.readinto(buffer):
                digest.update(buffer[:read])
    except OSError as error:
        raise ManifestError(f"document {index} cannot be read: {error.strerror}") from error
    return digest.digest()
