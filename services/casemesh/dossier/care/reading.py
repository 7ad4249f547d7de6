"""Reading all that counts of a pack from its store: what opens, what does not, the digests of what it holds whole."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from casemesh.dossier.care.pace import Pace
from casemesh.dossier.packs.format import RECORD_OVERHEAD_BYTES, PackDamaged
from casemesh.dossier.packs.reader import Extent, PackReader
from casemesh.dossier.packs.stores import PackKey, PackStore


@dataclass(slots=True)
class ReadPack:
    """``bad`` contents have an extent here that does not read, and ``why`` is so of the first of them.

    ``digests`` are of contents as far as they were read here from their first byte on without a gap: how many bytes,
    and their SHA-256.
    """

    bad: set[bytes] = field(default_factory=set)
    why: str = ""
    digests: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    bytes_read: int = 0


def read_pack(
    packs: PackStore, key: PackKey, case_key: bytes, extents: Iterable[tuple[bytes, Extent]], pace: Pace
) -> ReadPack:
    """Read the extents of contents, which should come in the order of their positions.

    A sector that the disk cannot read is damage; raises OSError where the store fails in any other way.
    """
    read = ReadPack()
    hashed: dict[bytes, _SoFar] = {}
    reader: PackReader | None = None
    try:
        for blob_id, extent in extents:
            so_far = hashed.setdefault(blob_id, _SoFar())
            follows = so_far.size == extent.offset
            try:
                reader = reader or PackReader.open(packs, key, case_key)
                for plain in _records(reader, blob_id, extent, pace):
                    if follows:
                        so_far.add(plain)
                    read.bytes_read += len(plain) + RECORD_OVERHEAD_BYTES
            except PackDamaged as damage:
                read.bad.add(blob_id)
                read.why = read.why or f"byte {damage.position}: {damage.why}"
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                read.bad.add(blob_id)
                read.why = read.why or "the disk does not read"
    finally:
        if reader is not None:
            reader.close()
    read.digests = {blob_id: so_far.result() for blob_id, so_far in hashed.items()}
    return read


def digest_of(
    packs: PackStore, case_id: bytes, case_key: bytes, blob_id: bytes, extents: Sequence[Extent], pace: Pace
) -> bytes:
    """The SHA-256 of a content that lies in several packs. Raises PackDamaged, OSError."""
    digest = hashlib.sha256()
    for extent in extents:
        with PackReader.open(packs, PackKey(case_id, extent.pack_id), case_key) as reader:
            for plain in _records(reader, blob_id, extent, pace):
                digest.update(plain)
    return digest.digest()


def _records(reader: PackReader, blob_id: bytes, extent: Extent, pace: Pace) -> Iterator[bytes]:
    for found in reader.read_extent(blob_id, extent):
        pace.take(found.header.stored_length)
        yield found.plain


class _SoFar:
    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    def add(self, plain: bytes) -> None:
        self.size += len(plain)
        self._digest.update(plain)

    def result(self) -> tuple[int, bytes]:
        return self.size, self._digest.digest()
