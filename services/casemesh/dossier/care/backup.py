"""Backup: rows of one moment, then every pack those rows need, up to the end they know.

    DIR/packs/<case>/<pack>.pack        sealed as in the store; shared by all backups of the folder
    DIR/backups/<id>/<table>.rows       one file a table, in PostgreSQL's text format
    DIR/backups/<id>/backup.json        what belongs to it, with SHA-256; written last: without it there is no backup

Bytes are durable before rows know of them, and packs only grow at their end: so whatever the rows of a moment need is
in the store after it, and what comes later does no harm. Compaction waits meanwhile. Packs are sealed and case keys
wrapped; rows are not: who reads the folder reads titles and file names. The wrapping key is not in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.dossier.care.pace import Pace
from casemesh.dossier.care.store import CARE_LOCK
from casemesh.dossier.keys.provider import KeyProvider
from casemesh.dossier.packs.disk import DiskPacks, pack_path
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.slabs import Slab, sync_directory
from casemesh.dossier.packs.stores import PackKey, PackSource, PackStore
from casemesh.dossier.packs.verifying import verify_pack
from casemesh.runtime.postgres import Database
from casemesh.runtime.table_copy import RowsSnapshot, rows_snapshot, shared_lock

FORMAT: Final = 1
STEP_BYTES: Final = 4 << 20
_PACKS = """
SELECT pack.pack_id, pack.case_name, pack.end_bytes, case_key.wrapped_key FROM pack JOIN case_key USING (case_name)
WHERE case_key.wrapped_key IS NOT NULL AND EXISTS (SELECT FROM extent WHERE extent.pack_id = pack.pack_id)
ORDER BY pack.pack_id
"""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table's rows in a file."""

    name: str
    columns: list[str]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PackFile:
    """The first ``size_bytes`` bytes of a pack. ``damage`` says what was wrong with them at the source, if anything."""

    case_id: str
    pack_id: str
    size_bytes: int
    sha256: str
    damage: str = ""

    @property
    def key(self) -> PackKey:
        return PackKey(bytes.fromhex(self.case_id), bytes.fromhex(self.pack_id))


@dataclass(slots=True)
class BackupList:
    """What `backup.json` holds. ``migrations`` are what the schema was made by."""

    backup: str
    taken_at: str
    migrations: list[list[Any]]
    tables: list[TableFile] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)
    packs: list[PackFile] = field(default_factory=list)
    format: int = FORMAT

    @classmethod
    def read(cls, path: Path) -> BackupList:
        """Raises OSError, ValueError for what is no backup of a known format."""
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.get("format") != FORMAT:
            raise ValueError(f"{path} is no backup of a format known to this build")
        tables, packs = ([kind(**item) for item in value.pop(name)] for name, kind in _LISTS)
        return cls(tables=tables, packs=packs, **value)


_LISTS: Final[tuple[tuple[str, Any], ...]] = (("tables", TableFile), ("packs", PackFile))


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was taken: ``copied_packs`` of ``packs`` were not in the folder yet. ``damaged`` do not verify."""

    backup: str
    rows: int
    packs: int
    copied_packs: int
    copied_bytes: int
    damaged: tuple[str, ...]


@dataclass
class Backup:
    """One backup into a folder that may hold earlier ones."""

    folder: Path
    packs: PackStore
    keys: KeyProvider
    clock: Clock
    pace: Pace
    _copied: int = 0
    _copied_bytes: int = 0

    async def total_bytes(self, database: Database) -> int:
        """Bytes of packs that a backup taken now has, whether they are copied or there already."""
        return sum(row["end_bytes"] for row in await database.fetch(_PACKS))

    async def run(self, dsn: str, progress: Callable[[int], None]) -> BackupReport:
        """Take it; ``progress`` is told the bytes of packs done. Every copy is opened record by record.

        Raises OSError where the store or the folder fails, KeyProviderError, KeyProviderUnavailable. A backup that
        broke off is none; what it has copied serves the next.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        backups = self.folder / "backups"
        backups.mkdir(mode=0o700, exist_ok=True)
        backup = new_id()
        into = backups / f".{backup}"
        into.mkdir(mode=0o700)
        try:
            return await self._take(dsn, backup, into, backups, progress)
        finally:
            # Nothing is left there where all went well.
            shutil.rmtree(into, ignore_errors=True)

    async def _take(
        self, dsn: str, backup: str, into: Path, backups: Path, progress: Callable[[int], None]
    ) -> BackupReport:
        earlier = await asyncio.to_thread(_earlier_packs, backups)
        async with shared_lock(dsn, CARE_LOCK):
            async with rows_snapshot(dsn) as snapshot:
                contents = BackupList(backup, self.clock.now().isoformat(), await snapshot.migrations())
                contents.sequences = await snapshot.sequences()
                for name, columns in await snapshot.tables():
                    contents.tables.append(await _copy_table(snapshot, name, columns, into))
                rows = await snapshot.fetch(_PACKS)
            done = 0
            for row in rows:
                key = PackKey(uuid.UUID(CASE.parse(row["case_name"])["case"]).bytes, row["pack_id"].bytes)
                pack = earlier.get(key)
                if pack is None or pack.size_bytes < row["end_bytes"] or pack.damage:
                    case_key = await self.keys.unwrap(row["case_name"], row["wrapped_key"])
                    pack = await asyncio.to_thread(self._copy, key, row["end_bytes"], case_key)
                contents.packs.append(pack)
                done += row["end_bytes"]
                progress(done)
        await asyncio.to_thread(_write_list, contents, into, backups / backup)
        return BackupReport(
            backup, sum(table.rows for table in contents.tables), len(contents.packs), self._copied,
            self._copied_bytes, tuple(pack.pack_id for pack in contents.packs if pack.damage),
        )  # fmt: skip

    def _copy(self, key: PackKey, end: int, case_key: bytes) -> PackFile:
        """Copy a pack's first ``end`` bytes, prove the copy, and only then let it take an earlier one's place."""
        incoming, kept = DiskPacks(self.folder / "incoming"), self.folder / "packs"
        (self.folder / "incoming").mkdir(mode=0o700, exist_ok=True)
        with closing(self.packs.open(key)) as source:
            digest, damage = self._copy_once(source, key, end, case_key, incoming)
            if damage and source.look_elsewhere():
                digest, damage = self._copy_once(source, key, end, case_key, incoming)
        path = pack_path(kept, key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(pack_path(incoming.root, key), path)
        for directory in (path.parent, kept, self.folder):
            sync_directory(directory)
        self._copied += 1
        self._copied_bytes += end
        return PackFile(key.case_id.hex(), key.pack_id.hex(), end, digest, damage)

    def _copy_once(
        self, source: PackSource, key: PackKey, end: int, case_key: bytes, incoming: DiskPacks
    ) -> tuple[str, str]:
        incoming.delete(key)
        digest, slab, position = hashlib.sha256(), Slab(STEP_BYTES), PACK_HEADER_BYTES
        source.read(slab, 0, PACK_HEADER_BYTES)
        header = bytes(slab.view[: slab.filled])
        digest.update(header)
        with closing(incoming.create(key, header)) as sink:
            while position < end:
                source.read(slab, position, min(STEP_BYTES, end - position + 4095 & -4096))
                data = slab.view[: min(slab.filled, end - position)]
                if not data:
                    break
                self.pace.take(len(data))
                digest.update(data)
                sink.write(data, position)
                position += len(data)
            sink.sync()
        if position < end:
            return digest.hexdigest(), f"ends at byte {position} instead of {end}"
        check = verify_pack(incoming.open(key), key, case_key)
        return digest.hexdigest(), "" if check.damage is None else str(check.damage)


def lists_of(folder: Path) -> list[BackupList]:
    """The backups of a folder, oldest first."""
    return [BackupList.read(path) for path in sorted((folder / "backups").glob("*/backup.json"))]


def _earlier_packs(backups: Path) -> dict[PackKey, PackFile]:
    """What the folder has of packs, where it still has it."""
    found: dict[PackKey, PackFile] = {}
    for contents in lists_of(backups.parent):
        for pack in contents.packs:
            if pack.key not in found or pack.size_bytes > found[pack.key].size_bytes:
                found[pack.key] = pack
    packs = backups.parent / "packs"
    return {key: pack for key, pack in found.items() if _size(pack_path(packs, key)) == pack.size_bytes}


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


async def _copy_table(snapshot: RowsSnapshot, name: str, columns: list[str], into: Path) -> TableFile:
    file = into / f"{name}.rows"
    rows = await snapshot.copy_out(name, columns, file)
    return TableFile(name, columns, rows, await asyncio.to_thread(_synced_digest, file))


def _synced_digest(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_list(contents: BackupList, made_in: Path, final: Path) -> None:
    with (made_in / "backup.json").open("w", encoding="utf-8") as file:
        json.dump(asdict(contents), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(made_in)
    made_in.rename(final)
    sync_directory(final.parent)
