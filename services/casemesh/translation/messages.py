"""Between the messages of the protos and the types of this service."""

from __future__ import annotations

from datetime import date

from google.protobuf.message import Message
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.errors import FieldViolation, InvalidArgument, NotFound
from casemesh.translation.catalogue import Catalogue, LoadedCodeSystem
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Equivalence, Outcome, Translation
from casemesh.translation.periods import Period
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2

_EQUIVALENCES = {
    Equivalence.EXACT: translation_pb2.EQUIVALENCE_EXACT,
    Equivalence.BROADER: translation_pb2.EQUIVALENCE_BROADER,
    Equivalence.NARROWER: translation_pb2.EQUIVALENCE_NARROWER,
}
_OUTCOMES = {
    Outcome.MAPPED: translation_pb2.TRANSLATION_OUTCOME_MAPPED,
    Outcome.UNMAPPED: translation_pb2.TRANSLATION_OUTCOME_UNMAPPED,
    Outcome.UNKNOWN_CODE: translation_pb2.TRANSLATION_OUTCOME_UNKNOWN_CODE,
    Outcome.SAME_SYSTEM: translation_pb2.TRANSLATION_OUTCOME_SAME_SYSTEM,
}


def read_date(request: Message, field: str) -> date | None:
    """Return the day in a field, or None when it is unset.

    Raises InvalidArgument (FIELD_INVALID) for what is no whole day.
    """
    if not request.HasField(field):
        return None
    written: Date = getattr(request, field)
    try:
        return date(written.year, written.month, written.day)
    except ValueError:
        raise _invalid(field, "must be a day with year, month and day") from None


def read_period(request: Message) -> Period:
    """Return the period of `effective_from` and `effective_until`.

    Raises InvalidArgument (FIELD_INVALID).
    """
    period = Period(read_date(request, "effective_from"), read_date(request, "effective_until"))
    if period.is_empty():
        raise _invalid("effective_until", "must not lie before effective_from")
    return period


def code_system_message(loaded: LoadedCodeSystem) -> translation_pb2.CodeSystem:
    """Return the description of a table."""
    return translation_pb2.CodeSystem(
        code_system=loaded.table.code_system,
        version=loaded.table.version,
        display_name=loaded.display_name,
        code_count=len(loaded.table),
        source=loaded.source,
    )


def concept_map_message(loaded: ConceptMap) -> translation_pb2.ConceptMap:
    """Return the description of a map."""
    return translation_pb2.ConceptMap(
        concept_map=loaded.concept_map,
        version=loaded.version,
        source_code_system=loaded.source_code_system,
        target_code_system=loaded.target_code_system,
        effective_from=_date_message(loaded.period.first),
        effective_until=_date_message(loaded.period.last),
        pair_count=len(loaded.pairs),
    )


def translation_message(
    original: CodedValue, target_code_system: str, translation: Translation, catalogue: Catalogue, day: date
) -> translation_pb2.Translation:
    """Return what became of `original`, with the names of the targets as of `day`."""
    message = translation_pb2.Translation(original=original, outcome=_OUTCOMES[translation.outcome])
    if translation.concept_map is not None:
        message.concept_map = translation.concept_map.concept_map
        message.concept_map_version = translation.concept_map.version
    table = catalogue.table(target_code_system)
    for target in translation.targets:
        # A newer version of the table may lack a code that the map still leads to; it then has no name here.
        entry = table.look_up(target.code, day)
        message.targets.add(
            value=CodedValue(
                code_system=target_code_system, code=target.code, display=entry.name_zh if entry is not None else ""
            ),
            equivalence=_EQUIVALENCES[target.equivalence],
        )
    return message


def code_entry_message(table: CodeSystem, code: str, day: date) -> read_pb2.LookUpCodeResponse:
    """Return a code's entry as of `day`.

    Raises NotFound (CODE_UNKNOWN).
    """
    entry = table.look_up(code, day)
    if entry is None:
        raise NotFound(
            "CODE_UNKNOWN",
            f"{table.code_system} has no such code; codes are compared exactly as written",
            {"code_system": table.code_system, "code": code},
        )
    return read_pb2.LookUpCodeResponse(
        value=CodedValue(code_system=table.code_system, code=entry.code, display=entry.name_zh),
        code_system_version=table.version,
        active=entry.active(day),
        successors=() if entry.active(day) else entry.successors,
    )


def _date_message(day: date | None) -> Date | None:
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {description}", violations=[FieldViolation(field, description)])
