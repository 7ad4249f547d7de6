"""Restore: a backup into an empty store and an empty database, whole or not at all as far as rows go."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casemesh.dossier.care.backup import STEP_BYTES, BackupList, PackFile, lists_of
from casemesh.dossier.packs.disk import pack_path
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackStore
from casemesh.runtime.table_copy import RowsTarget, rows_target

# What no service has written to may hold what migrations put there; these hold nothing before the first call.
_EMPTY_BEFORE_USE: Final = ("case_key", "dossier", "pack", "outbox", "request")


class RestoreError(Exception):
    """The backup cannot be restored here; the message says why. Rows are as they were before."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored."""

    backup: str
    taken_at: str
    rows: int
    packs: int
    size_bytes: int


def size_of(folder: Path, backup: str) -> int:
    """Bytes of a backup's packs. Raises RestoreError."""
    return sum(pack.size_bytes for pack in _chosen(folder, backup).packs)


async def restore(
    folder: Path, backup: str, owner_dsn: str, packs: PackStore, progress: Callable[[int], None]
) -> RestoreReport:
    """Restore ``backup`` of a folder, the latest where that is empty; ``progress`` is told the bytes done.

    Packs come first, each compared with its SHA-256 as it is written, then all rows in one transaction. Packs that a
    restore which broke off has left are replaced. The database must be migrated to what it was at the backup.

    Raises RestoreError, OSError. Does not bring back what the log knows of the time after the backup: `fsck` names
    the versions that were lost, where the log is asked.
    """
    contents = await asyncio.to_thread(_chosen, folder, backup)
    rows = 0
    async with rows_target(owner_dsn) as target:
        await _require_fit(target, contents)
    done = 0
    for pack in contents.packs:
        await asyncio.to_thread(_restore_pack, folder / "packs", pack, packs)
        done += pack.size_bytes
        progress(done)
    async with rows_target(owner_dsn) as target:
        await _require_fit(target, contents)
        for table in contents.tables:
            file = folder / "backups" / contents.backup / f"{table.name}.rows"
            if await asyncio.to_thread(_digest_of, file) != table.sha256:
                raise RestoreError(f"{file} is not what was backed up")
            if await target.rows_in(table.name):
                await target.clear(table.name)
            rows += await target.copy_in(table.name, table.columns, file)
        for name, last in contents.sequences.items():
            await target.set_sequence(name, last)
    return RestoreReport(contents.backup, contents.taken_at, rows, len(contents.packs), done)


def _chosen(folder: Path, backup: str) -> BackupList:
    for contents in reversed(lists_of(folder)):
        if backup in ("", contents.backup):
            return contents
    raise RestoreError(f"{folder} has no backup {backup}".rstrip())


async def _require_fit(target: RowsTarget, contents: BackupList) -> None:
    if await target.migrations() != contents.migrations:
        raise RestoreError("the database's schema is not that of the backup; migrate an empty one with that version")
    if await target.tables() != [(table.name, table.columns) for table in contents.tables]:
        raise RestoreError("the database's tables are not those of the backup")
    for table in _EMPTY_BEFORE_USE:
        if await target.rows_in(table):
            raise RestoreError(f"the database is in use: table {table} has rows")


def _restore_pack(kept: Path, pack: PackFile, packs: PackStore) -> None:
    path, slab, digest = pack_path(kept, pack.key), Slab(STEP_BYTES), hashlib.sha256()
    packs.delete(pack.key)
    with path.open("rb", buffering=0) as file:
        header = file.read(PACK_HEADER_BYTES)
        digest.update(header)
        position = len(header)
        with closing(packs.create(pack.key, header)) as sink:
            while position < pack.size_bytes:
                size = file.readinto(slab.view[: min(STEP_BYTES, pack.size_bytes - position)])
                if not size:
                    break
                digest.update(slab.view[:size])
                sink.write(slab.view[:size], position)
                position += size
            sink.sync()
    if digest.hexdigest() != pack.sha256:
        packs.delete(pack.key)
        raise RestoreError(f"{path} is not what was backed up")


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
