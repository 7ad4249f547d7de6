"""The RPC by which supervision reads the facts of a case: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.routing.case_facts import CaseFactsReader
from casemesh.routing.v1 import case_facts_service_pb2 as pb2
from casemesh.routing.v1.case_facts_service_pb2_grpc import CaseFactsServiceServicer


class CaseFactsServicer(CaseFactsServiceServicer):
    """The facts of cases."""

    def __init__(self, facts: CaseFactsReader) -> None:
        self._facts = facts

    async def GetCaseFacts(self, request: pb2.GetCaseFactsRequest, context: Any) -> pb2.GetCaseFactsResponse:
        return pb2.GetCaseFactsResponse(facts=await self._facts.of_case(request.case))
