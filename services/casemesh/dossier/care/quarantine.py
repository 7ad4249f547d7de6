"""What is safe to put right: packs that nothing leads to are put aside, not thrown away."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from casemesh.core.clock import Clock
from casemesh.dossier.care.operator import BY_OPERATOR, PACK_QUARANTINED, record_care
from casemesh.dossier.packs.copying import copy_pack
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.runtime.postgres import Database

# Time enough for whoever is just making it, or restoring rows, to say so.
_LEAST_AGE: Final = timedelta(days=1)


async def quarantine(
    database: Database, packs: PackStore, clock: Clock, orphans: Iterable[PackKey], folder: Path
) -> list[PackKey]:
    """Move packs without a row, made more than a day ago, to a folder of packs; returns those that went.

    Each is copied, read back and compared before it is deleted. Raises PackDamaged, OSError.
    """
    moved = []
    for key in orphans:
        if clock.now() - made_at(key) < _LEAST_AGE:
            continue
        async with database.transaction() as transaction:
            case = f"cases/{uuid.UUID(bytes=key.case_id)}"
            pack = f"packs/{uuid.UUID(bytes=key.pack_id)}"
            await record_care(transaction, clock, BY_OPERATOR, PACK_QUARANTINED, pack, case)
        await asyncio.to_thread(_put_aside, packs, key, folder)
        moved.append(key)
    return moved


def made_at(key: PackKey) -> datetime:
    """When a pack was made. Source: RFC 9562 section 5.7 (a UUIDv7 begins with milliseconds)."""
    return datetime.fromtimestamp(int.from_bytes(key.pack_id[:6]) / 1000, UTC)


def _put_aside(packs: PackStore, key: PackKey, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy_pack(key, packs, DiskPacks(folder))
    packs.delete(key)
