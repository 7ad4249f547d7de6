"""Packs on their way from one store to another, while they are served."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from casemesh.dossier.packs.copying import copy_pack
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSink, PackSource, PackStore


class MovingPacks:
    """New packs go to ``target``; those of ``source`` are read there until `move` has brought them over.

    A pack that ``source`` has is whole there: what ``target`` has of it meanwhile is a move that has not ended, perhaps
    of another process, and is not read. So a pack is looked for in ``source`` first.
    """

    def __init__(self, target: PackStore, source: PackStore) -> None:
        self.target = target
        self.source = source
        self.commit_seconds = target.commit_seconds

    def create(self, key: PackKey, header: bytes) -> PackSink:
        return self.target.create(key, header)

    def extend(self, key: PackKey) -> PackSink:
        return self._place(key).extend(key)

    def open(self, key: PackKey) -> PackSource:
        return _Moving(self, key)

    def delete(self, key: PackKey) -> None:
        self.target.delete(key)
        self.source.delete(key)

    def keys(self) -> Iterator[PackKey]:
        # Those that move meanwhile are then in one of the two lists at least.
        yield from set(self.source.keys()).union(self.target.keys())

    def size(self, key: PackKey) -> int:
        return self._place(key).size(key)

    def move(self, key: PackKey) -> None:
        """Bring a pack of ``source`` over: copied, read back with its SHA-256 compared, then deleted from ``source``.

        Only for a pack that nobody writes to any more. Who has it open goes on reading. A move that broke off is
        repeated. Raises FileNotFoundError where ``source`` does not have it, PackDamaged where the copy differs or
        cannot be made whole, OSError.
        """
        copy_pack(key, self.source, self.target)
        self.source.delete(key)

    def _place(self, key: PackKey) -> PackStore:
        with contextlib.suppress(FileNotFoundError):
            self.source.size(key)
            return self.source
        return self.target


class _Moving:
    def __init__(self, packs: MovingPacks, key: PackKey) -> None:
        self._packs = packs
        self._key = key
        try:
            self._source, self._moved = packs.source.open(key), False
        except FileNotFoundError:
            self._source, self._moved = packs.target.open(key), True

    @property
    def size(self) -> int:
        return self._source.size

    def read(self, slab: Slab, position: int, length: int) -> None:
        self._source.read(slab, position, length)

    def look_elsewhere(self) -> bool:
        # It may have moved since it was opened: files stay readable to who has them open, objects do not.
        if not self._moved and not self._is_left():
            before, self._source, self._moved = self._source, self._packs.target.open(self._key), True
            before.close()
            return True
        return self._source.look_elsewhere()

    def sync(self) -> None:
        self._source.sync()

    def close(self) -> None:
        self._source.close()

    def _is_left(self) -> bool:
        try:
            self._packs.source.size(self._key)
        except FileNotFoundError:
            return False
        return True
