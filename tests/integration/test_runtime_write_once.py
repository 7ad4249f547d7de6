"""Writes sent as one statement, under a request's id, against a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.routing.v1.exchange_service_pb2 import AcknowledgeDeliveryRequest as Request
from casemesh.routing.v1.exchange_service_pb2 import AcknowledgeDeliveryResponse as Response
from casemesh.runtime.call import Call
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database, Taken, Writes
from casemesh.runtime.requests import write_once
from tests.support.postgres import clone_database

CALL = Call("casemesh.test/Write", peer_name="a test")
COUNT = "SELECT count(*) FROM outbox"


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Database]:
    async with clone_database(
        embedded_postgres, "routing", lambda dsn: migrate(dsn, "routing", "casemesh_routing_runtime")
    ) as clone:
        opened = Database(clone.runtime_dsn, DatabaseConfig(tmp_path))
        await opened.open()
        try:
            yield opened
        finally:
            await opened.close()


async def event(event_id: str) -> Writes:
    writes = Writes()
    await writes.execute("INSERT INTO outbox (event_id, event) VALUES ($1, $2)", event_id, b"e")
    return writes


async def test_of_many_tries_under_one_id_one_has_its_effect_and_all_get_its_answer(database: Database) -> None:
    request = Request(request_id=new_id(), delivery="d")

    async def attempt(number: int) -> str:
        response = Response(delivery=str(number))
        answer, _ = await write_once(database, CALL, request, response, await event(new_id()))
        return answer.delivery

    answers = await asyncio.gather(*(attempt(number) for number in range(8)))
    assert 1 == len(set(answers))
    assert 1 == await database.fetchval(COUNT)
    other, writes = Request(request_id=request.request_id, delivery="another"), await event(new_id())
    with pytest.raises(FailedPrecondition) as refusal:
        await write_once(database, CALL, other, Response(), writes)
    assert refusal.value.reason == "REQUEST_ID_REUSED"
    assert 1 == await database.fetchval(COUNT)


async def test_what_fails_in_one_statement_leaves_nothing_of_the_others(database: Database) -> None:
    taken = new_id()
    await database.write(await event(taken))
    writes = await event(new_id())
    await writes.execute("INSERT INTO outbox (event_id, event) VALUES ($1, $2)", taken, b"again")
    request = Request(request_id=new_id(), delivery="d")
    with pytest.raises(Taken):
        await write_once(database, CALL, request, Response(), writes)
    assert 1 == await database.fetchval(COUNT)
    answer, row = await write_once(
        database, CALL, request, Response(delivery="d"), await event(new_id()), "SELECT 7 AS seven"
    )
    assert row is not None
    assert ("d", 7) == (answer.delivery, row["seven"])
