"""Officers' logins as agencies state them, over real mTLS: what they open, what is kept of them, what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import jwt
import pytest

from casemesh.audit.v1.event_pb2 import Event
from casemesh.client.channel import Credentials
from casemesh.client.login_assertion import OfficerLogin, sign_assertion
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, InvalidArgument, PermissionDenied, Unauthenticated
from casemesh.identity.logins import OfficerLogins
from casemesh.identity.v1 import access_admin_service_pb2 as access_pb
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import token_service_pb2 as pb
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.postgres import Database
from tests.support.clock import FakeClock
from tests.support.mesh import Agency, Mesh, MeshOf, fingerprint, forwarded
from tests.support.pki import COURT, POLICE

TIMEOUT = 10.0
Metadata = list[tuple[str, str]]


async def issue(mesh: Mesh, credentials: Credentials, assertion: str, officer: str = "") -> pb.IssueTokenResponse:
    stub = TokenServiceStub(mesh.channel("identity", "gateway"))
    request = pb.IssueTokenRequest(assertion=assertion, officer=officer)
    return await stub.IssueToken(request, metadata=forwarded(credentials.directory / "tls.pem"), timeout=TIMEOUT)


async def reason_of(call: Any) -> str:
    try:
        await call
    except CaseMeshError as error:
        return error.reason
    return "answered"


@dataclass
class Desk:
    """The police in a case with officer lin assigned, under a clock that tests move; wang is to be assigned."""

    mesh: Mesh
    clock: FakeClock
    police: Agency
    case: str

    def stated(self, level: str = "password", age: float = 0.0, officer: str = "lin") -> str:
        now = self.clock.now().timestamp()
        login = OfficerLogin(now - age, level)
        return sign_assertion(self.police.credentials, self.police.officers[officer], login, now)

    async def metadata(self, answer: pb.IssueTokenResponse) -> Metadata:
        certificate = forwarded(self.police.credentials.directory / "tls.pem")
        return [*certificate, ("authorization", f"Bearer {answer.access_token}")]

    async def upon(self, assertion: str) -> Metadata:
        return await self.metadata(await issue(self.mesh, self.police.credentials, assertion))

    async def sign(self, metadata: Metadata) -> str:
        """Do what binds the officer: assign a colleague."""
        stub = AccessAdminServiceStub(self.mesh.channel("identity", "gateway"))
        request = access_pb.AssignOfficerRequest(
            request_id=new_id(), case=self.case, officer=self.police.officers["wang"], reason="轮班"
        )
        return await reason_of(stub.AssignOfficer(request, metadata=metadata, timeout=TIMEOUT))

    async def read(self, metadata: Metadata) -> str:
        stub = AccessAdminServiceStub(self.mesh.channel("identity", "gateway"))
        request = access_pb.ListCaseAccessRequest(case=self.case)
        return await reason_of(stub.ListCaseAccess(request, metadata=metadata, timeout=TIMEOUT))

    async def events(self, action: str) -> list[Event]:
        connection = await asyncpg.connect(self.mesh.databases["identity"].owner_dsn)
        try:
            rows = await connection.fetch("SELECT event FROM outbox ORDER BY id")
        finally:
            await connection.close()
        events = [Event.FromString(row["event"]) for row in rows]
        return [event for event in events if event.action == action]


async def desk_of(mesh: Mesh, clock: FakeClock) -> Desk:
    police = await mesh.enrol(POLICE, "GA", ["lin", "wang"])
    case = f"cases/{new_id()}"
    await CaseParticipationServiceStub(mesh.channel("identity", "routing")).AddParticipation(
        participation_pb.AddParticipationRequest(
            request_id=new_id(), case=case, agency=police.name, officer=police.officers["lin"], cause=case
        ),
        timeout=TIMEOUT,
    )
    return Desk(mesh, clock, police, case)


async def test_an_act_that_binds_asks_for_a_login_of_the_last_ten_minutes_and_reading_does_not(
    mesh_of: MeshOf,
) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        for stated, signed in (
            (desk.stated(age=0), "answered"),
            (desk.stated(age=595), "answered"),
            (desk.stated(age=601), "LOGIN_NOT_FRESH"),
        ):
            metadata = await desk.upon(stated)
            assert (signed, "answered") == (await desk.sign(metadata), await desk.read(metadata))
        # The same token, while its login ages.
        metadata = await desk.upon(desk.stated(age=400))
        assert await desk.sign(metadata) == "answered"
        clock.move(201)
        assert (await desk.sign(metadata), await desk.read(metadata)) == ("LOGIN_NOT_FRESH", "answered")
        assert await desk.sign(await desk.upon(desk.stated())) == "answered"


async def test_a_level_below_the_configured_one_and_a_session_without_a_login_sign_nothing(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    level = "urn:casemesh:acr:two-factor"
    async with mesh_of("identity", clock=clock, server={"fresh_login_acr": level}) as mesh:
        desk = await desk_of(mesh, clock)
        officer = desk.police.officers["lin"]
        no_login = sign_assertion(desk.police.credentials, officer, None, clock.now().timestamp())
        plain = await issue(mesh, desk.police.credentials, "", officer)
        answers = {
            "password": await desk.sign(await desk.upon(desk.stated("password"))),
            "two-factor": await desk.sign(await desk.upon(desk.stated("two-factor"))),
            "certificate": await desk.sign(await desk.upon(desk.stated("certificate"))),
            "nothing stated": await desk.sign(await desk.upon(no_login)),
            "no assertion": await desk.sign(await desk.metadata(plain)),
        }
        refused = dict.fromkeys(("password", "nothing stated", "no assertion"), "LOGIN_NOT_FRESH")
        assert {**refused, "two-factor": "answered", "certificate": "answered"} == answers


async def test_a_login_is_told_to_the_log_once_and_every_act_under_it_names_the_statement(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        first = desk.stated(age=60)
        metadata = await desk.upon(first)
        clock.move(100)
        again = desk.stated(age=160)
        await desk.upon(again)
        assert await desk.sign(await desk.upon(desk.stated(age=160))) == "answered"

        digest = hashlib.sha256(first.encode()).hexdigest()
        (told,) = await desk.events("identity.officer.logged_in")
        assert (told.resource, told.actor.officer) == (desk.police.officers["lin"],) * 2
        assert (told.actor.agency, told.actor.system) == (desk.police.name, desk.police.system)
        assert dict(told.details) == {
            "assertion_sha256": digest,
            "acr": "urn:casemesh:acr:password",
            "login_age_seconds": "60",
            "clock_skew_seconds": "0",
        }
        act = (await desk.events("access.assignment.added"))[-1]
        assert act.details["login"] == digest

        stub = TokenServiceStub(mesh.channel("identity", "gateway"))
        request = pb.GetOfficerLoginRequest(assertion_sha256=bytes.fromhex(digest))
        kept = await stub.GetOfficerLogin(request, metadata=metadata, timeout=TIMEOUT)
        assert (kept.assertion, kept.officer, kept.client) == (first, desk.police.officers["lin"], desk.police.system)
        assert kept.login_time.ToSeconds() == int(clock.now().timestamp() - 160)


async def test_a_statement_is_shown_to_the_agency_that_made_it_and_to_no_other(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        court = await mesh.enrol(COURT, "FY", ["ding"])
        stated = desk.stated()
        await desk.upon(stated)
        stub = TokenServiceStub(mesh.channel("identity", "gateway"))
        answers = set()
        for digest in (hashlib.sha256(stated.encode()).digest(), hashlib.sha256(b"never stated").digest()):
            request = pb.GetOfficerLoginRequest(assertion_sha256=digest)
            with pytest.raises(CaseMeshError) as refused:
                await stub.GetOfficerLogin(request, metadata=await mesh.metadata(court, "ding"), timeout=TIMEOUT)
            answers.add((refused.value.reason, refused.value.message, tuple(refused.value.metadata)))
        assert {("NOT_FOUND", "no such resource, or you have no access to it", ())} == answers


async def test_the_use_of_an_assertion_is_forgotten_once_no_replica_takes_it_any_more(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        stated = desk.stated()
        await desk.upon(stated)
        made = mesh.databases["identity"]
        database = Database(made.runtime_dsn, DatabaseConfig(dsn_file=mesh.directory / "unused", pool_size=1))
        await database.open()

        async def kept_after(seconds: float) -> int:
            clock.move(seconds)
            # One that is long over: when it is gone, a round is done.
            over = "INSERT INTO assertion_use SELECT client_id, 'over', 'epoch' FROM assertion_use"
            assert await database.execute(over) == 1
            forgetting = asyncio.create_task(OfficerLogins(database, clock, lambda: None).forget_uses())
            try:
                async with asyncio.timeout(TIMEOUT):
                    while await database.fetchval("SELECT count(*) FROM assertion_use WHERE jti = 'over'"):
                        await asyncio.sleep(0.01)
            finally:
                forgetting.cancel()
            return int(await database.fetchval("SELECT count(*) FROM assertion_use"))

        try:
            # A minute's life and ten for clocks; then another minute, for a replica whose clock is behind.
            assert [1, 1, 0] == [await kept_after(650), await kept_after(65), await kept_after(10)]
        finally:
            await database.close()


async def test_an_assertion_is_used_once_also_after_its_use_was_nearly_forgotten(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        for login in (OfficerLogin(0.0, "password"), None):
            now = clock.now().timestamp()
            recent = replace(login, auth_time=now) if login is not None else None
            stated = sign_assertion(desk.police.credentials, desk.police.officers["lin"], recent, now)
            await desk.upon(stated)
            for later in (0, 300, 355):
                clock.move(later)
                assert await reason_of(issue(mesh, desk.police.credentials, stated)) == "ASSERTION_REPLAYED"
            clock.move(6)
            assert await reason_of(issue(mesh, desk.police.credentials, stated)) == "CLOCK_SKEWED"


async def test_a_workstation_states_the_login_of_its_officer_and_of_no_colleague_for_five_minutes(
    mesh_of: MeshOf,
) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        files = mesh.pki.issue_workstation(POLICE, "logins-desk-1").files
        await mesh.operator("identity", DirectoryAdminServiceStub).CreateWorkstation(
            admin_pb2.CreateWorkstationRequest(
                request_id=new_id(),
                officer=desk.police.officers["lin"],
                certificate_sha256=fingerprint(files.certificate),
            ),
            timeout=TIMEOUT,
        )
        credentials = Credentials(files.certificate.parent)

        def stated(officer: str, age: float = 0.0) -> str:
            now = clock.now().timestamp()
            return sign_assertion(credentials, desk.police.officers[officer], OfficerLogin(now - age, "password"), now)

        for age, signed in ((295, "answered"), (301, "LOGIN_NOT_FRESH")):
            answer = await issue(mesh, credentials, stated("lin", age))
            metadata = [*forwarded(files.certificate), ("authorization", f"Bearer {answer.access_token}")]
            assert await desk.sign(metadata) == signed
        with pytest.raises(PermissionDenied) as refused:
            await issue(mesh, credentials, stated("wang"))
        assert refused.value.reason == "OFFICER_NOT_ASSERTABLE"


async def test_an_assertion_under_another_agencys_certificate_states_nothing(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        court = await mesh.enrol(COURT, "FY", ["ding"])
        assert await reason_of(issue(mesh, court.credentials, desk.stated())) == "ASSERTION_INVALID"
        # One's own signature under another agency's officer is no better.
        now = clock.now().timestamp()
        foreign = sign_assertion(court.credentials, desk.police.officers["lin"], OfficerLogin(now, "password"), now)
        assert await reason_of(issue(mesh, court.credentials, foreign)) == "OFFICER_NOT_ASSERTABLE"


async def test_an_officer_beside_an_assertion_is_refused_by_field(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        with pytest.raises(InvalidArgument) as refused:
            await issue(mesh, desk.police.credentials, desk.stated(), desk.police.officers["lin"])
        assert [violation.field for violation in refused.value.violations] == ["officer"]


async def test_where_assertions_are_required_a_system_acts_for_itself_alone_without_one(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock, own={"identity": {"assertion_required": True}}) as mesh:
        desk = await desk_of(mesh, clock)
        credentials, officer = desk.police.credentials, desk.police.officers["lin"]
        assert await reason_of(issue(mesh, credentials, "", officer)) == "ASSERTION_REQUIRED"
        assert (await issue(mesh, credentials, "")).subject == desk.police.system
        assert (await issue(mesh, credentials, desk.stated())).subject == officer


@pytest.mark.parametrize("ahead", [-540, 540])
async def test_an_agency_whose_clock_is_nine_minutes_off_works_and_is_told_so(mesh_of: MeshOf, ahead: int) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        theirs = clock.now().timestamp() + ahead
        stated = sign_assertion(
            desk.police.credentials, desk.police.officers["lin"], OfficerLogin(theirs - 20, "password"), theirs
        )
        answer = await issue(mesh, desk.police.credentials, stated)
        assert answer.clock_skew_seconds == ahead
        claims = jwt.decode(answer.access_token, options={"verify_signature": False})
        assert claims["iat"] - claims["auth_time"] == 20
        assert await desk.sign(await desk.metadata(answer)) == "answered"
        (told,) = await desk.events("identity.officer.logged_in")
        assert told.details["clock_skew_seconds"] == str(ahead)


@pytest.mark.parametrize("ahead", [-720, 720])
async def test_an_agency_whose_clock_is_twelve_minutes_off_is_refused_and_both_clocks_are_named(
    mesh_of: MeshOf, ahead: int
) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        theirs = clock.now().timestamp() + ahead
        stated = sign_assertion(
            desk.police.credentials, desk.police.officers["lin"], OfficerLogin(theirs, "password"), theirs
        )
        with pytest.raises(Unauthenticated) as refused:
            await issue(mesh, desk.police.credentials, stated)
        assert refused.value.reason == "CLOCK_SKEWED"
        assert {"agency_time", "platform_time"} == set(refused.value.metadata)
        assert all(time in refused.value.message for time in refused.value.metadata.values())


async def test_an_access_token_is_no_assertion_and_an_assertion_no_token(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        desk = await desk_of(mesh, clock)
        stated = desk.stated()
        answer = await issue(mesh, desk.police.credentials, stated)
        assert await reason_of(issue(mesh, desk.police.credentials, answer.access_token)) == "ASSERTION_INVALID"
        certificate = forwarded(desk.police.credentials.directory / "tls.pem")
        assert await desk.read([*certificate, ("authorization", f"Bearer {stated}")]) == "TOKEN_INVALID"
        claims = jwt.decode(answer.access_token, options={"verify_signature": False})
        assert claims["login"] == hashlib.sha256(stated.encode()).hexdigest()
        assert json.loads(json.dumps(claims))["acr"] == "urn:casemesh:acr:password"
