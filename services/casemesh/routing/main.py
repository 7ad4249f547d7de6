"""What the routing service consists of."""

from __future__ import annotations

from functools import partial
from typing import cast

from casemesh.client.statements import SigningKey
from casemesh.core.names import EXCHANGE, RECEIPT
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceStub
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.routing.accept import Acceptance
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.answer_query import Answering
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.ask import Asking
from casemesh.routing.case_order import CaseOrder
from casemesh.routing.case_store import CaseStore
from casemesh.routing.coding import Coding
from casemesh.routing.config import Config
from casemesh.routing.correct import Correction
from casemesh.routing.data_service_store import DataServiceStore
from casemesh.routing.deliver import Deliveries
from casemesh.routing.delivery_store import DeliveryStore
from casemesh.routing.draft_store import DraftStore
from casemesh.routing.drafting import Drafting
from casemesh.routing.exchange_store import ExchangeStore
from casemesh.routing.expire import Expiry
from casemesh.routing.held_store import HeldStore
from casemesh.routing.holding import Holding
from casemesh.routing.listing import CaseListing
from casemesh.routing.main_cases import assemble_cases, visibility_through
from casemesh.routing.node_administration import NodeAdministration
from casemesh.routing.node_catalogue_store import NodeCatalogueStore
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.nodes import shipped_catalogue
from casemesh.routing.obligations import Obligations
from casemesh.routing.organ_tables import load_organ_tables
from casemesh.routing.person_store import PersonStore
from casemesh.routing.policy import (
    CASES,
    CORRECTIONS,
    DELIVERIES,
    DRAFTS,
    EXCHANGES,
    NODE_ADMIN,
    NODES,
    POLICIES,
    PREFLIGHT,
    PROVIDERS,
    QUERIES,
    RECEIPTS,
    SINGLE_TRACKS,
)
from casemesh.routing.preflight import Preflight
from casemesh.routing.procedure import shipped_procedure
from casemesh.routing.publish_data_service import Publication
from casemesh.routing.reading import Reading
from casemesh.routing.receipt_store import ReceiptStore
from casemesh.routing.receipts import Receipts
from casemesh.routing.recent_translations import RecentTranslations
from casemesh.routing.register import Registration
from casemesh.routing.servicer import CaseServicer, ExchangeServicer
from casemesh.routing.servicer_catalogues import NodeAdminServicer, SingleTrackServicer
from casemesh.routing.servicer_corrections import CorrectionServicer
from casemesh.routing.servicer_deliveries import DeliveryServicer, ReceiptServicer
from casemesh.routing.servicer_drafts import DraftServicer, PreflightServicer
from casemesh.routing.servicer_nodes import NodeServicer
from casemesh.routing.servicer_queries import DataProviderServicer, DataQueryServicer
from casemesh.routing.single_track_store import SingleTrackStore
from casemesh.routing.single_tracks import SingleTracks
from casemesh.routing.submit import Submission
from casemesh.routing.undelivered import UndeliveredWatch
from casemesh.routing.undelivered_store import UndeliveredStore
from casemesh.routing.v1.case_service_pb2_grpc import add_CaseServiceServicer_to_server
from casemesh.routing.v1.collaboration_node_admin_service_pb2_grpc import (
    add_CollaborationNodeAdminServiceServicer_to_server,
)
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import add_CollaborationNodeServiceServicer_to_server
from casemesh.routing.v1.data_provider_service_pb2_grpc import add_DataProviderServiceServicer_to_server
from casemesh.routing.v1.data_query_service_pb2_grpc import add_DataQueryServiceServicer_to_server
from casemesh.routing.v1.delivery_service_pb2_grpc import add_DeliveryServiceServicer_to_server
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import (
    add_ExchangeCorrectionServiceServicer_to_server,
)
from casemesh.routing.v1.exchange_draft_service_pb2_grpc import add_ExchangeDraftServiceServicer_to_server
from casemesh.routing.v1.exchange_preflight_service_pb2_grpc import add_ExchangePreflightServiceServicer_to_server
from casemesh.routing.v1.exchange_service_pb2_grpc import add_ExchangeServiceServicer_to_server
from casemesh.routing.v1.receipt_service_pb2_grpc import add_ReceiptServiceServicer_to_server
from casemesh.routing.v1.single_track_service_pb2_grpc import add_SingleTrackServiceServicer_to_server
from casemesh.routing.waiting_gauges import waiting_gauges
from casemesh.runtime.host import Assembly, Host
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceStub

_ANSWERS_POLL_SECONDS = 0.1
"""How soon an answer that another replica took reaches who waits for it here."""


async def assemble(host: Host) -> Assembly:
    """Wire the service."""
    config = cast(Config, host.config)
    database, clock, outbox = host.database, host.clock, host.outbox
    identity, dossier = host.channel_to("identity"), host.channel_to("dossier")
    translation = host.channel_to("translation")

    cases, exchanges = CaseStore(database), ExchangeStore(database)
    delivery_store, undelivered_store = DeliveryStore(database, config.max_attempts), UndeliveredStore(database)
    receipts = Receipts(SigningKey.load(config.signing / "signing.pem", config.signing / "signing.key"))
    receipt_store = ReceiptStore(database)
    await receipts.open(receipt_store)
    node_store, track_store = NodeCatalogueStore(database), SingleTrackStore(database)
    catalogues = NodeCatalogues(node_store, clock, shipped_catalogue())
    tracks = SingleTracks(database, clock, track_store, catalogues, outbox)
    await catalogues.refresh()
    await tracks.refresh()
    tables = load_organ_tables(config.organ_code_systems)
    translations = RecentTranslations(TranslationServiceStub(translation), clock)
    coding = Coding(translations, tables)
    arrivals, reports_due = Arrivals(delivery_store.due_for), Arrivals(undelivered_store.reported_to)
    obligations = Obligations(
        database, CaseParticipationServiceStub(identity), DossierHandoverServiceStub(dossier), arrivals
    )
    drafts = DraftStore(database)
    agencies = AgencyDirectory(DirectoryServiceStub(identity), clock)
    preflight = Preflight(
        clock,
        tracks,
        agencies,
        CaseOrder(shipped_procedure(), cases, PersonStore(database)),
        coding,
        tables,
        DossierReadServiceStub(dossier),
        DossierCatalogueServiceStub(dossier),
    )
    submission = Submission(
        database,
        clock,
        catalogues,
        tracks,
        exchanges,
        drafts,
        preflight,
        obligations,
        receipts,
        arrivals,
        outbox,
        config.hold_unmapped_at,
    )
    holding = Holding(
        database,
        clock,
        HeldStore(database),
        exchanges,
        agencies,
        tables,
        TranslationServiceStub(translation),
        TranslationAdminServiceStub(translation),
        submission,
    )
    registration = Registration(database, clock, coding, obligations, outbox)
    deliveries = Deliveries(database, clock, delivery_store, receipts, outbox, config.lease)
    undelivered = UndeliveredWatch(
        database,
        clock,
        undelivered_store,
        arrivals,
        reports_due,
        outbox,
        max_attempts=config.max_attempts,
        overdue_seconds=config.undelivered_after,
    )
    reading = Reading(database, clock, receipt_store, receipts, outbox)
    delivery_servicer = DeliveryServicer(exchanges, undelivered_store, undelivered)
    receipt_servicer = ReceiptServicer(exchanges, receipt_store)

    data_services = DataServiceStore(database)
    questions, answers = Arrivals(data_services.due_for), Arrivals(data_services.closed, _ANSWERS_POLL_SECONDS)
    asking = Asking(database, clock, data_services, agencies, coding, tables, questions, answers, outbox)
    answering = Answering(
        database, clock, data_services, agencies, coding, tables, answers, outbox, config.query_retention
    )
    provider_servicer = DataProviderServicer(Publication(database, clock, outbox), answering, questions, clock)

    visibility = visibility_through(identity)
    case_services = assemble_cases(
        database, clock, identity, dossier, catalogues.of, coding, obligations, visibility, agencies, outbox
    )
    case_servicer = CaseServicer(registration, cases, CaseListing(AccessServiceStub(identity), cases), visibility)
    exchange_servicer = ExchangeServicer(
        submission,
        Acceptance(database, clock, exchanges, receipts, outbox),
        exchanges,
        deliveries,
        undelivered,
        reading,
        arrivals,
        reports_due,
        clock,
    )

    async def case_of_receipt(name: str) -> str | None:
        return await exchanges.case_of(EXCHANGE.format(exchange=RECEIPT.parse(name)["exchange"]))

    correction = Correction(database, clock, catalogues, exchanges, preflight, obligations, arrivals, outbox)
    expiry = Expiry(database, clock, exchanges, arrivals, outbox)
    draft_servicer = DraftServicer(Drafting(database, clock, catalogues, drafts, outbox), drafts, submission)
    administration = NodeAdministration(
        database, clock, node_store, catalogues, outbox, second_look=config.second_look_on_nodes
    )
    return Assembly(
        register=[
            lambda server: add_CollaborationNodeAdminServiceServicer_to_server(
                NodeAdminServicer(administration, node_store, catalogues), server
            ),
            lambda server: add_SingleTrackServiceServicer_to_server(SingleTrackServicer(tracks, track_store), server),
            lambda server: add_ExchangeCorrectionServiceServicer_to_server(
                CorrectionServicer(correction, exchanges), server
            ),
            lambda server: add_ExchangeDraftServiceServicer_to_server(draft_servicer, server),
            lambda server: add_ExchangePreflightServiceServicer_to_server(
                PreflightServicer(catalogues, preflight), server
            ),
            lambda server: add_CaseServiceServicer_to_server(case_servicer, server),
            *case_services.register,
            lambda server: add_CollaborationNodeServiceServicer_to_server(NodeServicer(catalogues), server),
            lambda server: add_ExchangeServiceServicer_to_server(exchange_servicer, server),
            lambda server: add_DeliveryServiceServicer_to_server(delivery_servicer, server),
            lambda server: add_ReceiptServiceServicer_to_server(receipt_servicer, server),
            lambda server: add_DataQueryServiceServicer_to_server(DataQueryServicer(asking), server),
            lambda server: add_DataProviderServiceServicer_to_server(provider_servicer, server),
        ],
        service_names=[
            CASES,
            NODES,
            EXCHANGES,
            PREFLIGHT,
            NODE_ADMIN,
            SINGLE_TRACKS,
            CORRECTIONS,
            DRAFTS,
            DELIVERIES,
            RECEIPTS,
            QUERIES,
            PROVIDERS,
            *case_services.service_names,
        ],
        policies=POLICIES,
        locators={
            "exchange": exchanges.case_of,
            "receipt": case_of_receipt,
            "data_query": data_services.case_of,
            **case_services.locators,
        },
        background=[
            outbox.run,
            arrivals.run,
            reports_due.run,
            undelivered.run,
            obligations.run,
            expiry.run,
            holding.run,
            catalogues.run,
            tracks.run,
            questions.run,
            answers.run,
            answering.run,
            *case_services.background,
        ],
        gauges=partial(waiting_gauges, database),
    )
