"""Case access as agencies and services ask for it, on a running mesh."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError
from casemesh.identity.v1 import access_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import access_decision_service_pb2 as decision_pb2
from casemesh.identity.v1 import access_monitoring_service_pb2 as monitoring_pb2
from casemesh.identity.v1 import access_request_service_pb2 as request_pb2
from casemesh.identity.v1 import access_service_pb2 as access_pb2
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb2
from casemesh.identity.v1 import case_protection_service_pb2 as protection_pb2
from casemesh.identity.v1 import export_mark_service_pb2 as mark_pb2
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.identity.v1.access_decision_service_pb2_grpc import AccessDecisionServiceStub
from casemesh.identity.v1.access_monitoring_service_pb2_grpc import AccessMonitoringServiceStub
from casemesh.identity.v1.access_request_service_pb2_grpc import AccessRequestServiceStub
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceStub
from casemesh.identity.v1.export_mark_service_pb2_grpc import ExportMarkServiceStub
from tests.support.mesh import Agency, Mesh

TIMEOUT = 10.0
PERMISSIONS = {
    name.removeprefix("CASE_PERMISSION_"): cast(CasePermission, number)
    for name, number in CasePermission.items()
    if number
}
SEEING = {"VIEW_PROGRESS", "VIEW_CASE", "VIEW_DOSSIER"}


def new_case() -> str:
    return f"cases/{new_id()}"


def names(permissions: Iterable[CasePermission]) -> set[str]:
    return {CasePermission.Name(permission).removeprefix("CASE_PERMISSION_") for permission in permissions}


@dataclass
class Person:
    """An officer by the system of the agency, or with None that system itself."""

    mesh: Mesh
    agency: Agency
    officer: str | None

    @property
    def name(self) -> str:
        assert self.officer is not None
        return self.agency.officers[self.officer]

    async def relayed(self) -> list[tuple[str, str]]:
        """What a service that acts for the person sends on."""
        return [("authorization", f"Bearer {await self.mesh.token(self.agency, self.officer)}")]

    async def may(self, case: str) -> set[str]:
        """All that the person may do with a case, in one batch."""
        stub = AccessServiceStub(self.mesh.channel("identity", "dossier"))
        checks = [
            access_pb2.CheckAccessRequest(case=case, permission=permission) for permission in PERMISSIONS.values()
        ]
        request = access_pb2.BatchCheckAccessRequest(checks=checks)
        answer = await stub.BatchCheckAccess(request, metadata=await self.relayed(), timeout=TIMEOUT)
        return {name for name, decision in zip(PERMISSIONS, answer.decisions, strict=True) if decision.allowed}

    async def check(self, case: str, permission: str) -> Any:
        stub = AccessServiceStub(self.mesh.channel("identity", "dossier"))
        request = access_pb2.CheckAccessRequest(case=case, permission=PERMISSIONS[permission])
        return await stub.CheckAccess(request, metadata=await self.relayed(), timeout=TIMEOUT)

    async def cases(self, permission: str) -> list[str]:
        """The cases on which the person has a right, in pages of two."""
        stub = AccessServiceStub(self.mesh.channel("identity", "routing"))
        found: list[str] = []
        token = ""
        while True:
            request = access_pb2.ListAccessibleCasesRequest(
                page_size=2, page_token=token, permission=PERMISSIONS[permission]
            )
            page = await stub.ListAccessibleCases(request, metadata=await self.relayed(), timeout=TIMEOUT)
            found += page.cases
            token = page.next_page_token
            if not token:
                return found

    @property
    def admin(self) -> Calls:
        """AccessAdminService from the gateway's place."""
        return Calls(self, AccessAdminServiceStub, admin_pb2)

    @property
    def asking(self) -> Calls:
        """AccessRequestService from the gateway's place."""
        return Calls(self, AccessRequestServiceStub, request_pb2)

    @property
    def deciding(self) -> Calls:
        """AccessDecisionService from the gateway's place."""
        return Calls(self, AccessDecisionServiceStub, decision_pb2)

    @property
    def monitoring(self) -> Calls:
        """AccessMonitoringService from the gateway's place."""
        return Calls(self, AccessMonitoringServiceStub, monitoring_pb2)

    @property
    def marks(self) -> Calls:
        """ExportMarkService from the gateway's place."""
        return Calls(self, ExportMarkServiceStub, mark_pb2)

    @property
    def protect(self) -> Calls:
        """CaseProtectionService from the gateway's place."""
        return Calls(self, CaseProtectionServiceStub, protection_pb2)


@dataclass
class Calls:
    """The methods of a service, called with a request's fields; request id and reason are filled in."""

    person: Person
    stub: Any
    module: Any

    def __getattr__(self, method: str) -> Any:
        async def call(**fields: Any) -> Any:
            request_type = getattr(self.module, f"{method}Request")
            if "request_id" in request_type.DESCRIPTOR.fields_by_name:
                fields = {"request_id": new_id(), **fields}
            if "reason" in request_type.DESCRIPTOR.fields_by_name:
                fields = {"reason": "因工作需要, 见内部审批单", **fields}
            mesh = self.person.mesh
            metadata = await mesh.metadata(self.person.agency, self.person.officer)
            stub = mesh.agency_stub("identity", self.stub)
            return await getattr(stub, method)(request_type(**fields), metadata=metadata, timeout=TIMEOUT)

        return call


async def add_participation(mesh: Mesh, case: str, agency: Agency, officer: str = "", stage: int = 0) -> Any:
    stub = CaseParticipationServiceStub(mesh.channel("identity", "routing"))
    request = participation_pb2.AddParticipationRequest(
        request_id=new_id(),
        case=case,
        agency=agency.name,
        officer=agency.officers[officer] if officer else "",
        cause=case,
        stage=cast(Any, stage),
    )
    return await stub.AddParticipation(request, timeout=TIMEOUT)


async def set_stages(mesh: Mesh, case: str, *stages: int) -> Any:
    stub = CaseParticipationServiceStub(mesh.channel("identity", "routing"))
    request = participation_pb2.SetCaseStagesRequest(
        request_id=new_id(), case=case, stages=cast(Any, stages), cause=case
    )
    return await stub.SetCaseStages(request, timeout=TIMEOUT)


async def refusal(call: Any) -> str:
    """Return the reason that a call is refused with."""
    with pytest.raises(CaseMeshError) as error:
        await call
    return error.value.reason


async def sql(mesh: Mesh, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """Run a statement as the owner of identity's database."""
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


async def actions(mesh: Mesh) -> list[str]:
    """Return the actions of access that were recorded, in their order, without alerts."""
    rows = await sql(mesh, "SELECT event FROM outbox ORDER BY id")
    events = [Event.FromString(row["event"]) for row in rows]
    return [event.action for event in events if re.match(r"access\.(?!alert\.)", event.action)]


def from_now(**span: float) -> datetime:
    return datetime.now(UTC) + timedelta(**span)
