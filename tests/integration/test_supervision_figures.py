"""Figures over real mTLS: what a real flow counts, again when the log is followed anew, and who sees it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from google.type.date_pb2 import Date

from casemesh.core.clock import CHINA
from casemesh.core.ids import new_id
from casemesh.errors import InvalidArgument, NotFound
from casemesh.identity.v1 import case_protection_service_pb2
from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceStub
from casemesh.routing.v1 import exchange_correction_service_pb2 as correction_pb2
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceStub
from casemesh.supervision.v1 import figures_service_pb2 as pb2
from casemesh.supervision.v1.figures_service_pb2_grpc import FiguresServiceStub
from tests.support.dossiers import DossierDesk, documents_of
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import TIMEOUT, ThreeOrgans, running_three_organs

Counts = dict[tuple[str, str, str], tuple[int, int]]


class Counted:
    """The agencies with their figures."""

    def __init__(self, organs: ThreeOrgans) -> None:
        self.organs = organs
        self.stub = organs.mesh.agency_stub("supervision", FiguresServiceStub)
        self.operator = organs.mesh.operator("supervision", FiguresServiceStub)

    def request(self, kind: str, group_by: int = pb2.FIGURE_GROUPING_AGENCY, **fields: Any) -> pb2.ListFiguresRequest:
        today = self.organs.mesh.clock.now().astimezone(CHINA)
        day = Date(year=today.year, month=today.month, day=today.day)
        asked = {"kind": f"FIGURE_KIND_{kind}", "group_by": group_by, "first_day": day, "last_day": day, **fields}
        return pb2.ListFiguresRequest(**asked)

    async def all(self, kind: str, **fields: Any) -> Counts:
        """Return the operator's figures, page by page: count and amount by group, measure and detail."""
        found: Counts = {}
        token = ""
        while True:
            page = await self.operator.ListFigures(
                self.request(kind, page_size=2, page_token=token, **fields), timeout=TIMEOUT
            )
            figures = {(one.group, one.measure, one.detail): (one.count, one.amount) for one in page.figures}
            assert set() == figures.keys() & found.keys()
            found |= figures
            if not (token := page.next_page_token):
                return found

    async def seen(self, agency: Agency, officer: str, agency_asked: str = "", **fields: Any) -> list[pb2.Figure]:
        """Return what an officer is shown of exchanges."""
        metadata = await self.organs.as_officer(agency, officer)
        request = self.request("EXCHANGES", agency=agency_asked, **fields)
        response = await self.stub.ListFigures(request, metadata=metadata, timeout=TIMEOUT)
        return list(response.figures)

    async def supervise(self, agency: Agency, officer: str) -> None:
        """Let an agency appoint an officer its supervisor."""
        await self.organs.mesh.agency_stub("identity", CaseProtectionServiceStub).AppointSupervisor(
            case_protection_service_pb2.AppointSupervisorRequest(
                request_id=new_id(), officer=agency.officers[officer], reason="督察"
            ),
            metadata=await self.organs.as_system(agency),
            timeout=TIMEOUT,
        )

    async def give_back(self, exchange: str) -> None:
        """Return an exchange to the police for a field that is wrong."""
        await self.organs.mesh.agency_stub("routing", ExchangeCorrectionServiceStub).ReturnExchange(
            correction_pb2.ReturnExchangeRequest(
                request_id=new_id(),
                exchange=exchange,
                defects=[exchange_pb2.ExchangeDefect(code="FIELD_WRONG", mend="改正")],
            ),
            metadata=await self.organs.as_officer(self.organs.procuratorate),
            timeout=TIMEOUT,
        )

    async def followed(self) -> None:
        """Wait until supervision has counted what routing told, and the dossier that was handed over."""
        events = len(await self.organs.events())
        async with asyncio.timeout(TIMEOUT):
            while True:
                seen = await self.sql(
                    "SELECT count(*) AS count FROM seen_event WHERE source = 'routing'",
                    "SELECT count(*) AS count FROM seen_event WHERE action = 'dossier.version.granted'",
                )
                if [events, 1] == [row["count"] for row in seen]:
                    return
                await asyncio.sleep(0.05)

    async def sql(self, *statements: str) -> list[asyncpg.Record]:
        """Run statements on supervision's database as its owner, in one transaction."""
        connection = await asyncpg.connect(self.organs.mesh.databases["supervision"].owner_dsn)
        try:
            async with connection.transaction():
                return [row for statement in statements for row in await connection.fetch(statement)]
        finally:
            await connection.close()


@pytest.fixture
async def counted(mesh_of: MeshOf) -> AsyncIterator[Counted]:
    async with running_three_organs(mesh_of, "audit", "dossier", "supervision") as organs:
        yield Counted(organs)


async def recount(counted: Counted) -> Counter[tuple[str, str, str]]:
    """Count routing's own events, which name their parties; nothing of supervision's counting is used."""
    found: Counter[tuple[str, str, str]] = Counter()
    for event in await counted.organs.events():
        sender, recipient = counted.organs.police.name, event.actor.agency
        match event.action.removeprefix("exchange."):
            case "submitted":
                found[sender, "sent", ""] += 1
                found[sender, "sent_on_paper", ""] += event.details.get("paper") == "yes"
            case "delivered" if "purpose" not in event.details:
                found[recipient, "received", ""] += 1
            case "accepted":
                found[recipient, "accepted", ""] += 1
    return +found


async def each_supervisor_sees_his_own_agencys_alone(counted: Counted) -> None:
    """Hold it against officers who supervise nothing, agencies of others and agencies that are none."""
    organs = counted.organs
    police, procuratorate = organs.police, organs.procuratorate
    for agency in (police, procuratorate, organs.court):
        await counted.supervise(agency, "wu")
    assert {(police.name, "sent", 2)} == {
        (one.group, one.measure, one.count) for one in await counted.seen(police, "wu")
    }
    assert {procuratorate.name} == {one.group for one in await counted.seen(procuratorate, "wu")}
    refused = [
        (police, "wu", procuratorate.name),
        (police, "wu", f"agencies/{new_id()}"),
        (police, "lin", ""),
        (police, "lin", police.name),
        (organs.court, "wu", police.name),
    ]
    messages = set()
    for agency, officer, asked in refused:
        with pytest.raises(NotFound) as absent:
            await counted.seen(agency, officer, agency_asked=asked)
        messages.add((absent.value.reason, str(absent.value)))
    assert 1 == len(messages)
    for days in ({"last_day": Date(year=2020, month=1, day=1)}, {"first_day": Date(year=2026, month=2, day=30)}):
        with pytest.raises(InvalidArgument) as invalid:
            await counted.seen(police, "wu", **days)
        assert "FIGURES_DAYS_INVALID" == invalid.value.reason


async def test_figures_equal_a_recount_of_a_real_flow_and_come_out_the_same_when_it_is_followed_anew(
    counted: Counted, tmp_path: Path
) -> None:
    organs = counted.organs
    case = await organs.register()
    desk = DossierDesk(
        organs.mesh, organs.police, organs.procuratorate, await organs.as_officer(organs.police), case.name
    )
    version = await desk.version(documents_of(tmp_path / "documents", [400, 500], pages=3))
    accepted, returned = [(await organs.submit(case)).name for _ in range(2)]
    await organs.assign(case.name, organs.procuratorate)
    await organs.deliver(organs.procuratorate)
    await organs.accept(accepted, organs.procuratorate)
    await counted.give_back(returned)
    await desk.grant(version.name)
    await counted.followed()

    exchanges = await counted.all("EXCHANGES")
    assert 2 == exchanges[organs.police.name, "sent", ""][0]
    assert await recount(counted) == {key: count for key, (count, _) in exchanges.items()}
    returns = await counted.all("RETURNS")
    assert {"returned", "returned_for"} == {measure for _, measure, _ in returns}
    assert (1, 0) == returns[organs.procuratorate.name, "returned_for", "FIELD_WRONG"]
    (rate,) = (
        await counted.operator.ListFigures(counted.request("ONLINE_RATE", pb2.FIGURE_GROUPING_NODE), timeout=TIMEOUT)
    ).figures
    assert ("LA001", 2, 2) == (rate.group, rate.count, rate.of_count)
    times = await counted.all("TIMES")
    assert {"to_delivery": 2, "to_acceptance": 1} == {
        measure: count for (_, measure, _), (count, _) in times.items() if measure != "stage"
    }
    assert {
        (organs.police.name, "handed_over", ""): (1, 6),
        (organs.procuratorate.name, "taken_over", ""): (1, 6),
        (organs.police.name, "paper_saved", ""): (1, 3),
    } == await counted.all("PAGES")
    everything = [await counted.all(kind) for kind in ("PAGES", "DEADLINES", "ANOMALIES")]

    await counted.sql(
        "UPDATE follow_cursor SET next_index = 0",
        "TRUNCATE seen_event, figure_day, figure_exchange, figure_version, figure_case",
    )
    await counted.followed()
    assert (exchanges, returns, times) == (
        await counted.all("EXCHANGES"),
        await counted.all("RETURNS"),
        await counted.all("TIMES"),
    )
    assert everything == [await counted.all(kind) for kind in ("PAGES", "DEADLINES", "ANOMALIES")]
    await each_supervisor_sees_his_own_agencys_alone(counted)
