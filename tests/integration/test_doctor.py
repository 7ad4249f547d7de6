"""What `casemeshd doctor` says of a deployment: nothing where all is well, and each fault by its name."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import grpc.aio
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.client.notes import Checkpoint, NoteSigner, sign_checkpoint
from casemesh.core.clock import SystemClock
from casemesh.core.merkle import EMPTY_ROOT
from casemesh.local.doctor.certificates import examine_certificate
from casemesh.local.doctor.databases import examine_database, examine_log
from casemesh.local.doctor.examination import examine
from casemesh.local.doctor.findings import Finding, State
from casemesh.local.doctor.machine import examine_disk
from casemesh.local.doctor.peers import examine_gateway, examine_peer
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import ServiceDatabase
from casemesh.pki.authority import Pki
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from tests.support.mesh import MeshOf
from tests.support.pki import server_credentials
from tests.support.postgres import clone_database

NOW = datetime.now(UTC)


class ShiftedClock(SystemClock):
    """A machine's clock that is minutes off."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


def ill(findings: Iterable[Finding]) -> list[tuple[str, State]]:
    """Return what is not well; each says how to mend it."""
    found = [finding for finding in findings if finding.state is not State.WELL]
    assert all(finding.mend for finding in found)
    return [(finding.check, finding.state) for finding in found]


def service_folder(directory: Path, made: datetime = NOW) -> Path:
    """Make a mesh of one service at some time and return the folder of its certificate."""
    pki = Pki(directory, clock=lambda: made)
    pki.create_mesh()
    pki.issue_service("audit")
    return pki.layout.service("audit").certificate.parent


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres) -> AsyncIterator[ServiceDatabase]:
    async with clone_database(
        embedded_postgres, "audit", lambda dsn: migrate(dsn, "audit", "casemesh_audit_runtime")
    ) as made:
        yield made


def database_config(tmp_path: Path, dsn: str) -> DatabaseConfig:
    path = tmp_path / "database.dsn"
    path.write_text(dsn)
    return DatabaseConfig(path)


async def test_of_two_running_services_only_the_peers_that_do_not_run_are_wrong(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", "audit") as mesh:
        findings = [finding async for finding in examine(mesh.directory / "config", SystemClock())]
    wrong = {finding.subject.split()[2] for finding in findings if finding.state is not State.WELL}
    assert set(mesh.addresses) - {"identity", "audit"} == wrong
    checked = {finding.check for finding in findings if finding.state is State.WELL}
    assert {"configuration", "certificate", "database", "schema", "rights", "clock", "outbox", "log", "peer"} == checked


async def test_a_key_that_the_configuration_does_not_know_is_named(tmp_path: Path) -> None:
    (tmp_path / "audit.toml").write_text("[server]\nlistten = 'x'\n")
    [finding] = [finding async for finding in examine(tmp_path, SystemClock())]
    assert [("configuration", State.WRONG)] == ill([finding])
    assert "listten" in finding.what


async def test_a_folder_without_configuration_is_not_well(tmp_path: Path) -> None:
    assert [("configuration", State.WRONG)] == ill([finding async for finding in examine(tmp_path, SystemClock())])


@pytest.mark.parametrize(
    ("days_left", "expected"), [(15, []), (13, [State.SOON]), (-1, [State.WRONG]), (10_000, [State.WRONG])]
)
def test_a_certificate_is_looked_at_for_the_time_it_holds(
    tmp_path: Path, days_left: int, expected: list[State]
) -> None:
    folder = service_folder(tmp_path)
    leaf = x509.load_pem_x509_certificate((folder / "tls.pem").read_bytes())
    found = ill(examine_certificate(folder, "audit", leaf.not_valid_after_utc - timedelta(days=days_left)))
    assert [("certificate", state) for state in expected] == found


@pytest.mark.parametrize("name", ["tls.key", "ca.pem", "tls.pem"])
def test_a_file_of_another_mesh_is_noticed(tmp_path: Path, name: str) -> None:
    folder, other = service_folder(tmp_path / "one"), service_folder(tmp_path / "other")
    (folder / name).write_bytes((other / name).read_bytes())
    assert ("certificate", State.WRONG) in ill(examine_certificate(folder, "audit", NOW))


@pytest.mark.parametrize("content", [None, b"not a certificate"])
def test_a_certificate_that_is_not_there_or_does_not_parse_is_wrong(tmp_path: Path, content: bytes | None) -> None:
    folder = service_folder(tmp_path)
    if content is None:
        (folder / "tls.pem").unlink()
    else:
        (folder / "tls.pem").write_bytes(content)
    assert [("certificate", State.WRONG)] == ill(examine_certificate(folder, "audit", NOW))


async def test_a_sound_database_gives_no_finding(database: ServiceDatabase, tmp_path: Path) -> None:
    config = database_config(tmp_path, database.runtime_dsn)
    assert [] == ill([finding async for finding in examine_database("audit", config, SystemClock())])


async def test_a_database_that_does_not_answer_is_wrong(tmp_path: Path) -> None:
    config = database_config(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    assert [("database", State.WRONG)] == ill(
        [finding async for finding in examine_database("audit", config, SystemClock())]
    )


async def test_a_missing_migration_is_wrong(database: ServiceDatabase, tmp_path: Path) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    await owner.execute("DELETE FROM schema_migration WHERE origin = 'audit' AND number = 1")
    await owner.close()
    config = database_config(tmp_path, database.runtime_dsn)
    assert [("schema", State.WRONG)] == ill(
        [finding async for finding in examine_database("audit", config, SystemClock())]
    )


async def test_a_service_that_connects_as_the_owner_has_too_many_rights(
    database: ServiceDatabase, tmp_path: Path
) -> None:
    config = database_config(tmp_path, database.owner_dsn)
    assert [("rights", State.WRONG)] == ill(
        [finding async for finding in examine_database("audit", config, SystemClock())]
    )


async def test_clocks_that_disagree_are_wrong(database: ServiceDatabase, tmp_path: Path) -> None:
    config = database_config(tmp_path, database.runtime_dsn)
    assert [("clock", State.WRONG)] == ill(
        [finding async for finding in examine_database("audit", config, ShiftedClock())]
    )


async def test_an_outbox_that_waits_is_told(database: ServiceDatabase, tmp_path: Path) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    await owner.execute(
        "INSERT INTO outbox (event_id, event, traceparent, created_at) "
        "VALUES (gen_random_uuid(), '', '', now() - interval '1 hour')"
    )
    await owner.close()
    config = database_config(tmp_path, database.runtime_dsn)
    assert [("outbox", State.SOON)] == ill(
        [finding async for finding in examine_database("audit", config, SystemClock())]
    )


@pytest.mark.parametrize(("signed", "expected"), [(0, State.WELL), (5, State.WRONG)])
async def test_a_log_shorter_than_what_was_signed_is_wrong(
    database: ServiceDatabase, tmp_path: Path, signed: int, expected: State
) -> None:
    config = database_config(tmp_path, database.runtime_dsn)
    signer = NoteSigner("casemesh.example/audit", Ed25519PrivateKey.generate())
    note = sign_checkpoint(Checkpoint(signer.name, signed, bytes(32) if signed else EMPTY_ROOT), signer)
    assert expected is (await examine_log(config, note)).state


async def test_a_remembered_checkpoint_that_does_not_parse_is_wrong(database: ServiceDatabase, tmp_path: Path) -> None:
    config = database_config(tmp_path, database.runtime_dsn)
    assert State.WRONG is (await examine_log(config, "nothing")).state


@pytest.mark.parametrize(("free_gib", "expected"), [(500, State.WELL), (50, State.SOON), (1, State.WRONG)])
def test_room_on_a_disk_is_judged_by_share_and_amount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gib: int, expected: State
) -> None:
    monkeypatch.setattr(psutil, "disk_usage", lambda _: SimpleNamespace(free=free_gib << 30, total=1000 << 30))
    assert expected is examine_disk("dossier", tmp_path).state


def test_a_folder_that_is_not_mounted_is_wrong(tmp_path: Path) -> None:
    assert State.WRONG is examine_disk("dossier", tmp_path / "absent").state


async def test_a_peer_is_reached_by_its_name_under_the_same_mesh_alone(tmp_path: Path, mesh_pki: Pki) -> None:
    own = mesh_pki.layout.service("routing").certificate.parent
    stranger = service_folder(tmp_path)
    server = grpc.aio.server()
    port = server.add_secure_port("127.0.0.1:0", server_credentials(mesh_pki.layout.service("audit")))
    await server.start()
    address = f"127.0.0.1:{port}"
    try:
        answers = [
            await examine_peer("routing", "audit", address, own),
            await examine_peer("routing", "identity", address, own),
            await examine_peer("routing", "audit", address, stranger),
            await examine_gateway(address, own / "ca.pem"),
            await examine_gateway(address, stranger / "ca.pem"),
        ]
    finally:
        await server.stop(None)
    answers += [await examine_peer("routing", "audit", address, own), await examine_gateway(address, own / "ca.pem")]
    good, bad = State.WELL, State.WRONG
    assert [good, bad, bad, good, bad, bad, bad] == [answer.state for answer in answers]
    assert "certificates" in answers[2].what


def test_the_command_says_what_is_wrong_and_ends_with_1(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from casemesh.cli import daemon

    ended = CliRunner().invoke(daemon.app, ["doctor", "--config-folder", str(tmp_path), "--json"])
    assert 1 == ended.exit_code
    [finding] = json.loads(ended.stdout)["findings"]
    assert ("configuration", "wrong") == (finding["check"], finding["state"])
    assert 2 == CliRunner().invoke(daemon.app, ["doctor"]).exit_code
