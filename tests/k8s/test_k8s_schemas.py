"""Every object of every overlay, against the schemas of each Kubernetes that we say we run on."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.k8s.manifests import K8S, OVERLAYS, UNUSED, Manifest, overlay, render

validating = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")

VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
# Custom resources have no schema in Kubernetes itself; their operators hold them to theirs.
_CUSTOM = (
    "cert-manager.io/",
    "trust.cert-manager.io/",
    "monitoring.coreos.com/",
    "postgresql.cnpg.io/",
    "gateway.networking.k8s.io/",
)


@pytest.fixture(autouse=True, scope="module")
def _each_schema_read_once() -> Iterator[None]:
    """The package reads two megabytes of definitions for every object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validating.utils, "schema_contents", cache(validating.utils.schema_contents))
        yield


def _problems(manifests: tuple[Manifest, ...], version: str) -> list[str]:
    problems = []
    for manifest in manifests:
        if manifest["apiVersion"].startswith(_CUSTOM):
            continue
        try:
            validating.validate(manifest, version, strict=True)
        except validating.ValidationError as error:
            problems.append(f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}")
    return problems


@pytest.fixture(scope="module")
def every_object(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, ...]:
    """The objects of both overlays and of the components that neither uses, each once."""
    copied = tmp_path_factory.mktemp("k8s") / "k8s"
    shutil.copytree(K8S, copied)
    rest = copied / "overlays" / "rest"
    rest.mkdir()
    components = "".join(f"  - ../../components/{name}\n" for name in UNUSED)
    (rest / "kustomization.yaml").write_text(
        f"namespace: casemesh\nresources:\n  - ../../base\ncomponents:\n{components}"
    )
    found: dict[str, Any] = {}
    for manifest in (*(one for name in OVERLAYS for one in overlay(name)), *render(rest)):
        found[json.dumps(manifest, sort_keys=True)] = manifest
    return tuple(found.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_the_schemas_of_a_version(version: str, every_object: tuple[Manifest, ...]) -> None:
    assert [] == _problems(every_object, version)


def test_a_misspelt_field_does_not_fit(every_object: tuple[Manifest, ...]) -> None:
    (gateway,) = [one for one in every_object if one["kind"] == "Service" and one["spec"].get("type") == "NodePort"]
    wrong = copy.deepcopy(gateway)
    wrong["spec"]["sessionAfinity"] = "None"
    assert [] != _problems((wrong,), VERSIONS[0])


def test_every_component_is_rendered_somewhere() -> None:
    used = {
        line.rsplit("/", 1)[-1].strip()
        for file in K8S.rglob("kustomization.yaml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "/components/" in line and line.lstrip().startswith("- ")
    }
    there = {file.parent.name for file in Path(K8S / "components").glob("*/kustomization.yaml")}
    assert there == used | set(UNUSED)
