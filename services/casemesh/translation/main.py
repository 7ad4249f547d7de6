"""The translation service, put together."""

from __future__ import annotations

from functools import partial

from casemesh.runtime.host import Assembly, Host
from casemesh.translation.current_catalogue import CurrentCatalogue
from casemesh.translation.importing import Importer
from casemesh.translation.policy import ADMIN_SERVICE, POLICIES, READ_SERVICE
from casemesh.translation.servicer import AdminServicer, ReadServicer
from casemesh.translation.store import TranslationStore
from casemesh.translation.v1.translation_admin_service_pb2_grpc import add_TranslationAdminServiceServicer_to_server
from casemesh.translation.v1.translation_service_pb2_grpc import add_TranslationServiceServicer_to_server


async def assemble(host: Host) -> Assembly:
    """Build the service."""
    store = TranslationStore(host.database)
    reading = ReadServicer(CurrentCatalogue(store), host.clock)
    admin = AdminServicer(Importer(store, host.clock), host.outbox.wake)
    return Assembly(
        register=[
            partial(add_TranslationServiceServicer_to_server, reading),
            partial(add_TranslationAdminServiceServicer_to_server, admin),
        ],
        service_names=[READ_SERVICE, ADMIN_SERVICE],
        policies=POLICIES,
        background=[host.outbox.run],
    )
