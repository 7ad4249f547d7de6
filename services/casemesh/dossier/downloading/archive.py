"""One ZIP file of a version, written as it is sent: the manifest, then every document, uncompressed.

Everything in it follows from the version: the same version gives the same bytes, and its size is known beforehand. A
document's checksum stands behind it, in a data descriptor, since it is not known before its bytes were read. ZIP64
fields appear where a size, an offset or a count needs them.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 (structure), 4.4.4 (flags: bit 3 descriptor, bit 11 UTF-8), 4.5.3 (ZIP64).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from casemesh.core.clock import CHINA
from casemesh.dossier.version_store import NamedContent

MANIFEST_NAME: Final = "manifest.json"

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_DESCRIPTOR: Final = struct.Struct("<4sIII")
_DESCRIPTOR_64: Final = struct.Struct("<4sIQQ")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_64: Final = struct.Struct("<4sIQI")
_END: Final = struct.Struct("<4sHHHHIIH")
_FLAGS: Final = 1 << 3 | 1 << 11
_STORED: Final = 0
_PLAIN_VERSION: Final = 20
_ZIP64_VERSION: Final = 45
_UNIX: Final = 3 << 8
_READABLE_FILE: Final = 0o100644 << 16
_MAX_32: Final = 0xFFFFFFFF
_MAX_16: Final = 0xFFFF


class ArchiveEntry(NamedTuple):
    """A file of the archive: its name with `/` between folders, and its size in bytes."""

    name: bytes
    size: int

    @property
    def needs_zip64(self) -> bool:
        return self.size >= _MAX_32


@dataclass(frozen=True, slots=True)
class _Written:
    entry: ArchiveEntry
    offset: int
    checksum: int


def version_entries(manifest_bytes: int, documents: Iterable[NamedContent]) -> list[ArchiveEntry]:
    """The entries of a version: its manifest, then its documents as `volume/file name`.

    No name leaves the folder it is unpacked in: neither volume nor file name has a separator or is a reference.
    """
    return [
        ArchiveEntry(MANIFEST_NAME.encode(), manifest_bytes),
        *(
            ArchiveEntry(f"{document.volume}/{document.file_name}".encode(), document.size_bytes)
            for document in documents
        ),
    ]


def archive_size(entries: Sequence[ArchiveEntry]) -> int:
    """Bytes of the archive of these entries."""
    offset = directory = 0
    for entry in entries:
        directory += _CENTRAL.size + len(entry.name) + len(_central_extra(entry, offset))
        offset += _LOCAL.size + len(entry.name) + (_LOCAL_EXTRA_64 if entry.needs_zip64 else 0)
        offset += entry.size + (_DESCRIPTOR_64 if entry.needs_zip64 else _DESCRIPTOR).size
    return offset + directory + len(_end(len(entries), offset, directory))


class ArchiveWriter:
    """Writes the entries in their order: for each `begin`, `data` for all of its bytes, `end`; then `close`.

    Holds some 100 bytes an entry, never content.
    """

    def __init__(self, entries: Sequence[ArchiveEntry], written_at: datetime) -> None:
        self._entries = entries
        self._stamp = _dos_time(written_at)
        self._written: list[_Written] = []
        self._offset = 0
        self._begun = 0
        self._checksum = 0
        self._size = 0

    def begin(self) -> bytes:
        """The header of the next entry."""
        entry = self._entries[len(self._written)]
        self._begun, self._checksum, self._size = self._offset, 0, 0
        # Sizes stay empty with a descriptor; an empty ZIP64 field says that the descriptor's are of 8 bytes.
        extra = struct.pack("<HHQQ", 1, 16, 0, 0) if entry.needs_zip64 else b""
        size = _MAX_32 if entry.needs_zip64 else 0
        return self._put(
            _LOCAL.pack(
                b"PK\x03\x04", _version(entry.needs_zip64), _FLAGS, _STORED, *self._stamp, 0, size, size,
                len(entry.name), len(extra),
            ) + entry.name + extra
        )  # fmt: skip

    def data(self, data: bytes) -> bytes:
        """The same bytes, counted as the entry's."""
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        return self._put(data)

    def end(self) -> bytes:
        """The descriptor of the entry. Raises ValueError where its bytes are not as many as announced."""
        entry = self._entries[len(self._written)]
        if self._size != entry.size:
            raise ValueError(f"an entry of {entry.size} bytes was given {self._size}")
        self._written.append(_Written(entry, self._begun, self._checksum))
        descriptor = _DESCRIPTOR_64 if entry.needs_zip64 else _DESCRIPTOR
        return self._put(descriptor.pack(b"PK\x07\x08", self._checksum, entry.size, entry.size))

    def close(self) -> Iterator[bytes]:
        """The directory and the end of the archive."""
        begun = self._offset
        for written in self._written:
            yield self._put(self._central(written))
        yield self._put(_end(len(self._written), begun, self._offset - begun))

    def _central(self, written: _Written) -> bytes:
        entry = written.entry
        extra = _central_extra(entry, written.offset)
        size = _MAX_32 if entry.needs_zip64 else entry.size
        version = _version(bool(extra))
        return (
            _CENTRAL.pack(
                b"PK\x01\x02", _UNIX | version, version, _FLAGS, _STORED, *self._stamp, written.checksum, size, size,
                len(entry.name), len(extra), 0, 0, 0, _READABLE_FILE, min(written.offset, _MAX_32),
            ) + entry.name + extra
        )  # fmt: skip

    def _put(self, data: bytes) -> bytes:
        self._offset += len(data)
        return data


class Skip:
    """How many bytes at the begin of a stream are still to be left out."""

    def __init__(self, left: int) -> None:
        self.left = left


def in_pieces(data: Iterable[bytes], skip: Skip, limit: int) -> Iterator[bytes]:
    """The bytes from behind what is skipped on, in pieces of at most ``limit``, as full as they get without a wait.

    While much is skipped, an empty piece now and then says that the stream lives.
    """
    waiting: list[bytes] = []
    filled, skipped = 0, 0
    for item in data:
        if skip.left:
            dropped = min(skip.left, len(item))
            skip.left -= dropped
            skipped += dropped
            item = item[dropped:]
            if skipped >= _SIGN_OF_LIFE_BYTES:
                skipped = 0
                yield b""
        while item:
            if filled + len(item) <= limit:
                waiting.append(item)
                filled += len(item)
                break
            if not waiting:
                yield item[:limit]
                item = item[limit:]
                continue
            yield b"".join(waiting)
            waiting, filled = [], 0
    if waiting:
        yield b"".join(waiting)


_SIGN_OF_LIFE_BYTES: Final = 256 << 20
_LOCAL_EXTRA_64: Final = struct.calcsize("<HHQQ")


def _version(zip64: bool) -> int:
    return _ZIP64_VERSION if zip64 else _PLAIN_VERSION


def _central_extra(entry: ArchiveEntry, offset: int) -> bytes:
    fields = [entry.size, entry.size] if entry.needs_zip64 else []
    if offset >= _MAX_32:
        fields.append(offset)
    return struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""


def _end(count: int, directory_offset: int, directory_size: int) -> bytes:
    zip64 = b""
    if count >= _MAX_16 or directory_offset >= _MAX_32 or directory_size >= _MAX_32:
        zip64 = _END_64.pack(
            b"PK\x06\x06", _END_64.size - 12, _UNIX | _ZIP64_VERSION, _ZIP64_VERSION, 0, 0, count, count,
            directory_size, directory_offset,
        ) + _LOCATOR_64.pack(b"PK\x06\x07", 0, directory_offset + directory_size, 1)  # fmt: skip
    counted = min(count, _MAX_16)
    return zip64 + _END.pack(
        b"PK\x05\x06", 0, 0, counted, counted, min(directory_size, _MAX_32), min(directory_offset, _MAX_32), 0
    )


def _dos_time(at: datetime) -> tuple[int, int]:
    # Where the dossier's people live; a ZIP file's times have no zone.
    local = at.astimezone(CHINA)
    return (
        local.hour << 11 | local.minute << 5 | local.second // 2,
        (local.year - 1980) << 9 | local.month << 5 | local.day,
    )
