"""Tokens over real mTLS: who gets one, what it opens, and every way of using another's."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, PermissionDenied, Unauthenticated, Unavailable
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import directory_service_pb2, token_service_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.pki.authority import Pki
from tests.support.clock import FakeClock
from tests.support.mesh import Agency, Mesh, MeshOf, fingerprint, forwarded
from tests.support.pki import COURT, POLICE, PROCURATORATE

TIMEOUT = 10.0
XFCC = "x-forwarded-client-cert"


async def issue(mesh: Mesh, metadata: list[tuple[str, str]], officer: str = "") -> Any:
    stub = TokenServiceStub(mesh.channel("identity", "gateway"))
    return await stub.IssueToken(
        token_service_pb2.IssueTokenRequest(officer=officer), metadata=metadata, timeout=TIMEOUT
    )


async def use(mesh: Mesh, metadata: list[tuple[str, str]], peer: str = "gateway") -> Any:
    """Call the simplest method that asks for a token."""
    stub = DirectoryServiceStub(mesh.channel("identity", peer))
    return await stub.ListAgencies(directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT)


async def reason_of(call: Any) -> str:
    with pytest.raises(CaseMeshError) as error:
        await call
    return error.value.reason


def certificate_of(agency: Agency) -> Path:
    return agency.credentials.directory / "tls.pem"


def bearer(token: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {token}")


async def suspend(mesh: Mesh, table: str, name: str) -> None:
    """Set the state as an operator's tool of a later version would."""
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        changed = await connection.execute(
            f"UPDATE {table} SET state = 'suspended' WHERE id = $1", name.rsplit("/", 1)[1]
        )
    finally:
        await connection.close()
    assert changed == "UPDATE 1"


async def enrol_workstation(mesh: Mesh, agency: Agency, officer: str, name: str) -> tuple[str, Path]:
    """Return the workstation's resource name and its certificate."""
    certificate = mesh.pki.issue_workstation(agency.code, name).files.certificate
    answer = await mesh.operator("identity", DirectoryAdminServiceStub).CreateWorkstation(
        admin_pb2.CreateWorkstationRequest(
            request_id=new_id(), officer=agency.officers[officer], certificate_sha256=fingerprint(certificate)
        ),
        timeout=TIMEOUT,
    )
    return answer.workstation.name, certificate


async def test_a_system_gets_a_token_for_itself_and_for_an_officer_bound_to_its_certificate(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        officer, metadata = police.officers["甲某"], forwarded(certificate_of(police))
        for asked, subject in (("", police.system), (officer, officer)):
            answer = await issue(mesh, metadata, asked)
            assert (answer.agency, answer.subject) == (police.name, subject)
            claims = jwt.decode(answer.access_token, options={"verify_signature": False})
            assert (claims["sub"], claims["client_id"]) == (subject, police.system)
            assert claims["acr"] == "urn:casemesh:acr:system-asserted"
            assert claims["exp"] == claims["iat"] + 300 == answer.expire_time.ToSeconds()
            bound = base64.urlsafe_b64decode(claims["cnf"]["x5t#S256"] + "=")
            assert bound == fingerprint(certificate_of(police))
            assert len((await use(mesh, [*metadata, bearer(answer.access_token)])).agencies) == 1


async def test_a_workstation_gets_a_token_for_its_officer_and_for_no_colleague(mesh_of: MeshOf, mesh_pki: Pki) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        name, certificate = await enrol_workstation(mesh, police, "甲某", "tokens-desk-1")
        for asked in ("", police.officers["甲某"]):
            answer = await issue(mesh, forwarded(certificate), asked)
            assert answer.subject == police.officers["甲某"]
            claims = jwt.decode(answer.access_token, options={"verify_signature": False})
            assert (claims["client_id"], claims["acr"]) == (name, "urn:casemesh:acr:workstation")
            assert len((await use(mesh, [*forwarded(certificate), bearer(answer.access_token)])).agencies) == 1
        assert await reason_of(issue(mesh, forwarded(certificate), police.officers["乙某"])) == "OFFICER_NOT_ASSERTABLE"


async def test_officers_of_others_suspended_ones_and_ones_that_do_not_exist_are_refused_alike(
    mesh_of: MeshOf,
) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        await suspend(mesh, "officer", police.officers["甲某"])
        answers = set()
        for officer in (
            court.officers["丁某"],
            police.officers["甲某"],
            f"{police.name}/officers/{new_id()}",
            court.officers["丁某"].replace(court.name, police.name),
        ):
            with pytest.raises(PermissionDenied) as error:
                await issue(mesh, forwarded(certificate_of(police)), officer)
            answers.add((error.value.reason, error.value.message, tuple(error.value.metadata)))
        assert len(answers) == 1
        assert answers.pop()[0] == "OFFICER_NOT_ASSERTABLE"


async def test_a_certificate_that_is_unknown_or_suspended_gets_no_token(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        unknown = mesh.pki.layout.system(COURT, "cms").certificate
        assert await reason_of(issue(mesh, forwarded(unknown))) == "CERTIFICATE_UNKNOWN"
        _, desk = await enrol_workstation(mesh, police, "甲某", "tokens-desk-2")
        await suspend(mesh, "officer", police.officers["甲某"])
        assert await reason_of(issue(mesh, forwarded(desk))) == "OFFICER_NOT_ASSERTABLE"
        await suspend(mesh, "client", police.system)
        assert await reason_of(issue(mesh, forwarded(certificate_of(police)))) == "CERTIFICATE_UNKNOWN"


async def test_the_key_set_verifies_tokens_and_is_given_to_services_and_agencies(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        answers = {
            (
                await TokenServiceStub(mesh.channel("identity", peer)).GetSigningKeys(
                    token_service_pb2.GetSigningKeysRequest(),
                    metadata=forwarded(certificate_of(police)) if peer == "gateway" else [],
                    timeout=TIMEOUT,
                )
            ).jwks_json
            for peer in ("gateway", "translation", "dossier", "routing", "audit")
        }
        (key,) = json.loads(answers.pop())["keys"]
        assert not answers
        token = await mesh.token(police)
        assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": key["kid"], "typ": "at+jwt"}
        claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["EdDSA"], audience="casemesh")
        assert claims["sub"] == police.system


async def test_a_token_opens_nothing_under_another_certificate(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        court = await mesh.enrol(COURT, "FY")
        stolen = bearer(await mesh.token(police))
        unregistered = mesh.pki.layout.system(PROCURATORATE, "cms").certificate
        for certificate in (certificate_of(court), unregistered):
            assert await reason_of(use(mesh, [*forwarded(certificate), stolen])) == "TOKEN_CERTIFICATE_MISMATCH"
        assert len((await use(mesh, [*forwarded(certificate_of(police)), stolen])).agencies) == 2


async def test_a_token_ends(mesh_of: MeshOf) -> None:
    clock = FakeClock()
    async with mesh_of("identity", clock=clock) as mesh:
        police = await mesh.enrol(POLICE, "GA")
        metadata = await mesh.metadata(police)
        await use(mesh, metadata)
        clock.move(306)
        assert await reason_of(use(mesh, metadata)) == "TOKEN_EXPIRED"


async def test_a_token_that_identity_did_not_sign_is_refused(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        good = await mesh.token(police)
        claims = jwt.decode(good, options={"verify_signature": False})
        headers = jwt.get_unverified_header(good)
        stranger = Ed25519PrivateKey.generate()
        forged = [
            jwt.encode(claims, stranger, algorithm="EdDSA", headers=headers),
            jwt.encode(claims, stranger, algorithm="EdDSA", headers={**headers, "kid": "another"}),
            jwt.encode(claims, "a secret of at least thirty-two bytes", algorithm="HS256", headers={"typ": "at+jwt"}),
            good + "==",
        ]
        for token in forged:
            metadata = [*forwarded(certificate_of(police)), bearer(token)]
            assert await reason_of(use(mesh, metadata)) == "TOKEN_INVALID"


async def test_a_call_without_a_token_or_with_two_is_refused(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        header, token = forwarded(certificate_of(police)), bearer(await mesh.token(police))
        assert await reason_of(use(mesh, header)) == "TOKEN_MISSING"
        assert await reason_of(use(mesh, [*header, token, token])) == "TOKEN_MISSING"


async def test_a_forwarded_certificate_is_believed_once_whole_and_from_the_gateway_alone(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        court = await mesh.enrol(COURT, "FY")
        mine, theirs = fingerprint(certificate_of(court)).hex(), fingerprint(certificate_of(police)).hex()
        for values in (
            [],
            ["Hash="],
            [f"Hash={theirs[:62]}"],
            [f"Hash={theirs.upper()}"],
            [f"URI=spiffe://x/;Hash={theirs}"],
            [f"Hash={mine}", f"Hash={theirs}"],
            [f"Hash={theirs}", f"Hash={theirs}"],
        ):
            call = issue(mesh, [(XFCC, value) for value in values])
            assert await reason_of(call) == "FORWARDED_CERTIFICATE_INVALID", values
        # What a client's own certificate may hold after its hash changes nothing.
        injected = f'Hash={mine};URI=spiffe://x/,Hash={theirs};Subject="Hash={theirs}"'
        assert (await issue(mesh, [(XFCC, injected)])).agency == court.name
        for peer in ("routing", "operator", "dossier"):
            stub = TokenServiceStub(mesh.channel("identity", peer))
            direct = stub.IssueToken(
                token_service_pb2.IssueTokenRequest(), metadata=[(XFCC, f"Hash={theirs}")], timeout=TIMEOUT
            )
            assert await reason_of(direct) == "CALLER_NOT_ALLOWED"


async def test_an_agency_does_not_reach_identity_around_the_gateway(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        metadata = await mesh.metadata(police)
        channel = open_channel(
            mesh.addresses["identity"],
            Credentials(police.credentials.directory),
            server_name="identity.casemesh.svc",
            interceptors=[ErrorInterceptor()],
        )
        try:
            with pytest.raises((Unavailable, Unauthenticated)):
                await DirectoryServiceStub(channel).ListAgencies(
                    directory_service_pb2.ListAgenciesRequest(), metadata=metadata, timeout=TIMEOUT
                )
        finally:
            await channel.close()
