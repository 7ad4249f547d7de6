"""The RPCs of routing: decode, call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import grpc.aio

from casemesh.core.clock import Clock
from casemesh.core.ids import is_uuid
from casemesh.core.names import EXCHANGE, NODE
from casemesh.errors import not_found
from casemesh.routing.accept import Acceptance
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.case_store import CaseStore
from casemesh.routing.deliver import Deliveries
from casemesh.routing.exchange_rules import require_side
from casemesh.routing.exchange_store import ExchangeStore
from casemesh.routing.listing import CaseListing
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.receive import DEFAULT_OUTSTANDING, Receiver
from casemesh.routing.register import Registration
from casemesh.routing.submit import Submission
from casemesh.routing.v1 import (
    case_service_pb2,
    case_service_pb2_grpc,
    collaboration_node_service_pb2,
    collaboration_node_service_pb2_grpc,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of

Context = grpc.aio.ServicerContext[Any, Any]


class CaseServicer(case_service_pb2_grpc.CaseServiceServicer):
    """Cases."""

    def __init__(self, registration: Registration, cases: CaseStore, listing: CaseListing) -> None:
        self._registration = registration
        self._cases = cases
        self._listing = listing

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
        return case_service_pb2.GetCaseResponse(case=found[0])

    async def ListCases(
        self, request: case_service_pb2.ListCasesRequest, context: Context
    ) -> case_service_pb2.ListCasesResponse:
        return await self._listing.page(current_call().require_caller(), request)


class NodeServicer(collaboration_node_service_pb2_grpc.CollaborationNodeServiceServicer):
    """The catalogue of collaboration nodes."""

    def __init__(self, catalogue: NodeCatalogue) -> None:
        self._catalogue = catalogue

    async def GetNode(
        self, request: collaboration_node_service_pb2.GetNodeRequest, context: Context
    ) -> collaboration_node_service_pb2.GetNodeResponse:
        node = self._catalogue.get(request.name)
        return collaboration_node_service_pb2.GetNodeResponse(node=self._catalogue.message(node))

    async def ListNodes(
        self, request: collaboration_node_service_pb2.ListNodesRequest, context: Context
    ) -> collaboration_node_service_pb2.ListNodesResponse:
        size = page_size_of(request.page_size)
        selected = self._catalogue.select(
            stage=request.stage,
            from_organ=request.from_organ,
            to_organ=request.to_organ,
            after=decode_token(request.page_token),
        )
        found = list(islice(selected, size + 1))
        response = collaboration_node_service_pb2.ListNodesResponse(
            nodes=[self._catalogue.message(node) for node in found[:size]]
        )
        if len(found) > size:
            response.next_page_token = encode_token(NODE.parse(response.nodes[-1].name)["node"])
        return response


class ExchangeServicer(exchange_service_pb2_grpc.ExchangeServiceServicer):
    """Exchanges and their deliveries."""

    def __init__(
        self,
        submission: Submission,
        acceptance: Acceptance,
        exchanges: ExchangeStore,
        deliveries: Deliveries,
        arrivals: Arrivals,
        clock: Clock,
    ) -> None:
        self._submission = submission
        self._acceptance = acceptance
        self._exchanges = exchanges
        self._deliveries = deliveries
        self._arrivals = arrivals
        self._clock = clock

    async def SubmitExchange(
        self, request: exchange_service_pb2.SubmitExchangeRequest, context: Context
    ) -> exchange_service_pb2.SubmitExchangeResponse:
        return await self._submission.submit(current_call(), request)

    async def GetExchange(
        self, request: exchange_service_pb2.GetExchangeRequest, context: Context
    ) -> exchange_service_pb2.GetExchangeResponse:
        agency = current_call().require_caller().agency
        exchange = require_side(await self._exchanges.get(request.name), agency)
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
        receiver = Receiver(current_call(), self._deliveries, self._arrivals, self._clock)
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
        pulled = await self._deliveries.pull(current_call().require_caller(), most)
        return exchange_service_pb2.PullDeliveriesResponse(deliveries=pulled)

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
