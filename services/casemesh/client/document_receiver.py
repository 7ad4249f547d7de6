"""Writes the documents of one download stream into the folder and hashes them on the way.

A document is written to `partial/<index>`, and moved to its name when its digest is the manifest's. One that arrives
in a single chunk is hashed first and gets its name at once: to move thousands of files costs as much as their bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from casemesh.client.dossier_folder import DossierFolder
from casemesh.client.download_frames import Frame
from casemesh.client.held_documents import FileState, Missing, state_of
from casemesh.client.manifest import ManifestDocument, ManifestError
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import DataLoss, Unavailable

_READ_BYTES = 1 << 20


class DocumentReceiver:
    """Takes the frames of a stream that was asked for ``wanted``, in that order, and nothing else. For one thread.

    ``keep`` is told of each document that is whole and right; it is not on stable storage yet.
    """

    def __init__(
        self, folder: DossierFolder, wanted: Sequence[Missing], keep: Callable[[ManifestDocument, FileState], None]
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._keep = keep
        self._next = 0
        self._document: ManifestDocument | None = None
        self._file = -1
        self._digest = hashlib.sha256()
        self._offset = 0
        self._resumed = False
        self._volumes: set[str] = set()
        self.received_bytes = 0
        self.finished = False

    def take(self, frames: Sequence[Frame]) -> None:
        """Write frames. Raises DataLoss, Unavailable where only what was kept from before is wrong, ManifestError,
        OSError."""
        for frame in frames:
            if isinstance(frame, memoryview):
                self._write(frame)
            elif isinstance(frame, pb.DownloadHeader):
                self._begin(frame)
            else:
                self.finished = self._document is None and self._next == len(self._wanted)

    def close(self) -> None:
        """Let go of the file under way; what was written of it stays, to be gone on with."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _begin(self, header: pb.DownloadHeader) -> None:
        wanted = self._wanted[self._next] if self._next < len(self._wanted) else None
        if self._document is not None or wanted is None or (
            header.document_index, header.offset_bytes, header.size_bytes
        ) != (wanted.document.document_index, wanted.offset, wanted.document.size_bytes):  # fmt: skip
            raise ManifestError("the service sends another document than it was asked for")
        self._next += 1
        self._document, self._offset, self._resumed = wanted.document, wanted.offset, wanted.offset > 0
        self._digest = hashlib.sha256()
        if self._resumed or not wanted.document.size_bytes:
            self._open_partial(wanted.document)
            self._end_if_whole()

    def _open_partial(self, document: ManifestDocument) -> None:
        anew = 0 if self._resumed else os.O_TRUNC
        partial = self._folder.partial_path(document)
        self._file = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | anew, 0o666)
        if self._resumed:
            self._hash_what_is_there()

    def _hash_what_is_there(self) -> None:
        os.ftruncate(self._file, self._offset)
        position = 0
        while position < self._offset:
            data = os.pread(self._file, _READ_BYTES, position)
            if not data:
                self._start_anew()
            self._digest.update(data)
            position += len(data)
        os.lseek(self._file, self._offset, os.SEEK_SET)

    def _write(self, data: memoryview) -> None:
        document = self._document
        if document is None or self._offset + len(data) > document.size_bytes:
            raise ManifestError("the service sends more than it was asked for")
        self._digest.update(data)
        self._offset += len(data)
        self.received_bytes += len(data)
        if len(data) == document.size_bytes and self._put_in_place(document, data):
            return
        if self._file < 0:
            self._open_partial(document)
        _write_all(self._file, data)
        self._end_if_whole()

    def _put_in_place(self, document: ManifestDocument, data: memoryview) -> bool:
        """Give a document that is here whole and right its name at once, unless something has that name."""
        if self._digest.digest() != document.sha256:
            return False
        try:
            self._file = os.open(self._place(document), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            return False
        _write_all(self._file, data)
        state = state_of(os.fstat(self._file))
        self.close()
        self._document = None
        self._keep(document, state)
        return True

    def _end_if_whole(self) -> None:
        document = self._document
        assert document is not None
        if self._offset < document.size_bytes:
            return
        if self._digest.digest() != document.sha256:
            self._start_anew()
        state = state_of(os.fstat(self._file))
        self.close()
        os.replace(self._folder.partial_path(document), self._place(document))
        self._document = None
        self._keep(document, state)

    def _place(self, document: ManifestDocument) -> Path:
        path = self._folder.document_path(document)
        if document.volume not in self._volumes:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._volumes.add(document.volume)
        return path

    def _start_anew(self) -> NoReturn:
        assert self._document is not None
        index = self._document.document_index
        self.close()
        self._folder.partial_path(self._document).unlink(missing_ok=True)
        if self._resumed:
            # What was kept from an earlier run may be what is damaged: a machine that lost power.
            raise Unavailable("UNKNOWN", f"what was kept of document {index} is damaged; it is fetched anew")
        raise DataLoss(
            "CONTENT_CORRUPT", f"document {index} arrived with another digest", {"document_index": index}
        )  # fmt: skip


def _write_all(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]
