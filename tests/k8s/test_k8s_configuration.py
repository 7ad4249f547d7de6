"""The manifests fit the programs that they start."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import casemesh
from casemesh.core.units import parse_duration
from casemesh.local.cluster import Keeper
from casemesh.local.envoy import AGENCY_SERVICES
from casemesh.local.gateway_config import GatewayConfig
from casemesh.pki.names import SERVICES
from casemesh.runtime.config import decode
from tests.k8s.manifests import K8S, OVERLAYS, configurations, named, of_kind, overlay, render

_SERVICES = Path(casemesh.__file__).parent
_MOUNTED = "/etc/casemesh/config/"


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_takes_its_configuration(name: str, service: str) -> None:
    config = importlib.import_module(f"casemesh.{service}.config").Config
    assert "0.0.0.0:8443" == decode(configurations(overlay(name))[service], config, Path(_MOUNTED)).server.listen


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_a_configuration_names_is_mounted(name: str) -> None:
    manifests = overlay(name)
    for service, document in configurations(manifests).items():
        pod = named(manifests, "Deployment", service)["spec"]["template"]["spec"]
        mounts = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
        unmounted = [path for path in _paths(document) if not any(Path(path).is_relative_to(mount) for mount in mounts)]
        assert [] == unmounted, service


def _paths(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [path for item in value.values() for path in _paths(item)]
    return [value] if isinstance(value, str) and value.startswith("/") else []


def test_the_gateway_reaches_each_service_that_agencies_call() -> None:
    config = decode(configurations(overlay("local"))["gateway"], GatewayConfig, Path(_MOUNTED))
    assert {entry.service for entry in AGENCY_SERVICES} <= config.services.keys()
    limit = named(overlay("production"), "Deployment", "gateway")["spec"]["template"]["spec"]["containers"][0]
    assert "1Gi" == limit["resources"]["limits"]["memory"]
    assert 1 << 30 > config.max_heap


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_reach_those_its_code_calls_and_no_others(service: str) -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (_SERVICES / service).rglob("main*.py"))
    called = set(re.findall(r'channel_to\("(\w+)"\)', source))
    # Every host asks identity about callers and appends to the log, each through its own code.
    called |= {"identity"} if service != "identity" else set()
    called |= {"audit"} if "outbox" in source and service != "audit" else set()
    configured = set(configurations(overlay("local"))[service]["peers"])
    assert called == configured
    policy = named(overlay("local"), "NetworkPolicy", service)["spec"]
    assert configured == {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in policy["egress"][0]["to"]
    }
    callers = {other for other in SERVICES if service in configurations(overlay("local"))[other]["peers"]}
    admitted = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in policy["ingress"][0]["from"]}
    assert callers | {"gateway"} == admitted


@pytest.mark.parametrize("name", OVERLAYS)
def test_there_is_a_deployment_a_budget_a_headless_service_and_a_migration_for_every_service(name: str) -> None:
    manifests = overlay(name)
    for service in SERVICES:
        assert service == named(manifests, "Deployment", service)["spec"]["template"]["spec"]["serviceAccountName"]
        assert 1 == named(manifests, "PodDisruptionBudget", service)["spec"]["maxUnavailable"]
        assert "None" == named(manifests, "Service", service)["spec"]["clusterIP"]
    jobs = {job["metadata"]["name"] for job in of_kind(manifests, "Job")}
    suffix = {"local": "dev", "production": _version().replace(".", "-")}[name]
    assert {f"migrate-{service}-{suffix}" for service in SERVICES} == jobs


def _version() -> str:
    text = (K8S.parent / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.+)"$', text, re.MULTILINE)
    return str(version)


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_pod_outlives_its_drain(name: str) -> None:
    for service in SERVICES:
        server = configurations(overlay(name))[service]["server"]
        drain = parse_duration(server["announce"]) + parse_duration(server["drain"])
        pod = named(overlay(name), "Deployment", service)["spec"]["template"]["spec"]
        # Three seconds are for the spans.
        assert pod["terminationGracePeriodSeconds"] >= drain + 3


def test_the_keeper_publishes_what_pods_mount_and_may_change_that_alone(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "postgres.casemesh.svc:5432")
    keeper.make()
    published = {(one.kind, one.name) for one in keeper.published()}
    manifests = overlay("local")
    made = {("ConfigMap", one["metadata"]["name"]) for one in of_kind(manifests, "ConfigMap")}
    mounted = {
        source
        for workload in of_kind(manifests, "Deployment", "Job")
        for volume in workload["spec"]["template"]["spec"]["volumes"]
        for part in [volume, *volume.get("projected", {}).get("sources", [])]
        for source in _source(part)
    }
    assert mounted - made - {("ConfigMap", "kube-root-ca.crt")} == published
    rules = named(manifests, "Role", "keeper")["rules"][1:]
    kinds = {"secrets": "Secret", "configmaps": "ConfigMap"}
    may = {(kinds[rule["resources"][0]], name) for rule in rules for name in rule["resourceNames"]}
    assert published == may


def _source(part: dict[str, Any]) -> list[tuple[str, str]]:
    if "secret" in part:
        return [("Secret", part["secret"].get("secretName") or part["secret"]["name"])]
    if "configMap" in part:
        return [("ConfigMap", part["configMap"]["name"])]
    return []


def test_no_authoritys_key_is_published(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "postgres.casemesh.svc:5432")
    keeper.make()
    authorities = {path.read_bytes() for path in keeper.layout.pki.rglob("ca.key")}
    assert 2 == len(authorities)
    assert not authorities & {value for one in keeper.published() for value in one.data.values()}


def test_the_overlays_change_no_more_of_a_configuration_than_they_say() -> None:
    base = configurations(render(K8S / "base"))
    local, production = configurations(overlay("local")), configurations(overlay("production"))
    assert base["identity"] | {"direct_enrolment": True} == local["identity"]
    assert base["dossier"] | {"object_store": production["dossier"]["object_store"]} == production["dossier"]
    assert {name: base[name] for name in base if name != "identity"} == {
        name: local[name] for name in local if name != "identity"
    }
    assert "object_store" in production["dossier"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_claim_that_is_mounted_is_made(name: str) -> None:
    manifests = overlay(name)
    claimed = {
        volume["persistentVolumeClaim"]["claimName"]
        for workload in of_kind(manifests, "Deployment")
        for volume in workload["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert {claim["metadata"]["name"] for claim in of_kind(manifests, "PersistentVolumeClaim")} == claimed


def test_production_spreads_three_of_each_over_nodes() -> None:
    for name in (*SERVICES, "gateway"):
        spec = named(overlay("production"), "Deployment", name)["spec"]
        assert 3 == spec["replicas"]
        zone, node = spec["template"]["spec"]["topologySpreadConstraints"]
        assert ("ScheduleAnyway", "DoNotSchedule") == (zone["whenUnsatisfiable"], node["whenUnsatisfiable"])
        labels = spec["template"]["metadata"]["labels"].items()
        assert zone["labelSelector"]["matchLabels"].items() <= labels
        assert node["labelSelector"]["matchLabels"].items() <= labels


@pytest.mark.parametrize("name", OVERLAYS)
def test_nothing_of_the_cluster_but_the_namespace_is_in_an_overlay(name: str) -> None:
    clusters_own = ("ClusterRole", "ClusterRoleBinding", "PriorityClass", "Bundle", "CustomResourceDefinition")
    assert [] == of_kind(overlay(name), *clusters_own)
    assert ["casemesh"] == [one["metadata"]["name"] for one in of_kind(overlay(name), "Namespace")]
    others = {one["metadata"].get("namespace") for one in overlay(name) if one["kind"] != "Namespace"}
    assert {"casemesh"} == others
