"""The dossier service, put together."""

from __future__ import annotations

import asyncio
from functools import partial

from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.client.statements import SigningKey
from casemesh.data import dossier_catalogue
from casemesh.dossier.care.compaction import Care
from casemesh.dossier.care.operator import BY_SERVICE
from casemesh.dossier.care.store import CareStore
from casemesh.dossier.completeness.checking import Checking
from casemesh.dossier.completeness.rules import Rules
from casemesh.dossier.completeness.store import CompletenessStore
from casemesh.dossier.config import Config
from casemesh.dossier.delivering.confirming import Confirming
from casemesh.dossier.delivering.store import DeliveryStore
from casemesh.dossier.downloading.downloads import Downloads
from casemesh.dossier.downloading.read_log import ReadLog
from casemesh.dossier.drafting.drafts import Drafts
from casemesh.dossier.drafting.store import DraftStore
from casemesh.dossier.finalizing import Finalizing
from casemesh.dossier.heap import expect_large_buffers
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.keys.configured import key_provider_of
from casemesh.dossier.packs.configured import pack_store_of
from casemesh.dossier.packs.suites import SUITES
from casemesh.dossier.policy import (
    CATALOGUE_SERVICE,
    DELIVERY_SERVICE,
    DOSSIER_SERVICE,
    FACTS_SERVICE,
    HANDOVER_SERVICE,
    POLICIES,
    READ_SERVICE,
)
from casemesh.dossier.recognition.classify import Classifier
from casemesh.dossier.recognition.correcting import Correcting
from casemesh.dossier.recognition.entries import EntryStore
from casemesh.dossier.recognition.store import RecognitionStore
from casemesh.dossier.recognition.worker import ExaminationLimits, Recognizing
from casemesh.dossier.servicer import DossierHandoverServicer, DossierServicer, add_dossiers_to_server
from casemesh.dossier.servicer_catalogue import DossierCatalogueServicer
from casemesh.dossier.servicer_delivery import DossierDeliveryServicer
from casemesh.dossier.servicer_facts import DossierFactsServicer
from casemesh.dossier.servicer_reading import DossierReadServicer, add_reading_to_server
from casemesh.dossier.store import DossierStore
from casemesh.dossier.uploading.store import UploadStore
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import add_DossierCatalogueServiceServicer_to_server
from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import add_DossierDeliveryServiceServicer_to_server
from casemesh.dossier.v1.dossier_facts_service_pb2_grpc import add_DossierFactsServiceServicer_to_server
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import add_DossierHandoverServiceServicer_to_server
from casemesh.dossier.version_facts import VersionFactsStore
from casemesh.dossier.version_store import VersionStore
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.runtime.host import Assembly, Host


async def assemble(host: Host) -> Assembly:
    """Build the service; makes the store's folders where they are not there yet."""
    expect_large_buffers()
    config = host.config
    assert isinstance(config, Config)
    signing = SigningKey.load(config.signing / "signing.pem", config.signing / "signing.key")
    keys = await asyncio.to_thread(key_provider_of, config)
    packs = await asyncio.to_thread(pack_store_of, config)
    store = DossierStore(host.database, keys, config.draft_expiry)
    uploads = Uploads(packs, SUITES[config.suite], store, UploadStore(host.database, host.clock), config.quota)
    append = AuditAppendServiceStub(host.channel_to("audit"))
    versions, deliveries = VersionStore(host.database), DeliveryStore(host.database)
    access = AccessServiceStub(host.channel_to("identity"))
    downloads = Downloads(packs, store, versions, deliveries, ReadLog(host.database, append, access, host.clock))
    drafts = Drafts(host.database, store, DraftStore(), host.clock, config.quota)
    catalogue, entries = dossier_catalogue.load(), EntryStore(host.database)
    classifier = Classifier(catalogue)
    limits = ExaminationLimits(config.examine_up_to, config.ocr)
    recognizing = Recognizing(RecognitionStore(host.database), store, packs, classifier, limits)
    rules = await asyncio.to_thread(Rules.read, config.completeness_rules)
    checking = Checking(rules, store, CompletenessStore(host.database), recognizing)
    finalizing = Finalizing(host.database, store, checking, signing, host.clock)
    dossiers = DossierServicer(host.database, store, uploads, drafts, finalizing, host.outbox, host.clock)
    reading = DossierReadServicer(store, versions, downloads, host.outbox)
    confirming = Confirming(host.database, deliveries, signing, host.clock)
    delivery = DossierDeliveryServicer(store, deliveries, confirming, host.outbox)
    correcting = Correcting(host.database, entries, catalogue, classifier, host.clock)
    cataloguing = DossierCatalogueServicer(
        store, entries, recognizing, correcting, checking, catalogue, host.outbox
    )  # fmt: skip
    handover = DossierHandoverServicer(host.database, store, checking, host.outbox, host.clock)
    facts = DossierFactsServicer(VersionFactsStore(host.database))
    care = Care(
        host.database, CareStore(host.database), packs, CaseKeys(host.database, keys), SUITES[config.suite], host.clock,
        BY_SERVICE, config.draft_expiry, 2 * config.server.stream_max_age,
    )  # fmt: skip
    return Assembly(
        register=[
            partial(add_dossiers_to_server, dossiers),
            partial(add_reading_to_server, reading),
            partial(add_DossierDeliveryServiceServicer_to_server, delivery),
            partial(add_DossierCatalogueServiceServicer_to_server, cataloguing),
            partial(add_DossierHandoverServiceServicer_to_server, handover),
            partial(add_DossierFactsServiceServicer_to_server, facts),
        ],
        service_names=[
            DOSSIER_SERVICE,
            READ_SERVICE,
            DELIVERY_SERVICE,
            CATALOGUE_SERVICE,
            HANDOVER_SERVICE,
            FACTS_SERVICE,
        ],
        policies=POLICIES,
        locators={
            "dossier": store.case_of_dossier,
            "version": store.case_of_version,
            "document": store.case_of_document,
            "dossier_or_version": store.case_of_dossier_or_version,
        },
        background=[recognizing.run, host.outbox.run, partial(care.run_every, config.care_every)],
        close=uploads.close,
    )
