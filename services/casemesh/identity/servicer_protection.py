"""The gRPC service that guards cases: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.identity.emergencies import Emergencies
from casemesh.identity.page_tokens import FIRST_UUID, cut_page, read_page_token
from casemesh.identity.sealing import Sealing
from casemesh.identity.subjects import subject_of
from casemesh.identity.supervising import Supervising
from casemesh.identity.v1 import case_protection_service_pb2 as pb2
from casemesh.identity.v1 import case_protection_service_pb2_grpc
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import page_size_of


class CaseProtectionServicer(case_protection_service_pb2_grpc.CaseProtectionServiceServicer):
    """casemesh.identity.v1.CaseProtectionService."""

    def __init__(self, supervising: Supervising, sealing: Sealing, emergencies: Emergencies) -> None:
        self._supervising = supervising
        self._sealing = sealing
        self._emergencies = emergencies

    async def AppointSupervisor(
        self, request: pb2.AppointSupervisorRequest, context: Any
    ) -> pb2.AppointSupervisorResponse:
        return await self._supervising.appoint(current_call(), request)

    async def EndSupervision(self, request: pb2.EndSupervisionRequest, context: Any) -> pb2.EndSupervisionResponse:
        return await self._supervising.end(current_call(), request)

    async def SealCase(self, request: pb2.SealCaseRequest, context: Any) -> pb2.SealCaseResponse:
        return await self._sealing.seal(current_call(), request)

    async def OpenSeal(self, request: pb2.OpenSealRequest, context: Any) -> pb2.OpenSealResponse:
        return await self._sealing.open(current_call(), request)

    async def LiftSeal(self, request: pb2.LiftSealRequest, context: Any) -> pb2.LiftSealResponse:
        return await self._sealing.lift(current_call(), request)

    async def BreakGlass(self, request: pb2.BreakGlassRequest, context: Any) -> pb2.BreakGlassResponse:
        return await self._emergencies.break_glass(current_call(), request)

    async def ApproveBreakGlass(
        self, request: pb2.ApproveBreakGlassRequest, context: Any
    ) -> pb2.ApproveBreakGlassResponse:
        return await self._emergencies.approve(current_call(), request)

    async def ListBreakGlassUses(
        self, request: pb2.ListBreakGlassUsesRequest, context: Any
    ) -> pb2.ListBreakGlassUsesResponse:
        caller = current_call().require_caller()
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, FIRST_UUID)
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        uses = await self._emergencies.queue(subject, after, size + 1)
        page, token = cut_page(uses, size, lambda use: use.fact_id)
        return pb2.ListBreakGlassUsesResponse(uses=[use.message() for use in page], next_page_token=token)

    async def ReviewBreakGlass(
        self, request: pb2.ReviewBreakGlassRequest, context: Any
    ) -> pb2.ReviewBreakGlassResponse:
        return await self._emergencies.review(current_call(), request)
