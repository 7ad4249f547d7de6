"""Reads packs: the records of an extent for serving, and the tail after a crash for adopting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeVar

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
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSource, PackStore
from casemesh.dossier.packs.suites import TagMismatch, suite_by_id

# A record and the blocks it begins and ends in always fit.
_WINDOW_BYTES: Final = MAX_CHUNK_BYTES + (1 << 20)

_T = TypeVar("_T")


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
    PackDamaged and returns nothing of that record. Where the store may have other bytes, it tries those before.
    """

    def __init__(self, source: PackSource, key: PackKey, case_key: bytes) -> None:
        self.pack_id = key.pack_id
        self._name = key.pack_id.hex()
        self._source = source
        try:
            self._window = _Window(source)
            header = _twice(self._window, partial(self._pack_header, key))
            suite = suite_by_id(header.suite_id)
            if suite is None:
                raise PackDamaged(self._name, 0, "the header names a suite not known to this build")
            self._cipher = suite.cipher(case_key, header.salt, key.pack_id)
        except BaseException:
            source.close()
            raise

    @classmethod
    def open(cls, packs: PackStore, key: PackKey, case_key: bytes) -> PackReader:
        """A pack of a store. Raises PackDamaged, also where it is missing, and OSError."""
        try:
            source = packs.open(key)
        except FileNotFoundError:
            raise PackDamaged(key.pack_id.hex(), 0, "the pack is missing") from None
        return cls(source, key, case_key)

    def __enter__(self) -> PackReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()

    def sync(self) -> None:
        """Make durable what the pack holds, whoever wrote it. Raises OSError."""
        self._source.sync()

    def read_extent(self, blob_id: bytes, extent: Extent, start: int = 0) -> Iterator[Found]:
        """The extent's records in order, from the one that holds blob offset ``start`` on.

        Records before ``start`` are stepped over by their headers, which are then not authenticated; they only say
        where the next record begins, and the record that is returned must open under its own number and offset.
        """
        position, number, index, offset = extent.position, extent.number, extent.chunk_index, extent.offset
        end = extent.position + extent.stored_length
        while position < end:
            place = (Kind.DATA, number, blob_id, index, offset)
            header, plain = _twice(self._window, partial(self._record_at, position, place, start))
            if plain is not None:
                yield Found(header, position, plain)
            position, number, index, offset = (
                position + header.stored_length, number + 1, index + 1, offset + header.length,
            )  # fmt: skip
        if position != end or offset != extent.offset + extent.length:
            raise PackDamaged(self._name, position, "the extent ends elsewhere than its row says")

    def adopt(self, position: int, records: int) -> Tail:
        """The longest run of sound records that begins at ``position``, where ``records`` records come before it.

        Reads to the pack's end; a record that is torn, altered or out of turn ends the run. PAD records count but
        are not among those found; payloads of DATA records are not kept.
        """
        found: list[Found] = []
        stopped: str | None = None
        try:
            for record in self.records(position, records):
                header = record.header
                position, records = record.position + header.stored_length, records + 1
                if header.kind != Kind.PAD:
                    found.append(Found(header, record.position, b"" if header.kind == Kind.DATA else record.plain))
        except PackDamaged as damage:
            stopped = damage.why
        return Tail(tuple(found), position, records, stopped)

    def records(self, position: int = PACK_HEADER_BYTES, number: int = 0) -> Iterator[Found]:
        """Every record from byte ``position`` on, which holds the ``number``-th, to the pack's end, PAD records too.

        Raises PackDamaged behind the last record that is sound and in turn.
        """
        window = _Window(self._source)
        while position < window.end:
            found = _twice(window, partial(self._next_record, window, position, number))
            yield found
            position, number = position + found.header.stored_length, number + 1

    def _pack_header(self, key: PackKey) -> PackHeader:
        header = PackHeader.decode(bytes(self._window.read(0, PACK_HEADER_BYTES)), self._name)
        if (header.case_id, header.pack_id) != key:
            raise PackDamaged(self._name, 0, "the header names another pack or case")
        return header

    def _record_at(
        self, position: int, place: tuple[int, int, bytes, int, int], start: int
    ) -> tuple[RecordHeader, bytes | None]:
        header = self._header(self._window, position)
        if (header.kind, header.number, header.blob_id, header.index, header.offset) != place:
            raise PackDamaged(self._name, position, "the record belongs elsewhere")
        if header.offset + header.length <= start:
            return header, None
        return header, self._open(self._window, position, header)

    def _next_record(self, window: _Window, position: int, number: int) -> Found:
        header = self._header(window, position)
        if header.number != number:
            raise PackDamaged(self._name, position, "the record is out of turn")
        return Found(header, position, self._open(window, position, header))

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

    def __init__(self, source: PackSource) -> None:
        self._source = source
        self._measure()

    def read(self, position: int, length: int) -> memoryview:
        """Bytes at ``position``; fewer than ``length`` only where the end comes first."""
        slab = self._slab
        length = max(0, min(length, self.end - position))
        if position < slab.base or position + length > slab.base + slab.filled:
            start = position & -BLOCK_BYTES
            try:
                self._source.read(slab, start, min(len(slab.view), _blocks(self.end - start)))
            except (PackDamaged, OSError):
                # What is read ahead may be damaged where what is asked for is not.
                self._source.read(slab, start, _blocks(position + length - start))
        at = position - slab.base
        return slab.view[at : min(at + length, slab.filled)]

    def look_elsewhere(self) -> bool:
        """Forget what was read; says whether reading again may give other bytes."""
        again = self._source.look_elsewhere()
        if again:
            self._measure()
        return again

    def _measure(self) -> None:
        self.end = self._source.size
        self._slab = Slab(min(_WINDOW_BYTES, self.end + BLOCK_BYTES & -BLOCK_BYTES))


def _blocks(length: int) -> int:
    return length + BLOCK_BYTES - 1 & -BLOCK_BYTES


def _twice(window: _Window, read: Callable[[], _T]) -> _T:
    """What ``read`` reads through the window, from elsewhere where the first place has it wrong or not at all."""
    try:
        return read()
    except (PackDamaged, OSError):
        if not window.look_elsewhere():
            raise
    return read()
