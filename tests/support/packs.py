"""Packs for tests of what keeps them: small ones with known content, and their raw bytes taken out and put back."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field

from casemesh.dossier.packs.format import BLOCK_BYTES, PACK_HEADER_BYTES, Kind, PackDamaged
from casemesh.dossier.packs.reader import Extent, PackReader
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.dossier.packs.suites import DEFAULT_SUITE, Suite
from casemesh.dossier.packs.writer import PackWriter

CASE_KEY = bytes(range(100, 132))
BLOB = b"B" * 16


def key_of(number: int = 1, case: int = 1) -> PackKey:
    """A pack's key, invented."""
    return PackKey(bytes([case]) * 16, bytes([number]) * 16)


@dataclass
class WrittenPack:
    """What went into a pack of one blob, chunk by chunk, and where each chunk lies."""

    key: PackKey
    chunks: list[bytes]
    extents: list[Extent] = field(default_factory=list)
    end: int = PACK_HEADER_BYTES

    @property
    def plain(self) -> bytes:
        return b"".join(self.chunks)

    def read(self, packs: PackStore) -> bytes:
        """The blob, read chunk by chunk. Raises PackDamaged, OSError."""
        data = b""
        with PackReader.open(packs, self.key, CASE_KEY) as reader:
            for extent in self.extents:
                data += b"".join(found.plain for found in reader.read_extent(BLOB, extent))
        return data

    def readable(self, packs: PackStore) -> list[tuple[bytes, bytes]]:
        """(expected, actual) of every chunk that reads; those that do not are left out."""
        pairs: list[tuple[bytes, bytes]] = []
        with contextlib.suppress(PackDamaged), PackReader.open(packs, self.key, CASE_KEY) as reader:
            for chunk, extent in zip(self.chunks, self.extents, strict=True):
                with contextlib.suppress(PackDamaged):
                    pairs += [(chunk, found.plain) for found in reader.read_extent(BLOB, extent)]
        return pairs


def chunks_of(sizes: list[int], seed: int = 1) -> list[bytes]:
    """Chunks of these sizes, reproducible."""
    source = random.Random(seed)
    return [source.randbytes(size) for size in sizes]


def open_writer(packs: PackStore, key: PackKey, suite: Suite = DEFAULT_SUITE) -> PackWriter:
    """A new pack's writer."""
    return PackWriter.create(packs, key, CASE_KEY, suite=suite)


def append(writer: PackWriter, pack: WrittenPack, chunk: bytes) -> None:
    """Seal one more chunk of the pack's blob; what `pack` says of it holds once it is flushed."""
    number, offset = len(pack.extents), sum(extent.length for extent in pack.extents)
    place = writer.append(Kind.DATA, BLOB, chunk, index=number, offset=offset)
    pack.extents.append(
        Extent(pack.key.pack_id, place.position, place.stored_length, place.number, number, offset, len(chunk))
    )


def write_pack(
    packs: PackStore, key: PackKey, chunks: list[bytes], *, suite: Suite = DEFAULT_SUITE, every: int = 0
) -> WrittenPack:
    """Write a pack and sync it, after `every` chunks also in between."""
    pack = WrittenPack(key, chunks)
    writer = open_writer(packs, key, suite)
    for number, chunk in enumerate(chunks, start=1):
        append(writer, pack, chunk)
        if every and number % every == 0:
            writer.flush()
            writer.sync()
    writer.flush()
    writer.sync()
    pack.end = writer.written
    writer.close()
    return pack


def raw_bytes(packs: PackStore, key: PackKey) -> bytes:
    """All of a pack as its store has it."""
    with contextlib.closing(packs.open(key)) as source:
        slab = Slab((source.size + BLOCK_BYTES) & -BLOCK_BYTES)
        source.read(slab, 0, len(slab.view))
        return bytes(slab.view[: slab.filled])


def put_back(packs: PackStore, key: PackKey, data: bytes) -> None:
    """Make `data` the pack, as someone does who has hands on the store and no key."""
    packs.delete(key)
    if not data:
        return
    with contextlib.closing(packs.create(key, data[:PACK_HEADER_BYTES])) as sink:
        for position in range(PACK_HEADER_BYTES, len(data), 4 << 20):
            sink.write(memoryview(data)[position : position + (4 << 20)], position)
        sink.sync()
