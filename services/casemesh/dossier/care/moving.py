"""Moving a store, say from disk to S3, while it serves."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from casemesh.dossier.care.pace import Pace
from casemesh.dossier.packs.format import PackDamaged
from casemesh.dossier.packs.moving import MovingPacks
from casemesh.dossier.packs.stores import PackKey
from casemesh.runtime.postgres import Database

_CLOSED = "SELECT pack_id, end_bytes FROM pack WHERE closed AND pack_id = ANY($1::uuid[])"
_AT_ONCE: Final = 500


@dataclass(slots=True)
class StoreMove:
    """How far a move is. ``waiting`` packs are still written to, or no row knows them; ``failed`` could not be copied
    as they are. Both stay where they are, and are read there."""

    moved: int = 0
    moved_bytes: int = 0
    waiting: int = 0
    failed: list[str] = field(default_factory=list)


async def move_store(
    database: Database, packs: MovingPacks, pace: Pace, progress: Callable[[int, int], None]
) -> StoreMove:
    """Bring every closed pack of the source over; ``progress`` is told packs done and packs in all.

    Each is copied, read back and compared before it is deleted at the source, and who reads it goes on. The service
    must know both stores by then (`move_from`), so that what it writes is in the new one. Repeated after a break, it
    goes on. Raises OSError where a store does not answer.
    """
    move = StoreMove()
    keys = await asyncio.to_thread(lambda: sorted(packs.source.keys()))
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        rows = await database.fetch(_CLOSED, [uuid.UUID(bytes=key.pack_id) for key in some])
        closed = {row["pack_id"].bytes for row in rows}
        for key in some:
            if key.pack_id in closed:
                await asyncio.to_thread(_move, packs, key, pace, move)
            else:
                move.waiting += 1
            progress(move.moved + move.waiting + len(move.failed), len(keys))
    return move


def _move(packs: MovingPacks, key: PackKey, pace: Pace, move: StoreMove) -> None:
    try:
        size = packs.source.size(key)
        # Read, written, and read back.
        pace.take(3 * size)
        packs.move(key)
    except FileNotFoundError:
        # Compaction was quicker.
        return
    except PackDamaged as damage:
        move.failed.append(f"{uuid.UUID(bytes=key.pack_id)}: {damage.why}")
        return
    move.moved += 1
    move.moved_bytes += size
