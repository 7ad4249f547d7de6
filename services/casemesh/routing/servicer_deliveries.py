"""The RPCs of deliveries and receipts: decode, call, encode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemesh.core.ids import is_uuid
from casemesh.core.names import RECEIPT
from casemesh.errors import not_found
from casemesh.routing.exchange_rules import require_side
from casemesh.routing.exchange_store import ExchangeStore
from casemesh.routing.receipt_store import ReceiptStore
from casemesh.routing.receipts import message_of
from casemesh.routing.undelivered import UndeliveredWatch
from casemesh.routing.undelivered_store import UndeliveredStore
from casemesh.routing.v1 import (
    delivery_service_pb2,
    delivery_service_pb2_grpc,
    receipt_service_pb2,
    receipt_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of


class DeliveryServicer(delivery_service_pb2_grpc.DeliveryServiceServicer):
    """How far deliveries have come, and those that do not arrive."""

    def __init__(self, exchanges: ExchangeStore, store: UndeliveredStore, watch: UndeliveredWatch) -> None:
        self._exchanges = exchanges
        self._store = store
        self._watch = watch

    async def ListDeliveries(
        self, request: delivery_service_pb2.ListDeliveriesRequest, context: Any
    ) -> delivery_service_pb2.ListDeliveriesResponse:
        agency = current_call().require_caller().agency
        require_side(await self._exchanges.heard_of(request.exchange, agency), agency)
        size, after = page_size_of(request.page_size), _after(request.page_token)
        found = await self._store.of_exchange(request.exchange, agency, after=after, limit=size + 1)
        page, token = _page(found, size)
        return delivery_service_pb2.ListDeliveriesResponse(deliveries=page, next_page_token=token)

    async def ListUndelivered(
        self, request: delivery_service_pb2.ListUndeliveredRequest, context: Any
    ) -> delivery_service_pb2.ListUndeliveredResponse:
        agency = current_call().require_caller().agency
        size, after = page_size_of(request.page_size), _after(request.page_token)
        page, token = _page(await self._store.amiss(agency, after=after, limit=size + 1), size)
        return delivery_service_pb2.ListUndeliveredResponse(deliveries=page, next_page_token=token)

    async def RejectDelivery(
        self, request: delivery_service_pb2.RejectDeliveryRequest, context: Any
    ) -> delivery_service_pb2.RejectDeliveryResponse:
        return await self._watch.reject(current_call(), request)

    async def RedriveDelivery(
        self, request: delivery_service_pb2.RedriveDeliveryRequest, context: Any
    ) -> delivery_service_pb2.RedriveDeliveryResponse:
        return await self._watch.redrive(current_call(), request)

    async def AcknowledgeReport(
        self, request: delivery_service_pb2.AcknowledgeReportRequest, context: Any
    ) -> delivery_service_pb2.AcknowledgeReportResponse:
        return await self._watch.acknowledge_report(current_call(), request)


class ReceiptServicer(receipt_service_pb2_grpc.ReceiptServiceServicer):
    """Receipts for both sides; who has but a copy gets those of its own steps."""

    def __init__(self, exchanges: ExchangeStore, receipts: ReceiptStore) -> None:
        self._exchanges = exchanges
        self._receipts = receipts

    async def GetReceipt(
        self, request: receipt_service_pb2.GetReceiptRequest, context: Any
    ) -> receipt_service_pb2.GetReceiptResponse:
        own = await self._own_alone(f"exchanges/{RECEIPT.parse(request.name)['exchange']}")
        stored = await self._receipts.get(request.name, own)
        if stored is None:
            raise not_found()
        return receipt_service_pb2.GetReceiptResponse(receipt=message_of(stored))

    async def ListReceipts(
        self, request: receipt_service_pb2.ListReceiptsRequest, context: Any
    ) -> receipt_service_pb2.ListReceiptsResponse:
        own = await self._own_alone(request.exchange)
        size, after = page_size_of(request.page_size), _after(request.page_token)
        found = await self._receipts.list_of_exchange(request.exchange, own, after=after, limit=size + 1)
        page, token = _page([message_of(stored) for stored in found], size)
        return receipt_service_pb2.ListReceiptsResponse(receipts=page, next_page_token=token)

    async def _own_alone(self, exchange: str) -> str | None:
        """Return the caller's agency where it may see the receipts of its own steps alone."""
        agency = current_call().require_caller().agency
        found = require_side(await self._exchanges.heard_of(exchange, agency), agency)
        return agency if agency in found.copies_to else None


def _after(token: str) -> str:
    after = decode_token(token)
    if after and not is_uuid(after):
        raise invalid_token()
    return after


def _page(found: Sequence[Any], size: int) -> tuple[Sequence[Any], str]:
    """Return what fits a page, and the token of the next: the last segment of the last name shown."""
    page = found[:size]
    return page, encode_token(page[-1].name.rpartition("/")[2]) if len(found) > size else ""
