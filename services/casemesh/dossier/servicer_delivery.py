"""The deliveries' calls: decode, hand over, encode."""

from __future__ import annotations

from typing import Any

from casemesh.dossier.delivering.confirming import Confirming
from casemesh.dossier.delivering.store import DeliveryStore
from casemesh.dossier.resources import delivery_message
from casemesh.dossier.store import DossierStore, StoredVersion
from casemesh.dossier.v1 import dossier_delivery_service_pb2 as pb
from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import DossierDeliveryServiceServicer
from casemesh.errors import not_found
from casemesh.runtime.call import Call, current_call
from casemesh.runtime.outbox import OutboxRelay
from casemesh.runtime.paging import decode_token, encode_token, page_size_of


class DossierDeliveryServicer(DossierDeliveryServiceServicer):
    """Keeps recipients' states. The agency that made a version sees all of them, any other its own."""

    def __init__(
        self, store: DossierStore, deliveries: DeliveryStore, confirming: Confirming, outbox: OutboxRelay
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._confirming = confirming
        self._outbox = outbox

    async def ConfirmDownload(self, request: pb.ConfirmDownloadRequest, context: Any) -> pb.ConfirmDownloadResponse:
        call = current_call()
        version = await self._version(request.version, call)
        response = await self._confirming.confirm(version, request, call)
        self._outbox.wake()
        return response

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Any) -> pb.ListDeliveriesResponse:
        call = current_call()
        version = await self._version(request.version, call)
        agency, limit = call.require_caller().agency, page_size_of(request.page_size)
        only = None if version.agency == agency else agency
        found = await self._deliveries.deliveries(version, only, decode_token(request.page_token), limit)
        return pb.ListDeliveriesResponse(
            deliveries=[delivery_message(version, delivery) for delivery in found],
            next_page_token=encode_token(found[-1].agency) if len(found) == limit else "",
        )

    async def _version(self, name: str, call: Call) -> StoredVersion:
        version = await self._store.version(name, call.require_caller().agency)
        if version is None:
            raise not_found()
        return version
