"""The RPCs of what stands in a case: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.core.ids import is_uuid
from casemesh.core.names import SUCCESSION
from casemesh.routing.case_store import case_of
from casemesh.routing.case_visibility import VIEW_PROGRESS, CaseVisibility
from casemesh.routing.local_numbers import LocalNumbers
from casemesh.routing.parties import Parties
from casemesh.routing.progress import Progress
from casemesh.routing.succession_store import SuccessionStore
from casemesh.routing.successions import Successions
from casemesh.routing.v1 import (
    case_progress_service_pb2,
    case_progress_service_pb2_grpc,
    case_record_service_pb2,
    case_record_service_pb2_grpc,
    case_succession_service_pb2,
    case_succession_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of


class CaseRecordServicer(case_record_service_pb2_grpc.CaseRecordServiceServicer):
    """Numbers and parties."""

    def __init__(self, numbers: LocalNumbers, parties: Parties) -> None:
        self._numbers = numbers
        self._parties = parties

    async def LinkLocalNumber(
        self, request: case_record_service_pb2.LinkLocalNumberRequest, context: Any
    ) -> case_record_service_pb2.LinkLocalNumberResponse:
        return await self._numbers.link(current_call(), request)

    async def UnlinkLocalNumber(
        self, request: case_record_service_pb2.UnlinkLocalNumberRequest, context: Any
    ) -> case_record_service_pb2.UnlinkLocalNumberResponse:
        return await self._numbers.unlink(current_call(), request)

    async def ListLocalNumbers(
        self, request: case_record_service_pb2.ListLocalNumbersRequest, context: Any
    ) -> case_record_service_pb2.ListLocalNumbersResponse:
        return await self._numbers.of_case(request)

    async def FindCaseByNumber(
        self, request: case_record_service_pb2.FindCaseByNumberRequest, context: Any
    ) -> case_record_service_pb2.FindCaseByNumberResponse:
        return await self._numbers.find(current_call(), request)

    async def AddParty(
        self, request: case_record_service_pb2.AddPartyRequest, context: Any
    ) -> case_record_service_pb2.AddPartyResponse:
        return await self._parties.add(current_call(), request)

    async def CompleteIdentity(
        self, request: case_record_service_pb2.CompleteIdentityRequest, context: Any
    ) -> case_record_service_pb2.CompleteIdentityResponse:
        return await self._parties.complete_identity(current_call(), request)

    async def ChangeCharges(
        self, request: case_record_service_pb2.ChangeChargesRequest, context: Any
    ) -> case_record_service_pb2.ChangeChargesResponse:
        return await self._parties.change_charges(current_call(), request)

    async def ListPartyHistory(
        self, request: case_record_service_pb2.ListPartyHistoryRequest, context: Any
    ) -> case_record_service_pb2.ListPartyHistoryResponse:
        return await self._parties.history(request)


class CaseSuccessionServicer(case_succession_service_pb2_grpc.CaseSuccessionServiceServicer):
    """Merging and splitting."""

    def __init__(self, successions: Successions, store: SuccessionStore, visibility: CaseVisibility) -> None:
        self._successions = successions
        self._store = store
        self._visibility = visibility

    async def MergeCases(
        self, request: case_succession_service_pb2.MergeCasesRequest, context: Any
    ) -> case_succession_service_pb2.MergeCasesResponse:
        return await self._successions.merge_cases(current_call(), request)

    async def SplitCase(
        self, request: case_succession_service_pb2.SplitCaseRequest, context: Any
    ) -> case_succession_service_pb2.SplitCaseResponse:
        return await self._successions.split_case(current_call(), request)

    async def MergeParties(
        self, request: case_succession_service_pb2.MergePartiesRequest, context: Any
    ) -> case_succession_service_pb2.MergePartiesResponse:
        return await self._successions.merge_parties(current_call(), request)

    async def SplitParty(
        self, request: case_succession_service_pb2.SplitPartyRequest, context: Any
    ) -> case_succession_service_pb2.SplitPartyResponse:
        return await self._successions.split_party(current_call(), request)

    async def UndoSuccession(
        self, request: case_succession_service_pb2.UndoSuccessionRequest, context: Any
    ) -> case_succession_service_pb2.UndoSuccessionResponse:
        return await self._successions.undo(current_call(), request)

    async def ListSuccessions(
        self, request: case_succession_service_pb2.ListSuccessionsRequest, context: Any
    ) -> case_succession_service_pb2.ListSuccessionsResponse:
        after, size = decode_token(request.page_token), page_size_of(request.page_size)
        if after and not is_uuid(after):
            raise invalid_token()
        found = await self._store.of_case(request.case, after=after, limit=size + 1)
        cases = {case for succession in found for link in succession.links for case in link.cases}
        cases = (cases | {case_of(succession.name) for succession in found}) - {request.case}
        caller = current_call().require_caller()
        seen = await self._visibility.allowed(caller, cases, VIEW_PROGRESS) | {request.case}
        response = case_succession_service_pb2.ListSuccessionsResponse(
            # A name tells of its case: without a right on that, it is not shown.
            successions=[
                succession.seen_from(seen).message() for succession in found[:size] if case_of(succession.name) in seen
            ]
        )
        if len(found) > size:
            response.next_page_token = encode_token(SUCCESSION.parse(found[size - 1].name)["succession"])
        return response


class CaseProgressServicer(case_progress_service_pb2_grpc.CaseProgressServiceServicer):
    """Progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    async def GetProgress(
        self, request: case_progress_service_pb2.GetProgressRequest, context: Any
    ) -> case_progress_service_pb2.GetProgressResponse:
        progress = await self._progress.of_case(current_call(), request.case)
        return case_progress_service_pb2.GetProgressResponse(progress=progress)

    async def ListNextNodes(
        self, request: case_progress_service_pb2.ListNextNodesRequest, context: Any
    ) -> case_progress_service_pb2.ListNextNodesResponse:
        return await self._progress.next_nodes(current_call(), request.party)
