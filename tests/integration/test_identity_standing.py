"""Suspending, resuming and revoking over real mTLS: what ends at once, in every service, and what stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import grpc.aio
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, NotFound, from_rpc_error
from casemesh.identity.v1 import (
    access_service_pb2,
    case_participation_service_pb2,
    directory_pb2,
    directory_service_pb2,
    standing_service_pb2,
    token_service_pb2,
)
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.identity.v1.standing_service_pb2_grpc import StandingServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.routing.v1 import collaboration_node_service_pb2, exchange_service_pb2
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from tests.support.mesh import Agency, Mesh, MeshOf, fingerprint, forwarded
from tests.support.pki import COURT, POLICE

TIMEOUT = 10.0
ACTIVE = directory_pb2.EnrolmentState.ENROLMENT_STATE_ACTIVE
SUSPENDED = directory_pb2.EnrolmentState.ENROLMENT_STATE_SUSPENDED
REVOKED = directory_pb2.EnrolmentState.ENROLMENT_STATE_REVOKED


async def change(mesh: Mesh, verb: str, name: str, reason: str = "an invented reason", request_id: str = "") -> Any:
    """Suspend, Resume or Revoke as the operator; returns the standing."""
    admin = mesh.operator("identity", DirectoryAdminServiceStub)
    fields = {"request_id": request_id or new_id(), "name": name, "reason": reason}
    if verb == "Suspend":
        answer = await admin.Suspend(admin_pb2.SuspendRequest(**fields), timeout=TIMEOUT)
    elif verb == "Resume":
        answer = await admin.Resume(admin_pb2.ResumeRequest(**fields), timeout=TIMEOUT)
    else:
        answer = await admin.Revoke(admin_pb2.RevokeRequest(**fields), timeout=TIMEOUT)
    return answer.standing


async def standing(mesh: Mesh, name: str) -> Any:
    stub = mesh.operator("identity", DirectoryAdminServiceStub)
    return (await stub.GetStanding(admin_pb2.GetStandingRequest(name=name), timeout=TIMEOUT)).standing


async def certificates(mesh: Mesh, holder: str) -> Any:
    stub = mesh.operator("identity", DirectoryAdminServiceStub)
    answer = await stub.ListCertificates(admin_pb2.ListCertificatesRequest(holder=holder), timeout=TIMEOUT)
    return answer.certificates


async def events(mesh: Mesh) -> list[Event]:
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        rows = await connection.fetch("SELECT event FROM outbox ORDER BY id")
    finally:
        await connection.close()
    return [Event.FromString(row["event"]) for row in rows]


async def reason_of(call: Awaitable[Any]) -> str:
    """The reason of a refusal, or `answered`."""
    try:
        await call
    except CaseMeshError as error:
        return error.reason
    return "answered"


def certificate_name(agency: Agency) -> str:
    return f"{agency.name}/certificates/{fingerprint(agency.credentials.directory / 'tls.pem').hex()}"


async def participate(mesh: Mesh, agency: Agency, officer: str) -> str:
    case = f"cases/{new_id()}"
    request = case_participation_service_pb2.AddParticipationRequest(
        request_id=new_id(), case=case, agency=agency.name, officer=agency.officers[officer], cause=case
    )
    stub = CaseParticipationServiceStub(mesh.channel("identity", "routing"))
    await stub.AddParticipation(request, timeout=TIMEOUT)
    return case


def what_may_end(agency: Agency) -> dict[str, str]:
    """The part that refusals name, and the resource whose state ends it."""
    return {
        "agency": agency.name,
        "client": agency.system,
        "certificate": certificate_name(agency),
        "officer": agency.officers["甲某"],
    }


@pytest.mark.parametrize("part", ["agency", "client", "certificate", "officer"])
async def test_whatever_part_of_a_caller_is_revoked_every_call_of_every_service_is_refused(
    mesh_of: MeshOf, part: str
) -> None:
    async with mesh_of("identity", "routing") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        case = await participate(mesh, police, "甲某")
        held, theirs = await mesh.metadata(police, "甲某"), await mesh.metadata(court, "丁某")
        relayed = [pair for pair in held if pair[0] == "authorization"]

        def calls(metadata: list[tuple[str, str]]) -> dict[str, Callable[[], Awaitable[Any]]]:
            directory = mesh.agency_stub("identity", DirectoryServiceStub)
            nodes = mesh.agency_stub("routing", CollaborationNodeServiceStub)
            return {
                "identity": lambda: directory.ListAgencies(
                    directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT
                ),
                "routing": lambda: nodes.ListNodes(
                    collaboration_node_service_pb2.ListNodesRequest(), metadata=metadata, timeout=TIMEOUT
                ),
            }

        async def on_case() -> Any:
            request = access_service_pb2.CheckAccessRequest(
                case=case, permission=CasePermission.CASE_PERMISSION_VIEW_CASE
            )
            stub = AccessServiceStub(mesh.channel("identity", "dossier"))
            return await stub.CheckAccess(request, metadata=relayed, timeout=TIMEOUT)

        async def on_stream() -> Any:
            request = access_service_pb2.RecheckAccessRequest(
                case=case,
                permission=CasePermission.CASE_PERMISSION_VIEW_CASE,
                system=police.system,
                officer=police.officers["甲某"],
                certificate_sha256=fingerprint(police.credentials.directory / "tls.pem"),
            )
            return await AccessServiceStub(mesh.channel("identity", "dossier")).RecheckAccess(request, timeout=TIMEOUT)

        assert {"answered"} == {await reason_of(call()) for call in calls(held).values()}
        assert (await on_case()).allowed
        assert (await on_stream()).allowed

        await change(mesh, "Revoke", what_may_end(police)[part])
        for service, call in calls(held).items():
            with pytest.raises(CaseMeshError) as refused:
                await call()
            assert ("CALLER_NOT_ACTIVE", {"part": part}) == (refused.value.reason, refused.value.metadata), service
        assert not (await on_case()).visible
        assert not (await on_stream()).visible
        asked = token_service_pb2.IssueTokenRequest(officer=police.officers["甲某"])
        issue = TokenServiceStub(mesh.channel("identity", "gateway")).IssueToken(
            asked, metadata=forwarded(police.credentials.directory / "tls.pem"), timeout=TIMEOUT
        )
        assert await reason_of(issue) == ("OFFICER_NOT_ASSERTABLE" if part == "officer" else "CERTIFICATE_UNKNOWN")
        # Nobody else is touched.
        assert {"answered"} == {await reason_of(call()) for call in calls(theirs).values()}


async def test_a_revoked_officer_takes_nothing_from_the_system_that_spoke_for_them(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        await change(mesh, "Revoke", police.officers["甲某"])
        stub = mesh.agency_stub("identity", DirectoryServiceStub)
        listed = await stub.ListOfficers(
            directory_service_pb2.ListOfficersRequest(), metadata=await mesh.metadata(police, "乙某"), timeout=TIMEOUT
        )
        assert {"甲某": REVOKED, "乙某": ACTIVE} == {officer.display_name: officer.state for officer in listed.officers}


async def test_what_was_suspended_is_as_before_once_it_is_resumed(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        metadata = await mesh.metadata(police, "甲某")

        def use() -> Awaitable[Any]:
            stub = mesh.agency_stub("identity", DirectoryServiceStub)
            return stub.ListAgencies(directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT)  # type: ignore[no-any-return]

        for name in (police.name, police.system, police.officers["甲某"]):
            assert (await standing(mesh, name)).state == ACTIVE
            suspended = await change(mesh, "Suspend", name, "under inquiry")
            assert (suspended.name, suspended.state, suspended.reason) == (name, SUSPENDED, "under inquiry")
            assert suspended == await standing(mesh, name)
            assert await reason_of(use()) == "CALLER_NOT_ACTIVE"
            assert (await change(mesh, "Resume", name)).state == ACTIVE
            assert await reason_of(use()) == "answered"


async def test_revoked_is_for_good_and_a_state_reached_already_stays_as_it_is(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        for name in (police.officers["甲某"], police.system, certificate_name(police), police.name):
            first = await change(mesh, "Revoke", name, "lost")
            assert first == await change(mesh, "Revoke", name, "lost again")
        before = await events(mesh)
        for verb in ("Resume", "Suspend"):
            with pytest.raises(FailedPrecondition) as refused:
                await change(mesh, verb, police.name)
            assert ("ENROLMENT_STATE_WRONG", {"state": "revoked"}) == (refused.value.reason, refused.value.metadata)
        assert await events(mesh) == before


async def test_each_change_is_one_event_with_its_reason_and_a_repeat_is_none(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        officer, request_id = police.officers["甲某"], new_id()
        answers = await asyncio.gather(
            *(change(mesh, "Suspend", officer, "under inquiry", request_id) for _ in range(4))
        )
        assert all(answer == answers[0] for answer in answers)
        with pytest.raises(FailedPrecondition) as reused:
            await change(mesh, "Suspend", officer, "another reason", request_id)
        assert reused.value.reason == "REQUEST_ID_REUSED"
        await change(mesh, "Resume", officer, "cleared")
        await change(mesh, "Revoke", certificate_name(police), "key lost")
        changes = [event for event in await events(mesh) if ".created" not in event.action]
        assert [
            ("identity.suspended", officer, "active", "under inquiry"),
            ("identity.resumed", officer, "suspended", "cleared"),
            ("identity.revoked", certificate_name(police), "active", "key lost"),
        ] == [(event.action, event.resource, event.details["before"], event.details["reason"]) for event in changes]


async def test_one_of_two_certificates_revoked_leaves_the_other_at_work(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        spare = mesh.pki.issue_system(POLICE, f"spare-{new_id()[-8:]}").files.certificate
        connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
        try:
            await connection.execute(
                "INSERT INTO client_certificate (sha256, client_id) VALUES ($1, $2)",
                fingerprint(spare),
                police.system.rsplit("/", 1)[1],
            )
        finally:
            await connection.close()
        await change(mesh, "Revoke", certificate_name(police))
        other = f"{police.name}/certificates/{fingerprint(spare).hex()}"
        listed = [(certificate.name, certificate.state) for certificate in await certificates(mesh, police.system)]
        assert [(certificate_name(police), REVOKED), (other, ACTIVE)] == listed
        stub = TokenServiceStub(mesh.channel("identity", "gateway"))
        request = token_service_pb2.IssueTokenRequest()
        assert await reason_of(stub.IssueToken(request, metadata=forwarded(spare), timeout=TIMEOUT)) == "answered"


async def test_what_does_not_exist_or_has_no_such_state_is_refused_by_name(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY")
        for name in (
            f"agencies/{new_id()}",
            f"{police.name}/officers/{new_id()}",
            police.officers["甲某"].replace(police.name, court.name),
            police.system.replace("/systems/", "/workstations/"),
            f"{police.name}/certificates/{'0' * 64}",
            certificate_name(police).replace(police.name, court.name),
        ):
            for call in (change(mesh, "Revoke", name), standing(mesh, name)):
                with pytest.raises(NotFound):
                    await call
        with pytest.raises(NotFound):
            await certificates(mesh, police.system.replace("/systems/", "/workstations/"))
        for verb, name in (
            ("Suspend", certificate_name(police)),
            ("Suspend", f"cases/{new_id()}"),
            ("Revoke", f"{police.name}/systems"),
        ):
            with pytest.raises(InvalidArgument) as refused:
                await change(mesh, verb, name)
            assert [violation.field for violation in refused.value.violations] == ["name"]
        with pytest.raises(InvalidArgument) as no_reason:
            await change(mesh, "Suspend", police.name, reason="")
        assert [violation.field for violation in no_reason.value.violations] == ["reason"]


async def test_standing_is_that_of_the_whole_chain_and_a_workstation_has_it_for_its_officer_alone(
    mesh_of: MeshOf,
) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY")
        certificate = bytes(31) + b"\x01"
        desk = await mesh.operator("identity", DirectoryAdminServiceStub).CreateWorkstation(
            admin_pb2.CreateWorkstationRequest(
                request_id=new_id(), officer=police.officers["甲某"], certificate_sha256=certificate
            ),
            timeout=TIMEOUT,
        )
        stub = StandingServiceStub(mesh.channel("identity", "translation"))

        async def part(system: str, officer: str, sha256: bytes) -> str:
            request = standing_service_pb2.CheckStandingRequest(
                system=system, officer=officer, certificate_sha256=sha256
            )
            answer = await stub.CheckStanding(request, timeout=TIMEOUT)
            assert answer.active == (answer.inactive_part == "")
            return str(answer.inactive_part)

        mine = fingerprint(police.credentials.directory / "tls.pem")
        workstation = desk.workstation.name
        assert await part(police.system, "", mine) == ""
        assert await part(police.system, police.officers["乙某"], mine) == ""
        assert await part(workstation, police.officers["甲某"], certificate) == ""
        assert await part(workstation, police.officers["乙某"], certificate) == "client"
        assert await part(police.system, police.officers["甲某"], certificate) == "certificate"
        assert await part(f"{police.name}/systems/{new_id()}", "", mine) == "client"
        assert await part(police.system, f"{police.name}/officers/{new_id()}", mine) == "officer"
        for system, officer in ((workstation, ""), (court.system, police.officers["甲某"]), ("nonsense", "")):
            with pytest.raises(InvalidArgument) as refused:
                await part(system, officer, mine)
            assert [violation.field for violation in refused.value.violations] == ["system"]


async def test_a_stream_that_concerns_no_case_is_cut_and_the_others_go_on(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", "routing", server={"reauthorize_every": 0.5}) as mesh:
        police = await mesh.enrol(POLICE, "GA")
        court = await mesh.enrol(COURT, "FY")

        def receive(metadata: list[tuple[str, str]]) -> Any:
            stub = mesh.agency_stub("routing", ExchangeServiceStub)
            opening = exchange_service_pb2.ReceiveRequest(open=exchange_service_pb2.ReceiveOpen())

            async def messages() -> Any:
                yield opening
                await asyncio.Event().wait()

            return stub.Receive(messages(), metadata=metadata)

        cut, going_on = receive(await mesh.metadata(police)), receive(await mesh.metadata(court))
        ended = asyncio.ensure_future(cut.read())
        waiting = asyncio.ensure_future(going_on.read())
        async with asyncio.timeout(TIMEOUT):
            while len(mesh.servers["routing"].pipeline._streams) < 2:
                await asyncio.sleep(0.01)
        await change(mesh, "Revoke", certificate_name(police))
        async with asyncio.timeout(TIMEOUT):
            with pytest.raises((CaseMeshError, grpc.aio.AioRpcError)) as error:
                await ended
        failure = error.value if isinstance(error.value, CaseMeshError) else from_rpc_error(error.value)
        assert failure.reason == "STREAM_RIGHT_ENDED"
        assert not waiting.done()
        going_on.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
