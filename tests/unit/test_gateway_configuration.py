"""The gateway's configuration as rendered: what is open, and with which limits."""

import re
import subprocess
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor

import casemesh
from casemesh.local.envoy import AGENCY_SERVICES, GatewaySettings, envoy_command, render
from casemesh.local.ports import target_of
from tests.support.pki import make_mesh

# Services that agencies must not reach. A new gRPC service has to be put here or in AGENCY_SERVICES.
INNER_SERVICES = {
    "casemesh.identity.v1.DirectoryAdminService",
    "casemesh.identity.v1.AccessService",
    "casemesh.identity.v1.CaseParticipationService",
    "casemesh.identity.v1.StandingService",
    "casemesh.translation.v1.TranslationAdminService",
    "casemesh.dossier.v1.DossierFactsService",
    "casemesh.dossier.v1.DossierHandoverService",
    "casemesh.routing.v1.CollaborationNodeAdminService",
    "casemesh.audit.v1.AuditAppendService",
    "casemesh.audit.v1.AuditFeedService",
    "casemesh.audit.v1.AuditAdminService",
    "casemesh.routing.v1.CaseFactsService",
    "casemesh.supervision.v1.SupervisionAdminService",
}


def settings(**changes: Any) -> GatewaySettings:
    services = {entry.service: f"127.0.0.1:{9000 + n}" for n, entry in enumerate(AGENCY_SERVICES)}
    return GatewaySettings(
        **{
            "config_dir": Path("/etc/casemesh/gateway"),
            "listen": "127.0.0.1:8443",
            "services": services,
            "certificate": Path("/pki/mesh/gateway/tls.pem"),
            "key": Path("/pki/mesh/gateway/tls.key"),
            "mesh_trust": Path("/pki/mesh/gateway/ca.pem"),
            "bundle_map": Path("/pki/bundles/spiffe.json"),
            "shut_out": Path("/pki/bundles/shut-out"),
            "trace_address": "127.0.0.1:4317",
            **changes,
        }
    )


def envoy(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(render(settings(**changes))["envoy.yaml"])
    return content


def connection_manager(content: dict[str, Any]) -> dict[str, Any]:
    manager: dict[str, Any] = content["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][-1]
    return dict(manager["typed_config"])


def routes(content: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = connection_manager(content)["route_config"]["virtual_hosts"][0]["routes"]
    return found


@cache
def default_routes() -> list[dict[str, Any]]:
    return routes(envoy())


def route_of(path: str, content_type: str = "application/grpc") -> dict[str, Any]:
    def matches(route: dict[str, Any]) -> bool:
        match = route["match"]
        wanted = [header["string_match"]["safe_regex"]["regex"] for header in match.get("headers", [])]
        return "prefix" in match or (
            re.fullmatch(match["safe_regex"]["regex"], path) is not None
            and all(re.fullmatch(pattern, content_type) for pattern in wanted)
        )

    return next(route for route in default_routes() if matches(route))


@cache
def services_in_protos() -> dict[str, ServiceDescriptor]:
    found = {}
    for module in walk_packages(casemesh.__path__, "casemesh."):
        if re.search(r"\.v1\.\w+_service_pb2$", module.name):
            descriptor: FileDescriptor = import_module(module.name).DESCRIPTOR
            found |= {service.full_name: service for service in descriptor.services_by_name.values()}
    return found


def test_every_service_of_the_protos_is_listed_or_kept_in_on_purpose() -> None:
    listed = {entry.grpc_service for entry in AGENCY_SERVICES}
    assert listed & INNER_SERVICES == set()
    assert set(services_in_protos()) == listed | INNER_SERVICES


def test_no_service_is_listed_twice() -> None:
    # Envoy drops the JSON form of both in silence.
    assert [] == [name for name, count in Counter(entry.grpc_service for entry in AGENCY_SERVICES).items() if count > 1]


def test_the_listed_streams_are_the_streams_of_the_protos() -> None:
    declared = {
        name: {method.name for method in service.methods if method.client_streaming or method.server_streaming}
        for name, service in services_in_protos().items()
    }
    assert {entry.grpc_service: set(entry.streams) for entry in AGENCY_SERVICES} == {
        entry.grpc_service: declared[entry.grpc_service] for entry in AGENCY_SERVICES
    }


def test_every_method_has_the_route_of_its_kind() -> None:
    for entry in AGENCY_SERVICES:
        for method in services_in_protos()[entry.grpc_service].methods:
            route = route_of(f"/{entry.grpc_service}/{method.name}")
            streams = method.client_streaming or method.server_streaming
            expected = f"{entry.service}-streams" if streams else entry.service
            assert (route["name"], route["route"]["cluster"]) == (entry.grpc_service, expected)


@pytest.mark.parametrize("grpc_service", sorted(INNER_SERVICES))
def test_an_inner_service_has_no_route(grpc_service: str) -> None:
    assert route_of(f"/{grpc_service}/Anything")["name"] == "unlisted"


def test_streams_are_cut_by_idleness_alone_and_calls_by_their_deadline() -> None:
    stream = route_of("/casemesh.dossier.v1.DossierService/UploadDocuments")["route"]
    call = route_of("/casemesh.dossier.v1.DossierService/CreateDossier")["route"]
    assert stream["timeout"] == call["timeout"] == "0s"
    assert stream["idle_timeout"] == "120s"
    assert stream["max_stream_duration"] == {"grpc_timeout_header_max": "0s"}
    assert call["max_stream_duration"] == {"max_stream_duration": "30s", "grpc_timeout_header_max": "600s"}


def test_only_a_call_that_no_service_has_seen_goes_to_another_replica_and_no_stream_does() -> None:
    call = route_of("/casemesh.dossier.v1.DossierService/CreateDossier")["route"]
    assert call["retry_policy"] == {"retry_on": "connect-failure,refused-stream", "num_retries": 2}
    assert "retry_policy" not in route_of("/casemesh.dossier.v1.DossierService/UploadDocuments")["route"]


def test_all_replicas_of_a_service_are_called() -> None:
    services = {**settings().services, "routing": target_of(["10.0.0.1:1", "10.0.0.2:2"])}
    all_clusters = envoy(services=services)["static_resources"]["clusters"]
    for cluster in ("routing", "routing-streams"):
        (made,) = (each for each in all_clusters if each["name"] == cluster)
        found = made["load_assignment"]["endpoints"][0]["lb_endpoints"]
        addresses = [each["endpoint"]["address"]["socket_address"] for each in found]
        assert [{"address": "10.0.0.1", "port_value": 1}, {"address": "10.0.0.2", "port_value": 2}] == addresses


@pytest.mark.parametrize(
    ("content_type", "is_grpc"),
    [
        ("application/grpc", True),
        ("application/grpc+proto", True),
        ("application/grpc;charset=utf-8", True),
        ("application/grpc-web", True),
        ("application/grpc-web+proto", True),
        ("application/grpc-web-text", True),
        ("application/grpc-web-text+proto", True),
        ("application/grpcfoo", False),
        ("application/json", False),
        ("text/plain, application/grpc", False),
        ("", False),
    ],
)
def test_a_route_is_for_grpc_and_grpc_web_alone(content_type: str, is_grpc: bool) -> None:
    call = route_of("/casemesh.routing.v1.CaseService/GetCase", content_type)["name"]
    stream = route_of("/casemesh.routing.v1.ExchangeService/Receive", content_type)["name"]
    expected = {
        True: ("casemesh.routing.v1.CaseService", "casemesh.routing.v1.ExchangeService"),
        False: ("unlisted", "stream-without-json"),
    }
    assert (call, stream) == expected[is_grpc]


def test_what_no_service_answers_is_refused_at_the_end_or_a_stream_asked_for_as_json() -> None:
    answers = {route["name"]: route["direct_response"]["status"] for route in routes(envoy()) if "route" not in route}
    assert answers == {"unlisted": 404, "stream-without-json": 501}
    assert routes(envoy())[-1]["name"] == "unlisted"


def test_a_message_is_as_large_as_the_design_says_and_streams_are_of_any_length() -> None:
    filters = {entry["name"]: entry["typed_config"] for entry in connection_manager(envoy())["http_filters"]}
    assert filters["envoy.filters.http.body_size_limit"]["max_request_bytes"] == 4 * 1024 * 1024 + 5
    for route in routes(envoy()):
        unlimited = "envoy.filters.http.body_size_limit" in route.get("typed_per_filter_config", {})
        assert unlimited == route.get("route", {}).get("cluster", "").endswith("-streams"), route["name"]


def test_each_service_is_believed_by_its_own_name_only() -> None:
    for cluster in envoy()["static_resources"]["clusters"]:
        if cluster["name"] == "traces":
            continue
        service = cluster["name"].removesuffix("-streams")
        context = cluster["transport_socket"]["typed_config"]["common_tls_context"]["combined_validation_context"]
        (matcher,) = context["default_validation_context"]["match_typed_subject_alt_names"]
        assert matcher == {"san_type": "URI", "matcher": {"exact": f"spiffe://mesh.casemesh/service/{service}"}}


def test_admin_and_tracing_are_there_only_when_asked_for() -> None:
    bare = envoy(trace_address=None)
    full = envoy(admin_port=9901)
    assert "admin" not in bare
    assert "tracing" not in connection_manager(bare)
    assert "traces" not in {cluster["name"] for cluster in bare["static_resources"]["clusters"]}
    assert full["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 9901}
    assert connection_manager(full)["tracing"]["provider"]["typed_config"]["service_name"] == "gateway"


def test_a_cluster_uses_the_same_source_with_names_for_addresses() -> None:
    names = {entry.service: f"{entry.service}.casemesh.svc:8443" for entry in AGENCY_SERVICES}
    clusters = envoy(services=names, discovery="STRICT_DNS", listen="0.0.0.0:8443")["static_resources"]["clusters"]
    dossier = next(cluster for cluster in clusters if cluster["name"] == "dossier-streams")
    (endpoint,) = dossier["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert dossier["type"] == "STRICT_DNS"
    assert endpoint["endpoint"]["address"]["socket_address"] == {
        "address": "dossier.casemesh.svc",
        "port_value": 8443,
    }


def test_no_placeholder_is_left_over() -> None:
    assert not [name for name, text in render(settings(admin_port=1)).items() if "${" in text or "prototypes" in text]


def test_a_missing_address_is_an_error_that_names_the_service() -> None:
    with pytest.raises(KeyError, match="audit"):
        render(settings(services={"identity": "127.0.0.1:1"}))


def test_envoy_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    pki = make_mesh(tmp_path / "pki")
    files = pki.layout.service("gateway")
    rendered = render(
        settings(
            config_dir=tmp_path,
            certificate=files.certificate,
            key=files.key,
            mesh_trust=files.trust,
            bundle_map=pki.layout.bundle_map,
            admin_port=9901,
        )
    )
    for name, text in rendered.items():
        (tmp_path / name).write_text(text)
    command = envoy_command(tmp_path / "envoy.yaml", validate=True)
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
