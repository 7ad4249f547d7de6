"""Every method of identity, called by everybody in the mesh: only who is meant to gets past the door."""

from __future__ import annotations

from typing import Any

import grpc.aio
import pytest

from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, from_rpc_error
from casemesh.identity.v1 import (
    access_admin_service_pb2,
    access_admin_service_pb2_grpc,
    access_service_pb2,
    access_service_pb2_grpc,
    case_participation_service_pb2,
    case_participation_service_pb2_grpc,
    case_protection_service_pb2,
    case_protection_service_pb2_grpc,
    directory_admin_service_pb2,
    directory_admin_service_pb2_grpc,
    directory_service_pb2,
    directory_service_pb2_grpc,
    enrolment_service_pb2,
    enrolment_service_pb2_grpc,
    standing_service_pb2,
    standing_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
)
from tests.support.mesh import MeshOf
from tests.support.pki import POLICE

TIMEOUT = 10.0
PEERS = ("gateway", "operator", "monitor", "identity", "translation", "dossier", "routing", "audit", "supervision")
INNER = {"translation", "dossier", "routing", "audit", "supervision"}
# Written down from the contract, not from the policy table.
MEANT: dict[str, set[str]] = {
    "GetAgency": {"gateway", "routing"},
    "ListAgencies": {"gateway"},
    "ListOfficers": {"gateway"},
    "CreateAgency": {"operator"},
    "CreateSystem": {"operator"},
    "CreateWorkstation": {"operator"},
    "CreateOfficer": {"operator"},
    "ListUnits": {"gateway"},
    "DownloadDirectory": {"gateway"},
    "CreateUnit": {"operator"},
    "PlaceOfficer": {"operator"},
    "RegisterSystem": {"operator"},
    "RegisterWorkstation": {"operator"},
    "ApproveEnrolment": {"operator"},
    "RenewCertificate": {"gateway"},
    "Suspend": {"operator"},
    "Resume": {"operator"},
    "Revoke": {"operator"},
    "GetStanding": {"operator"},
    "ListCertificates": {"operator"},
    "CheckStanding": INNER,
    "IssueToken": {"gateway"},
    "GetOfficerLogin": {"gateway"},
    "GetSigningKeys": {"gateway", *INNER},
    "CheckAccess": INNER,
    "RecheckAccess": INNER,
    "BatchCheckAccess": INNER,
    "RecordReadingSize": {"dossier"},
    "ListAccessibleCases": {"routing", "supervision"},
    "AssignOfficer": {"gateway"},
    "EndAssignment": {"gateway"},
    "ListCaseAccess": {"gateway"},
    "DelegateAccess": {"gateway"},
    "EndDelegation": {"gateway"},
    "ExplainAccess": {"gateway"},
    "ListCaseViewers": {"gateway"},
    "AppointSupervisor": {"gateway"},
    "EndSupervision": {"gateway"},
    "SealCase": {"gateway"},
    "OpenSeal": {"gateway"},
    "LiftSeal": {"gateway"},
    "BreakGlass": {"gateway"},
    "ApproveBreakGlass": {"gateway"},
    "ListBreakGlassUses": {"gateway"},
    "ReviewBreakGlass": {"gateway"},
    "AddParticipation": {"routing"},
    "SetCaseStages": {"routing"},
}
SERVICES: list[tuple[Any, str, Any]] = [
    (directory_service_pb2_grpc.DirectoryServiceStub, "DirectoryService", directory_service_pb2),
    (
        directory_admin_service_pb2_grpc.DirectoryAdminServiceStub,
        "DirectoryAdminService",
        directory_admin_service_pb2,
    ),
    (enrolment_service_pb2_grpc.EnrolmentServiceStub, "EnrolmentService", enrolment_service_pb2),
    (standing_service_pb2_grpc.StandingServiceStub, "StandingService", standing_service_pb2),
    (token_service_pb2_grpc.TokenServiceStub, "TokenService", token_service_pb2),
    (access_service_pb2_grpc.AccessServiceStub, "AccessService", access_service_pb2),
    (access_admin_service_pb2_grpc.AccessAdminServiceStub, "AccessAdminService", access_admin_service_pb2),
    (case_protection_service_pb2_grpc.CaseProtectionServiceStub, "CaseProtectionService", case_protection_service_pb2),
    (
        case_participation_service_pb2_grpc.CaseParticipationServiceStub,
        "CaseParticipationService",
        case_participation_service_pb2,
    ),
]


# A system acting for itself may not.
OFFICERS_ALONE = {
    "DelegateAccess",
    "SealCase",
    "OpenSeal",
    "LiftSeal",
    "BreakGlass",
    "ApproveBreakGlass",
    "ListBreakGlassUses",
    "ReviewBreakGlass",
}
# They have no deadline; their age is bounded.
STREAMS = {"DownloadDirectory"}


async def outcome(call: Any) -> str:
    try:
        await (call.read() if hasattr(call, "read") else call)
    except CaseMeshError as error:
        return error.reason
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return "answered"


def methods(channel: grpc.aio.Channel) -> list[tuple[str, Any, Any]]:
    """Return name, stub method and request class of every method."""
    found = []
    for make_stub, service, module in SERVICES:
        stub = make_stub(channel)
        for method in module.DESCRIPTOR.services_by_name[service].methods:
            found.append((method.name, getattr(stub, method.name), getattr(module, method.input_type.name)))
    return found


async def test_only_the_callers_meant_get_past_the_door(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        metadata = await mesh.metadata(police)
        passed: dict[str, set[str]] = {}
        for peer in PEERS:
            for name, method, request in methods(mesh.channel("identity", peer)):
                reason = await outcome(method(request(), metadata=metadata, timeout=TIMEOUT))
                assert reason != "INTERNAL", (peer, name)
                if reason != "CALLER_NOT_ALLOWED":
                    passed.setdefault(name, set()).add(peer)
        assert passed == MEANT


@pytest.mark.parametrize("method", sorted(MEANT.keys() - STREAMS))
async def test_a_call_without_a_deadline_is_refused(mesh_of: MeshOf, method: str) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        metadata = await mesh.metadata(police, "甲某" if method in OFFICERS_ALONE else None)
        peer = min(MEANT[method])
        (call,) = [stub for name, stub, _ in methods(mesh.channel("identity", peer)) if name == method]
        (request,) = [form for name, _, form in methods(mesh.channel("identity", peer)) if name == method]
        assert await outcome(call(request(), metadata=metadata)) == "DEADLINE_MISSING"


async def test_an_oversized_request_reaches_nothing(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        stub = directory_admin_service_pb2_grpc.DirectoryAdminServiceStub(mesh.channel("identity", "operator"))
        request = directory_admin_service_pb2.CreateAgencyRequest(
            request_id=new_id(), code=POLICE, display_name="x" * (4 * 1024 * 1024), organ="GA"
        )
        with pytest.raises(CaseMeshError):
            await stub.CreateAgency(request, timeout=TIMEOUT)
        assert (await mesh.enrol(POLICE, "GA")).code == POLICE
