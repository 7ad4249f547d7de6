"""Which documents of a version lie in a folder already: whole and right, or begun.

To hash a gigabyte only to find that nothing is missing takes a while, so what was found right and is on stable storage
is noted with the size and the time of change of its file; with another size or time it is hashed again. The note spares
work and proves nothing: `DossierFolder.verify` does not read it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from casemesh.client.dossier_folder import DossierFolder, file_digest
from casemesh.client.durable_files import replace_file
from casemesh.client.manifest import Manifest, ManifestDocument, ManifestError

_HASHERS: Final = 4


class FileState(NamedTuple):
    """What a document's file looked like when it was found right."""

    size_bytes: int
    changed_ns: int


class Missing(NamedTuple):
    """A document that is to be fetched from byte ``offset`` on; what is before lies in its partial file."""

    document: ManifestDocument
    offset: int


def state_of(status: os.stat_result) -> FileState:
    """The state of a file."""
    return FileState(status.st_size, status.st_mtime_ns)


@dataclass
class HeldDocuments:
    """The documents of one version in one folder; ``files`` are those that are whole and right, by index."""

    folder: DossierFolder
    manifest: Manifest
    files: dict[int, FileState] = field(default_factory=dict)
    _durable: dict[int, FileState] = field(default_factory=dict)
    _saving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size_bytes(self) -> int:
        """Bytes of the documents that are whole."""
        return sum(state.size_bytes for state in list(self.files.values()))

    def look(self) -> None:
        """Find what is whole, hashing what is not noted or has changed since. Raises OSError."""
        noted = self._durable = self._noted()
        unsure: list[tuple[ManifestDocument, FileState]] = []
        for document in self.manifest.documents:
            try:
                state = state_of(os.stat(self.folder.document_path(document)))
            except FileNotFoundError:
                continue
            if noted.get(document.document_index) == state:
                self.files[document.document_index] = state
            elif state.size_bytes == document.size_bytes:
                unsure.append((document, state))
        with ThreadPoolExecutor(_HASHERS) as hashers:
            for (document, state), right in zip(
                unsure, hashers.map(self._is_right, (d for d, _ in unsure)), strict=True
            ):
                if right:
                    self.files[document.document_index] = state

    def missing(self) -> list[Missing]:
        """What is to be fetched, by index."""
        begun = dict(self._partial_files())
        return [
            Missing(document, min(begun.get(document.document_index, 0), document.size_bytes))
            for document in self.manifest.documents
            if document.document_index not in self.files
        ]

    def make_durable(self) -> None:
        """Put the documents that are whole on stable storage, and note them. Raises OSError.

        One sync of the system for all of them, instead of one a file.
        """
        with self._saving:
            files = dict(self.files)
            if files == self._durable:
                return
            os.sync()
            lines = [f"{index} {size} {changed}" for index, (size, changed) in files.items()]
            replace_file(self.folder.note_path, "\n".join([self.manifest.root_hash.hex(), *lines]).encode() + b"\n")
            self._durable = files

    def _noted(self) -> dict[int, FileState]:
        """What the note says; one that is damaged, or about another version, says nothing."""
        try:
            root, *lines = self.folder.note_path.read_text(encoding="ascii").splitlines()
            if root != self.manifest.root_hash.hex():
                return {}
            rows = (map(int, line.split()) for line in lines)
            return {index: FileState(size, changed) for index, size, changed in rows}
        except (OSError, ValueError):
            return {}

    def _is_right(self, document: ManifestDocument) -> bool:
        try:
            return file_digest(self.folder.document_path(document), document.document_index) == document.sha256
        except ManifestError:
            return False

    def _partial_files(self) -> Iterator[tuple[int, int]]:
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder.partial_folder) as entries:
            for entry in entries:
                if entry.name.isdecimal() and entry.name.isascii():
                    yield int(entry.name), entry.stat().st_size
