"""The keeper of a cluster of one node, against an API server that takes what it is sent."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from casemesh.local.cluster import Keeper
from casemesh.local.kubernetes_api import KubernetesApi, KubernetesError
from casemesh.pki import shutting_out
from casemesh.pki.authority import Pki

_DATABASE = "postgres.casemesh.svc:5432"


@dataclass
class ApiServer:
    """Keeps what was applied, by path; answers `refusing` instead when that is set."""

    api: KubernetesApi
    applied: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refusing: int = 0


@pytest.fixture
def api_server(mesh_pki: Pki, tmp_path: Path) -> Iterator[ApiServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if not server.refusing:
                server.applied[self.path.partition("?")[0]] = json.loads(body)
                server.tokens.add(self.headers["authorization"])
            self.send_response(server.refusing or 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    files = mesh_pki.layout.service("identity")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.socket = tls.wrap_socket(http.socket, server_side=True)
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("first\n")
    (account / "ca.crt").write_bytes(files.trust.read_bytes())
    server = ApiServer(KubernetesApi(f"https://127.0.0.1:{http.server_address[1]}", "casemesh", account))
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    made = Keeper(tmp_path / "data", _DATABASE)
    made.make()
    return made


def test_each_service_is_given_its_own_files(api_server: ApiServer, keeper: Keeper) -> None:
    keeper.publish(api_server.api)
    folder = "/api/v1/namespaces/casemesh/secrets"
    tls = api_server.applied[f"{folder}/dossier-tls"]
    assert "kubernetes.io/tls" == tls["type"]
    assert keeper.layout.pki.joinpath("mesh/dossier/tls.key").read_bytes() == base64.b64decode(tls["data"]["tls.key"])
    dsn = base64.b64decode(api_server.applied[f"{folder}/dossier-database"]["data"]["dsn"]).decode()
    assert dsn.startswith("postgresql://casemesh_dossier_runtime:")
    assert dsn.endswith(f"@{_DATABASE}/casemesh_dossier?sslmode=disable")
    assert "mesh-trust" in {path.rpartition("/")[2] for path in api_server.applied if "/configmaps/" in path}


def test_only_what_changed_is_published_again(api_server: ApiServer, keeper: Keeper) -> None:
    assert 0 < len(keeper.publish(api_server.api))
    assert [] == keeper.publish(api_server.api)
    Pki(keeper.layout.pki).add_agency("beihu-police")
    assert ["ConfigMap agency-trust"] == keeper.publish(api_server.api)
    shutting_out.shut_out(Pki(keeper.layout.pki).layout, "beihu-police", now=datetime(2026, 3, 1, tzinfo=UTC))
    assert ["ConfigMap agency-trust", "ConfigMap agencies-shut-out"] == keeper.publish(api_server.api)
    (shut_out,) = [body for path, body in api_server.applied.items() if path.endswith("/agencies-shut-out")]
    assert ["beihu-police.agency.casemesh"] == list(shut_out["data"])


def test_a_refusal_is_tried_again_with_the_token_of_then(api_server: ApiServer, keeper: Keeper, tmp_path: Path) -> None:
    api_server.refusing = 403
    with pytest.raises(KubernetesError, match="Secret identity-tls: the API server answered 403"):
        keeper.publish(api_server.api)
    api_server.refusing = 0
    (tmp_path / "account" / "token").write_text("second")
    assert 0 < len(keeper.publish(api_server.api))
    assert {"Bearer second"} == api_server.tokens


def test_what_was_made_stays_and_what_ends_is_renewed(tmp_path: Path) -> None:
    now = [datetime.now(UTC)]
    keeper = Keeper(tmp_path / "data", _DATABASE, clock=lambda: now[0])
    keeper.make()
    before = {one.name: one.data for one in keeper.published()}
    keeper.make()
    assert [] == keeper.renew()
    assert before == {one.name: one.data for one in keeper.published()}
    now[0] += timedelta(days=61)
    assert "mesh/dossier" in keeper.renew()
    after = {one.name: one.data for one in keeper.published()}
    changed = {name for name in before if before[name] != after[name]}
    assert {f"{name}-tls" for name in ("identity", "gateway")} <= changed
    assert before["identity-signing"] == after["identity-signing"]
    assert before["identity-tls"]["tls.key"] == after["identity-tls"]["tls.key"]
