"""What the routing service consists of."""

from __future__ import annotations

from typing import cast

from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceStub
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.routing.accept import Acceptance
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.case_store import CaseStore
from casemesh.routing.coding import Coding
from casemesh.routing.config import Config
from casemesh.routing.deliver import Deliveries
from casemesh.routing.delivery_store import DeliveryStore
from casemesh.routing.exchange_store import ExchangeStore
from casemesh.routing.listing import CaseListing
from casemesh.routing.nodes import shipped_catalogue
from casemesh.routing.obligations import Obligations
from casemesh.routing.organ_tables import load_organ_tables
from casemesh.routing.policy import CASES, EXCHANGES, NODES, POLICIES
from casemesh.routing.preflight import Preflight
from casemesh.routing.register import Registration
from casemesh.routing.servicer import CaseServicer, ExchangeServicer, NodeServicer
from casemesh.routing.submit import Submission
from casemesh.routing.v1.case_service_pb2_grpc import add_CaseServiceServicer_to_server
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import add_CollaborationNodeServiceServicer_to_server
from casemesh.routing.v1.exchange_service_pb2_grpc import add_ExchangeServiceServicer_to_server
from casemesh.runtime.host import Assembly, Host
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceStub


async def assemble(host: Host) -> Assembly:
    """Wire the service."""
    config = cast(Config, host.config)
    database, clock, outbox = host.database, host.clock, host.outbox
    identity, dossier = host.channel_to("identity"), host.channel_to("dossier")

    cases, exchanges, delivery_store = CaseStore(database), ExchangeStore(database), DeliveryStore(database)
    catalogue = shipped_catalogue()
    coding = Coding(
        TranslationServiceStub(host.channel_to("translation")), load_organ_tables(config.organ_code_systems)
    )
    arrivals = Arrivals(delivery_store.due_for)
    obligations = Obligations(
        database, CaseParticipationServiceStub(identity), DossierHandoverServiceStub(dossier), arrivals
    )
    agencies = AgencyDirectory(DirectoryServiceStub(identity), clock)
    preflight = Preflight(
        catalogue, agencies, cases, coding, DossierReadServiceStub(dossier), DossierCatalogueServiceStub(dossier)
    )
    submission = Submission(database, clock, catalogue, exchanges, preflight, obligations, arrivals, outbox)
    registration = Registration(database, clock, coding, obligations, outbox)
    deliveries = Deliveries(database, clock, delivery_store, outbox, config.lease)

    case_servicer = CaseServicer(registration, cases, CaseListing(AccessServiceStub(identity), cases))
    exchange_servicer = ExchangeServicer(
        submission, Acceptance(database, clock, exchanges, outbox), exchanges, deliveries, arrivals, clock
    )
    return Assembly(
        register=[
            lambda server: add_CaseServiceServicer_to_server(case_servicer, server),
            lambda server: add_CollaborationNodeServiceServicer_to_server(NodeServicer(catalogue), server),
            lambda server: add_ExchangeServiceServicer_to_server(exchange_servicer, server),
        ],
        service_names=[CASES, NODES, EXCHANGES],
        policies=POLICIES,
        locators={"exchange": exchanges.case_of},
        background=[outbox.run, arrivals.run, obligations.run],
    )
