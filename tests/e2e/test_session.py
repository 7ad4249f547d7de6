"""A session over the real gateway: what it carries, and that it goes on when its certificate is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from casemesh.cli.demo_agencies import AgencyPlan, EnrolledAgency, enrol
from casemesh.client.profile import ProfileError
from casemesh.client.session import OperatorSession, Session
from casemesh.core.ids import new_id
from casemesh.errors import DeadlineExceeded, PermissionDenied, Unauthenticated, Unavailable
from casemesh.identity.v1 import directory_admin_service_pb2, directory_service_pb2, token_service_pb2
from casemesh.pki.authority import KeyChoice, Pki
from casemesh.routing.v1 import case_service_pb2, exchange_service_pb2
from tests.support.platform import RunningPlatform

AGENCIES = directory_service_pb2.ListAgenciesRequest()


@pytest.fixture
async def agency(platform: RunningPlatform) -> AsyncIterator[EnrolledAgency]:
    """An agency of the test's own, whose certificates it may replace."""
    pki = Pki(Path(platform.addresses.pki))
    plan = AgencyPlan("nanhu-prison", "南湖监狱(虚构)", "JY", ("民警甲",))
    async with OperatorSession(platform.addresses.services, pki.layout.root / "mesh" / "operator") as operator:
        yield await enrol(plan, pki, operator, platform.addresses, pki.layout.signing_trust)


def entry(agency: EnrolledAgency) -> str:
    return f"agencies/{agency.code}/systems/cms"


async def renew_and_register(platform: RunningPlatform, agency: EnrolledAgency) -> None:
    pki = Pki(Path(platform.addresses.pki))
    renewed = pki.renew(entry(agency), key=KeyChoice.NEW)
    async with OperatorSession(platform.addresses.services, pki.layout.root / "mesh" / "operator") as operator:
        await operator.directory_admin.CreateSystem(
            directory_admin_service_pb2.CreateSystemRequest(
                request_id=new_id(),
                parent=agency.name,
                display_name="renewed",
                certificate_sha256=bytes.fromhex(renewed.fingerprint),
            )
        )


async def test_a_session_speaks_for_the_officer_or_for_the_system(agency: EnrolledAgency) -> None:
    async with Session(agency.officers[0]) as session:
        assert (await session.identity()).subject == agency.officers[0].officer
        assert (await session.identity()).agency == agency.name
    async with Session(agency.officers[0], as_system=True) as session:
        assert (await session.identity()).subject.startswith(f"{agency.name}/systems/")


async def test_an_open_session_goes_on_with_a_replaced_certificate(
    platform: RunningPlatform, agency: EnrolledAgency
) -> None:
    async with Session(agency.officers[0]) as session:
        await session.directory.ListAgencies(AGENCIES)
        before = await session.identity()

        await renew_and_register(platform, agency)

        await session.directory.ListAgencies(AGENCIES)
        assert (await session.identity()).bearer != before.bearer


async def test_a_token_of_another_certificate_is_refused_and_replaced(
    platform: RunningPlatform, agency: EnrolledAgency
) -> None:
    async with Session(platform.agencies["police"].officers[0]) as police, Session(agency.officers[0]) as session:
        foreign, own = await police.identity(), await session.identity()
        # As if the certificate had been exchanged between the token and the call.
        session._token_source._token = replace(own, bearer=foreign.bearer)
        await session.directory.ListAgencies(AGENCIES)
        assert (await session.identity()).bearer != foreign.bearer


async def test_an_officer_of_another_agency_cannot_be_asserted(
    platform: RunningPlatform, agency: EnrolledAgency
) -> None:
    foreign = replace(agency.system, officer=platform.agencies["police"].officers[0].officer)
    async with Session(foreign) as session:
        with pytest.raises(PermissionDenied) as failure:
            await session.directory.ListAgencies(AGENCIES)
    assert failure.value.reason == "OFFICER_NOT_ASSERTABLE"


async def test_an_unregistered_certificate_gets_no_token(platform: RunningPlatform, agency: EnrolledAgency) -> None:
    Pki(Path(platform.addresses.pki)).renew(entry(agency), key=KeyChoice.NEW)
    async with Session(agency.system) as session:
        with pytest.raises(Unauthenticated) as failure:
            await session.tokens.IssueToken(token_service_pb2.IssueTokenRequest())
    assert failure.value.reason == "CERTIFICATE_UNKNOWN"


async def test_a_stream_asked_for_with_the_wrong_token_fails_with_its_reason(agency: EnrolledAgency) -> None:
    async def opening() -> AsyncIterator[exchange_service_pb2.ReceiveRequest]:
        yield exchange_service_pb2.ReceiveRequest(open=exchange_service_pb2.ReceiveOpen())
        await asyncio.Event().wait()

    async with Session(agency.officers[0]) as session:
        with pytest.raises(PermissionDenied) as failure:
            await anext(aiter(session.exchanges.Receive(opening())))
    assert failure.value.reason == "TOKEN_SUBJECT_WRONG"


async def test_the_callers_deadline_holds_over_all_attempts(agency: EnrolledAgency) -> None:
    async with Session(replace(agency.system, gateway="127.0.0.1:1")) as session:
        with pytest.raises((Unavailable, DeadlineExceeded)):
            await session.cases.ListCases(case_service_pb2.ListCasesRequest(), timeout=0.5)


async def test_a_server_of_another_name_is_not_spoken_to(agency: EnrolledAgency) -> None:
    async with Session(replace(agency.system, server_name="identity.casemesh.svc")) as session:
        with pytest.raises(Unavailable):
            await session.directory.ListAgencies(AGENCIES)


async def test_a_session_without_its_certificate_says_which_file(agency: EnrolledAgency, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"tls\.pem"):
        async with Session(replace(agency.system, certificate=tmp_path)):
            pass
