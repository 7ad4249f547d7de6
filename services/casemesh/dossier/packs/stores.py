"""Where packs lie: what a store of packs owes to those who write, read, check and move them.

A store keeps bytes and knows nothing of keys: sealing and checking are the work of PackWriter and PackReader over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from casemesh.dossier.packs.slabs import Slab


class PackKey(NamedTuple):
    """Which pack of which case: UUIDs of 16 bytes each."""

    case_id: bytes
    pack_id: bytes


class PackSink(Protocol):
    """The one way into a new pack.

    One thread writes; ``push`` and ``sync`` may come from another meanwhile. All raise OSError. After a failed write
    no other follows, but ``sync`` may still be asked for what came before it.
    """

    @property
    def stored(self) -> int:
        """Bytes of the pack, from its first, that survive the death of this process, though not a power cut."""

    def write(self, data: memoryview, position: int) -> None:
        """Take up to 8 MiB that follow directly on what was written. ``data`` may be changed after the call."""

    def push(self) -> None:
        """Make ``stored`` count everything written before the call."""

    def sync(self) -> None:
        """Make everything written before the call durable."""

    def close(self) -> None:
        """Release what is held; what was not stored is given up. May be called again."""


class PackSource(Protocol):
    """A pack open for reading by one thread."""

    @property
    def size(self) -> int:
        """Bytes of the pack, as far as it can be read from any copy."""

    def read(self, slab: Slab, position: int, length: int) -> None:
        """Fill the slab with ``length`` bytes from ``position``, which is a block's, fewer only at the pack's end.

        Raises OSError, or PackDamaged where bytes within the pack are missing. Does not say whether bytes are right.
        """

    def look_elsewhere(self) -> bool:
        """Take it that the last bytes read are wrong or missing: says whether reading them again may give others."""

    def sync(self) -> None:
        """Make durable what the pack holds, in all its copies and whoever wrote it. Raises OSError."""

    def close(self) -> None:
        """Release what is held. May be called again."""


class PackStore(Protocol):
    """A place of packs. A pack is made once and grows at its end until its sink is closed; it is never rewritten.

    Implementations may be used by many threads and by several processes at once. All methods raise OSError.
    """

    @property
    def commit_seconds(self) -> float:
        """How often an upload should make its bytes durable: what a sync costs here sets it."""

    def create(self, key: PackKey, header: bytes) -> PackSink:
        """A new pack that begins with ``header``; header and name are durable. Raises FileExistsError."""

    def extend(self, key: PackKey) -> PackSink:
        """A sink behind what the pack holds, for a copy that catches up with its original. Raises FileNotFoundError."""

    def open(self, key: PackKey) -> PackSource:
        """The pack for reading, past any cache of file contents. Raises FileNotFoundError."""

    def delete(self, key: PackKey) -> None:
        """Remove the pack, or what is left of it; one that is not there is fine."""

    def keys(self) -> Iterator[PackKey]:
        """All packs, in no order, also those of which only a part is left. Those made or deleted meanwhile may be
        among them or not."""

    def size(self, key: PackKey) -> int:
        """Bytes of the pack. Raises FileNotFoundError."""
