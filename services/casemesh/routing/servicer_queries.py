"""The RPCs of data services: decode, call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from casemesh.core.clock import Clock
from casemesh.core.ids import is_uuid
from casemesh.core.names import DATA_QUERY, DATA_SERVICE
from casemesh.routing.answer_query import LEASE_SECONDS, Answering
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.ask import Asking
from casemesh.routing.publish_data_service import Publication
from casemesh.routing.serve_queries import DEFAULT_OUTSTANDING, QueryServing
from casemesh.routing.v1 import (
    data_provider_service_pb2 as provider_pb2,
)
from casemesh.routing.v1 import (
    data_provider_service_pb2_grpc,
    data_query_service_pb2_grpc,
)
from casemesh.routing.v1 import (
    data_query_service_pb2 as query_pb2,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of


class DataQueryServicer(data_query_service_pb2_grpc.DataQueryServiceServicer):
    """Asking."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def ListDataServices(
        self, request: query_pb2.ListDataServicesRequest, context: Any
    ) -> query_pb2.ListDataServicesResponse:
        page = await self._asking.services(
            current_call().require_caller(), after=_after(request.page_token), limit=page_size_of(request.page_size)
        )
        response = query_pb2.ListDataServicesResponse(data_services=page.services)
        if page.more:
            response.next_page_token = encode_token(DATA_SERVICE.parse(page.services[-1].name)["data_service"])
        return response

    async def GetDataService(
        self, request: query_pb2.GetDataServiceRequest, context: Any
    ) -> query_pb2.GetDataServiceResponse:
        service = await self._asking.service(current_call().require_caller(), request.name)
        return query_pb2.GetDataServiceResponse(data_service=service)

    async def AskQuery(self, request: query_pb2.AskQueryRequest, context: Any) -> query_pb2.AskQueryResponse:
        return await self._asking.ask(current_call(), request)

    async def AskQueries(self, request: query_pb2.AskQueriesRequest, context: Any) -> query_pb2.AskQueriesResponse:
        return await self._asking.ask_many(current_call(), request)

    async def GetQuery(self, request: query_pb2.GetQueryRequest, context: Any) -> query_pb2.GetQueryResponse:
        query = await self._asking.get(current_call().require_caller(), request)
        return query_pb2.GetQueryResponse(query=query)

    async def ListQueries(self, request: query_pb2.ListQueriesRequest, context: Any) -> query_pb2.ListQueriesResponse:
        page = await self._asking.queries(
            current_call().require_caller(),
            request.case,
            after=_after(request.page_token),
            limit=page_size_of(request.page_size),
        )
        response = query_pb2.ListQueriesResponse(queries=page.queries)
        if page.more:
            response.next_page_token = encode_token(DATA_QUERY.parse(page.queries[-1].name)["data_query"])
        return response


class DataProviderServicer(data_provider_service_pb2_grpc.DataProviderServiceServicer):
    """Publishing and answering."""

    def __init__(self, publication: Publication, answering: Answering, questions: Arrivals, clock: Clock) -> None:
        self._publication = publication
        self._answering = answering
        self._questions = questions
        self._clock = clock

    async def PublishDataService(
        self, request: provider_pb2.PublishDataServiceRequest, context: Any
    ) -> provider_pb2.PublishDataServiceResponse:
        return await self._publication.publish(current_call(), request)

    async def RetireDataService(
        self, request: provider_pb2.RetireDataServiceRequest, context: Any
    ) -> provider_pb2.RetireDataServiceResponse:
        return await self._publication.retire(current_call(), request)

    async def ServeQueries(
        self, requests: AsyncIterator[provider_pb2.ServeQueriesRequest], context: Any
    ) -> AsyncIterator[provider_pb2.ServeQueriesResponse]:
        responses = QueryServing(current_call(), self._answering, self._questions, self._clock).run(requests)
        try:
            async for response in responses:
                yield response
        finally:
            await responses.aclose()

    async def PullQueries(
        self, request: provider_pb2.PullQueriesRequest, context: Any
    ) -> provider_pb2.PullQueriesResponse:
        pulled = await self._answering.pull(
            current_call().require_caller(),
            request.max_queries or DEFAULT_OUTSTANDING,
            request.lease_seconds or LEASE_SECONDS,
        )
        return provider_pb2.PullQueriesResponse(queries=pulled)

    async def AnswerQuery(
        self, request: provider_pb2.AnswerQueryRequest, context: Any
    ) -> provider_pb2.AnswerQueryResponse:
        return await self._answering.answer_once(current_call(), request)


def _after(page_token: str) -> str:
    after = decode_token(page_token)
    if after and not is_uuid(after):
        raise invalid_token()
    return after
