"""Every RPC of every service has a row in its policy table, and nothing else has."""

import importlib
import re
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from casemesh.local.envoy import AGENCY_SERVICES
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import MethodPolicy, Proof, field_value

PROTOS = Path(__file__).resolve().parents[2] / "protos"
SERVICES = ("identity", "translation", "dossier", "routing", "audit", "supervision")
_OUR_PACKAGE = re.compile(r"casemesh/(\w+)/v1/(\w+_service)\.proto")


def grpc_services(domain: str) -> list[ServiceDescriptor]:
    """Return the gRPC services that the protos of a domain define."""
    found = []
    for path in sorted((PROTOS / "casemesh" / domain / "v1").glob("*_service.proto")):
        importlib.import_module(f"casemesh.{domain}.v1.{path.stem}_pb2")
        file = descriptor_pool.Default().FindFileByName(str(path.relative_to(PROTOS)))
        found.extend(file.services_by_name.values())
    return found


def policies_of(domain: str) -> dict[str, MethodPolicy]:
    """Return a service's table."""
    table: dict[str, MethodPolicy] = dict(importlib.import_module(f"casemesh.{domain}.policy").POLICIES)
    return table


@pytest.mark.parametrize("domain", SERVICES)
def test_every_rpc_has_a_policy_row_and_no_row_is_left_over(domain: str) -> None:
    methods = {f"{service.full_name}/{method.name}" for service in grpc_services(domain) for method in service.methods}
    assert methods == set(policies_of(domain))


@pytest.mark.parametrize("domain", SERVICES)
def test_only_services_on_the_gateways_allow_list_may_be_called_by_the_gateway(domain: str) -> None:
    reachable = {entry.grpc_service for entry in AGENCY_SERVICES}
    for method, policy in policies_of(domain).items():
        service = method.partition("/")[0]
        assert (Peer.GATEWAY in policy.callers) == (service in reachable), method


@pytest.mark.parametrize("domain", SERVICES)
def test_the_gateway_never_passes_without_proof_and_no_inner_caller_claims_a_bound_token(domain: str) -> None:
    for method, policy in policies_of(domain).items():
        for peer, proof in policy.callers.items():
            if peer is Peer.GATEWAY:
                assert proof in (Proof.BOUND_TOKEN, Proof.FORWARDED_CERTIFICATE), method
            else:
                assert proof in (Proof.RELAYED_TOKEN, Proof.NOTHING), method


def test_just_what_shows_content_or_a_trail_asks_for_a_purpose_and_is_counted_on_its_case() -> None:
    rows = {name: policy for domain in SERVICES for name, policy in policies_of(domain).items() if policy.reads_content}
    assert {
        ("DossierReadService", "DownloadManifest"),
        ("DossierReadService", "DownloadDocuments"),
        ("DossierReadService", "ReadDocument"),
        ("DossierReadService", "DownloadArchive"),
        ("AuditQueryService", "ListCaseEvents"),
        ("AuditQueryService", "ExportTrail"),
    } == {tuple(name.rpartition(".")[2].split("/")) for name in rows}
    assert all(policy.on_case is not None for policy in rows.values())


@pytest.mark.parametrize("domain", SERVICES)
def test_a_row_on_a_case_reads_a_field_that_the_request_has(domain: str) -> None:
    methods = {
        f"{service.full_name}/{method.name}": method for service in grpc_services(domain) for method in service.methods
    }
    for name, policy in policies_of(domain).items():
        if policy.on_case is None:
            continue
        request = methods[name].input_type._concrete_class()
        assert field_value(request, policy.on_case.field) == "", name


@pytest.mark.parametrize("domain", SERVICES)
def test_a_mutation_has_a_request_id_and_an_audited_action(domain: str) -> None:
    for service in grpc_services(domain):
        for method in service.methods:
            has_id = "request_id" in method.input_type.fields_by_name
            row = policies_of(domain)[f"{service.full_name}/{method.name}"]
            if has_id:
                assert row.audited, f"{service.full_name}/{method.name} changes something without an event"
