"""A police bureau, a procuratorate and a court that exchange cases through the real services.

    async def test_x(three_organs):
        case = await three_organs.register()
        exchange = await three_organs.submit(case)

`three_organs` runs identity, translation and routing; `three_organs_with_dossiers` runs dossier and audit as well.
Audit is absent in the first: events wait in the outbox, where `events` reads them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from google.type import date_pb2

from casemesh.audit.v1 import event_pb2
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.identity.v1 import access_admin_service_pb2
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.routing.v1 import case_pb2, case_service_pb2, exchange_pb2, exchange_service_pb2
from casemesh.routing.v1.case_service_pb2_grpc import CaseServiceStub
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from casemesh.translation.v1 import translation_admin_service_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import COURT, POLICE, PROCURATORATE

TIMEOUT = 20.0

POLICE_TABLE, CHARGES = "police-case-categories", "criminal-charges"
# Invented stand-ins under the names of the shipped tables: three codes load faster than a thousand.
_TABLES = {
    POLICE_TABLE: "code,name_zh\n05000100,盗窃案\n05000200,抢劫案\n05000300,无对应案\n",
    CHARGES: "code,name_zh\nXZ101,盗窃罪\nXZ102,抢劫罪\n",
}
_PAIRS = "from_code,to_code,equivalence\n05000100,XZ101,exact\n05000200,XZ102,narrower\n"
THEFT = CodedValue(code_system=POLICE_TABLE, code="05000100")
ROBBERY = CodedValue(code_system=POLICE_TABLE, code="05000200")
UNMAPPED = CodedValue(code_system=POLICE_TABLE, code="05000300")


class ThreeOrgans:
    """The agencies, an assigned-on-demand officer each, and the calls they make as through the gateway."""

    def __init__(self, mesh: Mesh, police: Agency, procuratorate: Agency, court: Agency) -> None:
        self.mesh = mesh
        self.police, self.procuratorate, self.court = police, procuratorate, court
        self.cases = mesh.agency_stub("routing", CaseServiceStub)
        self.nodes = mesh.agency_stub("routing", CollaborationNodeServiceStub)
        self.exchanges = mesh.agency_stub("routing", ExchangeServiceStub)
        self._metadata: dict[tuple[str, str | None], list[tuple[str, str]]] = {}

    async def as_officer(self, agency: Agency, officer: str = "lin") -> list[tuple[str, str]]:
        """Return what a call of an officer carries."""
        return await self._as(agency, officer)

    async def as_system(self, agency: Agency) -> list[tuple[str, str]]:
        """Return what a call of the agency's system for itself carries."""
        return await self._as(agency, None)

    async def _as(self, agency: Agency, officer: str | None) -> list[tuple[str, str]]:
        key = (agency.name, officer)
        if key not in self._metadata:
            self._metadata[key] = await self.mesh.metadata(agency, officer)
        return self._metadata[key]

    async def assign(self, case: str, agency: Agency, officer: str = "lin") -> None:
        """Let an officer of an agency that takes part into the case, as its system does."""
        stub = self.mesh.agency_stub("identity", AccessAdminServiceStub)
        await stub.AssignOfficer(
            access_admin_service_pb2.AssignOfficerRequest(
                request_id=new_id(), case=case, officer=agency.officers[officer]
            ),
            metadata=await self.as_system(agency),
            timeout=TIMEOUT,
        )

    async def register(
        self, *, parties: Sequence[case_service_pb2.PartyDraft] = (), agency: Agency | None = None, **fields: Any
    ) -> case_pb2.Case:
        """Register a case of the police with one suspect, or with the given parties."""
        agency = agency or self.police
        response: case_service_pb2.RegisterCaseResponse = await self.cases.RegisterCase(
            registration(parties=parties, **fields), metadata=await self.as_officer(agency), timeout=TIMEOUT
        )
        return response.case

    async def submit(self, case: case_pb2.Case, sender: Agency | None = None, **fields: Any) -> exchange_pb2.Exchange:
        """Submit LA001 (filing notification) from the police to the procuratorate, or what `fields` say."""
        response: exchange_service_pb2.SubmitExchangeResponse = await self.exchanges.SubmitExchange(
            self.submission(case, **fields), metadata=await self.as_officer(sender or self.police), timeout=TIMEOUT
        )
        return response.exchange

    def submission(self, case: case_pb2.Case, **fields: Any) -> exchange_service_pb2.SubmitExchangeRequest:
        """Return the request behind `submit`."""
        return exchange_service_pb2.SubmitExchangeRequest(
            **{
                "request_id": new_id(),
                "case": case.name,
                "node": "nodes/LA001",
                "recipient": self.procuratorate.name,
                "parties": [party.name for party in case.parties],
                **fields,
            }
        )

    async def pull(self, agency: Agency, most: int = 0) -> list[exchange_pb2.Delivery]:
        """Pull the deliveries of an agency as its system."""
        response = await self.exchanges.PullDeliveries(
            exchange_service_pb2.PullDeliveriesRequest(max_deliveries=most),
            metadata=await self.as_system(agency),
            timeout=TIMEOUT,
        )
        return list(response.deliveries)

    async def acknowledge(self, agency: Agency, delivery: str, **fields: Any) -> str:
        """Acknowledge a delivery as the agency's system."""
        response = await self.exchanges.AcknowledgeDelivery(
            exchange_service_pb2.AcknowledgeDeliveryRequest(**{"request_id": new_id(), "delivery": delivery, **fields}),
            metadata=await self.as_system(agency),
            timeout=TIMEOUT,
        )
        return str(response.delivery)

    async def deliver(self, agency: Agency) -> list[exchange_pb2.Delivery]:
        """Pull and acknowledge everything that waits."""
        deliveries = await self.pull(agency)
        for delivery in deliveries:
            await self.acknowledge(agency, delivery.name)
        return deliveries

    async def accept(self, exchange: str, agency: Agency, **fields: Any) -> exchange_pb2.Exchange:
        """Accept an exchange as an officer."""
        response: exchange_service_pb2.AcceptExchangeResponse = await self.exchanges.AcceptExchange(
            exchange_service_pb2.AcceptExchangeRequest(**{"request_id": new_id(), "exchange": exchange, **fields}),
            metadata=await self.as_officer(agency),
            timeout=TIMEOUT,
        )
        return response.exchange

    async def answer(self, exchange: str, node: str, agency: Agency, **fields: Any) -> exchange_pb2.Exchange:
        """Answer an exchange as an officer."""
        response: exchange_service_pb2.AnswerExchangeResponse = await self.exchanges.AnswerExchange(
            exchange_service_pb2.AnswerExchangeRequest(
                **{"request_id": new_id(), "exchange": exchange, "node": node, **fields}
            ),
            metadata=await self.as_officer(agency),
            timeout=TIMEOUT,
        )
        return response.exchange

    async def get(self, exchange: str, agency: Agency) -> exchange_pb2.Exchange:
        """Return an exchange as an officer sees it."""
        response: exchange_service_pb2.GetExchangeResponse = await self.exchanges.GetExchange(
            exchange_service_pb2.GetExchangeRequest(name=exchange),
            metadata=await self.as_officer(agency),
            timeout=TIMEOUT,
        )
        return response.exchange

    async def events(self) -> list[event_pb2.Event]:
        """Return routing's events in their order."""
        return [
            event_pb2.Event.FromString(row["event"]) for row in await self.sql("SELECT event FROM outbox ORDER BY id")
        ]

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run a statement on routing's database as its owner."""
        connection = await asyncpg.connect(self.mesh.databases["routing"].owner_dsn)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()


def person(name: str = "某甲", **fields: Any) -> case_service_pb2.PartyDraft:
    """Return a suspect with one charge in the police's table, arrested."""
    return case_service_pb2.PartyDraft(
        **{
            "kind": case_pb2.PARTY_KIND_PERSON,
            "display_name": name,
            "charges": [THEFT],
            "custody": case_pb2.Custody(
                state=case_pb2.CUSTODY_STATE_ARRESTED,
                since=date_pb2.Date(year=2026, month=3, day=9),
                place="北湖看守所",
            ),
            **fields,
        }
    )


def registration(
    *, parties: Sequence[case_service_pb2.PartyDraft] = (), **fields: Any
) -> case_service_pb2.RegisterCaseRequest:
    """Return a request that registers a case."""
    return case_service_pb2.RegisterCaseRequest(
        **{
            "request_id": new_id(),
            "title": "某甲盗窃案",
            "local_number": "A4401000000002026030001",
            "parties": parties or [person()],
            **fields,
        }
    )


@asynccontextmanager
async def running_three_organs(mesh_of: MeshOf, *services: str, **options: Any) -> AsyncIterator[ThreeOrgans]:
    """Start the services and enrol the three agencies with two officers each."""
    async with mesh_of("identity", "translation", *services, "routing", **options) as mesh:
        await _load_tables(mesh)
        agencies = [
            await mesh.enrol(code, organ, officers=["lin", "wu"])
            for code, organ in ((POLICE, "GA"), (PROCURATORATE, "JCY"), (COURT, "FY"))
        ]
        yield ThreeOrgans(mesh, *agencies)


@pytest.fixture
async def three_organs(mesh_of: MeshOf) -> AsyncIterator[ThreeOrgans]:
    """Three agencies around identity, translation and routing."""
    async with running_three_organs(mesh_of) as organs:
        yield organs


@pytest.fixture
async def three_organs_with_dossiers(mesh_of: MeshOf) -> AsyncIterator[ThreeOrgans]:
    """Three agencies around all services."""
    async with running_three_organs(mesh_of, "audit", "dossier") as organs:
        yield organs


async def _load_tables(mesh: Mesh) -> None:
    admin = mesh.operator("translation", TranslationAdminServiceStub)
    for code_system, csv in _TABLES.items():
        await admin.ImportCodeSystem(
            translation_admin_service_pb2.ImportCodeSystemRequest(
                request_id=new_id(),
                code_system=code_system,
                version="1",
                display_name=code_system,
                csv=csv.encode(),
                pack=translation_admin_service_pb2.PackSource(accept_unsigned=True),
            ),
            timeout=TIMEOUT,
        )
    await admin.ImportConceptMap(
        translation_admin_service_pb2.ImportConceptMapRequest(
            request_id=new_id(),
            concept_map="police-to-charges",
            version="1",
            source_code_system=POLICE_TABLE,
            target_code_system=CHARGES,
            csv=_PAIRS.encode(),
            pack=translation_admin_service_pb2.PackSource(accept_unsigned=True),
        ),
        timeout=TIMEOUT,
    )
