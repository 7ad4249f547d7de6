"""What passes the gateway, what does not, and what the services behind it see."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.local.envoy import AGENCY_SERVICES
from casemesh.local.ports import LOOPBACK
from casemesh.pki.authority import Pki
from tests.support.gateway import Echo, Gateway, call, echo_services, running_gateway, wait_until_settled
from tests.support.pki import COURT, POLICE, SYSTEM

GET_CASE = "/casemesh.routing.v1.CaseService/GetCase"
UPLOAD = "/casemesh.dossier.v1.DossierService/UploadDocuments"
DOWNLOAD = "/casemesh.dossier.v1.DossierReadService/DownloadDocuments"
GET_DOSSIER = "/casemesh.dossier.v1.DossierReadService/GetDossier"
MIB = 1024 * 1024


@dataclass
class Scene:
    """A gateway, the services behind it, and the police's channel to it."""

    pki: Pki
    gateway: Gateway
    services: dict[str, Echo]
    police: grpc.Channel


@pytest.fixture(scope="module")
def scene(mesh_pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("gateway") / "config"
    with echo_services(mesh_pki) as services:
        addresses = {name: f"{LOOPBACK}:{echo.port}" for name, echo in services.items()}
        with (
            running_gateway(mesh_pki, addresses, directory) as gateway,
            gateway.channel(mesh_pki.layout.system(POLICE, SYSTEM)) as police,
        ):
            yield Scene(mesh_pki, gateway, services, police)


def seen(channel: grpc.Channel, path: str = GET_CASE, **arguments: object) -> list[tuple[str, str]]:
    """The metadata that arrived at the service."""
    return [(key, value) for key, value in json.loads(call(channel, path, **arguments))]  # type: ignore[arg-type]


def forwarded(metadata: list[tuple[str, str]]) -> list[str]:
    return [value for key, value in metadata if key == "x-forwarded-client-cert"]


def fingerprint(scene: Scene, agency: str) -> str:
    pem = scene.pki.layout.system(agency, SYSTEM).certificate.read_bytes()
    return hashlib.sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).hexdigest()


@pytest.mark.parametrize("service", AGENCY_SERVICES, ids=lambda entry: entry.grpc_service)
def test_a_listed_service_is_reached_at_its_place_with_the_clients_certificate_named(
    scene: Scene, service: object
) -> None:
    assert isinstance(service, type(AGENCY_SERVICES[0]))
    before = {name: len(echo.calls) for name, echo in scene.services.items()}
    headers = forwarded(seen(scene.police, f"/{service.grpc_service}/Anything"))
    after = {name: len(echo.calls) for name, echo in scene.services.items()}
    expected = f"By=spiffe://mesh.casemesh/gateway;Hash={fingerprint(scene, POLICE)}"
    assert headers == [expected]
    assert after == before | {service.service: before[service.service] + 1}


@pytest.mark.parametrize("count", [1, 2])
def test_a_forged_forwarding_header_is_replaced(scene: Scene, count: int) -> None:
    forged = [("x-forwarded-client-cert", f"Hash={fingerprint(scene, COURT)}")] * count
    (header,) = forwarded(seen(scene.police, metadata=forged))
    assert fingerprint(scene, COURT) not in header
    assert f"Hash={fingerprint(scene, POLICE)}" in header


def test_each_client_is_named_by_its_own_certificate(scene: Scene) -> None:
    with scene.gateway.channel(scene.pki.layout.system(COURT, SYSTEM)) as court:
        (header,) = forwarded(seen(court))
    assert f"Hash={fingerprint(scene, COURT)}" in header


def test_headers_that_steer_envoy_do_not_come_in(scene: Scene) -> None:
    steering = [
        ("x-envoy-retry-on", "5xx,reset,cancelled"),
        ("x-envoy-max-retries", "3"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-original-path", "/casemesh.audit.v1.AuditAppendService/AppendEvents"),
        ("x-envoy-decorator-operation", "other"),
    ]
    assert [key for key, _ in seen(scene.police, metadata=steering) if key.startswith("x-envoy-")] == []


def test_a_failed_call_is_not_tried_again(scene: Scene) -> None:
    before = len(scene.services["routing"].calls)
    with pytest.raises(grpc.RpcError) as caught:
        call(scene.police, GET_CASE, b"fail", metadata=[("x-envoy-retry-grpc-on", "unavailable")])
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert caught.value.details() == "not now"
    assert before + 1 == len(scene.services["routing"].calls)


@pytest.mark.parametrize(
    "path",
    [
        "/casemesh.identity.v1.DirectoryAdminService/CreateAgency",
        "/casemesh.identity.v1.AccessService/CheckAccess",
        "/casemesh.identity.v1.CaseParticipationService/AddParticipation",
        "/casemesh.translation.v1.TranslationAdminService/ImportCodeSystem",
        "/casemesh.dossier.v1.DossierHandoverService/GrantVersion",
        "/casemesh.audit.v1.AuditAppendService/AppendEvents",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/casemesh.routing.v1.CaseServiceX/GetCase",
        "/xcasemesh.routing.v1.CaseService/GetCase",
        "/casemeshxrouting.v1.CaseService/GetCase",
        "/casemesh.routing.v1.CaseService/../../casemesh.audit.v1.AuditAppendService/AppendEvents",
        "/casemesh.routing.v1.CaseService/",
        "/casemesh.routing.v1.CaseService/GetCase/more",
        "/",
    ],
)
def test_what_is_not_listed_is_unimplemented_and_reaches_nobody(scene: Scene, path: str) -> None:
    before = {name: len(echo.calls) for name, echo in scene.services.items()}
    with pytest.raises(grpc.RpcError) as caught:
        call(scene.police, path)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    # gRPC invents this text when the answer was plain HTTP.
    assert "http" not in (caught.value.details() or "").lower()
    assert before == {name: len(echo.calls) for name, echo in scene.services.items()}


def test_an_unlisted_path_does_not_stand_in_the_log(scene: Scene) -> None:
    with pytest.raises(grpc.RpcError):
        call(scene.police, "/cases/canary-4711")
    call(scene.police, "/casemesh.routing.v1.CaseService/ListCases")
    line = scene.gateway.logged(lambda entry: str(entry.get("path", "")).endswith("/ListCases"))
    assert "canary" not in scene.gateway.log_file.read_text()
    assert scene.gateway.logged(lambda entry: entry.get("path") == "(unlisted)")
    assert line["certificate_sha256"] == fingerprint(scene, POLICE)
    assert line["grpc_status"] == "OK"
    assert line["upstream"] == "routing"


def test_a_message_of_the_largest_size_passes_both_ways(scene: Scene) -> None:
    body = bytes(4 * MIB)
    stream = scene.police.stream_stream(UPLOAD)(iter([body, body]), timeout=20)
    assert [len(answer) for answer in stream] == [4 * MIB, 4 * MIB]
    assert len(call(scene.police, GET_CASE, b"large")) == 4 * MIB


def test_headers_up_to_the_limit_pass_and_beyond_it_do_not(scene: Scene) -> None:
    value = "x" * (7 * 1024)
    assert ("x-large", value) in seen(scene.police, metadata=[("x-large", value)])
    with pytest.raises(grpc.RpcError) as caught:
        call(scene.police, GET_CASE, metadata=[("x-large", "x" * (20 * 1024))])
    assert caught.value.code() is not grpc.StatusCode.DEADLINE_EXCEEDED


def test_downloads_that_nobody_reads_do_not_hold_up_another_agency(scene: Scene) -> None:
    stalled = [scene.police.unary_stream(DOWNLOAD)(b"200", timeout=60) for _ in range(4)]
    assert [len(next(stream)) for stream in stalled] == [MIB] * 4
    wait_until_settled(lambda: scene.services["dossier"].sent_messages)
    # Several connections at a time, so that one is on the worker that holds the stalled ones.
    with ExitStack() as stack:
        files = scene.pki.layout.system(COURT, SYSTEM)
        courts = [stack.enter_context(scene.gateway.channel(files)) for _ in range(5)]
        for court in courts:
            grpc.channel_ready_future(court).result(20)
        for court in courts:
            assert [len(answer) for answer in court.unary_stream(DOWNLOAD)(b"32", timeout=10)] == [MIB] * 32
            assert seen(court, GET_DOSSIER)
    for stream in stalled:
        stream.cancel()
