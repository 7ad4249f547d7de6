"""A store with its database, uploads into it in a process of their own, and what must hold whatever happened to those.

async def test_x(store_yard):
    order = await store_yard.order()
    await store_yard.process.run(order)
    await store_yard.require_sound(order)
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemesh.audit.v1 import event_pb2
from casemesh.core.ids import new_id
from casemesh.dossier.keys.local import LocalKeyProvider, wrapping_key_from_file
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.stores import PackKey
from casemesh.dossier.uploading.store import extent_of
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.migrations import migrate
from tests.support.postgres import clone_database
from tests.support.statement_proxy import StatementProxy
from tests.support.store_process import Order, Outcome, StoreProcess, content

# One of several chunks, one without bytes.
SIZES = (150_000, 0)


@dataclass
class StoreYard:
    """Uploads go through ``proxy`` to the database; this side goes to it directly."""

    process: StoreProcess
    proxy: StatementProxy
    dsn: str
    database: Any
    store: Path
    key_file: Path
    keys: LocalKeyProvider

    def another_process(self) -> AbstractAsyncContextManager[StoreProcess]:
        """One more process on the same store."""
        return StoreProcess.start(self.dsn, self.store, self.key_file)

    async def order(self, sizes: tuple[int, ...] = SIZES) -> Order:
        """A new draft in a new case, and an upload into it."""
        order = Order(new_id(), f"cases/{new_id()}", f"agencies/{new_id()}", new_id(), sizes)
        await self.database.execute(
            "INSERT INTO dossier (dossier_id, case_name, agency, title, created_at) VALUES ($1, $2, $3, 't', $4)",
            order.dossier_id, order.case, order.agency, datetime.now(UTC),
        )  # fmt: skip
        return order

    async def finished(self, order: Order) -> bool:
        """Whether the upload counts as finished."""
        query = "SELECT upload_finished FROM dossier WHERE dossier_id = $1"
        return bool(await self.database.fetchval(query, order.dossier_id))

    async def whole(self, order: Order) -> set[int]:
        """Indexes of the documents that are whole; every committed byte of all documents is read and compared."""
        rows = await self.database.fetch(
            "SELECT document_index, blob_id, received_bytes, sha256 FROM document JOIN blob USING (blob_id) "
            "WHERE dossier_id = $1",
            order.dossier_id,
        )
        if not rows:
            return set()
        wrapped = await self.database.fetchval("SELECT wrapped_key FROM case_key WHERE case_name = $1", order.case)
        key = await self.keys.unwrap(order.case, wrapped)
        for row in rows:
            extents = await self.database.fetch(
                "SELECT * FROM extent WHERE blob_id = $1 ORDER BY chunk_index", row["blob_id"]
            )
            data = await asyncio.to_thread(self._read, order, key, row["blob_id"].bytes, extents)
            expected = content(row["document_index"], order.sizes[row["document_index"]])
            assert expected[: row["received_bytes"]] == data
            assert row["sha256"] in (None, hashlib.sha256(expected).digest())
            assert row["sha256"] is None or len(data) == len(expected)
        return {row["document_index"] for row in rows if row["sha256"] is not None}

    async def require_sound(self, order: Order) -> None:
        """Every committed byte is right, nothing unfinished is final, and the same upload then ends well."""
        whole = await self.whole(order)
        assert not await self.finished(order) or whole == set(range(len(order.sizes)))
        last = await self.process.run(order)
        assert last is not None
        assert (True, "") == (last.finished, last.reason)
        assert set(range(len(order.sizes))) == await self.whole(order)
        assert await self.finished(order)
        assert await self.finish_events(order)

    async def require_told(self, order: Order, outcome: Outcome | None) -> None:
        """What the sender heard of as committed or finished is."""
        if outcome is None:
            return
        committed = await self.database.fetchval(
            "SELECT coalesce(sum(received_bytes), 0) FROM document JOIN blob USING (blob_id) WHERE dossier_id = $1",
            order.dossier_id,
        )
        assert outcome.committed_bytes <= committed
        assert not outcome.finished or await self.finished(order)

    async def finish_events(self, order: Order) -> int:
        """How often the log says that the upload is finished."""
        events = [event_pb2.Event.FromString(row["event"]) for row in await self.database.fetch("TABLE outbox")]
        return sum(
            event.action == "dossier.upload.finished" and event.resource == f"dossiers/{order.dossier_id}"
            for event in events
        )  # fmt: skip

    def _read(self, order: Order, key: bytes, blob_id: bytes, extents: list[Any]) -> bytes:
        case_id = uuid.UUID(order.case.removeprefix("cases/")).bytes
        data = b""
        for row in extents:
            extent = extent_of(row)
            with PackReader.open(DiskPacks(self.store), PackKey(case_id, extent.pack_id), key) as reader:
                data += b"".join(found.plain for found in reader.read_extent(blob_id, extent))
        return data


@pytest.fixture
async def store_yard(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[StoreYard]:
    """See the module."""
    store, key_file = tmp_path / "dossiers", tmp_path / "wrapping.key"
    store.mkdir()
    key_file.write_bytes(os.urandom(32))
    key_file.chmod(0o600)
    async with (
        clone_database(
            embedded_postgres, "dossier", lambda dsn: migrate(dsn, "dossier", "casemesh_dossier_runtime")
        ) as made,
        StatementProxy.before(made.runtime_dsn) as proxy,
        StoreProcess.start(proxy.through(made.runtime_dsn), store, key_file) as process,
    ):
        database = await asyncpg.connect(made.owner_dsn)
        keys = LocalKeyProvider(wrapping_key_from_file(key_file))
        yield StoreYard(process, proxy, made.runtime_dsn, database, store, key_file, keys)
        await database.close()
