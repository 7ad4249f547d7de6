"""Two copies of every pack, each in a store of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import structlog

from casemesh.dossier.packs.copying import bring_up, copy_pack
from casemesh.dossier.packs.format import PackDamaged
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSink, PackSource, PackStore

log = structlog.get_logger(__name__)


class MirroredPacks:
    """Packs of which ``primary`` and ``copy`` each hold all bytes.

    What is synced is durable in both. Reads come from the primary and, where that has damage or nothing, from the copy.
    What cannot be written to one of them fails: whoever configured a copy would rather have no new packs than single
    ones.
    """

    def __init__(self, primary: PackStore, copy: PackStore) -> None:
        self.primary = primary
        self.copy = copy
        self.commit_seconds = max(primary.commit_seconds, copy.commit_seconds)

    def create(self, key: PackKey, header: bytes) -> PackSink:
        first = self.primary.create(key, header)
        try:
            return _Both(first, self.copy.create(key, header))
        except BaseException:
            first.close()
            raise

    def extend(self, key: PackKey) -> PackSink:
        first = self.primary.extend(key)
        try:
            return _Both(first, self.copy.extend(key))
        except BaseException:
            first.close()
            raise

    def open(self, key: PackKey) -> PackSource:
        return _Either(self, key)

    def delete(self, key: PackKey) -> None:
        self.primary.delete(key)
        self.copy.delete(key)

    def keys(self) -> Iterator[PackKey]:
        yield from set(self.primary.keys()).union(self.copy.keys())

    def size(self, key: PackKey) -> int:
        with contextlib.closing(self.open(key)) as source:
            return source.size

    def repair(self, key: PackKey) -> None:
        """Put the copy's bytes in the place of the primary's. Only for a pack that nobody writes to any more.

        The caller has verified the copy to the end that is known of the pack (`verify_pack`): here nobody can tell a
        sound pack from a damaged one. Raises PackDamaged where the copy is the shorter one, which changes nothing;
        FileNotFoundError where there is no copy; OSError. A repair that broke off is repeated.
        """
        _replace(key, self.copy, self.primary)

    def repair_copy(self, key: PackKey) -> None:
        """Put the primary's bytes in the place of the copy's; as `repair`, the other way round."""
        _replace(key, self.primary, self.copy)

    def bring_up(self, key: PackKey) -> None:
        """Make durable in both what either has, where a crash came between their writes."""
        bring_up(key, self.primary, self.copy)
        bring_up(key, self.copy, self.primary)


class _Both:
    def __init__(self, primary: PackSink, copy: PackSink) -> None:
        self._primary = primary
        self._copy = copy

    @property
    def stored(self) -> int:
        # What one copy has is not lost: whoever adopts it brings up the other.
        return self._primary.stored

    def write(self, data: memoryview, position: int) -> None:
        self._primary.write(data, position)
        self._copy.write(data, position)

    def push(self) -> None:
        self._primary.push()

    def sync(self) -> None:
        self._primary.sync()
        self._copy.sync()

    def close(self) -> None:
        self._primary.close()
        self._copy.close()


class _Either:
    """Reads one copy until that one disappoints, then the other; opens the second when it comes to that."""

    def __init__(self, packs: MirroredPacks, key: PackKey) -> None:
        self._packs = packs
        self._key = key
        self._others = [packs.copy]
        try:
            self._sources = [packs.primary.open(key)]
        except OSError as error:
            self._warn(error)
            self._others = []
            self._sources = [packs.copy.open(key)]

    @property
    def size(self) -> int:
        return max(source.size for source in self._sources)

    def read(self, slab: Slab, position: int, length: int) -> None:
        self._sources[0].read(slab, position, length)

    def look_elsewhere(self) -> bool:
        changed = self._sources[0].look_elsewhere()
        while self._others:
            try:
                self._sources.append(self._others.pop().open(self._key))
            except OSError as error:
                self._warn(error)
        if len(self._sources) == 1:
            return changed
        self._warn(None)
        self._sources.reverse()
        return True

    def sync(self) -> None:
        self._packs.bring_up(self._key)

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def _warn(self, error: OSError | None) -> None:
        # Reads go on; but the next thing to break may be the last good copy.
        log.warning("pack.copies_differ", pack=self._key.pack_id.hex(), error=repr(error) if error else "")


def _replace(key: PackKey, origin: PackStore, into: PackStore) -> None:
    with contextlib.suppress(FileNotFoundError):
        if origin.size(key) < into.size(key):
            raise PackDamaged(key.pack_id.hex(), origin.size(key), "shorter than what it should replace")
    copy_pack(key, origin, into)
