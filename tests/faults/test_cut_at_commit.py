"""The connection to the database is cut at a COMMIT of a call: who asks again learns the truth; there is one effect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import Unavailable
from casemesh.local.postgres import EmbeddedPostgres
from tests.support.dossiers import DossierDesk, documents_of
from tests.support.statement_proxy import StatementProxy, cut


@dataclass
class ProxiedPostgres:
    """The tests' server behind a proxy."""

    server: EmbeddedPostgres
    proxy: StatementProxy

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def secrets_dir(self) -> Path:
        return self.server.secrets_dir

    def admin_dsn(self) -> str:
        return self.proxy.through(self.server.admin_dsn())


@pytest.fixture(name="embedded_postgres")
async def through_a_proxy(embedded_postgres: EmbeddedPostgres) -> AsyncIterator[ProxiedPostgres]:
    async with StatementProxy.before(embedded_postgres.admin_dsn()) as proxy:
        yield ProxiedPostgres(embedded_postgres, proxy)


@pytest.fixture
def proxy(embedded_postgres: ProxiedPostgres) -> StatementProxy:
    return embedded_postgres.proxy


CARRIED_OUT = pytest.mark.parametrize("carried_out", [False, True], ids=["COMMIT not sent", "COMMIT carried out"])


async def told(call: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
    """What a call answers, asked again where the first answer was lost; and whether it was."""
    try:
        return await call(), False
    except Unavailable as error:
        if error.reason != "DATABASE_UNAVAILABLE":
            raise
        return await call(), True


@CARRIED_OUT
async def test_a_draft_is_made_once_though_the_answer_to_commit_was_lost(
    dossier_desk: DossierDesk, proxy: StatementProxy, carried_out: bool
) -> None:
    made, lost = [], 0
    # The service commits for itself meanwhile, too.
    while not lost:
        request = pb.CreateDossierRequest(request_id=new_id(), case=dossier_desk.case, title="盗窃案卷宗")

        async def create(request: pb.CreateDossierRequest = request) -> str:
            name: str = (await dossier_desk.dossiers.CreateDossier(request)).dossier.name
            return name

        proxy.stop_at(b"COMMIT", carried_out=carried_out, then=cut, database="dossier")
        name, was_lost = await told(create)
        proxy.go_on()
        lost += was_lost
        made.append(name)
        assert name == await create()
    listed = await dossier_desk.reading.ListDossiers(read_pb.ListDossiersRequest(case=dossier_desk.case))
    assert sorted(made) == sorted(dossier.name for dossier in listed.dossiers)


@CARRIED_OUT
async def test_a_version_is_fixed_once_though_the_answer_to_commit_was_lost(
    dossier_desk: DossierDesk, proxy: StatementProxy, tmp_path: Path, carried_out: bool
) -> None:
    documents = documents_of(tmp_path, [10])
    lost = 0
    # Some of these are what the service commits for itself, one is that of the version.
    for number in range(1, 7):
        dossier = (await dossier_desk.send(documents)).dossier
        request = pb.FinalizeDossierRequest(
            request_id=new_id(), dossier=dossier, document_count=1, page_count=1, size_bytes=10
        )

        async def finalize(request: pb.FinalizeDossierRequest = request) -> str:
            name: str = (await dossier_desk.dossiers.FinalizeDossier(request)).version.name
            return name

        proxy.stop_at(b"COMMIT", number=number, carried_out=carried_out, then=cut, database="dossier")
        version, was_lost = await told(finalize)
        proxy.go_on()
        lost += was_lost
        assert version == await finalize()
        versions = await dossier_desk.reading.ListDossierVersions(read_pb.ListDossierVersionsRequest(dossier=dossier))
        assert [version] == [found.name for found in versions.versions]
    assert lost
