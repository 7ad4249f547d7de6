"""What a real exchange and its dossier say reaches the rules over real mTLS: one case breaks them, one narrowly not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.type import date_pb2

from casemesh.client.dossier_upload import LocalDocument
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as catalogue_pb2
from casemesh.dossier.v1 import dossier_facts_service_pb2 as dossier_facts_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb2
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.dossier.v1.dossier_facts_service_pb2_grpc import DossierFactsServiceStub
from casemesh.errors import PermissionDenied
from casemesh.routing.v1 import case_facts_service_pb2 as facts_pb2
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1.case_facts_service_pb2_grpc import CaseFactsServiceStub
from casemesh.routing.v1.exchange_pb2 import EXCHANGE_STATE_HELD, PayloadField
from casemesh.runtime.config import Duration
from tests.integration.test_supervision_warnings import Watched
from tests.support.clock import FakeClock
from tests.support.dossiers import DossierDesk
from tests.support.mesh import MeshOf
from tests.support.routing import TIMEOUT, UNMAPPED, person, running_three_organs

MISSING_PAPERS, JUVENILE, PAGES_DIFFER, LEAKED = "CK026", "CK036", "CK067", "CK068"
REQUEST, FILING, INTERROGATION, WARRANT = "提请批准逮捕书", "立案决定书", "犯罪嫌疑人讯问笔录", "拘留证"
OWN = {"supervision": {"settle": Duration(0)}, "routing": {"hold_unmapped_at": ("LA001",)}}


@pytest.fixture
async def watched(mesh_of: MeshOf) -> AsyncIterator[Watched]:
    clock = FakeClock()
    async with running_three_organs(mesh_of, "audit", "dossier", "supervision", clock=clock, own=OWN) as organs:
        yield Watched(organs, clock)


def on(key: str, year: int, month: int, day: int, party: str = "") -> PayloadField:
    return PayloadField(key=key, party=party, date=date_pb2.Date(year=year, month=month, day=day))


class Arrest:
    """A request for approval of arrest with a dossier of one page a paper, handed to the procuratorate."""

    def __init__(self, watched: Watched, folder: Path) -> None:
        self.watched = watched
        self.organs = watched.organs
        self.folder = folder
        self.case = case_pb2.Case()
        self.version = ""

    async def request(self, papers: list[str], offence_day: int, page_count: int, **registration: Any) -> None:
        """The suspect was born on 9 March 2008; the offence was in March 2026."""
        organs = self.organs
        self.case = await organs.register(**registration)
        desk = DossierDesk(
            organs.mesh, organs.police, organs.procuratorate, await organs.as_officer(organs.police), self.case.name
        )
        self.folder.mkdir()
        documents = []
        for paper in papers:
            path = self.folder / f"{paper}.pdf"
            path.write_bytes(f"%PDF-1.4 {paper}, invented".encode())
            documents.append(LocalDocument(path, "诉讼文书卷", path.name, "application/pdf", 1))
        self.version = (await desk.version(documents)).name
        fields = [
            on("offence_date", 2026, 3, offence_day),
            PayloadField(key="page_count", integer=page_count),
        ]
        suspect = [self.case.parties[0].name]
        born = on("birth_date", 2008, 3, 9, suspect[0])
        await organs.submit(self.case, node="nodes/QZ009", parties=suspect, fields=[born])
        await organs.submit(self.case, node="nodes/DB001", parties=suspect, dossier_version=self.version, fields=fields)
        await organs.deliver(organs.procuratorate)

    async def told(self) -> facts_pb2.CaseFacts:
        """What routing tells supervision of the case."""
        stub = CaseFactsServiceStub(self.organs.mesh.channel("routing", "supervision"))
        answer = await stub.GetCaseFacts(facts_pb2.GetCaseFactsRequest(case=self.case.name), timeout=TIMEOUT)
        return answer.facts

    async def correct(self, type_code: str) -> None:
        """Let a police officer say what the first paper of the dossier is."""
        organs = self.organs
        reading = DossierDesk(
            organs.mesh, organs.police, organs.procuratorate, await organs.as_officer(organs.police), self.case.name
        )
        listed = await reading.reading.ListDocuments(read_pb2.ListDocumentsRequest(version=self.version))
        await reading.as_caller(DossierCatalogueServiceStub).CorrectDocument(
            catalogue_pb2.CorrectDocumentRequest(
                request_id=new_id(), document=listed.documents[0].name, type_code=type_code
            )
        )

    async def warned(self) -> set[str]:
        """The rules that found something in the case."""
        rules = (MISSING_PAPERS, JUVENILE, PAGES_DIFFER, LEAKED)
        warnings = [one for rule in rules for one in await self.watched.listed(self.organs.police, rule=rule)]
        return {one.rule for one in warnings if one.case == self.case.name}

    async def is_warned(self, rules: set[str]) -> None:
        """Wait until exactly these rules found something."""
        async with asyncio.timeout(TIMEOUT):
            while await self.warned() != rules:
                await asyncio.sleep(0.05)


async def test_a_dossier_and_an_age_trip_the_rules_and_narrowly_do_not(watched: Watched, tmp_path: Path) -> None:
    whole, short = Arrest(watched, tmp_path / "whole"), Arrest(watched, tmp_path / "short")
    await whole.request(
        [REQUEST, FILING, INTERROGATION, WARRANT], 10, 4, parties=[person(), person("某乙", charges=[UNMAPPED])]
    )
    await short.request([REQUEST], 9, 2)

    await short.is_warned({MISSING_PAPERS, JUVENILE, PAGES_DIFFER})
    await watched.up_to_date()
    assert set() == await whole.warned()

    told = await short.told()
    assert [17] == [person.age_at_offence_years for person in told.persons]
    notice, exchange = told.exchanges
    assert (1, ["A032"], ["A"], 0) == (
        exchange.dossier.page_count,
        list(exchange.dossier.document_types),
        list(exchange.dossier.volumes),
        exchange.dossier.untyped_count,
    )
    birth = next(field for field in notice.payload if field.key == "birth_date")
    assert "present" == birth.WhichOneof("value")

    # What an officer says of a document once it was handed over is found, too.
    await short.correct("A075")
    await short.is_warned({MISSING_PAPERS, JUVENILE, PAGES_DIFFER, LEAKED})

    # What is held is its sender's alone; the one of whom no day was stated has no age.
    held = await watched.organs.submit(whole.case, parties=[whole.case.parties[1].name])
    assert EXCHANGE_STATE_HELD == held.state
    told = await whole.told()
    assert ["QZ009", "DB001"] == [exchange.node for exchange in told.exchanges]
    assert [18, None] == [
        person.age_at_offence_years if person.HasField("age_at_offence_years") else None for person in told.persons
    ]

    request = dossier_facts_pb2.BatchGetVersionFactsRequest(
        versions=[whole.version, f"dossiers/{new_id()}/versions/{new_id()}", short.version]
    )
    mesh = watched.organs.mesh
    for peer in ("supervision", "identity", "gateway", "operator"):
        with pytest.raises(PermissionDenied):
            await DossierFactsServiceStub(mesh.channel("dossier", peer)).BatchGetVersionFacts(request, timeout=TIMEOUT)
    answer = await DossierFactsServiceStub(mesh.channel("dossier", "routing")).BatchGetVersionFacts(
        request, timeout=TIMEOUT
    )
    assert [(whole.version, 4), (short.version, 1)] == [(facts.version, facts.page_count) for facts in answer.facts]
