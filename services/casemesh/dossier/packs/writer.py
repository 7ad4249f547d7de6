"""Appends sealed records to one pack."""

from __future__ import annotations

import queue
import secrets
from collections.abc import Callable
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
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSink, PackStore
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


class PackWriter:
    """The one writer a pack ever has.

    A record is sealed at once into a slab. ``flush`` pads the slab to a block's end and hands it on: to ``write``
    directly, or to the caller's ``emit``, who then calls ``write`` from another thread. What is written is durable
    after the ``sync`` that follows. ``append`` and ``flush`` belong to one thread, ``write`` to one,
    ``push`` and ``sync`` to any; slabs are few, so that whoever seals waits for the one that writes.

    A writer takes a fresh salt and never reopens a pack, so no nonce is used twice. After a failed write nothing more
    is written, but what was can still be made durable; after a failed sync not even that, for the kernel may have
    dropped what it could not write and says so only once.
    """

    def __init__(
        self,
        sink: PackSink,
        header: PackHeader,
        case_key: bytes,
        suite: Suite,
        emit: Callable[[Slab], None] | None = None,
    ) -> None:
        self.header = header
        self._sink = sink
        self._cipher = suite.cipher(case_key, header.salt, header.pack_id)
        self._emit = emit or self.write
        self._free: queue.SimpleQueue[Slab] = queue.SimpleQueue()
        for _ in range(_SLABS if emit else 1):
            self._free.put(Slab(_SLAB_BYTES))
        self._slab: Slab | None = None
        self._number = 0
        self._position = PACK_HEADER_BYTES
        self._broken = False
        self._unsafe = False

    @classmethod
    def create(
        cls,
        packs: PackStore,
        key: PackKey,
        case_key: bytes,
        *,
        suite: Suite = DEFAULT_SUITE,
        emit: Callable[[Slab], None] | None = None,
    ) -> PackWriter:
        """A new pack, its header and its name already durable. Raises FileExistsError or another OSError."""
        header = PackHeader(suite.suite_id, secrets.token_bytes(SALT_BYTES), key.case_id, key.pack_id)
        sink = packs.create(key, header.encode())
        try:
            return cls(sink, header, case_key, suite, emit)
        except BaseException:
            sink.close()
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
        """Bytes of the pack that survive the death of this process: those its store counts as stored."""
        return self._sink.stored

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
            self._sink.write(slab.view[: slab.filled], slab.base)
        except OSError:
            self._broken = True
            raise
        finally:
            self._free.put(slab)

    def push(self) -> None:
        """Make ``written`` count every slab written before the call. Raises OSError once, PackBroken from then on."""
        self._check()
        try:
            self._sink.push()
        except OSError:
            self._broken = True
            raise

    def sync(self) -> None:
        """Make everything written before the call durable. Raises OSError once, PackBroken from then on."""
        if self._unsafe:
            raise PackBroken
        try:
            self._sink.sync()
        except OSError:
            self._broken = self._unsafe = True
            raise

    def close(self) -> None:
        """Release file and memory; what was not written is given up. May be called again."""
        self._broken = self._unsafe = True
        # Some megabytes, and whoever is told of slabs may well hold this writer: not left to the cycle collector.
        self._slab, self._free, self._emit = None, queue.SimpleQueue(), _closed
        self._sink.close()

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
