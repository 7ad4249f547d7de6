"""One record: its coded fields translated as its schema asks, and whether each may go on or waits for a person."""

from __future__ import annotations

from datetime import date

from casemesh.translation.answers import Answers
from casemesh.translation.catalogue import Catalogue
from casemesh.translation.messages import read_record
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2

_TRANSLATED = frozenset({translation_pb2.TRANSLATION_OUTCOME_MAPPED, translation_pb2.TRANSLATION_OUTCOME_SAME_SYSTEM})


def translate_record(
    answers: Answers, catalogue: Catalogue, request: read_pb2.TranslateRecordRequest, day: date
) -> read_pb2.TranslateRecordResponse:
    """Return what became of each coded value that the schema names, in the record's order.

    Raises NotFound (CODE_SYSTEM_UNKNOWN).
    """
    record = read_record(request.record)
    schema = {field.field: field for field in request.schema}
    response = read_pb2.TranslateRecordResponse(catalogue_revision=catalogue.revision)
    for each in request.record:
        field = schema.get(each.field)
        if field is None or each.WhichOneof("value") != "coded":
            continue
        translation = answers.one(catalogue, each.coded, field.target_code_system, day, record)
        response.translations.add(
            field=each.field, translation=translation, action=_action(translation, field.unmapped_action)
        )
    response.held = any(each.action == read_pb2.RECORD_ACTION_HELD for each in response.translations)
    return response


def _action(translation: translation_pb2.Translation, unmapped: read_pb2.UnmappedAction) -> read_pb2.RecordAction:
    if translation.outcome in _TRANSLATED:
        return read_pb2.RECORD_ACTION_TRANSLATED
    # Where a person has decided that there is no counterpart, there is nothing to wait for.
    if translation.no_counterpart or unmapped == read_pb2.UNMAPPED_ACTION_PASS:
        return read_pb2.RECORD_ACTION_PASSED
    return read_pb2.RECORD_ACTION_HELD
