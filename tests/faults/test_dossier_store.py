"""A store that is damaged, full, or loses what stands beside it: never a wrong byte out, never a committed one lost."""

from __future__ import annotations

import asyncio
import random
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import grpc
import pytest

from casemesh.client.dossier_upload import LocalFileChanged, TransferProgress, finalize_dossier, upload_documents
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, DataLoss, Unavailable, from_rpc_error, from_status
from casemesh.local.postgres import EmbeddedPostgres
from tests.support.dossiers import DossierDesk, documents_of, frames, notices_of, opening, upload_finish, whole

SIZES = [100_000, 400_000, 1_500_000, 0, 30_000]


async def download(desk: DossierDesk, version: str) -> tuple[bytes, CaseMeshError | None]:
    """Document bytes in the order they came, and the error the stream ended with."""
    data, error = b"", None
    try:
        async for message in desk.reading.DownloadDocuments(read_pb.DownloadDocumentsRequest(version=version)):
            data += b"".join(frame.chunk.data for frame in message.frames)
    except grpc.aio.AioRpcError as failure:
        error = from_rpc_error(failure)
    return data, error


async def committed(desk: DossierDesk, dossier: str) -> dict[int, int]:
    answer = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    return {document.document_index: document.committed_bytes for document in answer.documents}


async def test_whatever_happens_to_a_pack_no_wrong_byte_leaves(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path, SIZES)
    expected = b"".join(document.path.read_bytes() for document in documents)
    version = (await dossier_desk.version(documents)).name
    (pack,) = [path for path in dossier_desk.store.rglob("*.pack") if path.stat().st_size > 4096]
    original = pack.read_bytes()
    source = random.Random(3)
    refused = 0
    for _ in range(25):
        altered = bytearray(original)
        match source.choice(["flip", "cut", "swap", "zero"]):
            case "flip":
                altered[source.randrange(len(altered))] ^= 1 << source.randrange(8)
            case "cut":
                del altered[source.randrange(len(altered)) :]
            case "swap":
                first, second = (source.randrange(len(altered) - 5000) for _ in range(2))
                altered[first : first + 5000], altered[second : second + 5000] = (
                    original[second : second + 5000], original[first : first + 5000],
                )  # fmt: skip
            case "zero":
                start = source.randrange(len(altered) - 1000)
                altered[start : start + 1000] = bytes(1000)
        pack.write_bytes(altered)
        data, error = await download(dossier_desk, version)
        assert expected.startswith(data)
        if error is not None:
            assert isinstance(error, DataLoss)
            assert (error.reason, list(error.metadata)) == ("CONTENT_CORRUPT", ["document_index"])
            refused += 1
        else:
            # Padding and the records of headers are not what is sent.
            assert data == expected
    assert refused > 15
    pack.write_bytes(original)
    assert await download(dossier_desk, version) == (expected, None)


async def test_a_missing_pack_is_data_loss_and_other_dossiers_still_read(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    lost = (await dossier_desk.version(documents_of(tmp_path / "lost", [1000]))).name
    for pack in dossier_desk.store.rglob("*.pack"):
        pack.unlink()
    kept = (await dossier_desk.version(documents_of(tmp_path / "kept", [1000]))).name
    data, error = await download(dossier_desk, lost)
    assert (data, isinstance(error, DataLoss)) == (b"", True)
    assert (await download(dossier_desk, kept))[1] is None


async def test_with_the_log_away_nothing_is_sent(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1000]))).name
    await dossier_desk.mesh.servers["audit"].server.stop(0)
    data, error = await download(dossier_desk, version)
    assert data == b""
    assert isinstance(error, Unavailable)
    assert (error.reason, error.metadata) == ("DEPENDENCY_UNAVAILABLE", {"dependency": "audit"})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in dossier_desk.reading.DownloadManifest(read_pb.DownloadManifestRequest(version=version)):
            pass
    assert from_rpc_error(caught.value).metadata == {"dependency": "audit"}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` while the body runs: what a full disk is to one file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_stops_the_upload_and_what_was_committed_stays(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    dossier, upload_id = await dossier_desk.draft(), new_id()
    documents = documents_of(tmp_path, [900_000] * 10)
    contents = [document.path.read_bytes() for document in documents]
    messages = [frames(*whole(n, content)) for n, content in enumerate(contents)]
    with files_of_at_most(5 << 20):
        notices = await notices_of(dossier_desk.dossiers, [opening(dossier, upload_id), *messages])
    error = from_status(notices[-1].error)
    assert (error.reason, error.metadata) == ("LIMIT_EXCEEDED", {"limit": "store"})
    before = await committed(dossier_desk, dossier)
    assert 0 < sum(before.values()) <= 5 << 20
    missing = [whole(n, contents[n]) for n in range(10) if n not in before]
    notices = await notices_of(
        dossier_desk.dossiers,
        [opening(dossier, upload_id), *(frames(*parts) for parts in missing), frames(upload_finish(*contents))],
    )
    assert notices[-1].finished.document_count == 10


@asynccontextmanager
async def database_away(postgres: EmbeddedPostgres, name: str) -> AsyncIterator[None]:
    """Nobody reaches the database while the body runs."""
    admin = await asyncpg.connect(postgres.admin_dsn())
    try:
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    finally:
        await admin.close()


async def test_bytes_received_while_the_database_was_away_are_not_sent_again(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path, [700_000, 2_500_000, *([300_000] * 60)])
    name = dossier_desk.mesh.databases["dossier"].name
    away = asyncio.Event()

    def lose_it(progress: TransferProgress) -> None:
        if progress.received_bytes > progress.total_bytes // 3:
            away.set()

    async def take_it_away() -> None:
        await away.wait()
        async with database_away(embedded_postgres, name):
            # Long enough for the upload to notice: it commits four times a second.
            await asyncio.sleep(1.0)

    losing = asyncio.create_task(take_it_away())
    uploaded = await upload_documents(
        dossier_desk.dossiers, await dossier_desk.draft(), documents, upload_id=new_id(), progress=lose_it,
        patience_seconds=30,
    )  # fmt: skip
    await losing
    assert uploaded.attempts > 1
    assert uploaded.sent_bytes - uploaded.size_bytes <= 16 << 20
    version = await finalize_dossier(dossier_desk.dossiers, uploaded, request_id=new_id())
    data, error = await download(dossier_desk, version.name)
    assert error is None
    assert data == b"".join(document.path.read_bytes() for document in documents)


async def test_what_a_stream_left_uncommitted_is_adopted_by_the_next(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    dossier, upload_id = await dossier_desk.draft(), new_id()
    contents = [document.path.read_bytes() for document in documents_of(tmp_path, [400_000, 900_000])]
    name = dossier_desk.mesh.databases["dossier"].name
    opened, away = asyncio.Event(), asyncio.Event()

    async def requests() -> AsyncIterator[pb.UploadDocumentsRequest]:
        yield opening(dossier, upload_id)
        await opened.wait()
        async with database_away(embedded_postgres, name):
            away.set()
            yield frames(*whole(0, contents[0]))
            half = whole(1, contents[1])
            half[1].data = half[1].data[:500_000]
            yield frames(*half[:2])
            await failed.wait()

    failed = asyncio.Event()
    reasons = []
    async for notice in dossier_desk.dossiers.UploadDocuments(requests()):
        opened.set()
        if notice.WhichOneof("notice") == "error":
            reasons.append(from_status(notice.error).reason)
            failed.set()
    assert reasons == ["DATABASE_UNAVAILABLE"]
    assert away.is_set()
    assert await committed(dossier_desk, dossier) == {}
    rest = whole(1, contents[1])
    rest[0].offset_bytes = rest[1].offset_bytes = 500_000
    rest[1].data = contents[1][500_000:]
    notices = await notices_of(
        dossier_desk.dossiers,
        [opening(dossier, upload_id), frames(*rest), frames(upload_finish(*contents))],
    )
    assert notices[-1].finished.size_bytes == 1_300_000
    assert await committed(dossier_desk, dossier) == {0: 400_000, 1: 900_000}


async def test_a_file_that_is_not_what_was_sent_of_it_before_is_noticed(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path, [10])
    uploaded = await dossier_desk.send(documents)
    documents[0].path.write_bytes(b"0123456789")
    with pytest.raises(LocalFileChanged):
        await dossier_desk.send(documents, uploaded.dossier)
