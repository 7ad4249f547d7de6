"""The gateway as its pod runs it: rendered from k8s/base/gateway, asked by kubelet, drained before it ends."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casemesh.cli.daemon import app
from casemesh.local.envoy import envoy_command
from casemesh.local.ports import LOOPBACK, free_port, is_free
from casemesh.pki.authority import Pki
from tests.k8s.manifests import K8S
from tests.support.gateway import wait_until


def _rendered(tmp_path: Path, pki: Pki, ports: dict[str, int]) -> Path:
    text = (K8S / "base/gateway/gateway.toml").read_text(encoding="utf-8")
    for said, meant in {
        '"0.0.0.0:8443"': f'"{LOOPBACK}:{ports["agencies"]}"',
        '"0.0.0.0:8081"': f'"{LOOPBACK}:{ports["watch"]}"\nadmin_port = {ports["admin"]}',
        "/etc/casemesh/tls": str(pki.layout.service("gateway").certificate.parent),
        "/etc/casemesh/agencies": str(pki.layout.bundles),
    }.items():
        assert said in text
        text = text.replace(said, meant)
    (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "rendered"
    done = CliRunner().invoke(
        app, ["gateway", "render", "--config", str(tmp_path / "gateway.toml"), "--out", str(out), "--json"]
    )
    assert 0 == done.exit_code, done.output
    return out / "envoy.yaml"


def _ask(port: int, method: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_the_pod_tells_who_asks_without_a_certificate_how_it_is_and_stops_listening_when_drained(
    mesh_pki: Pki, tmp_path: Path
) -> None:
    ports = {name: free_port() for name in ("agencies", "watch", "admin")}
    # It drains at once instead of over some seconds; the rest is the pod's own command line.
    command = [*envoy_command(_rendered(tmp_path, mesh_pki, ports)), "--drain-time-s", "1"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: not is_free(ports["watch"]))
            assert (200, "ready") == _ask(ports["watch"], "GET", "/ready")
            status, metrics = _ask(ports["watch"], "GET", "/metrics")
            assert 200 == status
            assert "envoy_server_live" in metrics
            assert 404 == _ask(ports["watch"], "GET", "/quitquitquit")[0]
            assert not is_free(ports["agencies"])
            assert 200 == _ask(ports["admin"], "POST", "/drain_listeners?graceful")[0]
            wait_until(lambda: is_free(ports["agencies"]))
            assert process.poll() is None
        finally:
            process.terminate()


def test_an_unknown_key_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('listen = "0.0.0.0:8443"\nlissten = "x"\n', encoding="utf-8")
    done = CliRunner().invoke(
        app, ["gateway", "render", "--config", str(tmp_path / "gateway.toml"), "--out", str(tmp_path)]
    )
    assert 4 == done.exit_code
    assert "unknown key lissten" in done.output


@pytest.mark.parametrize("service", ["identity", "routing"])
def test_a_service_without_an_address_is_refused_by_name(tmp_path: Path, service: str) -> None:
    text = (K8S / "base/gateway/gateway.toml").read_text(encoding="utf-8")
    (tmp_path / "gateway.toml").write_text(text.replace(f"\n{service} = ", "\nother = "), encoding="utf-8")
    done = CliRunner().invoke(
        app, ["gateway", "render", "--config", str(tmp_path / "gateway.toml"), "--out", str(tmp_path)]
    )
    assert 4 == done.exit_code
    assert f"services.{service} is missing" in done.output
