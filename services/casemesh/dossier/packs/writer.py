"""Appends sealed records to one pack file."""

from __future__ import annotations

import os
import queue
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from casemesh.dossier.packs.format import (
    MAX_CHUNK_BYTES,
    PACK_HEADER_BYTES,
    RECORD_HEADER_BYTES,
    RECORD_OVERHEAD_BYTES,
    Kind,
    PackHeader,
    padding_after,
    write_record_header,
)
from casemesh.dossier.packs.slabs import Slab, open_direct, sync_directory, write_at
from casemesh.dossier.packs.suites import DEFAULT_SUITE, SALT_BYTES, Buffer, Suite

_ROOM_FOR_PADDING: Final = 2 * 4096
_SLAB_BYTES: Final = 2 * MAX_CHUNK_BYTES + 64 * 4096
_SLABS: Final = 3
_NO_BLOB: Final = bytes(16)


class PackBroken(Exception):
    """An earlier write or sync of this pack failed; what it holds beyond the last sync is unknown. Take a new pack."""


class Placed(NamedTuple):
    """Where a record lies: byte ``position`` in the pack, ``stored_length`` bytes, the pack's ``number``-th record."""

    position: int
    stored_length: int
    number: int


def _closed(slab: Slab) -> None:
    raise PackBroken


def pack_path(root: Path, case_id: bytes, pack_id: bytes) -> Path:
    """``root/<case>/<pack>.pack``, both as hex: nothing a client sends becomes part of a path."""
    return root / case_id.hex() / f"{pack_id.hex()}.pack"


class PackWriter:
    """The one writer a pack ever has.

    A record is sealed at once into a slab. ``flush`` pads the slab to a block's end and hands it on: to ``write``
    directly, or to the caller's ``emit``, who then calls ``write`` from another thread. What is written is durable
    after the ``sync`` that follows. ``append`` and ``flush`` belong to one thread, ``write`` and ``sync`` to one, too;
    slabs are few, so that whoever seals waits for the one that writes.

    A writer takes a fresh salt and never reopens a pack, so no nonce is used twice. After a failed write nothing more
    is written, but what was can still be made durable; after a failed sync not even that, for the kernel may have
    dropped what it could not write and says so only once.
    """

    def __init__(
        self,
        descriptor: int,
        header: PackHeader,
        case_key: bytes,
        suite: Suite,
        emit: Callable[[Slab], None] | None = None,
    ) -> None:
        self.header = header
        self._descriptor = descriptor
        self._cipher = suite.cipher(case_key, header.salt, header.pack_id)
        self._emit = emit or self.write
        self._free: queue.SimpleQueue[Slab] = queue.SimpleQueue()
        for _ in range(_SLABS if emit else 1):
            self._free.put(Slab(_SLAB_BYTES))
        self._slab: Slab | None = None
        self._number = 0
        self._position = PACK_HEADER_BYTES
        self._written = PACK_HEADER_BYTES
        self._broken = False
        self._unsafe = False

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        case_id: bytes,
        pack_id: bytes,
        case_key: bytes,
        suite: Suite = DEFAULT_SUITE,
        emit: Callable[[Slab], None] | None = None,
    ) -> PackWriter:
        """A new pack, its header and its name already durable. Raises FileExistsError or another OSError."""
        header = PackHeader(suite.suite_id, secrets.token_bytes(SALT_BYTES), case_id, pack_id)
        path = pack_path(root, case_id, pack_id)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(root)
        descriptor = open_direct(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            first = Slab(PACK_HEADER_BYTES)
            first.view[:] = header.encode()
            write_at(descriptor, first.view, 0)
            os.fsync(descriptor)
            sync_directory(path.parent)
            return cls(descriptor, header, case_key, suite, emit)
        except BaseException:
            os.close(descriptor)
            raise

    @property
    def position(self) -> int:
        """Bytes of the pack including what is sealed but not yet written."""
        return self._position

    @property
    def records(self) -> int:
        """Records of the pack including what is sealed but not yet written."""
        return self._number

    @property
    def written(self) -> int:
        """Bytes of the pack that have been written."""
        return self._written

    def append(
        self, kind: Kind, blob_id: bytes, plain: Buffer, *, index: int = 0, offset: int = 0, last: bool = False
    ) -> Placed:
        """Seal one record behind the others. ``plain`` is at most 1 MiB. Flushes only when the slab is full."""
        self._check()
        length = len(plain)
        if length > MAX_CHUNK_BYTES:
            raise ValueError("a record holds at most 1 MiB")
        stored = RECORD_OVERHEAD_BYTES + length
        if self._slab is not None and self._slab.filled + stored > _SLAB_BYTES - _ROOM_FOR_PADDING:
            self.flush()
        return self._seal(kind, blob_id, plain, index, offset, last)

    def flush(self) -> None:
        """Hand on everything sealed. Raises OSError once where it writes itself, PackBroken from then on."""
        self._check()
        padding = padding_after(self._position)
        if padding is not None:
            self._seal(Kind.PAD, _NO_BLOB, bytes(padding), 0, 0, False)
        slab, self._slab = self._slab, None
        if slab is not None:
            self._emit(slab)

    def write(self, slab: Slab) -> None:
        """Write a slab and take it back. Raises OSError once (disk full, for one), PackBroken from then on."""
        try:
            self._check()
            write_at(self._descriptor, slab.view[: slab.filled], slab.base)
            self._written = slab.base + slab.filled
        except OSError:
            self._broken = True
            raise
        finally:
            self._free.put(slab)

    def sync(self) -> None:
        """Make everything written before the call durable. Raises OSError once, PackBroken from then on."""
        if self._unsafe:
            raise PackBroken
        try:
            os.fdatasync(self._descriptor)
        except OSError:
            self._broken = self._unsafe = True
            raise

    def close(self) -> None:
        """Release file and memory; what was not written is given up. May be called again."""
        self._broken = self._unsafe = True
        # Some megabytes, and whoever is told of slabs may well hold this writer: not left to the cycle collector.
        self._slab, self._free, self._emit = None, queue.SimpleQueue(), _closed
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _seal(self, kind: Kind, blob_id: bytes, plain: Buffer, index: int, offset: int, last: bool) -> Placed:
        slab = self._slab
        if slab is None:
            slab = self._slab = self._free.get()
            slab.base, slab.filled = self._position, 0
        start, number, position = slab.filled, self._number, self._position
        stored = RECORD_OVERHEAD_BYTES + len(plain)
        body = start + RECORD_HEADER_BYTES
        write_record_header(slab.view, start, kind, number, blob_id, index, offset, len(plain), last)
        # Counted before sealing: a number spent on a failed attempt must not serve again.
        self._number += 1
        self._cipher.seal_into(number, plain, slab.view[start:body], slab.view[body : start + stored])
        slab.filled = start + stored
        self._position = position + stored
        return Placed(position, stored, number)

    def _check(self) -> None:
        if self._broken:
            raise PackBroken
