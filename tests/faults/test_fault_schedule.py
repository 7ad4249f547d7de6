"""Three replicas of each service under load: one of each killed in turn, then faults drawn from a seed; the accounts.

`make faults` draws for ten minutes; a usual run draws a few. CASEMESH_FAULT_SEED repeats a run. The report is printed,
and written where CASEMESH_FAULT_REPORT says.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest

from casemesh.client.dossier_download import download_dossier
from casemesh.client.dossier_upload import LocalDocument, finalize_dossier, upload_documents
from casemesh.client.profile import Profile
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_service_pb2
from casemesh.errors import Unavailable
from casemesh.pki.names import SERVICES
from casemesh.routing.v1 import case_pb2
from tests.support.exchange_accounts import (
    Journal,
    check_books,
    check_outbox,
    receiving,
    register_cases,
    submit,
    until,
    until_all_is_stored,
)
from tests.support.faults import Faults, Line
from tests.support.platform import RunningPlatform, enrol_three, running_platform

T = TypeVar("T")
REPLICAS = 3
CASES = 4
DOCUMENTS = 8
DOCUMENT_BYTES = 300_000
FAULTS = int(os.environ.get("CASEMESH_FAULTS", "4"))
SECONDS = float(os.environ.get("CASEMESH_FAULT_SECONDS", "0"))
"""Draw for so long, where that is longer than the faults take."""
SEED = int(os.environ.get("CASEMESH_FAULT_SEED", "20261122"))
BETWEEN_FAULTS = 8
"""Exchanges confirmed to their sender between one fault and the next: each meets work."""


@dataclass
class Load:
    """What the agencies do all the while, and what they were told."""

    journal: Journal
    folder: Path
    dossiers: int = 0
    interrupted_transfers: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def exchange(self, session: Session, case: case_pb2.Case, recipient: str) -> None:
        while not self.done.is_set():
            await submit(session, self.journal, case.name, case.parties[0].name, recipient)

    async def transfer(self, session: Session, case: case_pb2.Case) -> None:
        """Upload, finalise and fetch dossiers; each comes back byte by byte."""
        while not self.done.is_set():
            source = random.Random(self.dossiers)
            folder = self.folder / str(self.dossiers)
            documents = [_document(folder, index, source.randbytes(DOCUMENT_BYTES)) for index in range(DOCUMENTS)]
            request = dossier_service_pb2.CreateDossierRequest(request_id=new_id(), case=case.name, title="invented")
            dossier = (await self._asked(lambda request=request: session.dossiers.CreateDossier(request))).dossier.name
            uploaded = await upload_documents(session.dossiers, dossier, documents, upload_id=new_id(), streams=2)
            finalize = new_id()
            version = await self._asked(
                lambda uploaded=uploaded, finalize=finalize: finalize_dossier(
                    session.dossiers, uploaded, request_id=finalize
                )
            )
            roots = session.profile.trusted_roots()
            got = await download_dossier(session.dossier_read, version.name, folder / "got", roots)
            for document, listed in zip(documents, got.manifest.documents, strict=True):
                assert document.path.read_bytes() == got.folder.document_path(listed).read_bytes()
            self.dossiers += 1

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await call()
            except Unavailable:
                self.interrupted_transfers += 1
                await asyncio.sleep(0.1)


def _document(folder: Path, index: int, data: bytes) -> LocalDocument:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{index}.bin"
    path.write_bytes(data)
    return LocalDocument(path, "证据卷一", path.name, "application/octet-stream", 1)


@asynccontextmanager
async def working(platform: RunningPlatform, line: Line, load: Load) -> AsyncIterator[None]:
    """The agencies at work through the line while the body runs; what ends one of them ends the test. Then the books,
    while the recipient still receives: a confirmation that was lost is given again."""

    def through(profile: Profile) -> Profile:
        return replace(profile, gateway=line.address)

    police, procuratorate = platform.agencies["police"], platform.agencies["procuratorate"]
    async with (
        Session(through(police.officers[0])) as officer,
        Session(through(procuratorate.system), as_system=True) as system,
    ):
        cases = await register_cases(officer, CASES)
        async with receiving(system, load.journal), asyncio.TaskGroup() as agencies:
            for case in cases:
                agencies.create_task(load.exchange(officer, case, procuratorate.name))
            agencies.create_task(load.transfer(officer, cases[0]))
            yield
            load.done.set()
        async with receiving(system, load.journal):
            await until_all_is_stored(load.journal)
            await check_books(load.journal, Path(platform.addresses.pki).parent, [case.name for case in cases])


@pytest.mark.timeout(1500)
async def test_replicas_lose_and_double_nothing_whatever_befalls_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    load = Load(Journal(tmp_path / "journal.jsonl"), tmp_path / "dossiers")
    with running_platform(data, replicas=REPLICAS) as (supervisor, addresses):
        platform = RunningPlatform(supervisor, addresses, await enrol_three(addresses))
        async with Line.to(addresses.gateway) as line:
            faults = Faults(platform, line, REPLICAS)

            async def meets_work() -> None:
                reached = len(load.journal.submitted) + BETWEEN_FAULTS
                await until(lambda: len(load.journal.submitted) >= reached)

            async with working(platform, line, load):
                for service in SERVICES:
                    await meets_work()
                    await faults.kill(f"{service}-2")
                await meets_work()
                # What one replica leaves undone another does, and the client's own repetition hides the rest.
                assert (0, 0) == (load.journal.interrupted, load.interrupted_transfers)

                source, began = random.Random(SEED), time.monotonic()
                drawn = 0
                while drawn < FAULTS or time.monotonic() - began < SECONDS:
                    await faults.draw(source, list(SERVICES))()
                    drawn += 1
                    await meets_work()
                transferred = load.dossiers
                await until(lambda: load.dossiers > transferred)
            for service in SERVICES:
                await check_outbox(data, service)
            await check_log(data)
    report(faults, load)


def report(faults: Faults, load: Load) -> None:
    """Say what was done to the platform and what came of it."""
    stored = {name.partition("/deliveries/")[0] for name, _, _ in load.journal.stored}
    text = json.dumps(
        {
            "seed": SEED,
            "faults": faults.done,
            "exchanges_submitted": len(load.journal.submitted),
            "exchanges_stored_by_the_recipient": len(stored),
            "dossiers_sent_and_fetched_byte_by_byte": load.dossiers,
            "calls_given_up_by_the_client_and_repeated": load.journal.interrupted + load.interrupted_transfers,
        },
        indent=1,
    )
    print(text)
    if "CASEMESH_FAULT_REPORT" in os.environ:
        Path(os.environ["CASEMESH_FAULT_REPORT"]).write_text(text + "\n")


async def check_log(data: Path) -> None:
    """The audit log holds against every checkpoint that was signed."""
    command = [sys.executable, "-m", "casemesh.cli.daemon", "audit", "fsck", "--json"]
    command += ["--config", str(data / "config" / "audit.toml")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["sound"]
