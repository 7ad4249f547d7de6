"""Whether time tells what exists from what does not, to an officer without the right: through the gateway, by method.

Each method is asked a thousand times about what another agency has and a thousand times about what nobody has, in
random order. The figure is the area under the curve of the best classifier by a threshold on time (Mann-Whitney): 0.5
is guessing. It compares ranks within one run, so a busy machine makes it blunter, not worse.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.desk import enrolled
from bench.figures import Report
from casemesh.audit.v1 import audit_query_service_pb2 as audit_pb
from casemesh.cli import demo_agencies
from casemesh.client.dossier_upload import LocalDocument, finalize_dossier, upload_documents
from casemesh.client.purpose import Purpose
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb
from casemesh.errors import NotFound
from casemesh.local.platform import running_platform
from casemesh.routing.v1 import case_pb2, case_service_pb2, exchange_service_pb2

CALLS = int(os.environ.get("CASEMESH_BENCH_CALLS", "2000"))
"""Per method, half of them about what exists."""


@dataclass(frozen=True)
class Names:
    """One of everything that the methods ask about."""

    case: str
    version: str
    exchange: str

    @classmethod
    def of_nothing(cls) -> Names:
        """Names of what nobody has."""
        return cls(f"cases/{new_id()}", f"dossiers/{new_id()}/versions/{new_id()}", f"exchanges/{new_id()}")


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=os.environ.get("CASEMESH_BENCH_DIR")) as scratch:
        data = Path(scratch) / "data"
        async with running_platform(data, gateway_port=0) as addresses:
            plans = (demo_agencies.POLICE, demo_agencies.PROCURATORATE, demo_agencies.COURT)
            police, procuratorate, court = await enrolled(addresses, *plans)
            async with (
                Session(police.officers[0]) as owner,
                Session(court.officers[0], purpose=Purpose("handling")) as outsider,
            ):
                theirs = await _make(owner, procuratorate.name, Path(scratch))
                for method, ask in _methods(outsider).items():
                    area = await _area(ask, theirs)
                    told = f"{CALLS} calls through the gateway, half of them about what exists, in random order"
                    report.add(f"access.timing.auc.{method}", area, "auc", against="0.5", n=CALLS, conditions=told)


async def _make(owner: Session, recipient: str, scratch: Path) -> Names:
    party = case_service_pb2.PartyDraft(kind=case_pb2.PARTY_KIND_PERSON, display_name="某甲")
    registered = await owner.cases.RegisterCase(
        case_service_pb2.RegisterCaseRequest(request_id=new_id(), title="某甲盗窃案", parties=[party])
    )
    case = registered.case
    draft = dossier_pb.CreateDossierRequest(request_id=new_id(), case=case.name, title="盗窃案卷宗")
    dossier = (await owner.dossiers.CreateDossier(draft)).dossier.name
    file = scratch / "document.bin"
    file.write_bytes(random.Random(1).randbytes(10_000))
    document = LocalDocument(file, "证据卷一", "讯问笔录.pdf", "application/pdf", 1)
    uploaded = await upload_documents(owner.dossiers, dossier, [document], upload_id=new_id())
    version = await finalize_dossier(owner.dossiers, uploaded, request_id=new_id())
    submitted = await owner.exchanges.SubmitExchange(
        exchange_service_pb2.SubmitExchangeRequest(
            request_id=new_id(),
            case=case.name,
            node="nodes/LA001",
            recipient=recipient,
            parties=[one.name for one in case.parties],
        )
    )
    return Names(case.name, version.name, submitted.exchange.name)


def _methods(session: Session) -> dict[str, Callable[[Names], Awaitable[Any]]]:
    async def read_document(names: Names) -> None:
        request = read_pb.ReadDocumentRequest(version=names.version, document_index=0)
        await session.dossier_read.ReadDocument(request)

    return {
        "get_case": lambda names: session.cases.GetCase(case_service_pb2.GetCaseRequest(name=names.case)),
        "get_exchange": lambda names: session.exchanges.GetExchange(
            exchange_service_pb2.GetExchangeRequest(name=names.exchange)
        ),
        "read_document": read_document,
        "list_dossiers": lambda names: session.dossier_read.ListDossiers(read_pb.ListDossiersRequest(case=names.case)),
        "trail": lambda names: session.audit.ListCaseEvents(audit_pb.ListCaseEventsRequest(case=names.case)),
    }


async def _area(ask: Callable[[Names], Awaitable[Any]], theirs: Names) -> float:
    chance = random.Random(5)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(CALLS // 2 + 20):
        for exists in chance.sample((True, False), 2):
            names = theirs if exists else Names.of_nothing()
            started = time.perf_counter()
            try:
                await ask(names)
            except NotFound:
                if number >= 20:
                    taken[exists].append(time.perf_counter() - started)
                continue
            raise RuntimeError("an officer without the right was answered")
    return _mann_whitney(taken[True], taken[False])


def _mann_whitney(firsts: list[float], seconds: list[float]) -> float:
    ranked = sorted([(value, 0) for value in firsts] + [(value, 1) for value in seconds])
    ranks = sum(position for position, (_, which) in enumerate(ranked, start=1) if which == 0)
    area = (ranks - len(firsts) * (len(firsts) + 1) / 2) / (len(firsts) * len(seconds))
    return max(area, 1 - area)
