"""Packs in an object store: each a run of immutable objects that are made once and read back before they count.

An object is named ``<prefix><case>/<pack>/<offset of its first byte in the pack>``, all in hex. No answer, entity tag
or list of the store is relied on: an object counts once its bytes were read from it again, and what a list leaves out
shows as a hole.
"""

from __future__ import annotations

import bisect
import contextlib
import errno
import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from casemesh.dossier.packs.format import PackDamaged
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSink, PackSource

if TYPE_CHECKING:
    from obstore.store import ObjectStore

MAX_WRITE_BYTES: Final = 8 << 20
"""What one write may hold, and what is gathered before it is put: no object has more than twice this."""
_NAME: Final = re.compile("([0-9a-f]{32})/([0-9a-f]{32})/[0-9a-f]{16}")
_START: Final = re.compile("[0-9a-f]{16}")
_COMPARED_BYTES: Final = 1 << 20


class ObjectPacks:
    """Packs in ``store`` under ``prefix``. A pack is there if its first object is.

    Requests are repeated as ``store`` is configured to; what fails then is an OSError.
    """

    commit_seconds: float = 1.0
    """Each commit is at least one object and the reading of it; one a second keeps objects few and large."""

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        self._store = store
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def create(self, key: PackKey, header: bytes) -> PackSink:
        _put(self._store, _object(self._folder(key), 0), header)
        return _ObjectSink(self._store, self._folder(key), len(header))

    def extend(self, key: PackKey) -> PackSink:
        return _ObjectSink(self._store, self._folder(key), self.size(key))

    def open(self, key: PackKey) -> PackSource:
        return _ObjectSource(self._store, self._folder(key), key.pack_id.hex())

    def delete(self, key: PackKey) -> None:
        # The first object goes first: from then on, whatever happens, there is no pack, and never half of one.
        folder = self._folder(key)
        with _as_os_error():
            for start in sorted(_list(self._store, folder)):
                with contextlib.suppress(FileNotFoundError):
                    obstore.delete(self._store, _object(folder, start))

    def keys(self) -> Iterator[PackKey]:
        seen: set[tuple[str, str]] = set()
        with _as_os_error():
            for page in obstore.list(self._store, prefix=self._prefix or None):
                names = (_NAME.fullmatch(meta["path"].removeprefix(self._prefix)) for meta in page)
                seen.update((name[1], name[2]) for name in names if name is not None)
        for case, pack in seen:
            yield PackKey(bytes.fromhex(case), bytes.fromhex(pack))

    def size(self, key: PackKey) -> int:
        with contextlib.closing(self.open(key)) as source:
            return source.size

    def _folder(self, key: PackKey) -> str:
        return f"{self._prefix}{key.case_id.hex()}/{key.pack_id.hex()}"


class _ObjectSink:
    """Gathers what is written while another thread may put what was gathered before."""

    def __init__(self, store: ObjectStore, folder: str, end: int) -> None:
        self.stored = end
        self._store = store
        self._folder = folder
        self._end = end
        self._gathered = bytearray()
        self._sending = bytearray()
        self._taking = threading.Lock()
        self._putting = threading.Lock()

    def write(self, data: memoryview, position: int) -> None:
        with self._taking:
            if position != self._end or len(data) > MAX_WRITE_BYTES:
                raise ValueError("a write follows on the one before and holds at most 8 MiB")
            self._gathered += data
            self._end += len(data)
            full = len(self._gathered) >= MAX_WRITE_BYTES
        if full:
            self.push()

    def push(self) -> None:
        with self._taking:
            wanted = self._end
        with self._putting:
            while self.stored < wanted:
                # What failed is kept and put again just as it was: its first attempt may have come to be after all.
                if not self._sending:
                    with self._taking:
                        self._sending, self._gathered = self._gathered, bytearray()
                _put(self._store, _object(self._folder, self.stored), self._sending)
                self.stored += len(self._sending)
                self._sending = bytearray()

    def sync(self) -> None:
        self.push()

    def close(self) -> None:
        self._gathered = self._sending = bytearray()


class _ObjectSource:
    def __init__(self, store: ObjectStore, folder: str, name: str) -> None:
        self._store = store
        self._folder = folder
        self._name = name
        self._sizes: dict[int, int] = {}
        self._starts: list[int] = []
        self._list()
        if 0 not in self._sizes:
            raise FileNotFoundError(errno.ENOENT, "no such pack in the object store", name)

    @property
    def size(self) -> int:
        return self._starts[-1] + self._sizes[self._starts[-1]] if self._starts else 0

    def read(self, slab: Slab, position: int, length: int) -> None:
        slab.base, slab.filled = position, 0
        end = min(position + length, self.size)
        while (at := position + slab.filled) < end:
            which = bisect.bisect_right(self._starts, at) - 1
            start = self._starts[which] if which >= 0 else end
            size = min(end - at, start + self._sizes.get(start, 0) - at)
            if size <= 0:
                raise PackDamaged(self._name, at, "an object is missing")
            with _as_os_error():
                data = obstore.get_range(self._store, _object(self._folder, start), start=at - start, length=size)
            if len(data) != size:
                raise PackDamaged(self._name, at, "an object is shorter than its store says")
            slab.view[slab.filled : slab.filled + size] = memoryview(data)
            slab.filled += size

    def look_elsewhere(self) -> bool:
        # Some stores' lists lag behind what is there.
        before = self._sizes
        self._list()
        return self._sizes != before

    def sync(self) -> None:
        # What a list shows has been put whole and is durable.
        return

    def close(self) -> None:
        return

    def _list(self) -> None:
        with _as_os_error():
            self._sizes = _list(self._store, self._folder)
        self._starts = sorted(self._sizes)


def _object(folder: str, start: int) -> str:
    return f"{folder}/{start:016x}"


def _list(store: ObjectStore, folder: str) -> dict[int, int]:
    """Size of each object of a pack by where it begins."""
    prefix = f"{folder}/"
    found = ((meta["path"].removeprefix(prefix), meta["size"]) for page in obstore.list(store, prefix) for meta in page)
    return {int(start, 16): size for start, size in found if _START.fullmatch(start)}


def _put(store: ObjectStore, path: str, data: bytes | bytearray) -> None:
    """Make an object, once, and read it back. ``data`` must not change any more.

    Raises FileExistsError where one of other content is there, OSError where the outcome is not known to be right.
    """
    existed = False
    with _as_os_error():
        try:
            obstore.put(store, path, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            # A request that was repeated finds what its first attempt made, whose answer was lost. Or another's object.
            existed = True
        same = _holds(store, path, data)
    if not same and existed:
        raise FileExistsError(errno.EEXIST, "the object store holds another object of this name", path)
    if not same:
        raise OSError(errno.EIO, "the object store did not keep what it took", path)


def _holds(store: ObjectStore, path: str, data: bytes | bytearray) -> bool:
    at = 0
    try:
        for part in obstore.get(store, path).stream(min_chunk_size=_COMPARED_BYTES):
            if bytes(part) != data[at : at + len(part)]:
                return False
            at += len(part)
    except FileNotFoundError:
        return False
    return at == len(data)


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise OSError(errno.EIO, f"the object store failed: {type(error).__name__}: {error}") from error
