"""The operator beside a dossier desk: the store's rows, packs and keys, and `casemeshd dossier` itself.

async with operator_of(desk) as operator:
    report = await operator.fsck()
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casemesh.audit.v1 import event_pb2
from casemesh.core.clock import SystemClock
from casemesh.dossier.care.compaction import Care, CareReport
from casemesh.dossier.care.fsck import Fsck, FsckReport
from casemesh.dossier.care.operator import BY_OPERATOR
from casemesh.dossier.care.pace import Pace
from casemesh.dossier.care.scrub import Scrub, ScrubReport
from casemesh.dossier.care.store import CareStore
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.keys.local import LocalKeyProvider, wrapping_key_from_file
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.stores import PackStore
from casemesh.dossier.packs.suites import DEFAULT_SUITE
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.postgres import Database
from tests.support.dossiers import DossierDesk

NEVER = 1e9
"""Seconds that nothing in a test is old."""


@dataclass
class Operator:
    """Works on a desk's store. ``owner`` is the database as its owner."""

    desk: DossierDesk
    database: Database
    owner: Database
    packs: PackStore
    keys: LocalKeyProvider
    progress: list[Any] = field(default_factory=list)

    @property
    def case_keys(self) -> CaseKeys:
        return CaseKeys(self.database, self.keys)

    async def fsck(self) -> FsckReport:
        """Check everything."""
        return await Fsck(self.database, self.packs, self.keys).run(self.progress.append)

    async def kinds(self) -> set[str]:
        """The kinds of what fsck finds."""
        return {finding.kind for finding in (await self.fsck()).findings}

    def scrubbing(self, packs: PackStore | None = None) -> Scrub:
        """A scrub to be run."""
        return Scrub(self.database, packs or self.packs, self.case_keys, SystemClock(), Pace(None))

    async def scrub(self, packs: PackStore | None = None) -> ScrubReport:
        """Read everything."""
        return await self.scrubbing(packs).run(self.progress.append)

    async def care(self, *, expiry: float = NEVER, keep: float = NEVER) -> CareReport:
        """Run what the service runs by the hour, taking nothing for too young."""
        return await self.caring(expiry=expiry, keep=keep).run()

    def caring(self, *, expiry: float = NEVER, keep: float = NEVER) -> Care:
        """What `care` runs."""
        store = CareStore(self.database, least_age_seconds=-1)
        return Care(
            self.database, store, self.packs, self.case_keys, DEFAULT_SUITE, SystemClock(), BY_OPERATOR, expiry, keep
        )  # fmt: skip

    async def events(self, action: str) -> list[event_pb2.Event]:
        """The events of one action that the service has recorded, oldest first."""
        rows = await self.owner.fetch("SELECT event FROM outbox ORDER BY id")
        events = [event_pb2.Event.FromString(row["event"]) for row in rows]
        return [event for event in events if event.action == action]

    def pack_files(self) -> list[Path]:
        """Files of packs that hold more than a header, oldest first."""
        return sorted(path for path in self.desk.store.rglob("*.pack") if path.stat().st_size > 4096)


@asynccontextmanager
async def operator_of(desk: DossierDesk) -> AsyncIterator[Operator]:
    """See the module."""
    dsn = desk.mesh.databases["dossier"]
    config = DatabaseConfig(desk.mesh.directory, pool_size=4)
    runtime, owner = Database(dsn.runtime_dsn, config), Database(dsn.owner_dsn, config)
    await runtime.open()
    await owner.open()
    try:
        keys = LocalKeyProvider(wrapping_key_from_file(desk.mesh.directory / "keys" / "dossier-wrapping.key"))
        yield Operator(desk, runtime, owner, DiskPacks(desk.store), keys)
    finally:
        await runtime.close()
        await owner.close()


async def casemeshd(
    desk: DossierDesk, *arguments: str, owner: bool = False, config_file: Path | None = None
) -> tuple[int, Any, str]:
    """Run `casemeshd dossier`; returns its exit code, its JSON or None, and what it said."""
    folder = desk.mesh.directory / "config"
    given: Sequence[str] = [*arguments, "--json", "--config", str(config_file or folder / "dossier.toml")]
    if owner:
        dsn = folder / "owner.dsn"
        dsn.write_text(desk.mesh.databases["dossier"].owner_dsn)
        given = [*given, "--owner-dsn-file", str(dsn)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "casemesh.cli.daemon", "dossier", *given,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out else None, err.decode()
