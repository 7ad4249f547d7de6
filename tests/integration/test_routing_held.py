"""Exchanges that wait for a person to decide on a code, over real mTLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import NotFound
from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2
from casemesh.routing.v1 import exchange_pb2, exchange_service_pb2
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceStub
from casemesh.routing.v1.exchange_pb2 import (
    EXCHANGE_STATE_DELIVERED,
    EXCHANGE_STATE_HELD,
    EXCHANGE_STATE_SUBMITTED,
    EXCHANGE_STATE_WITHDRAWN,
)
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import CHARGES, POLICE_TABLE, TIMEOUT, UNMAPPED, ThreeOrgans, person, running_three_organs


@pytest.fixture
async def organs(mesh_of: MeshOf) -> AsyncIterator[ThreeOrgans]:
    async with running_three_organs(mesh_of, own={"routing": {"hold_unmapped_at": ("LA001",)}}) as organs:
        yield organs


async def decide(organs: ThreeOrgans, **decision: Any) -> None:
    """Let an administrator decide what the only code of the queue stands for, and put that in force."""
    admin = organs.mesh.operator("translation", TranslationAdminServiceStub)
    (entry,) = (await admin.ListUnmappedCodes(admin_pb2.ListUnmappedCodesRequest(), timeout=TIMEOUT)).unmapped_codes
    await admin.ResolveUnmappedCode(
        admin_pb2.ResolveUnmappedCodeRequest(
            request_id=new_id(), name=entry.name, note="decided in a test", **decision
        ),
        timeout=TIMEOUT,
    )
    version = {"request_id": new_id(), "concept_map": "police-to-charges", "version": "2"}
    await admin.DraftResolvedMap(
        admin_pb2.DraftResolvedMapRequest(**version, source_code_system=POLICE_TABLE, target_code_system=CHARGES),
        timeout=TIMEOUT,
    )
    version["request_id"] = new_id()
    await admin.ActivateConceptMap(admin_pb2.ActivateConceptMapRequest(**version), timeout=TIMEOUT)


async def until_delivered(organs: ThreeOrgans, agency: Agency) -> list[exchange_pb2.Delivery]:
    async with asyncio.timeout(TIMEOUT):
        while not (deliveries := await organs.deliver(agency)):
            await asyncio.sleep(0.05)
    return deliveries


async def test_what_waits_for_a_code_is_its_senders_alone_and_goes_on_once_it_is_decided(organs: ThreeOrgans) -> None:
    case = await organs.register(parties=[person(charges=[UNMAPPED]), person("某乙")])
    suspect, other = (party.name for party in case.parties)
    request = organs.submission(case, parties=[suspect])
    by = await organs.as_officer(organs.police)
    held = (await organs.exchanges.SubmitExchange(request, metadata=by, timeout=TIMEOUT)).exchange
    assert EXCHANGE_STATE_HELD == held.state
    assert held == (await organs.exchanges.SubmitExchange(request, metadata=by, timeout=TIMEOUT)).exchange
    mistaken = await organs.submit(case, parties=[suspect])
    stub = organs.mesh.agency_stub("routing", ExchangeCorrectionServiceStub)
    withdrawal = pb2.WithdrawExchangeRequest(request_id=new_id(), exchange=mistaken.name, ground="重复移送")
    await stub.WithdrawExchange(withdrawal, metadata=by, timeout=TIMEOUT)

    # What waits for nobody goes ahead, and its recipient learns nothing of what is held.
    passing = await organs.submit(case, parties=[other])
    assert EXCHANGE_STATE_SUBMITTED == passing.state
    assert [(passing.name, 1)] == [
        (each.exchange.name, each.delivery_sequence) for each in await organs.deliver(organs.procuratorate)
    ]
    await organs.assign(case.name, organs.procuratorate)
    for unheard in (held, mistaken):
        with pytest.raises(NotFound):
            await organs.get(unheard.name, organs.procuratorate)
    listing = exchange_service_pb2.ListExchangesRequest(case=case.name)
    theirs = await organs.exchanges.ListExchanges(
        listing, metadata=await organs.as_officer(organs.procuratorate), timeout=TIMEOUT
    )
    assert [passing.name] == [exchange.name for exchange in theirs.exchanges]
    assert EXCHANGE_STATE_HELD == (await organs.get(held.name, organs.police)).state

    async with asyncio.timeout(TIMEOUT):
        while await organs.sql("SELECT FROM held_exchange WHERE revision = 0"):
            await asyncio.sleep(0.05)
    await decide(organs, target_code="XZ101", equivalence="EQUIVALENCE_NARROWER")
    (delivery,) = await until_delivered(organs, organs.procuratorate)
    assert (held.name, 2) == (delivery.exchange.name, delivery.delivery_sequence)
    (entry,) = delivery.exchange.translations
    assert ("XZ101", UNMAPPED.code) == (entry.translation.targets[0].value.code, entry.translation.original.code)
    assert "2" == entry.translation.concept_map_version
    assert EXCHANGE_STATE_DELIVERED == (await organs.get(held.name, organs.procuratorate)).state
    assert EXCHANGE_STATE_WITHDRAWN == (await organs.get(mistaken.name, organs.police)).state
    released = [event.resource for event in await organs.events() if event.action == "exchange.released"]
    assert [held.name] == released
    assert [] == await organs.pull(organs.procuratorate)


async def test_a_code_decided_to_have_no_counterpart_goes_on_marked(organs: ThreeOrgans) -> None:
    case = await organs.register(parties=[person(charges=[UNMAPPED])])
    held = await organs.submit(case)
    assert EXCHANGE_STATE_HELD == held.state
    await decide(organs, equivalence="EQUIVALENCE_NONE")
    (delivery,) = await until_delivered(organs, organs.procuratorate)
    (entry,) = delivery.exchange.translations
    assert translation_pb2.TRANSLATION_OUTCOME_UNMAPPED == entry.translation.outcome
    assert entry.translation.no_counterpart
