"""The overlays as kubectl renders them."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

K8S = Path(__file__).resolve().parents[2] / "k8s"
OVERLAYS = ("local", "production")
# Components that no overlay uses, with what stands in their place there.
UNUSED = ("cloudnative-pg", "gateway-api", "autoscaling")

Manifest = dict[str, Any]


@cache
def render(folder: Path) -> tuple[Manifest, ...]:
    """What `kubectl apply -k` would send. Skips the test where neither kubectl nor kustomize is installed."""
    if shutil.which("kubectl"):
        command = ["kubectl", "kustomize"]
    elif shutil.which("kustomize"):
        command = ["kustomize", "build"]
    else:
        pytest.skip("neither kubectl nor kustomize is installed: overlays cannot be rendered")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(yaml.load_all(done.stdout, loader))


def overlay(name: str) -> tuple[Manifest, ...]:
    """One overlay's objects."""
    return render(K8S / "overlays" / name)


def of_kind(manifests: tuple[Manifest, ...], *kinds: str) -> list[Manifest]:
    """Those of some kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """The one of this kind and name."""
    (found,) = [manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"] == name]
    return found


def configurations(manifests: tuple[Manifest, ...]) -> dict[str, dict[str, Any]]:
    """Each TOML file that the ConfigMaps of an overlay hold, decoded, by its name without the ending."""
    return {
        file.removesuffix(".toml"): tomllib.loads(text)
        for config in of_kind(manifests, "ConfigMap")
        for file, text in config.get("data", {}).items()
        if file.endswith(".toml")
    }
