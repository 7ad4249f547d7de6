"""The signed directory over real mTLS, and every way of being shown another one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from casemesh.client import statements
from casemesh.client.signed_directory import (
    PAYLOAD_TYPE,
    SignedDirectory,
    fetch_directory,
    require_successor,
    verify_directory,
)
from casemesh.client.statements import SigningKey, StatementError
from casemesh.core.ids import new_id
from casemesh.errors import from_rpc_error
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2
from casemesh.identity.v1 import directory_service_pb2
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from tests.support.enrolment import der_of
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import COURT, POLICE, PROCURATORATE

TIMEOUT = 10.0
Download = Callable[[int], Awaitable[bytes]]


def roots(mesh: Mesh) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(mesh.pki.layout.signing_trust.read_bytes())


def downloading(mesh: Mesh, metadata: list[tuple[str, str]]) -> Download:
    stub = mesh.agency_stub("identity", DirectoryServiceStub)

    async def download(version: int) -> bytes:
        request = directory_service_pb2.DownloadDirectoryRequest(version=version)
        return b"".join([part.data async for part in stub.DownloadDirectory(request, metadata=metadata)])

    return download


async def suspend(mesh: Mesh, name: str) -> None:
    request = admin_pb2.SuspendRequest(request_id=new_id(), name=name, reason="an invented reason")
    await mesh.operator("identity", DirectoryAdminServiceStub).Suspend(request, timeout=TIMEOUT)


def now() -> datetime:
    return datetime.now(UTC)


async def test_the_directory_verifies_offline_and_says_who_takes_part_and_in_what_state(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        authority = der_of(mesh.pki.layout.agency(COURT).certificate)
        court = await mesh.operator("identity", DirectoryAdminServiceStub).CreateAgency(
            admin_pb2.CreateAgencyRequest(
                request_id=new_id(), code=COURT, display_name="北湖市法院", organ="FY", authority_certificate=authority
            ),
            timeout=TIMEOUT,
        )
        await suspend(mesh, court.agency.name)
        download = downloading(mesh, await mesh.metadata(police))
        envelope, fetched = await fetch_directory(download, roots(mesh), None, now=now())
        ca_sha256 = x509.load_der_x509_certificate(authority).fingerprint(hashes.SHA256()).hex()
        assert (1, "") == (fetched.version, fetched.previous_sha256)
        assert [
            (COURT, court.agency.name, "suspended", ca_sha256),
            (POLICE, police.name, "active", ""),
        ] == [
            (agency["code"], agency["name"], agency["state"], agency["authority_sha256"]) for agency in fetched.agencies
        ]  # fmt: skip
        assert "甲某" not in json.dumps(list(fetched.agencies), ensure_ascii=False)
        # Unchanged, it is the same version to the byte.
        assert envelope == await download(0) == await download(1)


async def test_each_change_makes_one_version_that_names_the_one_before_and_old_ones_stay(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        download = downloading(mesh, await mesh.metadata(police))
        first, one = await fetch_directory(download, roots(mesh), None, now=now())
        for code in (COURT, PROCURATORATE):
            await mesh.enrol(code, "FY")
            await download(0)
        _, third = await fetch_directory(download, roots(mesh), first, now=now())
        second = verify_directory(await download(2), roots(mesh), at=now())
        assert (3, second.sha256, one.sha256) == (third.version, third.previous_sha256, second.previous_sha256)
        assert first == await download(1)
        with pytest.raises(Exception) as absent:  # noqa: PT011 - a stream's error comes as gRPC's own
            await download(4)
        assert from_rpc_error(absent.value).reason == "NOT_FOUND"  # type: ignore[arg-type]


async def test_versions_that_go_back_are_skipped_or_were_changed_are_refused(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        download = downloading(mesh, await mesh.metadata(police))
        first = await download(0)
        await mesh.enrol(COURT, "FY")
        second = await download(0)
        trusted = roots(mesh)

        async def always_first(version: int) -> bytes:
            return first

        with pytest.raises(StatementError, match="after it had signed 2"):
            await fetch_directory(always_first, trusted, second, now=now())

        known = verify_directory(first, trusted, at=now())
        # Identity's own key, used to tell another history.
        folder = mesh.pki.layout.signing("identity")
        key = SigningKey.load(folder.certificate, folder.key)
        payload: dict[str, Any] = {
            "format": 1, "version": 2, "previous_sha256": "0" * 64, "issue_time": known.issue_time, "agencies": [],
        }  # fmt: skip
        other = verify_directory(json.dumps(statements.sign(payload, PAYLOAD_TYPE, key)).encode(), trusted, at=now())
        with pytest.raises(StatementError, match="another version 1"):
            require_successor(other, known)
        with pytest.raises(StatementError, match="does not follow"):
            require_successor(SignedDirectory(3, "", "", "", []), known)
        require_successor(verify_directory(second, trusted, at=now()), known)


async def test_an_altered_envelope_another_signer_or_another_root_is_refused(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA")
        envelope = await downloading(mesh, await mesh.metadata(police))(0)
        verified = verify_directory(envelope, roots(mesh), at=now())
        altered = json.loads(envelope)
        altered["payload"] = altered["payload"][:-8] + "AAAA" + altered["payload"][-4:]
        folder = mesh.pki.layout.signing("dossier")
        payload: dict[str, Any] = {
            "format": 1, "version": 1, "previous_sha256": "", "issue_time": verified.issue_time, "agencies": [],
        }  # fmt: skip
        by_dossier = statements.sign(payload, PAYLOAD_TYPE, SigningKey.load(folder.certificate, folder.key))
        for forged, trusted in (
            (json.dumps(altered).encode(), roots(mesh)),
            (json.dumps(by_dossier).encode(), roots(mesh)),
            (envelope, [x509.load_pem_x509_certificate(mesh.pki.layout.mesh_trust.read_bytes())]),
        ):
            with pytest.raises(StatementError):
                verify_directory(forged, trusted, at=now())
