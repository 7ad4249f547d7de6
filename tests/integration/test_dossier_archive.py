"""A version as one ZIP file over real mTLS: of the size that was stated, the same every time, from any byte on."""

from __future__ import annotations

import zipfile
from pathlib import Path

import grpc.aio
import pytest

from casemesh.client.archive_download import download_archive
from casemesh.client.dossier_upload import LocalDocument
from casemesh.client.manifest import Manifest
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import NotFound, OutOfRange, from_rpc_error
from tests.support.dossiers import DossierDesk, documents_of

MIB = 1 << 20


async def archive(desk: DossierDesk, version: str, first: int = 0) -> tuple[bytes, int]:
    """Its bytes from the first one asked for on, and the size that was stated."""
    request = pb.DownloadArchiveRequest(version=version, first_offset_bytes=first)
    messages = [message async for message in desk.reading.DownloadArchive(request)]
    assert all(len(message.data) <= MIB for message in messages)
    assert [0] * (len(messages) - 1) == [message.size_bytes for message in messages[1:]]
    return b"".join(message.data for message in messages), messages[0].size_bytes


async def sent(desk: DossierDesk, folder: Path) -> tuple[list[LocalDocument], dossier_pb2.DossierVersion]:
    documents = documents_of(folder, [0, 10, MIB + 5, 2 * MIB, 300_000])
    return documents, await desk.version(documents)


async def test_an_archive_holds_the_manifest_and_every_document(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents, version = await sent(dossier_desk, tmp_path / "sent")
    size = await download_archive(dossier_desk.reading, version.name, tmp_path / "dossier.zip")
    assert size == (tmp_path / "dossier.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "dossier.zip") as opened:
        assert opened.testzip() is None
        first, *others = opened.namelist()
        manifest = Manifest.verify(opened.read(first), dossier_desk.signing_roots)
        assert (version.name, "manifest.json") == (manifest.facts.version, first)
        assert [f"{document.volume}/{document.file_name}" for document in documents] == others
        assert [document.path.read_bytes() for document in documents] == [opened.read(name) for name in others]


async def test_an_archive_is_the_same_every_time_and_from_any_byte_on(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    _, version = await sent(dossier_desk, tmp_path)
    whole, size = await archive(dossier_desk, version.name)
    assert (whole, size) == await archive(dossier_desk, version.name)
    assert size == len(whole)
    for first in (1, 5000, MIB + 1, size - 30, size):
        assert (whole[first:], size) == await archive(dossier_desk, version.name, first)
    with pytest.raises(OutOfRange):
        await refused(dossier_desk, pb.DownloadArchiveRequest(version=version.name, first_offset_bytes=size + 1))


async def refused(desk: DossierDesk, request: pb.DownloadArchiveRequest) -> None:
    try:
        async for _ in desk.reading.DownloadArchive(request):
            pass
    except grpc.aio.AioRpcError as failure:
        raise from_rpc_error(failure) from failure


async def test_a_part_of_an_archive_is_gone_on_with(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    _, version = await sent(dossier_desk, tmp_path / "sent")
    whole, _ = await archive(dossier_desk, version.name)
    (tmp_path / "dossier.zip.part").write_bytes(whole[:1_234_567])
    progress: list[int] = []
    await download_archive(dossier_desk.reading, version.name, tmp_path / "dossier.zip", progress=progress.append)
    assert whole == (tmp_path / "dossier.zip").read_bytes()
    assert min(progress) >= 1_234_567
    assert not (tmp_path / "dossier.zip.part").exists()


async def test_an_archive_is_for_those_who_may_read_the_version(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    _, version = await sent(dossier_desk, tmp_path)
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    reading = dossier_desk.as_caller(DossierReadServiceStub, theirs)
    with pytest.raises(NotFound):
        await download_archive(reading, version.name, tmp_path / "theirs.zip", patience_seconds=5)
    await dossier_desk.grant(version.name)
    assert await download_archive(reading, version.name, tmp_path / "theirs.zip") > version.size_bytes
