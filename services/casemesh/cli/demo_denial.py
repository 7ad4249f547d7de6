"""Shows that whoever has no access to a case cannot even find out that there is one."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casemesh.audit.v1 import audit_query_service_pb2
from casemesh.client.paging import paged
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2
from casemesh.errors import CaseMeshError, NotFound
from casemesh.routing.v1 import case_service_pb2, exchange_service_pb2

if TYPE_CHECKING:
    from casemesh.client.session import Session


@dataclass(frozen=True)
class Resources:
    """What somebody may try to see."""

    case: str
    dossier: str
    version: str
    exchange: str

    @classmethod
    def invented(cls) -> Resources:
        """Return names of the right form that nothing has."""
        dossier = f"dossiers/{new_id()}"
        return cls(f"cases/{new_id()}", dossier, f"{dossier}/versions/{new_id()}", f"exchanges/{new_id()}")


@dataclass(frozen=True)
class Denial:
    """What came of trying. `attempts` by name, each with what was answered to it."""

    learned_nothing: bool
    attempts: dict[str, str]


async def try_to_see(session: Session, real: Resources) -> Denial:
    """Try all ways to see `real`; compare each answer with that to a name that nothing has.

    Nothing was learned only if every answer is NOT_FOUND and the same in all its parts for both, and no list shows the
    case.
    """
    known, unknown = await _answers(session, real), await _answers(session, Resources.invented())
    listed = [case.name async for case in paged(session.cases.ListCases, case_service_pb2.ListCasesRequest(), "cases")]
    attempts = {name: answer[1] for name, answer in known.items()}
    same = known == unknown and all(answer[0] == NotFound.__name__ for answer in known.values())
    return Denial(same and real.case not in listed, attempts)


async def _answers(session: Session, of: Resources) -> dict[str, tuple[str, str, str, tuple[tuple[str, str], ...]]]:
    reads, audit = session.dossier_read, session.audit
    attempts: dict[str, Awaitable[Any]] = {
        "case": session.cases.GetCase(case_service_pb2.GetCaseRequest(name=of.case)),
        "exchange": session.exchanges.GetExchange(exchange_service_pb2.GetExchangeRequest(name=of.exchange)),
        "exchanges": session.exchanges.ListExchanges(exchange_service_pb2.ListExchangesRequest(case=of.case)),
        "dossier": reads.GetDossier(dossier_read_service_pb2.GetDossierRequest(name=of.dossier)),
        "version": reads.GetDossierVersion(dossier_read_service_pb2.GetDossierVersionRequest(name=of.version)),
        "dossiers": reads.ListDossiers(dossier_read_service_pb2.ListDossiersRequest(case=of.case)),
        "manifest": _read(reads.DownloadManifest(dossier_read_service_pb2.DownloadManifestRequest(version=of.version))),
        "documents": _read(
            reads.DownloadDocuments(dossier_read_service_pb2.DownloadDocumentsRequest(version=of.version))
        ),
        "trail": audit.ListCaseEvents(audit_query_service_pb2.ListCaseEventsRequest(case=of.case)),
        "bundle": _read(audit.ExportTrail(audit_query_service_pb2.ExportTrailRequest(case=of.case))),
    }
    return {name: await _answer(attempt) for name, attempt in attempts.items()}


async def _answer(attempt: Awaitable[Any]) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    try:
        await attempt
    except CaseMeshError as error:
        return type(error).__name__, error.reason, error.message, tuple(sorted(error.metadata.items()))
    return "OK", "OK", "", ()


async def _read(responses: AsyncIterable[Any]) -> None:
    async for _ in responses:
        pass
