"""What replicas look at to see that something changed: it must tell of what commits late with an earlier time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from google.type import date_pb2

from casemesh.core.ids import new_id
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.routing.node_catalogue_store import (
    CatalogueVersion,
    NodeCatalogueStore,
    insert_version,
    mark_activated,
    set_province,
)
from casemesh.routing.single_track_store import SingleTrackStore, insert_track, mark_agreed, mark_ended
from casemesh.routing.v1 import single_track_service_pb2
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.postgres import clone_database

NOW = datetime(2026, 3, 9, tzinfo=UTC)
EARLIER = NOW - timedelta(seconds=1)


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Database]:
    async with clone_database(
        embedded_postgres, "routing", lambda dsn: migrate(dsn, "routing", "casemesh_routing_runtime")
    ) as clone:
        dsn_file = tmp_path / "dsn"
        dsn_file.write_text(clone.runtime_dsn)
        database = Database.from_config(DatabaseConfig(dsn_file=dsn_file))
        await database.open()
        try:
            yield database
        finally:
            await database.close()


async def test_an_agreement_made_or_ended_by_a_clock_that_is_behind_is_noticed(database: Database) -> None:
    store, names = SingleTrackStore(database), []
    for _ in range(2):
        track = single_track_service_pb2.SingleTrack(
            name=f"singleTracks/{new_id()}",
            node="nodes/LA001",
            sender=f"agencies/{new_id()}",
            recipient=f"agencies/{new_id()}",
            effective_from=date_pb2.Date(year=2026, month=3, day=9),
        )
        async with database.transaction() as transaction:
            assert await insert_track(transaction, track, EARLIER)
        names.append(track.name)
    for mark in (mark_agreed, mark_ended):
        seen = []
        for name, at in zip(names, (NOW, EARLIER), strict=True):
            async with database.transaction() as transaction:
                await mark(transaction, name, at)
            seen.append(await store.stamp())
        assert seen[0] != seen[1]


async def test_a_catalogue_or_a_province_set_by_a_clock_that_is_behind_is_noticed(database: Database) -> None:
    store, seen, agency = NodeCatalogueStore(database), [], f"agencies/{new_id()}"
    for at in (NOW, EARLIER):
        version = CatalogueVersion(new_id(), "35", date(2026, 3, 9), b"", 0, "", "a", EARLIER)
        async with database.transaction() as transaction:
            await insert_version(transaction, version)
            await mark_activated(transaction, version.version, "b", at)
        seen.append(await store.stamp())
    for name, at in ((f"agencies/{new_id()}", NOW), (agency, EARLIER - timedelta(seconds=1)), (agency, EARLIER)):
        async with database.transaction() as transaction:
            await set_province(transaction, name, "35", at)
        seen.append(await store.stamp())
    assert 5 == len(set(seen))
