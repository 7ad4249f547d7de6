"""Packs as files of a folder, written and read past the page cache."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from casemesh.dossier.packs.slabs import Slab, open_direct, read_at, sync_directory, write_at
from casemesh.dossier.packs.stores import PackKey, PackSink, PackSource

_ID: Final = re.compile("[0-9a-f]{32}")


def pack_path(root: Path, key: PackKey) -> Path:
    """``root/<case>/<pack>.pack``, both as hex: nothing a client sends becomes part of a path."""
    return root / key.case_id.hex() / f"{key.pack_id.hex()}.pack"


class DiskPacks:
    """A folder of packs, ``root``. A pack's file and its name are synced, so that neither is lost with the power."""

    commit_seconds: float = 0.25
    """Each commit costs a sync and some round trips; a few a second keep them out of the way of the bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, key: PackKey, header: bytes) -> PackSink:
        path = pack_path(self.root, key)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self.root)
        sink = _FileSink(open_direct(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), 0)
        try:
            first = Slab(len(header))
            first.view[:] = header
            sink.write(first.view, 0)
            sink.sync()
            sync_directory(path.parent)
        except BaseException:
            sink.close()
            raise
        return sink

    def extend(self, key: PackKey) -> PackSink:
        descriptor = open_direct(pack_path(self.root, key), os.O_WRONLY)
        return _FileSink(descriptor, os.fstat(descriptor).st_size)

    def open(self, key: PackKey) -> PackSource:
        return _FileSource(open_direct(pack_path(self.root, key), os.O_RDONLY))

    def delete(self, key: PackKey) -> None:
        pack_path(self.root, key).unlink(missing_ok=True)

    def keys(self) -> Iterator[PackKey]:
        for path in self.root.glob("*/*.pack"):
            case, pack = path.parent.name, path.stem
            if _ID.fullmatch(case) and _ID.fullmatch(pack):
                yield PackKey(bytes.fromhex(case), bytes.fromhex(pack))

    def size(self, key: PackKey) -> int:
        return pack_path(self.root, key).stat().st_size


class _File:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _FileSink(_File):
    def __init__(self, descriptor: int, stored: int) -> None:
        super().__init__(descriptor)
        self.stored = stored

    def write(self, data: memoryview, position: int) -> None:
        write_at(self._descriptor, data, position)
        self.stored = position + len(data)

    def push(self) -> None:
        # What the kernel has taken outlives this process.
        return


class _FileSource(_File):
    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, slab: Slab, position: int, length: int) -> None:
        read_at(self._descriptor, slab, position, length)

    def look_elsewhere(self) -> bool:
        return False
