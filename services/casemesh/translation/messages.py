"""Between the messages of the protos and the types of this service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from google.protobuf.message import Message
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.errors import FieldViolation, InvalidArgument, NotFound
from casemesh.translation.catalogue import Catalogue, LoadedCodeSystem
from casemesh.translation.code_systems import CodeEntry, CodeSystem, comparable
from casemesh.translation.concept_maps import ConceptMap, Equivalence, Outcome, Target, Translation
from casemesh.translation.conditions import Record
from casemesh.translation.periods import Period
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2
from casemesh.translation.version_state import VersionState

_EQUIVALENCES = {
    Equivalence.EXACT: translation_pb2.EQUIVALENCE_EXACT,
    Equivalence.BROADER: translation_pb2.EQUIVALENCE_BROADER,
    Equivalence.NARROWER: translation_pb2.EQUIVALENCE_NARROWER,
    Equivalence.NONE: translation_pb2.EQUIVALENCE_NONE,
}
EQUIVALENCE_OF = {number: equivalence for equivalence, number in _EQUIVALENCES.items()}
"""Equivalences by their number in the contract."""
_STATES = {
    VersionState.DRAFT: translation_pb2.VERSION_STATE_DRAFT,
    VersionState.ACTIVE: translation_pb2.VERSION_STATE_ACTIVE,
    VersionState.RETIRED: translation_pb2.VERSION_STATE_RETIRED,
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


def read_record(values: Iterable[translation_pb2.RecordValue]) -> Record:
    """Return the values of a record by field."""
    record: dict[str, tuple[str, ...]] = {}
    for each in values:
        value = each.coded.code if each.WhichOneof("value") == "coded" else each.text
        record[each.field] = (*record.get(each.field, ()), value)
    return record


def equivalence_message(equivalence: Equivalence) -> translation_pb2.Equivalence:
    """Return an equivalence as the contract has it."""
    return _EQUIVALENCES[equivalence]


def state_message(state: VersionState) -> translation_pb2.VersionState:
    """Return a version's state as the contract has it."""
    return _STATES[state]


def code_system_message(
    loaded: LoadedCodeSystem, state: VersionState = VersionState.ACTIVE
) -> translation_pb2.CodeSystem:
    """Return the description of a table."""
    return translation_pb2.CodeSystem(
        code_system=loaded.table.code_system,
        version=loaded.table.version,
        display_name=loaded.display_name,
        code_count=len(loaded.table),
        source=loaded.source,
        state=state_message(state),
        signer=loaded.signer,
    )


def concept_map_message(loaded: ConceptMap, state: VersionState = VersionState.ACTIVE) -> translation_pb2.ConceptMap:
    """Return the description of a map."""
    return translation_pb2.ConceptMap(
        concept_map=loaded.concept_map,
        version=loaded.version,
        source_code_system=loaded.source_code_system,
        target_code_system=loaded.target_code_system,
        effective_from=date_message(loaded.period.first),
        effective_until=date_message(loaded.period.last),
        pair_count=len(loaded.pairs),
        state=state_message(state),
        signer=loaded.signer,
    )


def coded_value(table: CodeSystem, code: str, day: date) -> CodedValue:
    """Return a code with its name as of `day`, without one where the table has no such code."""
    entry = table.look_up(code, day)
    return CodedValue(code_system=table.code_system, code=code, display=entry.name_zh if entry is not None else "")


def target_message(target: Target, table: CodeSystem, day: date) -> translation_pb2.TranslationTarget:
    """Return a target with its name as of `day`."""
    # A newer version of the table may lack a code that the map still leads to; it then has no name here.
    return translation_pb2.TranslationTarget(
        value=coded_value(table, target.code, day),
        equivalence=equivalence_message(target.equivalence),
        note=target.note,
        condition=target.condition,
    )


def translation_message(
    original: CodedValue, target_code_system: str, translation: Translation, catalogue: Catalogue, day: date
) -> translation_pb2.Translation:
    """Return what became of `original`, with the names of the targets as of `day`."""
    message = translation_pb2.Translation(
        original=original,
        outcome=_OUTCOMES[translation.outcome],
        undecided_fields=sorted(translation.undecided),
        no_counterpart=translation.no_counterpart is not None,
    )
    if translation.concept_map is not None:
        message.concept_map = translation.concept_map.concept_map
        message.concept_map_version = translation.concept_map.version
    table = catalogue.table(target_code_system)
    message.targets.extend(target_message(target, table, day) for target in translation.targets)
    if translation.outcome is not Outcome.UNKNOWN_CODE:
        entry = catalogue.table(original.code_system).look_up(original.code, day)
        if entry is not None and not entry.active(day):
            message.successors.extend(entry.successors)
    message.message = _words(translation, message)
    return message


def _words(translation: Translation, message: translation_pb2.Translation) -> str:
    said: list[str] = []
    match translation.outcome:
        case Outcome.UNKNOWN_CODE:
            said.append(f"{message.original.code_system} has no such code; codes are compared exactly as written")
        case Outcome.UNMAPPED if translation.no_counterpart is not None:
            stated = translation.no_counterpart
            said.append(f"{stated.concept_map} {stated.version} states that there is no counterpart")
        case Outcome.UNMAPPED:
            said.append("no map in force on the day gives it a counterpart")
    if translation.undecided:
        said.append(f"rules ask for {', '.join(sorted(translation.undecided))}, which the record lacks")
    if message.successors:
        said.append(f"no longer used on the day; its place took {', '.join(message.successors)}")
    return "; ".join(said)


def code_entry_message(table: CodeSystem, code: str, day: date, revision: int) -> read_pb2.LookUpCodeResponse:
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
        effective_from=date_message(entry.period.first),
        effective_until=date_message(entry.period.last),
        properties=entry.properties,
        succession=[
            read_pb2.SuccessionStep(
                value=coded_value(table, step.entry.code, day),
                replaces=step.replaces,
                replaced_on=date_message(step.replaced_on),
                active=step.entry.active(day),
            )
            for step in table.succession(code, day)
        ],
        catalogue_revision=revision,
    )


def code_validity_message(table: CodeSystem, value: CodedValue, day: date) -> read_pb2.ValidateCodeResponse:
    """Return whether a code may be used on `day` under the name given."""
    entry = table.look_up(value.code, day)
    answer = read_pb2.ValidateCodeResponse(code_system_version=table.version)
    if entry is None:
        answer.message = f"{table.code_system} has no such code; codes are compared exactly as written"
        return answer
    answer.display = entry.name_zh
    answer.active = entry.active(day)
    if not answer.active:
        active = [step.entry.code for step in table.succession(value.code, day) if step.entry.active(day)]
        answer.successors.extend(active)
        answer.message = "not used on the day"
    elif value.display and comparable(value.display) != comparable(entry.name_zh):
        answer.message = "the table gives it another name"
    else:
        answer.valid = True
    return answer


def listed_code_message(table: CodeSystem, entry: CodeEntry, day: date) -> read_pb2.ListedCode:
    """Return one line of a listing."""
    return read_pb2.ListedCode(
        value=CodedValue(code_system=table.code_system, code=entry.code, display=entry.name_zh),
        active=entry.active(day),
        effective_from=date_message(entry.period.first),
        effective_until=date_message(entry.period.last),
        successors=entry.successors,
    )


def date_message(day: date | None) -> Date | None:
    """Return a day as the contract has it; None stays unset."""
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {description}", violations=[FieldViolation(field, description)])
