"""The RPCs that return, mend and take back exchanges: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.data.return_reasons import return_reasons
from casemesh.routing.correct import Correction
from casemesh.routing.exchange_rules import require_side
from casemesh.routing.exchange_store import ExchangeStore
from casemesh.routing.paging import fitting
from casemesh.routing.v1 import exchange_correction_service_pb2 as pb2
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceServicer
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_number, encode_token, page_size_of


class CorrectionServicer(ExchangeCorrectionServiceServicer):
    """Returns, supplements, withdrawals."""

    def __init__(self, correction: Correction, exchanges: ExchangeStore) -> None:
        self._correction = correction
        self._exchanges = exchanges

    async def ReturnExchange(self, request: pb2.ReturnExchangeRequest, context: Any) -> pb2.ReturnExchangeResponse:
        return await self._correction.give_back(current_call(), request)

    async def SupplementExchange(
        self, request: pb2.SupplementExchangeRequest, context: Any
    ) -> pb2.SupplementExchangeResponse:
        return await self._correction.mend(current_call(), request)

    async def WithdrawExchange(
        self, request: pb2.WithdrawExchangeRequest, context: Any
    ) -> pb2.WithdrawExchangeResponse:
        return await self._correction.take_back(current_call(), request)

    async def ListExchangeRevisions(
        self, request: pb2.ListExchangeRevisionsRequest, context: Any
    ) -> pb2.ListExchangeRevisionsResponse:
        agency = current_call().require_caller().agency
        require_side(await self._exchanges.heard_of(request.exchange, agency), agency)
        last, size = decode_number(request.page_token), page_size_of(request.page_size)
        after = -1 if last is None else last
        found = await self._exchanges.revisions(request.exchange, after=after, limit=size + 1)
        count = fitting(found[:size])
        response = pb2.ListExchangeRevisionsResponse(revisions=found[:count])
        if len(found) > count:
            response.next_page_token = encode_token(str(found[count - 1].revision))
        return response

    async def ListReturnReasons(
        self, request: pb2.ListReturnReasonsRequest, context: Any
    ) -> pb2.ListReturnReasonsResponse:
        return pb2.ListReturnReasonsResponse(
            reasons=[
                pb2.ReturnReason(
                    code=reason.code,
                    title_zh=reason.name_zh,
                    title_en=reason.name_en,
                    remedy_zh=reason.remedy_zh,
                    remedy_en=reason.remedy_en,
                )
                for reason in return_reasons().values()
            ]
        )
