"""Translation over gRPC: decode, ask, encode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc.aio

from casemesh.core.clock import Clock
from casemesh.runtime.call import current_call
from casemesh.translation.current_catalogue import CurrentCatalogue
from casemesh.translation.importing import Importer
from casemesh.translation.messages import (
    code_entry_message,
    code_system_message,
    concept_map_message,
    read_date,
    translation_message,
)
from casemesh.translation.pages import page_of
from casemesh.translation.periods import today
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceServicer
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceServicer

Context = grpc.aio.ServicerContext[Any, Any]


class ReadServicer(TranslationServiceServicer):
    """Translates, looks up, lists."""

    def __init__(self, catalogue: CurrentCatalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    async def TranslateCodes(
        self, request: read_pb2.TranslateCodesRequest, context: Context
    ) -> read_pb2.TranslateCodesResponse:
        day = read_date(request, "date") or today(self._clock)
        catalogue = await self._catalogue.get()
        response = read_pb2.TranslateCodesResponse()
        for item in request.items:
            target = item.target_code_system
            found = catalogue.translate(item.value.code_system, item.value.code, target, day)
            response.translations.append(translation_message(item.value, target, found, catalogue, day))
        return response

    async def LookUpCode(self, request: read_pb2.LookUpCodeRequest, context: Context) -> read_pb2.LookUpCodeResponse:
        day = today(self._clock)
        table = (await self._catalogue.get()).table(request.value.code_system)
        return code_entry_message(table, request.value.code, day)

    async def ListCodeSystems(
        self, request: read_pb2.ListCodeSystemsRequest, context: Context
    ) -> read_pb2.ListCodeSystemsResponse:
        loaded = (await self._catalogue.get()).code_systems
        page, token = page_of(sorted(loaded), request.page_size, request.page_token)
        return read_pb2.ListCodeSystemsResponse(
            code_systems=[code_system_message(loaded[name]) for name in page], next_page_token=token
        )

    async def ListConceptMaps(
        self, request: read_pb2.ListConceptMapsRequest, context: Context
    ) -> read_pb2.ListConceptMapsResponse:
        loaded = (await self._catalogue.get()).maps_in_force(today(self._clock))
        page, token = page_of(sorted(loaded), request.page_size, request.page_token)
        return read_pb2.ListConceptMapsResponse(
            concept_maps=[concept_map_message(loaded[name]) for name in page], next_page_token=token
        )


class AdminServicer(TranslationAdminServiceServicer):
    """Loads tables and maps."""

    def __init__(self, importer: Importer, wake_outbox: Callable[[], None]) -> None:
        self._importer = importer
        self._wake_outbox = wake_outbox

    async def ImportCodeSystem(
        self, request: admin_pb2.ImportCodeSystemRequest, context: Context
    ) -> admin_pb2.ImportCodeSystemResponse:
        response = await self._importer.code_system(current_call(), request)
        self._wake_outbox()
        return response

    async def ImportConceptMap(
        self, request: admin_pb2.ImportConceptMapRequest, context: Context
    ) -> admin_pb2.ImportConceptMapResponse:
        response = await self._importer.concept_map(current_call(), request)
        self._wake_outbox()
        return response
