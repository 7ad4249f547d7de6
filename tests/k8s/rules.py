"""What we ask of every manifest beyond Kubernetes' schemas, each rule as a function that says what breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.k8s.manifests import Manifest

_ALLOWED_VOLUMES = {"configMap", "secret", "projected", "emptyDir", "persistentVolumeClaim", "downwardAPI"}
# The API server has no label to name it by.
_REACHES_API_SERVER = {"keeper", "postgres"}
Violations = Iterator[str]


def pods(manifest: Manifest) -> Iterator[Manifest]:
    """The pod's specification of a Deployment or Job."""
    if manifest["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        yield manifest["spec"]["template"]["spec"]


def containers(pod: Manifest) -> list[Manifest]:
    """All containers of a pod."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def restricted_pod(manifest: Manifest) -> Violations:
    """Pod Security, level restricted, and a read-only root besides. Source: Pod Security Standards."""
    for pod in pods(manifest):
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield "may run as root"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield "has no seccomp profile"
        if any(pod.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")):
            yield "shares the node's namespaces"
        for volume in pod.get("volumes", []):
            if not _ALLOWED_VOLUMES & volume.keys():
                yield f"volume {volume['name']} is of a kind that is not allowed"
        for container in containers(pod):
            own = container.get("securityContext", {})
            if own.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
                yield f"{container['name']} may gain privileges"
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{container['name']} keeps capabilities"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{container['name']} may write to its root"


def bounded_resources(manifest: Manifest) -> Violations:
    """A request of both, a limit of memory; of processors none, since it would slow calls down while cores idle."""
    for pod in pods(manifest):
        for container in containers(pod):
            resources = container.get("resources", {})
            if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
                yield f"{container['name']} requests no resources"
            if resources.get("limits", {}).keys() != {"memory"}:
                yield f"{container['name']} has no limit of memory, or one of processors"


def no_token(manifest: Manifest) -> Violations:
    """Nobody but the keeper speaks to the API server."""
    if manifest["kind"] == "ServiceAccount" and manifest.get("automountServiceAccountToken") is not False:
        yield "mounts its token"
    for pod in pods(manifest):
        if pod.get("automountServiceAccountToken") is not False:
            yield "mounts a token"
        if pod.get("serviceAccountName", "default") == "default":
            yield "has no service account of its own"
        tokens = [
            source
            for volume in pod.get("volumes", [])
            for source in volume.get("projected", {}).get("sources", [])
            if "serviceAccountToken" in source
        ]
        if tokens and manifest["metadata"]["name"] != "keeper":
            yield "projects a token"


def fixed_images(manifest: Manifest) -> Violations:
    """An image has a tag that means something, or a digest."""
    for pod in pods(manifest):
        for container in containers(pod):
            if not re.search(r"@sha256:[0-9a-f]{64}$|:(?!latest$)[\w.-]+$", container["image"]):
                yield f"{container['image']} is whatever was pushed last"
            if container.get("imagePullPolicy") != "IfNotPresent":
                yield f"{container['name']} asks a registry at each start"


def digests_alone(manifest: Manifest) -> Violations:
    """In production a tag will not do."""
    for pod in pods(manifest):
        for container in containers(pod):
            if "@sha256:" not in container["image"]:
                yield f"{container['image']} has no digest"


def secrets_as_files(manifest: Manifest) -> Violations:
    """An environment is read by every child and shown by many tools; and a single file mounted never changes."""
    for pod in pods(manifest):
        for volume in pod.get("volumes", []):
            held = volume.get("secret") or volume.get("projected")
            if held is not None and held.get("defaultMode") != 0o440:
                yield f"{volume['name']} can be read by more than its pod's group"
        for container in containers(pod):
            for variable in container.get("env", []):
                if "secretKeyRef" in variable.get("valueFrom", {}):
                    yield f"{container['name']} gets {variable['name']} from a secret"
            if container.get("envFrom"):
                yield f"{container['name']} gets its environment from elsewhere"
            for mount in container.get("volumeMounts", []):
                if "subPath" in mount:
                    yield f"{mount['mountPath']} would not follow a renewal"


def probed(manifest: Manifest) -> Violations:
    """A service is asked three questions; being alive does not depend on a database."""
    if manifest["metadata"].get("labels", {}).get("app.kubernetes.io/component") != "service":
        return
    for pod in pods(manifest):
        for container in pod["containers"]:
            asked = {kind: container.get(f"{kind}Probe", {}).get("grpc", {}) for kind in ("startup", "liveness")}
            if any(probe.get("service") != "alive" for probe in asked.values()):
                yield f"{container['name']} would be restarted while its database is away"
            if container.get("readinessProbe", {}).get("grpc", {}).get("service"):
                yield f"{container['name']} is ready without its database"
            if "readinessProbe" not in container:
                yield f"{container['name']} is sent calls before it is ready"


def narrow_network(manifest: Manifest) -> Violations:
    """Every rule says whom it is for; the gateway's port and the API server's are the exceptions."""
    if manifest["kind"] != "NetworkPolicy":
        return
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    for rule in spec.get("ingress", []):
        if not rule.get("from") and name != "gateway":
            yield "lets anyone in"
        if not rule.get("ports"):
            yield "opens every port"
    for rule in spec.get("egress", []):
        if not rule.get("to") and name not in _REACHES_API_SERVER:
            yield "lets out to anywhere"
        if not rule.get("ports"):
            yield "lets out by every port"
        if any(peer.get("ipBlock", {}).get("cidr") in ("0.0.0.0/0", "::/0") for peer in rule.get("to", [])):
            yield "lets out to anywhere"


def little_authority(manifest: Manifest) -> Violations:
    """Nothing of the cluster's, and no secret that is not named."""
    if manifest["kind"] in ("ClusterRole", "ClusterRoleBinding"):
        yield "asks for rights over the cluster"
    for rule in manifest.get("rules", []) if manifest["kind"] == "Role" else []:
        if "*" in rule["verbs"] + rule["resources"] or set(rule["verbs"]) & {"list", "watch", "delete"}:
            yield "may do more than it needs"
        if set(rule["verbs"]) & {"get", "patch", "update"} and not rule.get("resourceNames"):
            yield "may read what it did not make"


RULES: dict[str, Callable[[Manifest], Violations]] = {
    rule.__name__: rule
    for rule in (
        restricted_pod,
        bounded_resources,
        no_token,
        fixed_images,
        secrets_as_files,
        probed,
        narrow_network,
        little_authority,
    )
}


def violations(manifest: Manifest, rules: dict[str, Callable[[Manifest], Violations]]) -> list[str]:
    """What breaks which rule, with the manifest's name."""
    what = f"{manifest['kind']} {manifest['metadata']['name']}"
    return [f"{rule}: {what} {broken}" for rule, check in rules.items() for broken in check(manifest)]


def changed(value: Any, path: str, new: Any) -> None:
    """Put `new` at a path such as `spec/template/spec/containers/0/image`; None removes what is there."""
    *way, last = path.split("/")
    for step in way:
        value = value[int(step)] if isinstance(value, list) else value.setdefault(step, {})
    if new is None:
        del value[int(last) if isinstance(value, list) else last]
    elif isinstance(value, list):
        value.insert(int(last), new)
    else:
        value[last] = new
