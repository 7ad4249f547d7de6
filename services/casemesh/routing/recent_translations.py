"""What translation answered in the last two seconds.

Most exchanges of a moment carry the same few codes. An import therefore counts for exchanges within two seconds; a code
that had no answer is asked for each time, so that mending a map helps at once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from casemesh.core.clock import Clock
from casemesh.translation.v1 import translation_pb2, translation_service_pb2

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceAsyncStub

KEPT_SECONDS = 2.0
_MOST = 10_000
_KEPT = frozenset({translation_pb2.TRANSLATION_OUTCOME_MAPPED, translation_pb2.TRANSLATION_OUTCOME_SAME_SYSTEM})
_Key = tuple[str, str, str]


class RecentTranslations:
    """Stands before the stub of translation and asks it for what is not known."""

    def __init__(self, translation: TranslationServiceAsyncStub, clock: Clock) -> None:
        self._translation = translation
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[float, translation_pb2.Translation]] = OrderedDict()

    async def TranslateCodes(
        self, request: translation_service_pb2.TranslateCodesRequest, *, timeout: float
    ) -> translation_service_pb2.TranslateCodesResponse:
        """As TranslationService.TranslateCodes. What depends on more than the code is always asked for."""
        if request.record or request.HasField("date"):
            return await self._translation.TranslateCodes(request, timeout=timeout)
        now = self._clock.monotonic()
        answers = {key: self._known[key][1] for key in map(_key, request.items) if self._fresh(key, now)}
        asked = [item for item in request.items if _key(item) not in answers]
        if asked:
            answered = await self._translation.TranslateCodes(
                translation_service_pb2.TranslateCodesRequest(items=asked), timeout=timeout
            )
            for item, translation in zip(asked, answered.translations, strict=True):
                answers[_key(item)] = translation
                if translation.outcome in _KEPT:
                    self._known[_key(item)] = (now + KEPT_SECONDS, translation)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return translation_service_pb2.TranslateCodesResponse(
            translations=[answers[_key(item)] for item in request.items]
        )

    def _fresh(self, key: _Key, now: float) -> bool:
        return key in self._known and now < self._known[key][0]


def _key(item: translation_service_pb2.TranslateCodesItem) -> _Key:
    return item.value.code_system, item.value.code, item.target_code_system
