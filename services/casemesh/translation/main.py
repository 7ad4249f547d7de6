"""The translation service, put together."""

from __future__ import annotations

from functools import partial
from typing import cast

from casemesh.runtime.host import Assembly, Host
from casemesh.translation.activating import Activator
from casemesh.translation.config import Config
from casemesh.translation.current_catalogue import CurrentCatalogue
from casemesh.translation.drafting import Drafter
from casemesh.translation.importing import Importer, ImportRules
from casemesh.translation.pack_statements import TrustedSigners
from casemesh.translation.policy import ADMIN_SERVICE, POLICIES, READ_SERVICE
from casemesh.translation.reporting import Reports
from casemesh.translation.servicer import ReadServicer
from casemesh.translation.servicer_admin import AdminServicer
from casemesh.translation.sightings import Sightings
from casemesh.translation.store import TranslationStore
from casemesh.translation.unmapped_queue import UnmappedQueue
from casemesh.translation.unmapped_store import UnmappedStore
from casemesh.translation.v1.translation_admin_service_pb2_grpc import add_TranslationAdminServiceServicer_to_server
from casemesh.translation.v1.translation_service_pb2_grpc import add_TranslationServiceServicer_to_server
from casemesh.translation.version_store import VersionStore


async def assemble(host: Host) -> Assembly:
    """Build the service."""
    config = cast(Config, host.config)
    store, versions, unmapped = TranslationStore(host.database), VersionStore(), UnmappedStore(host.database)
    catalogue = CurrentCatalogue(store)
    sightings = Sightings(unmapped, host.clock)
    rules = ImportRules(TrustedSigners(config.pack_roots, config.pack_signer), config.four_eyes)
    admin = AdminServicer(
        Importer(store, versions, unmapped, host.clock, rules),
        Activator(store, versions, unmapped, host.clock, four_eyes=config.four_eyes),
        Drafter(store, unmapped, host.clock),
        UnmappedQueue(host.database, unmapped, host.clock),
        Reports(store, versions, unmapped, host.clock),
        catalogue,
        host.outbox.wake,
    )
    return Assembly(
        register=[
            partial(add_TranslationServiceServicer_to_server, ReadServicer(catalogue, sightings, host.clock)),
            partial(add_TranslationAdminServiceServicer_to_server, admin),
        ],
        service_names=[READ_SERVICE, ADMIN_SERVICE],
        policies=POLICIES,
        background=[host.outbox.run, sightings.run],
        close=sightings.flush,
    )
