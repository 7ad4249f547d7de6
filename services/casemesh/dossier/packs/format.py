"""What a pack looks like on disk.

A pack is a header block of 4 KiB and then records without gaps. A record is a header of 48 bytes, in clear and
authenticated, and the sealed payload with its tag. All integers are big-endian.

    pack header    magic "CMPACK\\r\\n" | version u16 | suite u16 | header length u32 | salt 32 | case 16 | pack 16
                   | crc32 of all before u32 | zero up to 4096
    record header  magic "CMr1" | kind u8 | flags u8 | zero u16 | record number u64 | blob 16 | chunk index u32
                   | plain length u32 | plain offset u64

Record numbers count from 0 in each pack and are the nonces. Since the whole record header is associated data and the
key is bound to salt, suite and pack, a record that is altered, moved, swapped or taken from another pack does not open.
The CRC only tells a damaged header from a wrong key; nothing relies on it for safety.

Every write to a pack begins and ends at a multiple of 4 KiB, filled up with a PAD record. A block once written is never
written again, so a power cut while appending cannot touch what was committed, and writes can bypass the page cache.

The form is the same for an appended file and for an immutable object: the latter is a pack that ended early.
"""

from __future__ import annotations

import enum
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from casemesh.dossier.packs.suites import SALT_BYTES, TAG_BYTES, Buffer

MAX_CHUNK_BYTES: Final = 1 << 20

_MAGIC: Final = b"CMPACK\r\n"
_VERSION: Final = 1
_PACK: Final = struct.Struct(">8sHHI32s16s16s")
_CRC: Final = struct.Struct(">I")
BLOCK_BYTES: Final = 4096
PACK_HEADER_BYTES: Final = BLOCK_BYTES

_RECORD_MAGIC: Final = b"CMr1"
_RECORD: Final = struct.Struct(">4sBBHQ16sIIQ")
RECORD_HEADER_BYTES: Final = _RECORD.size
RECORD_OVERHEAD_BYTES: Final = RECORD_HEADER_BYTES + TAG_BYTES
_LAST: Final = 0x01


class PackDamaged(Exception):
    """What is on disk is not what was written. ``position`` is the byte offset in the pack."""

    def __init__(self, pack_id: str, position: int, why: str) -> None:
        super().__init__(f"pack {pack_id} at byte {position}: {why}")
        self.pack_id = pack_id
        self.position = position
        self.why = why


class Kind(enum.IntEnum):
    """What a record's payload is. Only DATA payloads are document bytes; PAD means nothing."""

    DOCUMENT = 1
    DATA = 2
    FINISH = 3
    PAD = 4


@dataclass(frozen=True, slots=True)
class PackHeader:
    """Whose pack this is and how its key is derived. ``case_id`` and ``pack_id`` are UUIDs of 16 bytes."""

    suite_id: int
    salt: bytes
    case_id: bytes
    pack_id: bytes

    def encode(self) -> bytes:
        if len(self.salt) != SALT_BYTES or len(self.case_id) != 16 or len(self.pack_id) != 16:
            raise ValueError("salt is 32 bytes, case and pack ids 16")
        head = _PACK.pack(
            _MAGIC, _VERSION, self.suite_id, PACK_HEADER_BYTES, self.salt, self.case_id, self.pack_id
        )  # fmt: skip
        return (head + _CRC.pack(zlib.crc32(head))).ljust(PACK_HEADER_BYTES, b"\x00")

    @classmethod
    def decode(cls, data: bytes, name: str) -> PackHeader:
        """Raises PackDamaged; ``name`` is how the error calls the pack."""
        if len(data) != PACK_HEADER_BYTES:
            raise PackDamaged(name, 0, "shorter than its header")
        magic, version, suite_id, length, salt, case_id, pack_id = _PACK.unpack_from(data)
        if magic != _MAGIC:
            raise PackDamaged(name, 0, "not a pack")
        if (version, length) != (_VERSION, PACK_HEADER_BYTES):
            raise PackDamaged(name, 0, f"pack version {version} is not known to this build")
        header = cls(suite_id, salt, case_id, pack_id)
        if data != header.encode():
            raise PackDamaged(name, 0, "the header does not match its checksum")
        return header


def padding_after(position: int) -> int | None:
    """Plain bytes of the PAD record that takes a pack from ``position`` to a block's end; None if it is there."""
    room = -position % BLOCK_BYTES
    if room == 0:
        return None
    return room - RECORD_OVERHEAD_BYTES if room >= RECORD_OVERHEAD_BYTES else room + BLOCK_BYTES - RECORD_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """Where a payload belongs. ``offset`` and ``length`` are in plaintext bytes of the blob.

    ``index`` counts a blob's DATA records from 0, across packs; ``last`` marks the one that ends the blob.
    """

    kind: int
    number: int
    blob_id: bytes
    index: int
    offset: int
    length: int
    last: bool

    @property
    def stored_length(self) -> int:
        return RECORD_OVERHEAD_BYTES + self.length

    @classmethod
    def decode(cls, data: Buffer) -> RecordHeader | None:
        """The header, or None where these bytes cannot be one. Says nothing of authenticity: opening does."""
        magic, kind, flags, zero, number, blob_id, index, length, offset = _RECORD.unpack_from(data)
        if magic != _RECORD_MAGIC or zero or flags & ~_LAST or length > MAX_CHUNK_BYTES:
            return None
        return cls(kind, number, blob_id, index, offset, length, bool(flags & _LAST))


def write_record_header(
    out: memoryview | bytearray,
    position: int,
    kind: int,
    number: int,
    blob_id: bytes,
    index: int,
    offset: int,
    length: int,
    last: bool,
) -> None:
    """Write a record's header into ``out``; the fields are those of RecordHeader."""
    flags = _LAST if last else 0
    _RECORD.pack_into(out, position, _RECORD_MAGIC, kind, flags, 0, number, blob_id, index, length, offset)
