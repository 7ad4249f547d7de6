"""What the services on cases and persons consist of; the rest stands in `main`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from casemesh.core.clock import Clock
from casemesh.dossier.v1.dossier_facts_service_pb2_grpc import DossierFactsServiceStub
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.case_facts import CaseFactsReader
from casemesh.routing.case_facts_store import CaseFactsStore
from casemesh.routing.case_store import CaseStore, case_of
from casemesh.routing.case_visibility import CaseVisibility
from casemesh.routing.coding import Coding
from casemesh.routing.limit_store import LimitStore
from casemesh.routing.limits_of_cases import CaseLimits
from casemesh.routing.local_numbers import LocalNumbers
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.obligations import Obligations
from casemesh.routing.parties import Parties
from casemesh.routing.person_store import PersonStore
from casemesh.routing.policy import FACTS, LIMITS, PROGRESS, RECORDS, SUCCESSIONS
from casemesh.routing.procedure import shipped_procedure
from casemesh.routing.progress import Progress
from casemesh.routing.servicer_facts import CaseFactsServicer
from casemesh.routing.servicer_limits import TimeLimitServicer
from casemesh.routing.servicer_records import CaseProgressServicer, CaseRecordServicer, CaseSuccessionServicer
from casemesh.routing.stage_notices import StageNotices
from casemesh.routing.succession_store import SuccessionStore
from casemesh.routing.successions import Successions
from casemesh.routing.v1.case_facts_service_pb2_grpc import add_CaseFactsServiceServicer_to_server
from casemesh.routing.v1.case_progress_service_pb2_grpc import add_CaseProgressServiceServicer_to_server
from casemesh.routing.v1.case_record_service_pb2_grpc import add_CaseRecordServiceServicer_to_server
from casemesh.routing.v1.case_succession_service_pb2_grpc import add_CaseSuccessionServiceServicer_to_server
from casemesh.routing.v1.time_limit_service_pb2_grpc import add_TimeLimitServiceServicer_to_server
from casemesh.runtime.outbox import OutboxRelay
from casemesh.runtime.policy import CaseLocator
from casemesh.runtime.postgres import Database


@dataclass(frozen=True)
class CaseServices:
    """What they add to the assembly."""

    register: list[Callable[[Any], None]]
    service_names: list[str]
    locators: dict[str, CaseLocator]
    background: list[Callable[[], Coroutine[Any, Any, None]]]


def assemble_cases(
    database: Database,
    clock: Clock,
    identity: Any,
    dossier: Any,
    catalogue_of: Callable[[str], NodeCatalogue],
    coding: Coding,
    obligations: Obligations,
    visibility: CaseVisibility,
    agencies: AgencyDirectory,
    outbox: OutboxRelay,
) -> CaseServices:
    """Wire the services; `identity` and `dossier` are channels; `catalogue_of` gives an agency's node catalogue."""
    cases, persons = CaseStore(database), PersonStore(database)
    records = CaseRecordServicer(
        LocalNumbers(database, clock, visibility, outbox), Parties(database, clock, cases, persons, coding, outbox)
    )
    successions = CaseSuccessionServicer(
        Successions(database, clock, visibility, obligations, outbox), SuccessionStore(database), visibility
    )
    progress = CaseProgressServicer(Progress(clock, catalogue_of, shipped_procedure(), cases, persons, visibility))
    limits = TimeLimitServicer(CaseLimits(clock, persons, LimitStore(database)))
    facts = CaseFactsServicer(
        CaseFactsReader(
            clock, CaseFactsStore(database), persons, LimitStore(database), agencies, DossierFactsServiceStub(dossier)
        )
    )
    notices = StageNotices(database, persons, CaseParticipationServiceStub(identity))
    return CaseServices(
        register=[
            lambda server: add_CaseRecordServiceServicer_to_server(records, server),
            lambda server: add_CaseSuccessionServiceServicer_to_server(successions, server),
            lambda server: add_CaseProgressServiceServicer_to_server(progress, server),
            lambda server: add_TimeLimitServiceServicer_to_server(limits, server),
            lambda server: add_CaseFactsServiceServicer_to_server(facts, server),
        ],
        service_names=[RECORDS, SUCCESSIONS, PROGRESS, LIMITS, FACTS],
        locators={"party": _case_named_in, "succession": _case_named_in},
        background=[notices.run],
    )


def visibility_through(identity: Any) -> CaseVisibility:
    """Return what asks identity about other cases than the one a call was authorised on."""
    return CaseVisibility(AccessServiceStub(identity))


async def _case_named_in(name: str) -> str | None:
    return case_of(name)
