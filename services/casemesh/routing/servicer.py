"""The RPCs of routing: decode, call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from casemesh.core.clock import Clock
from casemesh.core.ids import is_uuid
from casemesh.core.names import EXCHANGE
from casemesh.errors import not_found
from casemesh.routing.accept import Acceptance
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.case_store import CaseStore
from casemesh.routing.case_visibility import CaseVisibility
from casemesh.routing.deliver import Deliveries
from casemesh.routing.exchange_rules import require_side
from casemesh.routing.exchange_store import ExchangeStore
from casemesh.routing.listing import CaseListing
from casemesh.routing.reading import Reading
from casemesh.routing.receive import DEFAULT_OUTSTANDING, Receiver
from casemesh.routing.register import Registration
from casemesh.routing.submit import Submission
from casemesh.routing.undelivered import UndeliveredWatch
from casemesh.routing.v1 import (
    case_service_pb2,
    case_service_pb2_grpc,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of

Context = grpc.aio.ServicerContext[Any, Any]


class CaseServicer(case_service_pb2_grpc.CaseServiceServicer):
    """Cases."""

    def __init__(
        self, registration: Registration, cases: CaseStore, listing: CaseListing, visibility: CaseVisibility
    ) -> None:
        self._registration = registration
        self._cases = cases
        self._listing = listing
        self._visibility = visibility

    async def RegisterCase(
        self, request: case_service_pb2.RegisterCaseRequest, context: Context
    ) -> case_service_pb2.RegisterCaseResponse:
        return await self._registration.register(current_call(), request)

    async def GetCase(
        self, request: case_service_pb2.GetCaseRequest, context: Context
    ) -> case_service_pb2.GetCaseResponse:
        found = await self._cases.get([request.name])
        if not found:
            raise not_found()
        await self._visibility.hide_others(current_call().require_caller(), found[0])
        return case_service_pb2.GetCaseResponse(case=found[0])

    async def ListCases(
        self, request: case_service_pb2.ListCasesRequest, context: Context
    ) -> case_service_pb2.ListCasesResponse:
        return await self._listing.page(current_call().require_caller(), request)


class ExchangeServicer(exchange_service_pb2_grpc.ExchangeServiceServicer):
    """Exchanges and their deliveries."""

    def __init__(
        self,
        submission: Submission,
        acceptance: Acceptance,
        exchanges: ExchangeStore,
        deliveries: Deliveries,
        undelivered: UndeliveredWatch,
        reading: Reading,
        deliveries_due: Arrivals,
        reports_due: Arrivals,
        clock: Clock,
    ) -> None:
        self._submission = submission
        self._acceptance = acceptance
        self._exchanges = exchanges
        self._deliveries = deliveries
        self._undelivered = undelivered
        self._reading = reading
        self._deliveries_due = deliveries_due
        self._reports_due = reports_due
        self._clock = clock

    async def SubmitExchange(
        self, request: exchange_service_pb2.SubmitExchangeRequest, context: Context
    ) -> exchange_service_pb2.SubmitExchangeResponse:
        return await self._submission.submit(current_call(), request)

    async def GetExchange(
        self, request: exchange_service_pb2.GetExchangeRequest, context: Context
    ) -> exchange_service_pb2.GetExchangeResponse:
        agency = current_call().require_caller().agency
        exchange = require_side(await self._exchanges.heard_of(request.name, agency), agency)
        await self._reading.opened(current_call(), exchange)
        return exchange_service_pb2.GetExchangeResponse(exchange=exchange)

    async def ListExchanges(
        self, request: exchange_service_pb2.ListExchangesRequest, context: Context
    ) -> exchange_service_pb2.ListExchangesResponse:
        after = decode_token(request.page_token)
        if after and not is_uuid(after):
            raise invalid_token()
        page = await self._exchanges.list_of_case(
            request.case,
            current_call().require_caller().agency,
            after=after,
            limit=page_size_of(request.page_size),
        )
        response = exchange_service_pb2.ListExchangesResponse(exchanges=page.exchanges)
        if page.more:
            response.next_page_token = encode_token(EXCHANGE.parse(page.exchanges[-1].name)["exchange"])
        return response

    async def Receive(
        self, requests: AsyncIterator[exchange_service_pb2.ReceiveRequest], context: Context
    ) -> AsyncIterator[exchange_service_pb2.ReceiveResponse]:
        receiver = Receiver(
            current_call(), self._deliveries, self._undelivered, self._deliveries_due, self._reports_due, self._clock
        )
        responses = receiver.run(requests)
        try:
            async for response in responses:
                yield response
        finally:
            await responses.aclose()

    async def PullDeliveries(
        self, request: exchange_service_pb2.PullDeliveriesRequest, context: Context
    ) -> exchange_service_pb2.PullDeliveriesResponse:
        most = request.max_deliveries or DEFAULT_OUTSTANDING
        caller = current_call().require_caller()
        pulled = await self._deliveries.pull(caller, most)
        reports = await self._undelivered.reports(caller.agency)
        return exchange_service_pb2.PullDeliveriesResponse(deliveries=pulled, reports=reports)

    async def AcknowledgeDelivery(
        self, request: exchange_service_pb2.AcknowledgeDeliveryRequest, context: Context
    ) -> exchange_service_pb2.AcknowledgeDeliveryResponse:
        return await self._deliveries.acknowledge_once(current_call(), request)

    async def AcceptExchange(
        self, request: exchange_service_pb2.AcceptExchangeRequest, context: Context
    ) -> exchange_service_pb2.AcceptExchangeResponse:
        return await self._acceptance.accept(current_call(), request)

    async def AnswerExchange(
        self, request: exchange_service_pb2.AnswerExchangeRequest, context: Context
    ) -> exchange_service_pb2.AnswerExchangeResponse:
        return await self._submission.answer(current_call(), request)
