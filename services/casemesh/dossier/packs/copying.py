"""Brings packs from one store to another, byte for byte and proved."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Final

from casemesh.dossier.packs.format import BLOCK_BYTES, PACK_HEADER_BYTES, PackDamaged
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSource, PackStore

_STEP_BYTES: Final = 4 << 20


def copy_pack(key: PackKey, origin: PackStore, into: PackStore) -> None:
    """Put a pack of ``origin`` into ``into``, in the place of whatever that has of it, and read it back.

    When it returns, the copy is durable and gave the same SHA-256 as the original. The pack must not grow meanwhile.
    Opens no records: what is damaged is copied as it is.

    Raises FileNotFoundError where ``origin`` has none, PackDamaged where it cannot be read whole or the copy differs,
    OSError; ``into`` then has none or a part.
    """
    copied, kept = hashlib.sha256(), hashlib.sha256()
    with contextlib.closing(origin.open(key)) as source:
        if source.size < PACK_HEADER_BYTES:
            raise PackDamaged(key.pack_id.hex(), 0, "shorter than its header")
        (header,) = (bytes(data) for data in _bytes_of(key, source, 0, PACK_HEADER_BYTES))
        copied.update(header)
        into.delete(key)
        with contextlib.closing(into.create(key, header)) as sink:
            position = len(header)
            for data in _bytes_of(key, source, position, source.size):
                sink.write(data, position)
                copied.update(data)
                position += len(data)
            sink.sync()
    with contextlib.closing(into.open(key)) as source:
        for data in _bytes_of(key, source, 0, source.size):
            kept.update(data)
    if copied.digest() != kept.digest():
        raise PackDamaged(key.pack_id.hex(), 0, "the copy is not what was copied")


def bring_up(key: PackKey, origin: PackStore, into: PackStore) -> None:
    """Make durable in ``into`` what ``origin`` has beyond its end; both were written alike, and one broke off earlier.

    Raises as `copy_pack` does.
    """
    try:
        end = into.size(key)
    except FileNotFoundError:
        end = 0
    if end < PACK_HEADER_BYTES:
        copy_pack(key, origin, into)
        return
    with contextlib.closing(origin.open(key)) as source, contextlib.closing(into.extend(key)) as sink:
        for data in _bytes_of(key, source, end, source.size):
            sink.write(data, end)
            end += len(data)
        sink.sync()


def _bytes_of(key: PackKey, source: PackSource, position: int, end: int) -> Iterator[memoryview]:
    """The bytes of a pack from ``position`` to ``end`` in large steps; each is gone with the next."""
    slab = Slab(_STEP_BYTES)
    while position < end:
        base = position & -BLOCK_BYTES
        source.read(slab, base, min(_STEP_BYTES, end - base + BLOCK_BYTES - 1 & -BLOCK_BYTES))
        data = slab.view[position - base : min(slab.filled, end - base)]
        if not data:
            raise PackDamaged(key.pack_id.hex(), position, "the pack ends before its size")
        yield data
        position += len(data)
