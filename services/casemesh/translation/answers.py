"""Answers as messages, made once for each code: what a code becomes without a record does not change within a state of
the catalogue."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.translation.catalogue import Catalogue
from casemesh.translation.concept_maps import Outcome
from casemesh.translation.conditions import NO_RECORD, Record
from casemesh.translation.messages import translation_message
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2

_KEPT = 16
_MOST_ANSWERS = 100_000
_Key = tuple[int, str, str, date]


class Answers:
    """Translates codes, alone or in columns.

    Answers are kept for the last sixteen (state of the catalogue, source, target, day), between two questions no more
    than 100,000 of them, since whoever asks names the day. Codes that no table has are not kept: there is no end of
    them. Every method raises NotFound (CODE_SYSTEM_UNKNOWN).
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, _Made] = OrderedDict()

    def one(
        self, catalogue: Catalogue, value: CodedValue, target: str, day: date, record: Record = NO_RECORD
    ) -> translation_pb2.Translation:
        """Return what becomes of one value; it stays in the answer as it was written."""
        made = self._made(catalogue, value.code_system, target, day)[value.code]
        if record and made.undecided_fields:
            found = catalogue.translate(value.code_system, value.code, target, day, record)
            return translation_message(value, target, found, catalogue, day)
        answer = translation_pb2.Translation()
        answer.CopyFrom(made)
        answer.original.display = value.display
        return answer

    def column(
        self, catalogue: Catalogue, source: str, target: str, day: date, codes: Sequence[str]
    ) -> read_pb2.TranslateBatchResponse:
        """Return what becomes of many codes of one table, each distinct one answered once."""
        answers = self._made(catalogue, source, target, day)
        places = {code: place for place, code in enumerate(dict.fromkeys(codes))}
        response = read_pb2.TranslateBatchResponse(catalogue_revision=catalogue.revision)
        response.translations.extend(map(answers.__getitem__, places))
        response.translation_indexes.extend(map(places.__getitem__, codes))
        return response

    def _made(self, catalogue: Catalogue, source: str, target: str, day: date) -> _Made:
        while sum(map(len, self._kept.values())) > _MOST_ANSWERS:
            self._kept.popitem(last=False)
        key = (catalogue.revision, source, target, day)
        kept = self._kept.get(key)
        if kept is None:
            catalogue.table(source)
            catalogue.table(target)
            kept = self._kept[key] = _Made(catalogue, source, target, day)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept


class _Made(dict[str, translation_pb2.Translation]):
    """Answers by code, made at the first question."""

    def __init__(self, catalogue: Catalogue, source: str, target: str, day: date) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._source = source
        self._target = target
        self._day = day

    def __missing__(self, code: str) -> translation_pb2.Translation:
        found = self._catalogue.translate(self._source, code, self._target, self._day)
        original = CodedValue(code_system=self._source, code=code)
        message = translation_message(original, self._target, found, self._catalogue, self._day)
        if found.outcome is not Outcome.UNKNOWN_CODE:
            self[code] = message
        return message
