"""Questions to a data service, from a court's officer to the police's answer and back, through the gateway.

Rights are checked, the day's questions counted, question and answer checked against the schema and committed with their
events. The provider answers at once over a stream of its own; all share the machine's cores.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from google.type.date_pb2 import Date

from bench.desk import enrolled
from bench.figures import Report
from casemesh.cli.data_service_file import read_data_service
from casemesh.cli.demo_agencies import COURT, POLICE, EnrolledAgency
from casemesh.client.answering import Answering
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.data.tables import shipped_bytes
from casemesh.local.platform import running_platform
from casemesh.routing.v1 import case_pb2, case_service_pb2, data_service_pb2
from casemesh.routing.v1.data_provider_service_pb2 import PublishDataServiceRequest, QueryAnswer
from casemesh.routing.v1.data_query_service_pb2 import AskQueryRequest
from casemesh.routing.v1.exchange_pb2 import PayloadField

ALONE = 200
IN_FLIGHT = 16
SECONDS = 5.0
# Invented digits with a right check character, of a division that does not exist.
_FOUND = QueryAnswer(
    outcome="DATA_QUERY_OUTCOME_FOUND", fields=[PayloadField(key="identity_number", text="110199200001010024")]
)
_QUESTION = [
    PayloadField(key="full_name", text="某甲"),
    PayloadField(key="birth_date", date=Date(year=2000, month=1, day=1)),
]


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with running_platform(Path(scratch) / "data", gateway_port=0) as addresses:
            police, court = await enrolled(addresses, POLICE, COURT)
            service = await _published(police, _described(Path(scratch) / "identity-number.toml"))
            async with (
                Session(court.officers[0]) as officer,
                Session(police.system, as_system=True) as provider,
                asyncio.TaskGroup() as group,
            ):
                serving = group.create_task(Answering(provider.data_provider, _answer, max_outstanding=256).run())
                await _report(report, officer, service)
                serving.cancel()


async def _report(report: Report, officer: Session, service: data_service_pb2.DataService) -> None:
    case = await _case(officer)
    for _ in range(20):
        await _ask(officer, service, case)
    alone = [await _ask(officer, service, case) for _ in range(ALONE)]
    told = "one at a time, asked to answered in one call, through the gateway"
    report.add("query.p50_ms", statistics.median(alone) * 1000, "ms", n=ALONE, conditions=told)
    report.add("query.p95_ms", statistics.quantiles(alone, n=20)[-1] * 1000, "ms", n=ALONE, conditions=told)
    started = time.perf_counter()
    taken: list[float] = []

    async def keep_asking() -> None:
        while time.perf_counter() < started + SECONDS:
            taken.append(await _ask(officer, service, case))

    await asyncio.gather(*(keep_asking() for _ in range(IN_FLIGHT)))
    per_second = len(taken) / (time.perf_counter() - started)
    report.add("query.per_s", per_second, "1/s", n=len(taken), conditions=f"{IN_FLIGHT} in flight, one data service")


async def _ask(officer: Session, service: data_service_pb2.DataService, case: case_pb2.Case) -> float:
    started = time.perf_counter()
    request = AskQueryRequest(
        request_id=new_id(),
        data_service=service.name,
        case=case.name,
        purpose="case-filing",
        question=_QUESTION,
        wait_seconds=20,
    )
    query = (await officer.data_queries.AskQuery(request)).query
    if query.state != data_service_pb2.DATA_QUERY_STATE_ANSWERED:
        raise RuntimeError("a question was not answered in time")
    return time.perf_counter() - started


async def _answer(query: data_service_pb2.DataQuery) -> QueryAnswer:
    answer = QueryAnswer()
    answer.CopyFrom(_FOUND)
    return answer


def _described(path: Path) -> data_service_pb2.DataService:
    path.write_bytes(shipped_bytes("data_services/identity-number.toml"))
    described = read_data_service(path)
    described.questions_per_day = 1_000_000
    return described


async def _published(police: EnrolledAgency, described: data_service_pb2.DataService) -> data_service_pb2.DataService:
    async with Session(police.system, as_system=True) as system:
        request = PublishDataServiceRequest(request_id=new_id(), data_service=described)
        return (await system.data_provider.PublishDataService(request)).data_service


async def _case(officer: Session) -> case_pb2.Case:
    party = case_service_pb2.PartyDraft(kind=case_pb2.PARTY_KIND_PERSON, display_name="某甲")
    request = case_service_pb2.RegisterCaseRequest(request_id=new_id(), title="某甲案", parties=[party])
    return (await officer.cases.RegisterCase(request)).case
