"""kill -9 of the store again and again during one transfer through the gateway: the right bytes, little sent again.

Each death takes the supervisor's pause and a start, some ten seconds: four by default, twenty with `make faults`, or as
many as CASEMESH_FAULT_KILLS says.
"""

from __future__ import annotations

import asyncio
import filecmp
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from casemesh.cli.demo_dossier import make_dossier
from casemesh.cli.send_dossier import count_pages
from casemesh.cli.source_folder import read_folder
from casemesh.client.dossier_download import download_dossier
from casemesh.client.dossier_upload import TransferProgress, finalize_dossier, upload_documents
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_service_pb2
from tests.support.platform import RunningPlatform, enrol_three, running_platform

MIB = 1024 * 1024
AGAIN_LIMIT_BYTES = 16 * MIB
KILLS = int(os.environ.get("CASEMESH_FAULT_KILLS", "4"))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running_platform(tmp_path_factory.mktemp("killed-often") / "data") as (supervisor, addresses):
        yield RunningPlatform(supervisor, addresses, asyncio.run(enrol_three(addresses)))


class Killer:
    """Kills the store whenever the bytes received pass the next mark and a new store runs since the last kill."""

    def __init__(self, platform: RunningPlatform, every_bytes: int) -> None:
        self._platform = platform
        self._every = every_bytes
        self._killed: set[psutil.Process] = set()

    @property
    def kills(self) -> int:
        return len(self._killed)

    def __call__(self, now: TransferProgress) -> None:
        if self.kills < KILLS and now.received_bytes >= (self.kills + 1) * self._every:
            # What a dead store had said may still be on its way here.
            with suppress(LookupError):
                store = self._platform.process("dossier")
                if store not in self._killed:
                    self._killed.add(store)
                    store.kill()


@pytest.mark.timeout(600)
async def test_a_transfer_survives_many_deaths_of_the_store(platform: RunningPlatform, tmp_path: Path) -> None:
    folder = tmp_path / "卷宗"
    folder.mkdir()
    made = make_dossier(folder, seed=7, pages=400, total_bytes=100_000_000)
    case = await platform.register_case()
    documents, _ = count_pages(read_folder(folder))
    killer = Killer(platform, made.size_bytes // (KILLS + 2))
    async with Session(platform.agencies["police"].officers[0]) as session:
        created = await session.dossiers.CreateDossier(
            dossier_service_pb2.CreateDossierRequest(request_id=new_id(), case=case, title="invented")
        )
        uploaded = await upload_documents(
            session.dossiers, created.dossier.name, documents, upload_id=new_id(), progress=killer, patience_seconds=120
        )
        assert KILLS == killer.kills
        assert uploaded.attempts > KILLS
        assert uploaded.sent_bytes - made.size_bytes <= AGAIN_LIMIT_BYTES * KILLS
        version = await finalize_dossier(session.dossiers, uploaded, request_id=new_id())
        assert (made.size_bytes, made.page_count) == (version.size_bytes, version.page_count)
        roots = session.profile.trusted_roots()
        downloaded = await download_dossier(session.dossier_read, version.name, tmp_path / "got", roots)
    for document, listed in zip(documents, downloaded.manifest.documents, strict=True):
        assert filecmp.cmp(document.path, downloaded.folder.document_path(listed), shallow=False), document.file_name
