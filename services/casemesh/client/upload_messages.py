"""Reads documents into the messages of an upload: bytes are read, hashed and framed in one pass.

A file whose bytes were sent before, under this upload, is not sent again: it is put aside, to be added by reference.
Such files are found among those of equal size alone, so that others cost nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from casemesh.client.upload_frames import MESSAGE_BYTES, MessageBuffer
from casemesh.core import merkle
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb

# Files up to here are hashed in the message itself, before it is known whether they stay in it.
_SMALL_FILE_BYTES: Final = 64 << 10
_HASHERS: Final = 4


class LocalFileChanged(Exception):
    """A file is not what it was when the upload began; nothing of it counts as sent."""


@dataclass(frozen=True, slots=True)
class LocalDocument:
    """A file to send. Its place in the sequence of documents is its index in the dossier."""

    path: Path
    volume: str
    file_name: str
    media_type: str
    page_count: int


@dataclass
class Source:
    """The files of an upload with what is known of them, shared by its streams and attempts.

    ``digests`` are those this side computed. ``first_with`` says which document sent each content first, within an
    attempt; ``repeated`` are documents put aside because another has their content.
    """

    documents: Sequence[LocalDocument]
    digests: dict[int, bytes] = field(default_factory=dict)
    first_with: dict[bytes, int] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    sizes: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Raises OSError for a file that is not there."""
        self.sizes = [os.stat(document.path).st_size for document in self.documents]
        self._shared_sizes = {size for size, count in Counter(self.sizes).items() if count > 1 and size > 0}

    def begin_attempt(self, held: Mapping[int, dossier_pb2.Document]) -> None:
        """Forget what an earlier attempt sent, which may not have arrived; what the service holds is known."""
        self.repeated.clear()
        self.first_with = {item.sha256: index for index, item in held.items() if item.sha256}

    @property
    def size_bytes(self) -> int:
        return sum(self.sizes)

    def may_repeat(self, index: int) -> bool:
        """Whether another file may have the content of this one."""
        return self.sizes[index] in self._shared_sizes

    def header(self, index: int, offset_bytes: int = 0) -> pb.DocumentHeader:
        """The document as it is announced."""
        document = self.documents[index]
        return pb.DocumentHeader(
            document_index=index, volume=document.volume, file_name=document.file_name,
            media_type=document.media_type, page_count=document.page_count, size_bytes=self.sizes[index],
            offset_bytes=offset_bytes,
        )  # fmt: skip

    def digest(self, index: int) -> bytes:
        """The SHA-256 of a file, computed once. Raises LocalFileChanged, OSError."""
        if index not in self.digests:
            digest = hashlib.sha256()
            with open(self.documents[index].path, "rb", buffering=0) as file:
                _hash(file, digest, self.sizes[index], self.documents[index].path)
            self.digests[index] = digest.digest()
        return self.digests[index]

    def hash_files(self, indexes: Iterable[int]) -> None:
        """Compute the digests of files side by side, for a gigabyte takes one thread a second. Raises as `digest`."""
        with ThreadPoolExecutor(_HASHERS) as hashers:
            for _ in hashers.map(self.digest, indexes):
                pass

    def require_same(self, index: int, sha256: bytes) -> None:
        """Return if the file is what the service holds. Raises LocalFileChanged, OSError."""
        if self.digest(index) != sha256:
            raise LocalFileChanged(f"{self.documents[index].path} is not what was sent of it before")

    def upload_finish(self) -> pb.UploadDocumentsRequest:
        """The finish that names the whole; every digest must be known."""
        digests = (self.digests[index] for index in range(len(self.documents)))
        finish = pb.UploadFinish(
            document_count=len(self.documents),
            size_bytes=self.size_bytes,
            tree_hash=merkle.root_of(merkle.leaf_hash(digest) for digest in digests),
        )
        return pb.UploadDocumentsRequest(frames=[pb.UploadFrame(upload_finish=finish)])


class DocumentMessages:
    """Builds the messages of one stream. For one thread."""

    def __init__(self, source: Source, indexes: Iterable[int], held: Mapping[int, dossier_pb2.Document]) -> None:
        self._source = source
        self._indexes = indexes
        self._held = held
        self._buffer = MessageBuffer()

    def build(self) -> Iterator[tuple[bytes, int]]:
        """Encoded messages with the number of document bytes in each. Raises LocalFileChanged, OSError."""
        for index in self._indexes:
            known = self._held.get(index)
            if known is not None and known.sha256:
                self._source.require_same(index, known.sha256)
            else:
                yield from self._document(index, known.committed_bytes if known is not None else 0)
        message, size = self._buffer.take()
        if message:
            yield message, size

    def _document(self, index: int, offset: int) -> Iterator[tuple[bytes, int]]:
        size, path, buffer = self._source.sizes[index], self._source.documents[index].path, self._buffer
        may_repeat = offset == 0 and self._source.may_repeat(index)
        if may_repeat and size > _SMALL_FILE_BYTES and self._put_aside(index, self._source.digest(index)):
            return
        if may_repeat and buffer.room < size <= _SMALL_FILE_BYTES:
            # In one chunk, so that it can still be taken out.
            yield buffer.take()
        mark, digest = buffer.mark(), hashlib.sha256()
        buffer.add(pb.UploadFrame(header=self._source.header(index, offset)))
        with open(path, "rb", buffering=0) as file:
            _hash(file, digest, offset, path)
            while offset < size:
                chunk = buffer.add_chunk(index, offset, min(size - offset, buffer.room))
                _fill(chunk, file, path)
                digest.update(chunk)
                offset += len(chunk)
                if buffer.full and not (may_repeat and offset == size):
                    yield buffer.take()
            if os.fstat(file.fileno()).st_size != size:
                raise LocalFileChanged(f"{path} has become longer")
        self._source.digests[index] = digest.digest()
        if may_repeat and size <= _SMALL_FILE_BYTES and self._put_aside(index, digest.digest()):
            buffer.back_to(mark)
            return
        finish = pb.DocumentFinish(document_index=index, size_bytes=size, sha256=digest.digest())
        buffer.add(pb.UploadFrame(document_finish=finish))
        if buffer.full:
            yield buffer.take()

    def _put_aside(self, index: int, digest: bytes) -> bool:
        if self._source.first_with.setdefault(digest, index) == index:
            return False
        self._source.repeated.add(index)
        return True


def _fill(chunk: memoryview, file: BinaryIO, path: Path) -> None:
    filled = 0
    while filled < len(chunk):
        read = file.readinto(chunk[filled:])  # type: ignore[attr-defined]
        if not read:
            raise LocalFileChanged(f"{path} has become shorter")
        filled += read


def _hash(file: BinaryIO, digest: hashlib._Hash, length: int, path: Path) -> None:
    buffer = memoryview(bytearray(min(length, MESSAGE_BYTES)))
    while length:
        part = buffer[:length]
        _fill(part, file, path)
        digest.update(part)
        length -= len(part)
