"""kill -9 of anything during an upload: the same command goes on, sends at most 16 MiB again, the bytes are right."""

from __future__ import annotations

import asyncio
import filecmp
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from casemesh.cli.demo_dossier import DemoDossier, make_dossier
from casemesh.cli.send_dossier import count_pages
from casemesh.cli.source_folder import read_folder
from casemesh.client.dossier_download import download_dossier
from casemesh.client.dossier_upload import TransferProgress, finalize_dossier, upload_documents
from casemesh.client.profile import write_profile
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_service_pb2
from tests.support.platform import RunningPlatform, enrol_three, running_platform

MIB = 1024 * 1024
AGAIN_LIMIT_BYTES = 16 * MIB
DOSSIER_BYTES = 120_000_000


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running_platform(tmp_path_factory.mktemp("killed") / "data") as (supervisor, addresses):
        yield RunningPlatform(supervisor, addresses, asyncio.run(enrol_three(addresses)))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoDossier]:
    folder = tmp_path_factory.mktemp("source") / "卷宗"
    folder.mkdir()
    return folder, make_dossier(folder, seed=5, pages=500, total_bytes=DOSSIER_BYTES)


def killing(platform: RunningPlatform, victim: str, at: list[int]) -> Callable[[TransferProgress], None]:
    """Kill `victim` whenever the bytes received pass the next mark."""
    marks = sorted(at)

    def progress(now: TransferProgress) -> None:
        if marks and now.received_bytes >= marks[0]:
            marks.pop(0)
            platform.kill(victim)

    return progress


@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", ["dossier", "gateway", "postgres"])
async def test_an_upload_survives_kill_9_of_what_carries_it(
    platform: RunningPlatform, source: tuple[Path, DemoDossier], tmp_path: Path, victim: str
) -> None:
    folder, made = source
    case = await platform.register_case()
    documents, _ = count_pages(read_folder(folder))
    marks = [10 * MIB, 70 * MIB]
    async with Session(platform.agencies["police"].officers[0]) as session:
        created = await session.dossiers.CreateDossier(
            dossier_service_pb2.CreateDossierRequest(request_id=new_id(), case=case, title="invented")
        )
        uploaded = await upload_documents(
            session.dossiers,
            created.dossier.name,
            documents,
            upload_id=new_id(),
            progress=killing(platform, victim, marks),
        )
        assert uploaded.attempts > len(marks)
        sent_again = uploaded.sent_bytes - made.size_bytes
        assert sent_again <= AGAIN_LIMIT_BYTES * (uploaded.attempts - 1)
        version = await finalize_dossier(session.dossiers, uploaded, request_id=new_id())
        assert (made.size_bytes, made.page_count) == (version.size_bytes, version.page_count)
        roots = session.profile.trusted_roots()
        downloaded = await download_dossier(session.dossier_read, version.name, tmp_path / "got", roots)
    for document, listed in zip(documents, downloaded.manifest.documents, strict=True):
        assert filecmp.cmp(document.path, downloaded.folder.document_path(listed), shallow=False), document.file_name
    assert made.size_bytes == downloaded.received_bytes


@pytest.mark.timeout(300)
def test_the_same_command_goes_on_after_its_own_kill_9(
    platform: RunningPlatform, source: tuple[Path, DemoDossier], tmp_path: Path
) -> None:
    folder, made = source
    case = asyncio.run(platform.register_case())
    environment = {**os.environ, "CASEMESH_CONFIG": str(tmp_path / "config"), "CASEMESH_STATE": str(tmp_path / "state")}
    write_profile(tmp_path / "config", replace(platform.agencies["police"].officers[0], name="police"))
    command = [sys.executable, "-m", "casemesh.cli.main", "dossier", "send", str(folder), "--case", case]
    command += ["--profile", "police", "--json"]
    store = Path(platform.addresses.pki).parent / "dossiers"
    before = stored_bytes(store)
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while stored_bytes(store) - before < 24 * MIB:
        assert first.poll() is None, "the upload was over before it could be killed"
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = subprocess.run(command, capture_output=True, env=environment, text=True, check=False, timeout=200)
    assert second.returncode == 0, second.stderr
    answer = json.loads(second.stdout)
    assert answer["sent_bytes"] <= made.size_bytes - 24 * MIB + AGAIN_LIMIT_BYTES
    assert made.size_bytes == int(answer["size_bytes"])


def stored_bytes(store: Path) -> int:
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
