"""The image installs what the program needs, by hash, and runs as whom the manifests say."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.k8s.manifests import K8S, OVERLAYS, of_kind, overlay

_ROOT = K8S.parent
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;]+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, str]:
    return dict(_PIN.findall((_ROOT / lock).read_text(encoding="utf-8")))


def test_every_dependency_of_the_server_is_locked_for_the_image() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        re.split(r"[\[<>=]", name)[0].lower()
        for name in (*project["dependencies"], *project["optional-dependencies"]["server"])
    }
    assert set() == wanted - _pins("k8s/image/server.lock").keys()


@pytest.mark.parametrize("lock", ["server", "build"])
def test_the_image_is_made_of_the_versions_that_are_tested(lock: str) -> None:
    tested, installed = _pins("requirements.lock"), _pins(f"k8s/image/{lock}.lock")
    common = tested.keys() & installed.keys()
    assert {"grpcio", "hatchling"} & common
    assert {name: tested[name] for name in common} == {name: installed[name] for name in common}


@pytest.mark.parametrize("lock", ["server", "build"])
def test_every_file_of_the_image_is_known_by_hash_and_no_index_by_name(lock: str) -> None:
    text = (K8S / "image" / f"{lock}.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [] == [entry for entry in entries if "--hash=sha256:" not in entry]
    assert "://" not in text


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_image_runs_as_whom_the_manifests_say(name: str) -> None:
    dockerfile = (_ROOT / "Dockerfile").read_text(encoding="utf-8")
    (user,) = re.findall(r"^USER (\d+):\d+$", dockerfile, re.MULTILINE)
    pods = [one["spec"]["template"]["spec"] for one in of_kind(overlay(name), "Deployment", "Job")]
    assert {int(user)} == {pod["securityContext"]["runAsUser"] for pod in pods}
