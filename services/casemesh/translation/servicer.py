"""Translation over gRPC: decode, ask, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from casemesh.core.clock import Clock
from casemesh.runtime.call import current_call
from casemesh.runtime.peers import Peer
from casemesh.translation.answers import Answers
from casemesh.translation.current_catalogue import CurrentCatalogue
from casemesh.translation.listing_codes import list_codes
from casemesh.translation.messages import (
    code_entry_message,
    code_system_message,
    code_validity_message,
    concept_map_message,
    read_date,
    read_record,
)
from casemesh.translation.pages import page_of
from casemesh.translation.periods import today
from casemesh.translation.records import translate_record
from casemesh.translation.sightings import Sightings
from casemesh.translation.v1 import translation_service_pb2 as read_pb2
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceServicer

Context = grpc.aio.ServicerContext[Any, Any]


class ReadServicer(TranslationServiceServicer):
    """Translates, looks up, lists. What routing asks is what the platform carries, and is counted."""

    def __init__(self, catalogue: CurrentCatalogue, sightings: Sightings, clock: Clock) -> None:
        self._catalogue = catalogue
        self._sightings = sightings
        self._clock = clock
        self._answers = Answers()

    async def TranslateCodes(
        self, request: read_pb2.TranslateCodesRequest, context: Context
    ) -> read_pb2.TranslateCodesResponse:
        day = read_date(request, "date") or today(self._clock)
        record = read_record(request.record)
        targets = [item.target_code_system for item in request.items]
        while True:
            catalogue = await self._catalogue.get()
            response = read_pb2.TranslateCodesResponse(catalogue_revision=catalogue.revision)
            for item, target in zip(request.items, targets, strict=True):
                response.translations.append(self._answers.one(catalogue, item.value, target, day, record))
            carried = zip(targets, response.translations, strict=True)
            if not _carries() or await self._sightings.saw(carried, revision=catalogue.revision, day=day):
                return response

    async def TranslateBatch(
        self, request: read_pb2.TranslateBatchRequest, context: Context
    ) -> read_pb2.TranslateBatchResponse:
        day = read_date(request, "date") or today(self._clock)
        catalogue = await self._catalogue.get()
        return self._answers.column(
            catalogue, request.source_code_system, request.target_code_system, day, request.codes
        )

    async def TranslateRecord(
        self, request: read_pb2.TranslateRecordRequest, context: Context
    ) -> read_pb2.TranslateRecordResponse:
        day = read_date(request, "date") or today(self._clock)
        targets = {field.field: field.target_code_system for field in request.schema}
        while True:
            catalogue = await self._catalogue.get()
            response = translate_record(self._answers, catalogue, request, day)
            carried = [(targets[each.field], each.translation) for each in response.translations]
            if not _carries() or await self._sightings.saw(
                carried, example=request.resource, revision=catalogue.revision, day=day
            ):
                return response

    async def LookUpCode(self, request: read_pb2.LookUpCodeRequest, context: Context) -> read_pb2.LookUpCodeResponse:
        day = read_date(request, "date") or today(self._clock)
        catalogue = await self._catalogue.get()
        table = catalogue.table(request.value.code_system)
        return code_entry_message(table, request.value.code, day, catalogue.revision)

    async def ValidateCode(
        self, request: read_pb2.ValidateCodeRequest, context: Context
    ) -> read_pb2.ValidateCodeResponse:
        day = read_date(request, "date") or today(self._clock)
        table = (await self._catalogue.get()).table(request.value.code_system)
        return code_validity_message(table, request.value, day)

    async def ListCodes(self, request: read_pb2.ListCodesRequest, context: Context) -> read_pb2.ListCodesResponse:
        day = read_date(request, "date") or today(self._clock)
        return list_codes((await self._catalogue.get()).table(request.code_system), request, day)

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


def _carries() -> bool:
    return current_call().peer is Peer.ROUTING
