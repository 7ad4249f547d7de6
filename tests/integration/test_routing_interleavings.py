"""What was read before a lock is looked at again behind it: calls that meet a change made meanwhile, over real mTLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition
from casemesh.routing.v1 import case_record_service_pb2 as record_pb2
from casemesh.routing.v1 import exchange_correction_service_pb2 as correction_pb2
from casemesh.routing.v1 import exchange_draft_service_pb2 as draft_pb2
from casemesh.routing.v1 import exchange_pb2, succession_pb2
from casemesh.routing.v1.case_record_service_pb2_grpc import CaseRecordServiceStub
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceStub
from casemesh.routing.v1.exchange_draft_service_pb2_grpc import ExchangeDraftServiceStub
from tests.support.routing import ROBBERY, TIMEOUT, ThreeOrgans, person

# Of this database alone: other tests use the same server.
WAITS_FOR_LOCK = """
SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
"""


@asynccontextmanager
async def meanwhile(organs: ThreeOrgans, lock: str, *arguments: object) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Hold what `lock` locks for the body, whose changes are committed with its end."""
    connection = await asyncpg.connect(organs.mesh.databases["routing"].owner_dsn)
    try:
        async with connection.transaction():
            await connection.execute(lock, *arguments)
            yield connection
    finally:
        await connection.close()


async def waiting(organs: ThreeOrgans, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start a call and return once it waits for a lock."""
    task = asyncio.create_task(call)
    async with asyncio.timeout(TIMEOUT):
        while not await organs.sql(WAITS_FOR_LOCK):
            assert not task.done(), "it must wait for the lock"
            await asyncio.sleep(0.02)
    return task


async def as_police(organs: ThreeOrgans) -> dict[str, Any]:
    return {"metadata": await organs.as_officer(organs.police), "timeout": TIMEOUT}


async def test_a_supplement_does_not_answer_a_return_its_sender_has_not_read(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    exchange = await organs.submit(case)
    exchange_id = exchange.name.partition("/")[2]
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    stub = organs.mesh.agency_stub("routing", ExchangeCorrectionServiceStub)
    defect = exchange_pb2.ExchangeDefect(code="FIELD_WRONG", field="case_name", mend="写明案件名称")
    returning = correction_pb2.ReturnExchangeRequest(request_id=new_id(), exchange=exchange.name, defects=[defect])
    by = {"metadata": await organs.as_officer(organs.procuratorate), "timeout": TIMEOUT}
    await stub.ReturnExchange(returning, **by)

    mending = correction_pb2.SupplementExchangeRequest(request_id=new_id(), exchange=exchange.name)
    lock = "SELECT FROM exchange WHERE exchange_id = $1 FOR UPDATE"
    async with meanwhile(organs, lock, exchange_id) as connection:
        call = await waiting(organs, stub.SupplementExchange(mending, **await as_police(organs)))
        # As another supplement and another return leave it.
        await connection.execute("UPDATE exchange SET revision = revision + 1 WHERE exchange_id = $1", exchange_id)
    with pytest.raises(FailedPrecondition) as refusal:
        await call
    assert "EXCHANGE_STATE_WRONG" == refusal.value.reason
    assert [] == await organs.sql("SELECT FROM exchange_revision")


async def test_a_draft_that_was_saved_anew_is_not_submitted_as_it_was(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    stub, by = organs.mesh.agency_stub("routing", ExchangeDraftServiceStub), await as_police(organs)
    saving = draft_pb2.SaveExchangeDraftRequest(
        request_id=new_id(),
        case=case.name,
        node="nodes/LA001",
        recipient=organs.procuratorate.name,
        parties=[case.parties[0].name],
    )
    draft = (await stub.SaveExchangeDraft(saving, **by)).exchange
    draft_id = draft.name.partition("/")[2]
    submitting = draft_pb2.SubmitExchangeDraftRequest(request_id=new_id(), exchange=draft.name)
    lock = "SELECT FROM exchange_draft WHERE exchange_id = $1 FOR UPDATE"
    async with meanwhile(organs, lock, draft_id) as connection:
        call = await waiting(organs, stub.SubmitExchangeDraft(submitting, **by))
        draft.fields.add(key="case_name", text="某甲盗窃案")
        content = draft.SerializeToString(deterministic=True)
        await connection.execute("UPDATE exchange_draft SET content = $2 WHERE exchange_id = $1", draft_id, content)
    with pytest.raises(FailedPrecondition) as refusal:
        await call
    assert ("EXCHANGE_STATE_WRONG", "DRAFT") == (refusal.value.reason, refusal.value.metadata["state"])
    submitted = (await stub.SubmitExchangeDraft(submitting, **by)).exchange
    assert ["某甲盗窃案"] == [field.text for field in submitted.fields]


async def test_charges_are_not_changed_of_a_party_whose_place_is_being_taken(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register(parties=[person("某甲"), person("某甲的化名")])
    case_id = case.name.partition("/")[2]
    kept, gone = (party.name.rpartition("/")[2] for party in case.parties)
    stub = organs.mesh.agency_stub("routing", CaseRecordServiceStub)
    changing = record_pb2.ChangeChargesRequest(
        request_id=new_id(), party=case.parties[1].name, charges=[ROBBERY], reason="new facts"
    )
    async with meanwhile(organs, "SELECT pg_advisory_xact_lock(3, hashtext($1))", case_id) as connection:
        call = await waiting(organs, stub.ChangeCharges(changing, **await as_police(organs)))
        succession = new_id()
        await connection.execute(
            """
            INSERT INTO succession (succession_id, case_id, kind, agency, reason, create_time)
            VALUES ($1, $2, $3, $2, 'one person', now())
            """,
            succession,
            case_id,
            succession_pb2.SUCCESSION_KIND_PARTIES_MERGED,
        )
        await connection.execute(
            """
            INSERT INTO successor_link (succession_id, predecessor_case, successor_case, predecessor_party,
                successor_party, replaces, made) VALUES ($1, $2, $2, $3, $4, true, false)
            """,
            succession,
            case_id,
            gone,
            kept,
        )
    with pytest.raises(FailedPrecondition) as refusal:
        await call
    assert "PARTY_SUPERSEDED" == refusal.value.reason
