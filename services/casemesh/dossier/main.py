"""The dossier service, put together."""

from __future__ import annotations

import asyncio
from functools import partial

from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.client.statements import SigningKey
from casemesh.dossier.config import Config
from casemesh.dossier.downloading import Downloading
from casemesh.dossier.finalizing import Finalizing
from casemesh.dossier.heap import expect_large_buffers
from casemesh.dossier.key_provider import FileKeyProvider
from casemesh.dossier.policy import DOSSIER_SERVICE, HANDOVER_SERVICE, POLICIES, READ_SERVICE
from casemesh.dossier.servicer import DossierHandoverServicer, DossierReadServicer, DossierServicer
from casemesh.dossier.store import DossierStore
from casemesh.dossier.uploading.store import UploadStore
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import add_DossierHandoverServiceServicer_to_server
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import add_DossierReadServiceServicer_to_server
from casemesh.dossier.v1.dossier_service_pb2_grpc import add_DossierServiceServicer_to_server
from casemesh.runtime.host import Assembly, Host


async def assemble(host: Host) -> Assembly:
    """Build the service; makes the store's folder where it is not there yet."""
    expect_large_buffers()
    config = host.config
    assert isinstance(config, Config)
    signing = SigningKey.load(config.signing / "signing.pem", config.signing / "signing.key")
    keys = FileKeyProvider(config.wrapping_key)
    await asyncio.to_thread(config.store.mkdir, mode=0o700, parents=True, exist_ok=True)
    store = DossierStore(host.database, keys)
    uploads = Uploads(config.store, store, UploadStore(host.database, host.clock))
    append = AuditAppendServiceStub(host.channel_to("audit"))
    downloading = Downloading(config.store, host.database, store, append, host.clock)
    finalizing = Finalizing(host.database, store, signing, host.clock)
    dossiers = DossierServicer(host.database, store, uploads, finalizing, host.outbox, host.clock)
    reading = DossierReadServicer(store, downloading, host.outbox)
    handover = DossierHandoverServicer(host.database, store, host.outbox, host.clock)
    return Assembly(
        register=[
            partial(add_DossierServiceServicer_to_server, dossiers),
            partial(add_DossierReadServiceServicer_to_server, reading),
            partial(add_DossierHandoverServiceServicer_to_server, handover),
        ],
        service_names=[DOSSIER_SERVICE, READ_SERVICE, HANDOVER_SERVICE],
        policies=POLICIES,
        locators={"dossier": store.case_of_dossier, "version": store.case_of_version},
        background=[host.outbox.run],
        close=uploads.close,
    )
