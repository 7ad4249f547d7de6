"""Every overlay keeps our rules, and every rule notices what it is for."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.k8s.manifests import OVERLAYS, named, overlay
from tests.k8s.rules import RULES, changed, digests_alone, violations

_POD = "spec/template/spec"
_CONTAINER = f"{_POD}/containers/0"


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_keeps_every_rule(name: str) -> None:
    assert [] == [broken for manifest in overlay(name) for broken in violations(manifest, RULES)]


def test_production_names_images_by_digest_alone() -> None:
    rules = {"digests_alone": digests_alone}
    assert [] == [broken for manifest in overlay("production") for broken in violations(manifest, rules)]
    assert [] != violations(named(overlay("local"), "Deployment", "routing"), rules)


@pytest.mark.parametrize(
    ("kind", "name", "path", "new", "rule"),
    [
        ("Deployment", "dossier", f"{_CONTAINER}/securityContext/privileged", True, "restricted_pod"),
        ("Deployment", "dossier", f"{_CONTAINER}/securityContext/readOnlyRootFilesystem", None, "restricted_pod"),
        ("Deployment", "dossier", f"{_CONTAINER}/securityContext/capabilities", None, "restricted_pod"),
        ("Deployment", "gateway", f"{_POD}/securityContext/runAsNonRoot", None, "restricted_pod"),
        ("Deployment", "gateway", f"{_POD}/securityContext/seccompProfile", None, "restricted_pod"),
        ("Deployment", "gateway", f"{_POD}/hostNetwork", True, "restricted_pod"),
        ("Deployment", "audit", f"{_POD}/volumes/0", {"name": "etc", "hostPath": {"path": "/etc"}}, "restricted_pod"),
        ("Deployment", "audit", f"{_CONTAINER}/resources/limits", None, "bounded_resources"),
        ("Deployment", "audit", f"{_CONTAINER}/resources/requests/cpu", None, "bounded_resources"),
        ("Deployment", "audit", f"{_POD}/automountServiceAccountToken", True, "no_token"),
        ("ServiceAccount", "audit", "automountServiceAccountToken", None, "no_token"),
        ("Deployment", "audit", f"{_POD}/serviceAccountName", "default", "no_token"),
        (
            "Deployment",
            "audit",
            f"{_POD}/volumes/0",
            {"name": "t", "projected": {"defaultMode": 0o440, "sources": [{"serviceAccountToken": {"path": "token"}}]}},
            "no_token",
        ),
        ("Deployment", "routing", f"{_CONTAINER}/image", "casemesh:latest", "fixed_images"),
        ("Deployment", "routing", f"{_CONTAINER}/image", "casemesh", "fixed_images"),
        ("Deployment", "routing", f"{_CONTAINER}/imagePullPolicy", "Always", "fixed_images"),
        (
            "Deployment",
            "routing",
            f"{_CONTAINER}/env/0",
            {"name": "DSN", "valueFrom": {"secretKeyRef": {"name": "routing-database", "key": "dsn"}}},
            "secrets_as_files",
        ),
        ("Deployment", "routing", f"{_CONTAINER}/envFrom", [{"secretRef": {"name": "x"}}], "secrets_as_files"),
        ("Deployment", "routing", f"{_CONTAINER}/volumeMounts/0/subPath", "tls.pem", "secrets_as_files"),
        ("Deployment", "identity", f"{_CONTAINER}/livenessProbe/grpc/service", "", "probed"),
        ("Deployment", "identity", f"{_CONTAINER}/readinessProbe", None, "probed"),
        ("Deployment", "identity", f"{_CONTAINER}/readinessProbe/grpc/service", "alive", "probed"),
        ("Deployment", "routing", f"{_POD}/volumes/1/projected/defaultMode", 0o644, "secrets_as_files"),
        ("NetworkPolicy", "audit", "spec/egress/0/to", None, "narrow_network"),
        ("NetworkPolicy", "audit", "spec/egress/0/to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "narrow_network"),
        ("NetworkPolicy", "audit", "spec/egress/0/ports", None, "narrow_network"),
        ("NetworkPolicy", "audit", "spec/ingress/0/from", None, "narrow_network"),
        ("Role", "keeper", "rules/1/resourceNames", None, "little_authority"),
        ("Role", "keeper", "rules/1/verbs/0", "list", "little_authority"),
        ("Role", "keeper", "kind", "ClusterRole", "little_authority"),
    ],
)
def test_a_rule_notices_what_it_is_for(kind: str, name: str, path: str, new: Any, rule: str) -> None:
    manifest = copy.deepcopy(named(overlay("local"), kind, name))
    assert [] == violations(manifest, RULES)
    changed(manifest, path, new)
    assert {rule} == {broken.partition(":")[0] for broken in violations(manifest, RULES)}
