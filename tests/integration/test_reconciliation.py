"""The reconciler over real databases: a case that went its way is sound, and whatever is then planted is named."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from casemesh.audit.reconciling.findings import Window
from casemesh.cli.reconciling import Databases, Reconciled, opened, reconcile
from casemesh.client.download_frames import read_stub
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb2
from tests.integration.test_routing_handover import finalize
from tests.support.dossiers import AsCaller
from tests.support.routing import TIMEOUT, ThreeOrgans


@dataclass
class Scene:
    """A case that the police handed on with its dossier, which the procuratorate read and accepted."""

    organs: ThreeOrgans
    databases: Databases
    case: str
    exchange: str
    version: str

    async def reconciled(self, case: str = "") -> Reconciled:
        now = datetime.now(UTC)
        return await reconcile(self.databases, Window(now - timedelta(hours=1), now + timedelta(hours=1), case), now)

    async def found(self) -> Counter[tuple[str, str]]:
        done = await self.reconciled()
        return Counter((finding.fault.value, finding.source) for finding in done.findings)

    async def plant(self, service: str, *statements: str) -> None:
        """Change a database as its owner, past the triggers that refuse it."""
        connection = await asyncpg.connect(self.organs.mesh.databases[service].owner_dsn)
        try:
            async with connection.transaction():
                for table in ("event", "entry") if service == "audit" else ():
                    await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                for statement in statements:
                    assert int((await connection.execute(statement)).rpartition(" ")[2]) > 0, statement
        finally:
            await connection.close()


@pytest.fixture
async def scene(three_organs_with_dossiers: ThreeOrgans) -> AsyncIterator[Scene]:
    organs = three_organs_with_dossiers
    case = await organs.register()
    version = await finalize(organs, case.name, organs.police)
    exchange = await organs.submit(case, node="nodes/QS001", dossier_version=version)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    reader = AsCaller(organs.mesh.agency_stub("dossier", read_stub), await organs.as_officer(organs.procuratorate))
    async for _ in reader.DownloadDocuments(read_pb2.DownloadDocumentsRequest(version=version)):
        pass
    await organs.accept(exchange.name, organs.procuratorate)
    async with opened(organs.mesh.directory / "config") as databases:
        yield Scene(organs, databases, case.name, exchange.name, version)


async def until_sound(scene: Scene) -> Reconciled:
    """What a service commits reaches the log soon after."""
    async with asyncio.timeout(TIMEOUT):
        while (done := await scene.reconciled()).findings or await waiting(scene):
            await asyncio.sleep(0.1)
    return done


async def waiting(scene: Scene) -> int:
    unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
    return sum([await database.fetchval(unsent) for database in scene.databases.of.values()])


async def test_a_case_that_went_its_way_is_sound_and_each_discrepancy_planted_is_named(scene: Scene) -> None:
    whole = await until_sound(scene)
    alone = await scene.reconciled(scene.case)
    assert (1, ()) == (alone.open_exchanges, alone.findings)
    assert 12 <= alone.facts < whole.facts
    assert 12 <= alone.events < whole.events

    exchange = scene.exchange.removeprefix("exchanges/")
    court = scene.organs.court.name.removeprefix("agencies/")
    procuratorate = scene.organs.procuratorate.name.removeprefix("agencies/")
    event_of = "SELECT log_index FROM event WHERE convert_from(canonical_json, 'UTF8') LIKE '%\"action\":\"{}\"%'"
    plants: list[tuple[str, list[str], dict[tuple[str, str], int]]] = [
        (
            "routing",
            [f"UPDATE exchange SET state = 'ANSWERED', answer_time = now() WHERE exchange_id = '{exchange}'"],
            {("fact_without_event", "routing"): 1},
        ),
        (
            "dossier",
            ["UPDATE version_delivery SET agency = agency || 'x'"],
            {("fact_without_event", "dossier"): 1},
        ),
        (
            "dossier",
            ["UPDATE version_grant SET exchange = exchange || 'x'"],
            {
                ("fact_without_event", "dossier"): 1,
                ("event_without_fact", "dossier"): 1,
                ("grant_missing", "dossier"): 1,
                ("grant_unexplained", "dossier"): 1,
            },
        ),
        (
            "identity",
            ["UPDATE reading SET size_bytes = size_bytes + 7 WHERE size_bytes > 0"],
            {("bytes_untold", "dossier"): 1},
        ),
        (
            "identity",
            [
                "INSERT INTO reading (id, agency_id, officer_id, case_id, purpose, size_bytes) "
                "SELECT gen_random_uuid(), agency_id, officer_id, case_id, purpose, 9 FROM reading LIMIT 1"
            ],
            {("reading_without_event", "identity"): 1},
        ),
        (
            "identity",
            ["UPDATE assignment SET id = gen_random_uuid() WHERE reason = ''"],
            {("fact_without_event", "identity"): 2, ("event_without_fact", "identity"): 2},
        ),
        (
            "identity",
            [
                f"UPDATE participation SET agency_id = '{court}' WHERE agency_id = '{procuratorate}'",
            ],
            {
                ("participation_missing", "identity"): 1,
                ("fact_without_event", "identity"): 1,
                ("event_without_fact", "identity"): 1,
            },
        ),
        (
            "routing",
            ["UPDATE outbox SET event = event || '\\x4203616263'::bytea WHERE source_sequence = 1"],
            {("event_altered", "routing"): 1},
        ),
        (
            "dossier",
            ["DELETE FROM outbox WHERE source_sequence = 1"],
            {("event_not_in_outbox", "dossier"): 1, ("number_missing", "dossier"): 1},
        ),
        (
            "audit",
            [
                f"DELETE FROM entry WHERE log_index IN ({event_of.format('exchange.accepted')})",
                f"DELETE FROM event WHERE log_index IN ({event_of.format('exchange.accepted')})",
            ],
            {
                ("event_not_in_log", "routing"): 1,
                # The acceptance itself, and the receipt of it.
                ("fact_without_event", "routing"): 2,
            },
        ),
        (
            "routing",
            [
                f"UPDATE exchange SET state = 'SUBMITTED', submit_time = now() - interval '59 minutes', "
                f"deliver_time = NULL, answer_by = now() - interval '20 minutes' WHERE exchange_id = '{exchange}'"
            ],
            {("exchange_overdue", "routing"): 1},
        ),
        (
            "routing",
            ["UPDATE outbox SET sent_at = NULL, created_at = now() - interval '1 hour' WHERE source_sequence = 2"],
            {("event_waiting", "routing"): 1},
        ),
    ]
    # What was planted must stay as it is: nothing relays, expires or repairs any more.
    for server in scene.organs.mesh.servers.values():
        await server.server.stop(0)
    before = await scene.found()
    for service, statements, expected in plants:
        await scene.plant(service, *statements)
        after = await scene.found()
        assert expected == dict(after - before), (service, statements)
        before = after
    folder = str(scene.organs.mesh.directory / "config")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "casemesh.cli.daemon", "audit", "reconcile",
        "--config-dir", folder, "--case", scene.case, "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    value = json.loads(said)
    assert (6, False, "exchange_overdue") == (process.returncode, value["sound"], value["findings"][-1]["fault"])
    assert {scene.case, ""} == {finding.case for finding in (await scene.reconciled()).findings}
