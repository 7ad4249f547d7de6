"""Reads packs: the records of an extent for serving, and the tail after a crash for adopting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from casemesh.dossier.packs.format import (
    BLOCK_BYTES,
    MAX_CHUNK_BYTES,
    PACK_HEADER_BYTES,
    RECORD_HEADER_BYTES,
    Kind,
    PackDamaged,
    PackHeader,
    RecordHeader,
)
from casemesh.dossier.packs.slabs import Slab, open_direct, read_at
from casemesh.dossier.packs.suites import TagMismatch, suite_by_id
from casemesh.dossier.packs.writer import pack_path

# A record and the blocks it begins and ends in always fit.
_WINDOW_BYTES: Final = MAX_CHUNK_BYTES + (1 << 20)


class Extent(NamedTuple):
    """A run of a blob's DATA records in one pack with nothing between them.

    ``position`` and ``stored_length`` are bytes of the pack; ``offset`` and ``length`` plaintext bytes of the blob;
    ``number`` is the first record's number in the pack, ``chunk_index`` its index in the blob.
    """

    pack_id: bytes
    position: int
    stored_length: int
    number: int
    chunk_index: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Found:
    """A record that opened: its header, its byte position in the pack and its plaintext."""

    header: RecordHeader
    position: int
    plain: bytes


@dataclass(frozen=True, slots=True)
class Tail:
    """What a scan accepted: records up to byte ``end``, the pack's first ``records`` records.

    ``stopped`` says why the scan ended before the file did, or is None where it accepted everything.
    """

    found: tuple[Found, ...]
    end: int
    records: int
    stopped: str | None


class PackReader:
    """One pack, open for reading by one thread; close it or use it as a context manager.

    Guarantees that what it returns is what was sealed under this pack's key at that very place, or raises
    PackDamaged and returns nothing of that record.
    """

    def __init__(self, root: Path, case_id: bytes, pack_id: bytes, case_key: bytes) -> None:
        self.pack_id = pack_id
        self._name = pack_id.hex()
        try:
            self._descriptor = open_direct(pack_path(root, case_id, pack_id), os.O_RDONLY)
        except FileNotFoundError:
            raise PackDamaged(self._name, 0, "the file is missing") from None
        try:
            header = PackHeader.decode(
                bytes(_Window(self._descriptor, PACK_HEADER_BYTES).read(0, PACK_HEADER_BYTES)), self._name
            )
            suite = suite_by_id(header.suite_id)
            if (header.case_id, header.pack_id) != (case_id, pack_id) or suite is None:
                raise PackDamaged(self._name, 0, "the header names another pack, case or suite")
            self._cipher = suite.cipher(case_key, header.salt, pack_id)
            self._window = _Window(self._descriptor, os.fstat(self._descriptor).st_size)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> PackReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def sync(self) -> None:
        """Make durable what the file holds, whoever wrote it. Raises OSError."""
        os.fdatasync(self._descriptor)

    def read_extent(self, blob_id: bytes, extent: Extent, start: int = 0) -> Iterator[Found]:
        """The extent's records in order, from the one that holds blob offset ``start`` on.

        Records before ``start`` are stepped over by their headers, which are then not authenticated; they only say
        where the next record begins, and the record that is returned must open under its own number and offset.
        """
        position, number, index, offset = extent.position, extent.number, extent.chunk_index, extent.offset
        end = extent.position + extent.stored_length
        window = self._window
        while position < end:
            header = self._header(window, position)
            right_place = (Kind.DATA, number, blob_id, index, offset)
            if (header.kind, header.number, header.blob_id, header.index, header.offset) != right_place:
                raise PackDamaged(self._name, position, "the record belongs elsewhere")
            if offset + header.length > start:
                yield Found(header, position, self._open(window, position, header))
            position, number, index, offset = (
                position + header.stored_length, number + 1, index + 1, offset + header.length,
            )  # fmt: skip
        if position != end or offset != extent.offset + extent.length:
            raise PackDamaged(self._name, position, "the extent ends elsewhere than its row says")

    def adopt(self, position: int, records: int) -> Tail:
        """The longest run of sound records that begins at ``position``, where ``records`` come before it.

        Reads to the end of the file; a record that is torn, altered or out of turn ends the run. PAD records count but
        are not among those found; payloads of DATA records are not kept.
        """
        found: list[Found] = []
        size = os.fstat(self._descriptor).st_size
        window = _Window(self._descriptor, size)
        stopped: str | None = None
        while position < size:
            try:
                header = self._header(window, position)
                if header.number != records:
                    raise PackDamaged(self._name, position, "the record is out of turn")
                plain = self._open(window, position, header)
            except PackDamaged as damage:
                stopped = damage.why
                break
            if header.kind != Kind.PAD:
                found.append(Found(header, position, b"" if header.kind == Kind.DATA else plain))
            position += header.stored_length
            records += 1
        return Tail(tuple(found), position, records, stopped)

    def _header(self, window: _Window, position: int) -> RecordHeader:
        data = window.read(position, RECORD_HEADER_BYTES)
        header = RecordHeader.decode(data) if len(data) == RECORD_HEADER_BYTES else None
        if header is None:
            raise PackDamaged(self._name, position, "no record begins here")
        return header

    def _open(self, window: _Window, position: int, header: RecordHeader) -> bytes:
        data = window.read(position, header.stored_length)
        if len(data) != header.stored_length:
            raise PackDamaged(self._name, position, "the record is cut off")
        try:
            return self._cipher.open(header.number, data[RECORD_HEADER_BYTES:], data[:RECORD_HEADER_BYTES])
        except TagMismatch:
            raise PackDamaged(self._name, position, "the record does not match its tag") from None


class _Window:
    """Reads ahead in large aligned steps, never beyond ``end``. What it returned is gone with the next read."""

    def __init__(self, descriptor: int, end: int) -> None:
        self._descriptor = descriptor
        self._end = end
        self._slab = Slab(min(_WINDOW_BYTES, end + BLOCK_BYTES & -BLOCK_BYTES))

    def read(self, position: int, length: int) -> memoryview:
        """Bytes at ``position``; fewer than ``length`` only where the file or the end comes first."""
        slab = self._slab
        length = max(0, min(length, self._end - position))
        if position < slab.base or position + length > slab.base + slab.filled:
            start = position & -BLOCK_BYTES
            wanted = min(len(slab.view), (self._end - start) + BLOCK_BYTES - 1 & -BLOCK_BYTES)
            read_at(self._descriptor, slab, start, wanted)
        at = position - slab.base
        return slab.view[at : min(at + length, slab.filled)]
