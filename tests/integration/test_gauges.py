"""What the services read of themselves is what their databases and files hold."""

from __future__ import annotations

import asyncio
import urllib.request
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from casemesh.audit.cosignature_store import CosignatureStore
from casemesh.audit.cosigning import Cosigning, WitnessPolicy
from casemesh.audit.log_gauges import log_gauges
from casemesh.local.ports import free_port
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.pki.authority import Pki
from casemesh.routing.waiting_gauges import waiting_gauges
from casemesh.runtime import gauges, instruments, telemetry
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.gauges import certificate_gauge, report_gauges
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from casemesh.supervision.warning_gauges import warning_gauges
from tests.support.clock import FakeClock
from tests.support.postgres import clone_database


@asynccontextmanager
async def opened(server: EmbeddedPostgres, service: str) -> AsyncIterator[tuple[Database, asyncpg.Connection]]:
    """A service's database as the service has it, and as the server's administrator, whom no foreign key holds."""
    async with clone_database(
        server, service, lambda dsn: migrate(dsn, service, f"casemesh_{service}_runtime")
    ) as made:
        database = Database(made.runtime_dsn, DatabaseConfig(Path()))
        await database.open()
        admin = await asyncpg.connect(urlunsplit(urlsplit(server.admin_dsn())._replace(path=f"/{made.name}")))
        try:
            await admin.execute("SET session_replication_role = replica")
            yield database, admin
        finally:
            await admin.close()
            await database.close()


def delivery_of(age: timedelta) -> uuid.UUID:
    """The identifier that a delivery of some age has."""
    milliseconds = int((datetime.now(UTC) - age).timestamp() * 1000)
    return uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | (uuid.uuid4().int & ((1 << 62) - 1)))


async def test_the_oldest_delivery_counts_by_what_it_waits_for(embedded_postgres: EmbeddedPostgres) -> None:
    waiting = [
        (timedelta(hours=2), "now()", "NULL"),
        (timedelta(hours=1), "now()", "NULL"),
        (timedelta(minutes=5), "NULL", "NULL"),
        # Neither set aside nor acknowledged ones wait.
        (timedelta(days=9), "'infinity'", "NULL"),
        (timedelta(days=9), "now()", "now()"),
    ]
    async with opened(embedded_postgres, "routing") as (database, admin):
        assert {0.0} == set((await waiting_gauges(database)).values())
        for number, (age, due, acknowledged) in enumerate(waiting):
            await admin.execute(
                "INSERT INTO delivery (delivery_id, exchange_id, case_id, recipient, delivery_sequence, due_at,"
                f" acknowledge_time) VALUES ($1, $1, $1, $1, $2, {due}, {acknowledged})",
                delivery_of(age),
                number,
            )
        found = await waiting_gauges(database)
    assert 2 == found["casemesh.delivery.waiting"]
    assert 7200 <= found["casemesh.delivery.lag"] < 7800
    assert 300 <= found["casemesh.delivery.release.lag"] < 900


async def test_the_log_tells_its_length_and_when_it_was_last_signed(embedded_postgres: EmbeddedPostgres) -> None:
    async with opened(embedded_postgres, "audit") as (database, admin):
        policy = WitnessPolicy((), 0, timedelta(seconds=30), timedelta(minutes=5))
        cosigning = Cosigning(CosignatureStore(database), policy, FakeClock())
        empty = await log_gauges(database, cosigning)
        assert (0, 0.0) == (empty["casemesh.log.size"], empty["casemesh.log.checkpoint.age"])
        await admin.execute("UPDATE log_state SET size = 7")
        await admin.execute("INSERT INTO checkpoint VALUES (6, '', now() - interval '2 hours')")
        await admin.execute("INSERT INTO checkpoint VALUES (7, '', now() - interval '1 hour')")
        found = await log_gauges(database, cosigning)
    assert 7 == found["casemesh.log.size"]
    assert 3600 <= found["casemesh.log.checkpoint.age"] < 4200


async def test_warnings_count_until_somebody_deals_with_them(embedded_postgres: EmbeddedPostgres) -> None:
    # State, and whether it was put before supervisors: one of open, taken up, resolved, and twice escalated.
    raised = [(1, False), (2, False), (3, False), (1, True), (5, True)]
    async with opened(embedded_postgres, "supervision") as (database, admin):
        for number, (state, escalated) in enumerate(raised):
            await admin.execute(
                "INSERT INTO warning (warning_id, case_id, finding_key, rule, rule_version, kind, rank, standing,"
                " state, subject, title_zh, title_en, explanation_zh, explanation_en, legal_basis, concerned,"
                " create_time, update_time, escalate_at, escalate_time, change_sequence) VALUES (gen_random_uuid(),"
                " gen_random_uuid(), '', '', '', '', 1, 1, $1, '', '', '', '', '', '', '{}', now(), now(), now(),"
                " CASE WHEN $2 THEN now() END, $3)",
                state,
                escalated,
                number,
            )
        found = await warning_gauges(database)
    assert {"casemesh.warnings.open": 3, "casemesh.warnings.escalated": 1} == found


async def test_a_certificate_counts_its_days_down_to_below_none(mesh_pki: Pki) -> None:
    files = mesh_pki.layout.service("audit")
    [entry] = [item for item in mesh_pki.status() if item.entry == "mesh/audit"]
    clock = FakeClock(entry.not_after - timedelta(days=3))
    read = certificate_gauge(files.certificate.parent, clock)
    assert 3.0 == (await read())["casemesh.certificate.left"]
    clock.move(timedelta(days=4).total_seconds())
    assert -1.0 == (await read())["casemesh.certificate.left"]


async def test_a_source_that_fails_does_not_keep_the_others_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(gauges, "gauge", lambda name: provider.get_meter("test").create_gauge(name))
    told = asyncio.Event()

    async def fails() -> Mapping[str, float]:
        raise OSError

    async def works() -> Mapping[str, float]:
        return {"casemesh.log.size": 5}

    async def last() -> Mapping[str, float]:
        told.set()
        return {}

    task = asyncio.create_task(report_gauges([fails, works, last]))
    await told.wait()
    task.cancel()
    data: Any = reader.get_metrics_data()
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    assert ("casemesh.log.size", 5) == (metric.name, next(iter(metric.data.data_points)).value)
    provider.shutdown()


async def test_the_page_for_prometheus_has_what_was_recorded_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    provider = MeterProvider([telemetry.prometheus_page(address)], shutdown_on_exit=False)
    monkeypatch.setattr(instruments, "meter", lambda: provider.get_meter("test"))
    instruments.counter("casemesh.dossier.sent").add(5)

    def ask() -> str:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    lines = [line for line in (await asyncio.to_thread(ask)).splitlines() if not line.startswith(("#", "target_info"))]
    assert ["casemesh_dossier_sent_bytes_total 5.0"] == lines
