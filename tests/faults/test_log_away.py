"""The log away and back: nothing is read meanwhile, changes wait in their outbox, and all of them arrive, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from casemesh.audit.config import Config
from casemesh.audit.main import assemble
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb2
from casemesh.runtime.config import DatabaseConfig, load
from casemesh.runtime.host import serving
from casemesh.runtime.postgres import Database
from tests.support.dossiers import DossierDesk, documents_of

TIMEOUT = 20.0
_WAITING = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
_ARRIVED = "SELECT received::text, repeated::text FROM source_progress WHERE source = 'dossier'"
_LOGGED = "SELECT event_id FROM entry WHERE event_id = ANY($1)"


async def test_with_the_log_away_reading_stops_and_changes_wait_and_none_is_lost(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    mesh = dossier_desk.mesh
    version = (await dossier_desk.version(documents_of(tmp_path, [1000]))).name
    dossier, audit = await opened(dossier_desk, "dossier"), await opened(dossier_desk, "audit")
    try:
        await until_sent(dossier)
        await mesh.servers["audit"].server.stop(0)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await manifest(dossier_desk, version)
        assert grpc.StatusCode.UNAVAILABLE is refused.value.code()
        made = [await dossier_desk.draft() for _ in range(3)]
        given_up = pb2.AbandonDraftRequest(request_id=new_id(), dossier=made[0])
        await dossier_desk.dossiers.AbandonDraft(given_up)
        assert 4 == await dossier.fetchval(_WAITING)
        waiting = [row["event_id"] for row in await dossier.fetch("SELECT event_id FROM outbox WHERE sent_at IS NULL")]
        assert [] == await audit.fetch(_LOGGED, waiting)

        config = load(mesh.directory / "config" / "audit.toml", Config)
        async with serving("audit", config, assemble):
            await until_sent(dossier)
            assert len(waiting) == len(await audit.fetch(_LOGGED, waiting))
            last = await dossier.fetchval("SELECT last_sequence FROM outbox_sequence")
            row = await audit.fetchrow(_ARRIVED)
            assert row is not None
            assert (f"{{[1,{last + 1})}}", "{}") == (row["received"], row["repeated"])
            assert await manifest(dossier_desk, version)
    finally:
        await dossier.close()
        await audit.close()


async def manifest(desk: DossierDesk, version: str) -> list[bytes]:
    """Read a version's manifest as its officer."""
    request = read_pb2.DownloadManifestRequest(version=version)
    return [piece.data async for piece in desk.reading.DownloadManifest(request)]


async def opened(desk: DossierDesk, service: str) -> Database:
    """Return a service's database as the service sees it."""
    database = Database(desk.mesh.databases[service].runtime_dsn, DatabaseConfig(dsn_file=Path("unused")))
    await database.open()
    return database


async def until_sent(database: Database) -> None:
    """Wait until nothing waits in the outbox."""
    async with asyncio.timeout(TIMEOUT):
        while await database.fetchval(_WAITING):
            await asyncio.sleep(0.05)
