"""What an operator does on one machine, and what agencies notice of it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from casemesh.client.profile import Profile, write_profile
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, from_rpc_error
from casemesh.identity.v1 import access_admin_service_pb2, directory_service_pb2
from casemesh.routing.v1 import case_service_pb2, exchange_service_pb2
from tests.support.platform import RunningPlatform


def casemeshd(*arguments: str) -> Any:
    """Run the operator's program and return its JSON."""
    command = [sys.executable, "-m", "casemesh.cli.daemon", *arguments, "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_an_agency_enrolled_by_hand_is_known_at_the_gateway_at_once(platform: RunningPlatform) -> None:
    data = str(Path(platform.addresses.pki).parent)
    agency = casemeshd("enrol", "agency", "nanshan-police", "--name", "南山市公安局", "--organ", "GA", "--data", data)
    system = casemeshd("enrol", "system", agency["agency"], "nanshan-police", "cms", "--data", data)
    officer = casemeshd("enrol", "officer", agency["agency"], "--name", "侦查员乙", "--data", data)

    async def known() -> str:
        profile = Profile("nanshan", system["gateway"], Path(system["certificate"]), officer=officer["officer"])
        async with Session(profile) as session:
            return (await session.identity()).subject

    assert officer["officer"] == asyncio.run(known())
    assert agency["trust_domain"] == "nanshan-police.agency.casemesh"


def casemesh(profile: Profile, folder: Path, *arguments: str) -> Any:
    """Run an agency's program under a profile and return its JSON."""
    config = folder / "casemesh"
    write_profile(config, profile, replace=True)
    command = [sys.executable, "-m", "casemesh.cli.main", *arguments, "--profile", profile.name, "--json"]
    environment = {**os.environ, "CASEMESH_CONFIG": str(config)}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_a_system_enrolled_by_request_and_approved_by_a_second_administrator_is_let_in_until_it_is_revoked(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    data = ["--data", str(Path(platform.addresses.pki).parent)]
    casemeshd("enrol", "administrator", "liu", *data)
    casemeshd("enrol", "administrator", "zhang", *data)
    agency = casemeshd(
        "enrol", "agency", "xihe-police", "--name", "西河市公安局", "--organ", "GA", "--as", "liu", *data
    )
    asked = casemeshd("enrol", "request", "xihe-police", "cms", "--out", str(tmp_path / "cms"))
    certificate = str(tmp_path / "cms" / "tls.pem")
    casemeshd("enrol", "sign", "xihe-police", asked["request"], "--out", certificate, *data)
    made = casemeshd("enrol", "register", agency["agency"], asked["request"], certificate, "--as", "liu", *data)
    assert made["state"] == "registered"
    profile = Profile("xihe", made["gateway"], tmp_path / "cms")

    async def subject() -> str:
        async with Session(profile) as session:
            return (await session.identity()).subject

    with pytest.raises(CaseMeshError) as waiting:
        asyncio.run(subject())
    assert waiting.value.reason == "CERTIFICATE_UNKNOWN"
    assert casemeshd("enrol", "approve", made["system"], "--as", "zhang", *data)["state"] == "active"
    assert made["system"] == asyncio.run(subject())

    revoked = casemeshd("enrol", "revoke", made["system"], "--reason", "an invented reason", *data)
    assert (revoked["state"], revoked["reason"]) == ("revoked", "an invented reason")
    with pytest.raises(CaseMeshError) as ended:
        asyncio.run(subject())
    assert ended.value.reason == "CERTIFICATE_UNKNOWN"


def test_a_system_renews_its_certificate_by_itself(platform: RunningPlatform, tmp_path: Path) -> None:
    data = ["--data", str(Path(platform.addresses.pki).parent)]
    about = ["--name", "西河市法院", "--organ", "FY"]
    agency = casemeshd("enrol", "agency", "xihe-court", *about, *data)
    system = casemeshd("enrol", "system", agency["agency"], "xihe-court", "cms", *data)
    asked = casemeshd("enrol", "request", "xihe-court", "cms", "--out", str(tmp_path / "new"))
    renewed = str(tmp_path / "new" / "tls.pem")
    casemeshd("enrol", "sign", "xihe-court", asked["request"], "--out", renewed, *data)
    profile = Profile("xihe-court", system["gateway"], Path(system["certificate"]))
    taken = casemesh(profile, tmp_path, "agency", "renew", asked["request"], renewed)
    shown = casemeshd("enrol", "show", system["system"], *data)
    assert {system["registered_as"]: "active", taken["certificate"]: "active"} == shown["certificates"]


def test_the_signed_directory_kept_by_an_agency_is_followed_up(platform: RunningPlatform, tmp_path: Path) -> None:
    data = ["--data", str(Path(platform.addresses.pki).parent)]
    trust = ["--signing-roots", str(Path(platform.addresses.pki) / "signing" / "ca.pem")]
    profile, kept = platform.agencies["police"].system, str(tmp_path / "directory.json")
    first = casemesh(profile, tmp_path, "agency", "directory", "--out", kept, *trust)
    added = casemeshd("enrol", "agency", "donghe-court", "--name", "东河市法院", "--organ", "FY", *data)
    later = casemesh(profile, tmp_path, "agency", "directory", "--out", kept, *trust)
    assert first["version"] + 1 == later["version"]
    assert {item["name"] for item in later["agencies"]} - {item["name"] for item in first["agencies"]} == {
        added["agency"]
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["enrol", "agency", "Bad Code", "--name", "x", "--organ", "GA"], "use 1 to 40"),
        (["enrol", "agency", "westhill", "--name", "x", "--organ", "GA", "--data", "/nowhere"], "no platform runs on"),
        (["pki", "renew", "mesh/nobody", "--dir", "PKI"], "nobody"),
        (["validate-config", "dossier", "--config", "/nowhere.toml"], "cannot be read"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(platform: RunningPlatform, arguments: list[str], said: str) -> None:
    given = [platform.addresses.pki if argument == "PKI" else argument for argument in arguments]
    if "--data" not in given and given[0] == "enrol":
        given += ["--data", str(Path(platform.addresses.pki).parent)]
    command = [sys.executable, "-m", "casemesh.cli.daemon", *given]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 4
    assert said in finished.stderr


def test_every_configuration_the_platform_rendered_is_valid(platform: RunningPlatform) -> None:
    config = Path(platform.addresses.pki).parent / "config"
    for service in platform.addresses.services:
        assert casemeshd("validate-config", service, "--config", str(config / f"{service}.toml"))["valid"] is True


async def test_an_ended_assignment_stops_new_calls_at_once(platform: RunningPlatform) -> None:
    police = platform.agencies["police"]
    case = await platform.register_case()
    request = case_service_pb2.GetCaseRequest(name=case)
    async with Session(police.officers[0]) as officer, Session(police.system) as system:
        await officer.cases.GetCase(request)
        await system.access_admin.EndAssignment(
            access_admin_service_pb2.EndAssignmentRequest(
                request_id=new_id(), case=case, officer=police.officers[0].officer, reason="moved to another unit"
            )
        )
        with pytest.raises(CaseMeshError) as refused:
            await officer.cases.GetCase(request)
        with pytest.raises(CaseMeshError) as absent:
            await officer.cases.GetCase(case_service_pb2.GetCaseRequest(name=f"cases/{new_id()}"))
    assert ("NOT_FOUND", refused.value.message) == (refused.value.reason, absent.value.message)


async def test_what_is_not_on_the_gateways_list_does_not_exist_for_an_agency(platform: RunningPlatform) -> None:
    async with Session(platform.agencies["police"].system) as session:
        assert session._channel is not None
        call = session._channel.current().unary_unary("/casemesh.identity.v1.AccessService/CheckAccess")
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(b"", timeout=10)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_officers_token_does_not_receive_for_the_agency(platform: RunningPlatform) -> None:
    async with Session(platform.agencies["police"].officers[0]) as session:
        call = session.exchanges.Receive(
            iter([exchange_service_pb2.ReceiveRequest(open=exchange_service_pb2.ReceiveOpen())])
        )
        with pytest.raises((CaseMeshError, grpc.aio.AioRpcError)) as error:
            async for _ in call:
                pass
    failure = error.value if isinstance(error.value, CaseMeshError) else from_rpc_error(error.value)
    assert failure.reason == "TOKEN_SUBJECT_WRONG"


async def test_agencies_are_listed_in_pages_that_fit_together(platform: RunningPlatform) -> None:
    async with Session(platform.agencies["court"].system) as session:
        whole = await session.directory.ListAgencies(directory_service_pb2.ListAgenciesRequest())
        first = await session.directory.ListAgencies(directory_service_pb2.ListAgenciesRequest(page_size=2))
        rest = await session.directory.ListAgencies(
            directory_service_pb2.ListAgenciesRequest(page_size=1000, page_token=first.next_page_token)
        )
    assert [agency.name for agency in whole.agencies] == [agency.name for agency in [*first.agencies, *rest.agencies]]
