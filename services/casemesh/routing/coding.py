"""Asking translation what becomes of the coded values of a case or an exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from casemesh.errors import FieldViolation, InvalidArgument, NotFound, Unavailable
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.payload import CodedPlace
from casemesh.routing.recent_translations import RecentTranslations
from casemesh.routing.v1 import exchange_pb2
from casemesh.translation.v1 import translation_pb2, translation_service_pb2

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceAsyncStub

log = structlog.get_logger(__name__)

_BATCH = 1000
_Key = tuple[str, str, str]


class Coding:
    """Translates coded values; a code that no table has refuses the whole, one that does not map is an answer."""

    def __init__(self, translation: TranslationServiceAsyncStub | RecentTranslations, tables: OrganTables) -> None:
        self._translation = translation
        self._tables = tables

    async def for_reader(self, places: Sequence[CodedPlace], organ: str) -> list[exchange_pb2.FieldTranslation]:
        """Return what becomes of each value for a reader of kind `organ`, in order; the original stays beside it.

        Raises InvalidArgument (PAYLOAD_CODE_UNKNOWN) with a violation per value that is in no table, Unavailable.
        """
        keys = [
            (place.value.code_system, place.value.code, self._tables.target(place.value.code_system, organ))
            for place in places
        ]
        answers = await self._ask(places, list(dict.fromkeys(keys)))
        _require_known(places, [answers[key] for key in keys])
        translated = []
        for place, key in zip(places, keys, strict=True):
            entry = exchange_pb2.FieldTranslation(field=place.field, translation=answers[key])
            entry.translation.original.CopyFrom(place.value)
            translated.append(entry)
        return translated

    async def displays(self, places: Sequence[CodedPlace]) -> list[str]:
        """Return what a person reads for each value, in order: what was written, else the table's own name.

        Raises as `for_reader`.
        """
        keys = [(place.value.code_system, place.value.code, place.value.code_system) for place in places]
        answers = await self._ask(places, list(dict.fromkeys(keys)))
        _require_known(places, [answers[key] for key in keys])
        return [
            place.value.display or (answers[key].targets[0].value.display if answers[key].targets else "")
            for place, key in zip(places, keys, strict=True)
        ]

    async def _ask(self, places: Sequence[CodedPlace], keys: Sequence[_Key]) -> dict[_Key, translation_pb2.Translation]:
        batches = [keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH)]
        answered = await asyncio.gather(*(self._ask_batch(places, batch) for batch in batches))
        return {key: answer for batch in answered for key, answer in batch}

    async def _ask_batch(
        self, places: Sequence[CodedPlace], keys: Sequence[_Key]
    ) -> list[tuple[_Key, translation_pb2.Translation]]:
        request = translation_service_pb2.TranslateCodesRequest()
        for code_system, code, target in keys:
            item = request.items.add(target_code_system=target)
            item.value.code_system, item.value.code = code_system, code
        try:
            with asking("translation", NotFound):
                response = await self._translation.TranslateCodes(request, timeout=TIMEOUT_SECONDS)
        except NotFound as error:
            table = error.metadata.get("code_system", "")
            unknown = [place for place in places if place.value.code_system == table]
            if unknown:
                raise _unknown_codes(unknown) from error
            # Our own table names a target that the operator has not loaded: no fault of the caller's.
            log.error("organ_tables.target_not_loaded", code_system=table)
            raise Unavailable(
                "DEPENDENCY_UNAVAILABLE",
                f"the recipient's table {table} is not loaded; the operator must load it",
                {"dependency": "translation"},
            ) from error
        return list(zip(keys, response.translations, strict=True))


def _require_known(places: Sequence[CodedPlace], answers: Sequence[translation_pb2.Translation]) -> None:
    unknown = [
        place
        for place, answer in zip(places, answers, strict=True)
        if answer.outcome == translation_pb2.TRANSLATION_OUTCOME_UNKNOWN_CODE
    ]
    if unknown:
        raise _unknown_codes(unknown)


def _unknown_codes(places: Sequence[CodedPlace]) -> InvalidArgument:
    first = places[0]
    return InvalidArgument(
        "PAYLOAD_CODE_UNKNOWN",
        f"{first.field}: no table {first.value.code_system} with code {first.value.code} is loaded; look the code up",
        {"field": first.field, "code_system": first.value.code_system, "code": first.value.code},
        violations=[FieldViolation(place.field, "must be a code of a loaded table") for place in places],
    )
