"""Administration of tables and maps over gRPC: decode, ask, encode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from casemesh.runtime.call import current_call
from casemesh.translation.activating import Activator
from casemesh.translation.current_catalogue import CurrentCatalogue
from casemesh.translation.drafting import Drafter
from casemesh.translation.importing import Importer
from casemesh.translation.reporting import Reports
from casemesh.translation.unmapped_queue import UnmappedQueue
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceServicer


class AdminServicer(TranslationAdminServiceServicer):
    """Loads, activates, decides, reports."""

    def __init__(
        self,
        importer: Importer,
        activator: Activator,
        drafter: Drafter,
        queue: UnmappedQueue,
        reports: Reports,
        catalogue: CurrentCatalogue,
        wake_outbox: Callable[[], None],
    ) -> None:
        self._importer = importer
        self._activator = activator
        self._drafter = drafter
        self._queue = queue
        self._reports = reports
        self._catalogue = catalogue
        self._wake_outbox = wake_outbox

    async def ImportCodeSystem(
        self, request: admin_pb2.ImportCodeSystemRequest, context: Any
    ) -> admin_pb2.ImportCodeSystemResponse:
        response = await self._importer.code_system(current_call(), request)
        self._wake_outbox()
        return response

    async def ImportConceptMap(
        self, request: admin_pb2.ImportConceptMapRequest, context: Any
    ) -> admin_pb2.ImportConceptMapResponse:
        response = await self._importer.concept_map(current_call(), request)
        self._wake_outbox()
        return response

    async def ActivateCodeSystem(
        self, request: admin_pb2.ActivateCodeSystemRequest, context: Any
    ) -> admin_pb2.ActivateCodeSystemResponse:
        response = await self._activator.code_system(current_call(), request)
        self._wake_outbox()
        return response

    async def RetireCodeSystem(
        self, request: admin_pb2.RetireCodeSystemRequest, context: Any
    ) -> admin_pb2.RetireCodeSystemResponse:
        response = await self._activator.retire_code_system(current_call(), request)
        self._wake_outbox()
        return response

    async def ActivateConceptMap(
        self, request: admin_pb2.ActivateConceptMapRequest, context: Any
    ) -> admin_pb2.ActivateConceptMapResponse:
        response = await self._activator.concept_map(current_call(), request)
        self._wake_outbox()
        return response

    async def RetireConceptMap(
        self, request: admin_pb2.RetireConceptMapRequest, context: Any
    ) -> admin_pb2.RetireConceptMapResponse:
        response = await self._activator.retire_concept_map(current_call(), request)
        self._wake_outbox()
        return response

    async def ListVersions(
        self, request: admin_pb2.ListVersionsRequest, context: Any
    ) -> admin_pb2.ListVersionsResponse:
        return await self._reports.versions(request)

    async def PreviewConceptMap(
        self, request: admin_pb2.PreviewConceptMapRequest, context: Any
    ) -> admin_pb2.PreviewConceptMapResponse:
        return await self._reports.preview(request, await self._catalogue.get())

    async def DeriveReverseMap(
        self, request: admin_pb2.DeriveReverseMapRequest, context: Any
    ) -> admin_pb2.DeriveReverseMapResponse:
        response = await self._drafter.reverse(current_call(), request)
        self._wake_outbox()
        return response

    async def DraftResolvedMap(
        self, request: admin_pb2.DraftResolvedMapRequest, context: Any
    ) -> admin_pb2.DraftResolvedMapResponse:
        response = await self._drafter.resolved(current_call(), request, await self._catalogue.get())
        self._wake_outbox()
        return response

    async def ListUnmappedCodes(
        self, request: admin_pb2.ListUnmappedCodesRequest, context: Any
    ) -> admin_pb2.ListUnmappedCodesResponse:
        return await self._queue.waiting(request, await self._catalogue.get())

    async def ResolveUnmappedCode(
        self, request: admin_pb2.ResolveUnmappedCodeRequest, context: Any
    ) -> admin_pb2.ResolveUnmappedCodeResponse:
        response = await self._queue.decide(current_call(), request, await self._catalogue.get())
        self._wake_outbox()
        return response

    async def ListResolvedCodes(
        self, request: admin_pb2.ListResolvedCodesRequest, context: Any
    ) -> admin_pb2.ListResolvedCodesResponse:
        return await self._queue.resolved(request, await self._catalogue.get())

    async def GetCoverage(self, request: admin_pb2.GetCoverageRequest, context: Any) -> admin_pb2.GetCoverageResponse:
        return await self._reports.coverage(request, await self._catalogue.get())
