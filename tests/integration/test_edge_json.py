"""JSON and gRPC-Web at the gateway: what reaches the services, and what the gateway itself says."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from casemesh.core.ids import new_id
from casemesh.local.envoy import AGENCY_SERVICES, AgencyLimits
from casemesh.local.ports import LOOPBACK
from casemesh.pki.authority import Pki
from tests.support.gateway import STREAMS, Echo, Gateway, echo_services, running_gateway
from tests.support.http_rules import HttpRule, http_rules
from tests.support.pki import COURT, POLICE, SYSTEM

GET_CASE = "/casemesh.routing.v1.CaseService/GetCase"
LIST_CASES = "/v1/cases"
ADMITTED = {entry.grpc_service: entry.service for entry in AGENCY_SERVICES}
STREAMING = [(entry.grpc_service, method) for entry in AGENCY_SERVICES for method in entry.streams]


@dataclass
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scene:
    """A gateway, the services behind it, and the police on it."""

    pki: Pki
    gateway: Gateway
    services: dict[str, Echo]
    connections: dict[str, HTTPSConnection] = field(default_factory=dict)

    def ask(
        self, verb: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}, agency: str = POLICE
    ) -> Answer:
        if agency not in self.connections:
            self.connections[agency] = self.gateway.https(self.pki.layout.system(agency, SYSTEM))
        connection = self.connections[agency]
        connection.request(verb, path, body, dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()

    def calls(self) -> int:
        """How many streams, and how many calls with all of their message, have arrived anywhere."""
        streams = [
            path for echo in self.services.values() for path, _ in echo.calls if path.rpartition("/")[2] in STREAMS
        ]
        return len(streams) + sum(len(echo.deadlines) for echo in self.services.values())


@pytest.fixture(scope="module")
def scene(mesh_pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory: Path = tmp_path_factory.mktemp("edge-json") / "gateway"
    with echo_services(mesh_pki) as services:
        addresses = {name: f"{LOOPBACK}:{echo.port}" for name, echo in services.items()}
        # The court is absent from here: nobody answers for audit.
        addresses["audit"] = f"{LOOPBACK}:1"
        with running_gateway(mesh_pki, addresses, directory) as gateway:
            running = Scene(mesh_pki, gateway, services)
            yield running
            running.close()


def reachable() -> list[HttpRule]:
    return [rule for rule in http_rules() if ADMITTED.get(rule.method.containing_service.full_name, "audit") != "audit"]


@pytest.mark.parametrize("rule", reachable(), ids=lambda rule: f"{rule.method.name}:{rule.template}")
def test_every_rule_leads_to_its_method_at_its_service_and_back(scene: Scene, rule: HttpRule) -> None:
    echo = scene.services[ADMITTED[rule.method.containing_service.full_name]]
    before = len(echo.calls)
    # A number fits every field that may stand in a path.
    answer = scene.ask(rule.verb, rule.filled("7"), b"{}" if rule.body else None, {"x-empty": "1"})
    assert (200, "application/json") == (answer.status, answer.headers["content-type"])
    assert [rule.path] == [path for path, _ in echo.calls[before:]]
    assert isinstance(answer.json, dict)


def test_a_json_call_arrives_as_the_clients_certificate_and_brings_its_token_and_a_deadline(scene: Scene) -> None:
    forged = {"x-forwarded-client-cert": "Hash=" + "0" * 64, "x-envoy-original-path": "/forged"}
    scene.ask("GET", LIST_CASES, None, {"x-empty": "1", "authorization": "Bearer a-token", **forged})
    path, metadata = scene.services["routing"].calls[-1]
    (certificate,) = [value for key, value in metadata if key == "x-forwarded-client-cert"]
    assert "0" * 64 not in certificate
    assert ("authorization", "Bearer a-token") in metadata
    assert path == "/casemesh.routing.v1.CaseService/ListCases"
    assert [] == [key for key, _ in metadata if key.startswith("x-envoy-")]
    assert 0 < scene.services["routing"].deadlines[-1] <= 30


def test_the_callers_own_deadline_counts(scene: Scene) -> None:
    scene.ask("GET", LIST_CASES, None, {"x-empty": "1", "grpc-timeout": "5S"})
    assert 0 < scene.services["routing"].deadlines[-1] <= 5


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, 5),
        ("DELETE", LIST_CASES, None, 404, 5),
        ("GET", "/v1/cases?title=x", None, 400, 3),
        ("POST", LIST_CASES, b"{", 400, 3),
        # No body is JSON's way around the allow-list.
        ("POST", GET_CASE, b"{}", 404, 5),
        ("POST", "/casemesh.identity.v1.AccessService/CheckAccess", b"{}", 404, 5),
        ("GET", "/v1/../casemesh.audit.v1.AuditAppendService/AppendEvents", None, 404, 5),
    ],
)
def test_what_cannot_be_called_is_refused_as_a_status_in_json_and_reaches_nobody(
    scene: Scene, verb: str, path: str, body: bytes | None, status: int, code: int
) -> None:
    before = scene.calls()
    answer = scene.ask(verb, path, body)
    assert (status, code) == (answer.status, answer.json["code"])
    assert {"code", "message", "details"} == set(answer.json)
    assert answer.json["message"]
    assert before == scene.calls()


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(scene: Scene) -> None:
    before = scene.calls()
    connection = scene.gateway.https(scene.pki.layout.system(POLICE, SYSTEM))
    connection.putrequest("POST", LIST_CASES)
    connection.putheader("content-length", str(4 * 1024 * 1024 + 6))
    connection.endheaders()
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert (413, 8) == (answer.status, body["code"])
    assert before == scene.calls()


@pytest.mark.parametrize(("grpc_service", "method"), STREAMING)
def test_a_stream_asked_for_as_json_says_where_to_go(scene: Scene, grpc_service: str, method: str) -> None:
    before = scene.calls()
    answer = scene.ask("POST", f"/{grpc_service}/{method}", b"{}", {"content-type": "application/json"})
    assert (501, 12) == (answer.status, answer.json["code"])
    assert "has no JSON form" in answer.json["message"]
    assert before == scene.calls()


def test_a_service_that_is_not_there_is_unavailable_in_json_too(scene: Scene) -> None:
    answer = scene.ask("GET", "/v1/checkpoint")
    assert (503, 14) == (answer.status, answer.json["code"])


def test_what_a_client_writes_into_a_path_does_not_stand_in_the_log(scene: Scene) -> None:
    scene.ask("GET", "/v1/canary-4711")
    scene.ask("GET", "/v1/cases?title=canary-4711")
    name = f"/v1/nodes/{new_id()}"
    scene.ask("GET", name, None, {"x-empty": "1"})
    scene.gateway.logged(lambda entry: str(entry.get("path", "")).endswith("/GetNode"))
    assert "canary" not in scene.gateway.log_file.read_text()
    assert name not in scene.gateway.log_file.read_text()


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """The frames of a gRPC-Web body: flag and content."""
    found = []
    while body:
        size = int.from_bytes(body[1:5], "big")
        found.append((body[0], body[5 : 5 + size]))
        body = body[5 + size :]
    return found


@pytest.mark.parametrize("text", [False, True])
def test_grpc_web_carries_messages_and_trailers_in_one_body(scene: Scene, text: bool) -> None:
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    body = base64.b64encode(framed(b"hello")) if text else framed(b"hello")
    answer = scene.ask("POST", GET_CASE, body, {"content-type": kind, "accept": kind, "grpc-timeout": "5S"})
    assert (200, True) == (answer.status, answer.headers["content-type"].startswith(kind))
    (flag, message), (trailer_flag, trailers) = frames(base64.b64decode(answer.body) if text else answer.body)
    assert (0, 0x80) == (flag, trailer_flag)
    assert b"grpc-status:0" in trailers.replace(b" ", b"")
    assert "x-forwarded-client-cert" in dict(json.loads(message))


def test_grpc_web_streams_from_the_server(scene: Scene) -> None:
    path = "/casemesh.dossier.v1.DossierReadService/DownloadDocuments"
    answer = scene.ask("POST", path, framed(b"3"), {"content-type": "application/grpc-web+proto"})
    sizes = [len(content) for flag, content in frames(answer.body) if flag == 0]
    assert [1024 * 1024] * 3 == sizes


@pytest.mark.parametrize("path", ["/casemesh.identity.v1.AccessService/CheckAccess", "/grpc.health.v1.Health/Check"])
def test_grpc_web_opens_nothing_that_grpc_does_not(scene: Scene, path: str) -> None:
    before = scene.calls()
    answer = scene.ask("POST", path, framed(b""), {"content-type": "application/grpc-web+proto"})
    assert before == scene.calls()
    assert answer.status == 404 or answer.headers.get("grpc-status") == "12"


def test_the_rate_limit_is_a_429_with_its_reason_and_when_to_come_back(
    mesh_pki: Pki, scene: Scene, tmp_path: Path
) -> None:
    addresses = {"routing": f"{LOOPBACK}:{scene.services['routing'].port}"}
    limits = AgencyLimits(calls_per_second=10, calls_at_once=3)
    with running_gateway(mesh_pki, addresses, tmp_path / "gateway", limits=limits) as gateway:
        limited = Scene(mesh_pki, gateway, scene.services)
        answers = [limited.ask("GET", LIST_CASES, None, {"x-empty": "1"}) for _ in range(3)]
        assert {200} == {answer.status for answer in answers}
        answer = until_refused(limited)
        assert 200 == limited.ask("GET", LIST_CASES, None, {"x-empty": "1"}, COURT).status
        limited.close()
    info, retry = answer.json["details"]
    assert (429, 8) == (answer.status, answer.json["code"])
    assert ("AGENCY_RATE_REACHED", "casemesh", "10 calls a second") == (
        info["reason"], info["domain"], info["metadata"]["limit"],
    )  # fmt: skip
    assert "1s" == retry["retryDelay"]
    assert int(answer.headers["retry-after"]) >= 0


def until_refused(scene: Scene) -> Answer:
    """Call until the bucket is empty: a slow machine fills it while we empty it."""
    for _ in range(1000):
        answer = scene.ask("GET", LIST_CASES, None, {"x-empty": "1"})
        if answer.status != 200:
            return answer
    raise AssertionError("a thousand calls in a row were let through")


def test_the_streams_of_the_list_are_what_is_refused_as_json() -> None:
    assert {method for _, method in STREAMING} == STREAMS
