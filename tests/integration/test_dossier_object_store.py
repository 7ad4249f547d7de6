"""The dossier service with its packs in an object store, over real mTLS. The store is a mock of S3: moto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemesh.client.dossier_download import download_dossier
from casemesh.core.ids import new_id
from casemesh.dossier.packs.configured import object_packs_of
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import from_status
from casemesh.local.postgres import EmbeddedPostgres
from tests.support.dossiers import (
    DossierDesk,
    documents_of,
    frames,
    notices_of,
    opening,
    upload_finish,
    whole,
)
from tests.support.mesh import MeshOf
from tests.support.object_store import ObjectStore
from tests.support.pki import POLICE, PROCURATORATE

MIB = 1 << 20
DeskOf = Callable[..., Awaitable[tuple[DossierDesk, ObjectPacks]]]


@pytest.fixture
async def desk_of(mesh_of: MeshOf, object_store: ObjectStore) -> AsyncIterator[DeskOf]:
    """Makes the desk of `tests.support.dossiers` over a bucket of its own, and says what packs are in that."""
    async with AsyncExitStack() as open_meshes:

        async def make(**own: Any) -> tuple[DossierDesk, ObjectPacks]:
            bucket = object_store.config(object_store.new_bucket(), prefix="casemesh")
            own = {"object_store": bucket, **own}
            mesh = await open_meshes.enter_async_context(mesh_of("identity", "audit", "dossier", own={"dossier": own}))
            police = await mesh.enrol(POLICE, "GA", ["lin", "zhao"])
            desk = DossierDesk(mesh, police, await mesh.enrol(PROCURATORATE, "JCY", ["chen"]), [])
            desk.police_metadata = await desk.participate(police, "lin")
            return desk, object_packs_of(bucket)

        yield make


@pytest.mark.parametrize("suite", ["AES-256-GCM", "SM4-GCM"])
async def test_a_dossier_sent_into_objects_is_the_dossier_received(desk_of: DeskOf, tmp_path: Path, suite: str) -> None:
    desk, packs = await desk_of(suite=suite)
    documents = documents_of(tmp_path / "sent", [0, 1, MIB - 1, 9 * MIB + 1, *[200_000] * 30, 3 * MIB])
    version = await desk.version(documents)
    received = await download_dossier(desk.reading, version.name, tmp_path / "received", desk.signing_roots)
    for sent, kept in zip(documents, received.manifest.documents, strict=True):
        assert sent.path.read_bytes() == received.folder.document_path(kept).read_bytes()
    assert sum(map(packs.size, packs.keys())) > version.size_bytes
    assert not desk.store.exists()


async def test_a_stream_that_stopped_midway_goes_on_from_what_the_objects_hold(desk_of: DeskOf, tmp_path: Path) -> None:
    desk, packs = await desk_of()
    dossier, upload_id = await desk.draft(), new_id()
    contents = [document.path.read_bytes() for document in documents_of(tmp_path, [400_000, 3 * 900_000, 10])]
    parts = pieces_of(1, contents[1], 900_000)
    first = [opening(dossier, upload_id), frames(*whole(0, contents[0])), frames(*parts[:2]), frames(parts[2])]
    notices = await notices_of(desk.dossiers, first)
    committed = max(notice.progress.committed_bytes for notice in notices)
    assert 400_000 + 2 * 900_000 == committed
    held = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    assert [400_000, 1_800_000] == [document.committed_bytes for document in held.documents]
    again = pb.DocumentHeader()
    again.CopyFrom(parts[0])
    again.offset_bytes = 1_800_000
    rest = [frames(again, *parts[3:]), frames(*whole(2, contents[2])), frames(upload_finish(*contents))]
    notices = await notices_of(desk.dossiers, [opening(dossier, upload_id), *rest])
    assert sum(map(len, contents)) == notices[-1].finished.size_bytes
    assert 2 == len(list(packs.keys()))


async def test_what_was_put_but_not_committed_is_adopted_from_the_objects(
    desk_of: DeskOf, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    desk, packs = await desk_of()
    dossier, upload_id = await desk.draft(), new_id()
    (content,) = (document.path.read_bytes() for document in documents_of(tmp_path, [900_000]))
    opened, failed = asyncio.Event(), asyncio.Event()

    async def requests() -> AsyncIterator[pb.UploadDocumentsRequest]:
        yield opening(dossier, upload_id)
        await opened.wait()
        async with database_away(embedded_postgres, desk.mesh.databases["dossier"].name):
            yield frames(*whole(0, content))
            await failed.wait()

    reasons = []
    async for notice in desk.dossiers.UploadDocuments(requests()):
        opened.set()
        if notice.WhichOneof("notice") == "error":
            reasons.append(from_status(notice.error).reason)
            failed.set()
    assert ["DATABASE_UNAVAILABLE"] == reasons
    (key,) = packs.keys()
    assert packs.size(key) > 900_000
    held = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    assert [] == list(held.documents)
    notices = await notices_of(desk.dossiers, [opening(dossier, upload_id), frames(upload_finish(content))])
    assert 900_000 == notices[-1].finished.size_bytes


def pieces_of(index: int, content: bytes, piece: int) -> list[Any]:
    """Header, chunks and finish of a document."""
    header, _, finish = whole(index, content)
    chunks = [
        pb.DocumentChunk(document_index=index, offset_bytes=start, data=content[start : start + piece])
        for start in range(0, len(content), piece)
    ]
    return [header, *chunks, finish]


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
