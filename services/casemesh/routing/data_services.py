"""Data services (数据服务): what makes one fit to publish, and what a question and an answer may hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from types import MappingProxyType

from casemesh.data import organ_kinds
from casemesh.data.number_formats import number_formats
from casemesh.data.payload_schemas import NodeSchema, PayloadFieldRule
from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.payload_rules import payload_findings
from casemesh.routing.v1 import collaboration_node_pb2, data_service_pb2, exchange_pb2

DEFAULT_QUESTIONS_PER_DAY = 1000
DEFAULT_ANSWER_WITHIN = timedelta(seconds=60)
LONGEST_ANSWER_WITHIN = timedelta(days=30)

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPES = {
    collaboration_node_pb2.PAYLOAD_FIELD_TYPE_TEXT: "text",
    collaboration_node_pb2.PAYLOAD_FIELD_TYPE_CODED: "coded",
    collaboration_node_pb2.PAYLOAD_FIELD_TYPE_DATE: "date",
    collaboration_node_pb2.PAYLOAD_FIELD_TYPE_INTEGER: "integer",
    collaboration_node_pb2.PAYLOAD_FIELD_TYPE_FLAG: "flag",
}
_Fields = Sequence[collaboration_node_pb2.PayloadFieldSchema]


def require_publishable(service: data_service_pb2.DataService) -> None:
    """Check what the field rules cannot say of a data service.

    Raises InvalidArgument (DATA_SERVICE_INVALID) with a violation per field at fault.
    """
    violations = [
        *_schema_violations("question", service.question),
        *_schema_violations("answer", service.answer),
        *_asker_violations(service),
        *_duplicates("purposes", "code", [purpose.code for purpose in service.purposes]),
    ]
    if not timedelta() <= service.answer_within.ToTimedelta() <= LONGEST_ANSWER_WITHIN:
        violations.append(FieldViolation("answer_within", "must be at most 30 days"))
    if violations:
        named = "; ".join(f"{item.field} {item.description}" for item in violations[:5])
        raise InvalidArgument(
            "DATA_SERVICE_INVALID", named, violations=[_within("data_service", item) for item in violations]
        )


def require_question(
    service: data_service_pb2.DataService, fields: Sequence[exchange_pb2.PayloadField], tables: OrganTables, place: str
) -> None:
    """Check a question against the data service's schema; `place` is where its fields stand in the request.

    Raises InvalidArgument (QUERY_FIELD_INVALID) with a violation per field at fault.
    """
    _require(service, service.question, fields, tables, place)


def require_answer(
    service: data_service_pb2.DataService, fields: Sequence[exchange_pb2.PayloadField], tables: OrganTables
) -> None:
    """Check what was found against the data service's schema. Raises as `require_question`."""
    _require(service, service.answer, fields, tables, "fields")


def require_purpose(service: data_service_pb2.DataService, purpose: str) -> None:
    """Check that the data service may be asked for `purpose`.

    Raises InvalidArgument (QUERY_PURPOSE_UNKNOWN).
    """
    known = [item.code for item in service.purposes]
    if purpose not in known:
        rule = f"must be one of {', '.join(known)}"
        raise InvalidArgument(
            "QUERY_PURPOSE_UNKNOWN",
            f"purpose {rule}",
            {"data_service": service.name, "purposes": ", ".join(known)},
            violations=[FieldViolation("purpose", rule)],
        )


def question_digest(query: data_service_pb2.DataQuery) -> bytes:
    """Return the SHA-256 that binds an answer to this question: who asks whom what, for what and when."""
    bound = data_service_pb2.DataQuery(
        name=query.name,
        data_service=query.data_service,
        revision=query.revision,
        asker=query.asker,
        purpose=query.purpose,
        question=query.question,
        ask_time=query.ask_time,
    )
    return hashlib.sha256(bound.SerializeToString(deterministic=True)).digest()


def answer_digest(query: data_service_pb2.DataQuery) -> bytes:
    """Return the SHA-256 of an answer together with its question's."""
    bound = data_service_pb2.DataQuery(
        question_sha256=query.question_sha256, outcome=query.outcome, answer=query.answer, refusal=query.refusal
    )
    return hashlib.sha256(bound.SerializeToString(deterministic=True)).digest()


def _require(
    service: data_service_pb2.DataService,
    schema: _Fields,
    fields: Sequence[exchange_pb2.PayloadField],
    tables: OrganTables,
    place: str,
) -> None:
    findings = [
        finding for finding in payload_findings(_rules(service.code, schema), fields, (), tables) if finding.blocking
    ]
    violations = []
    for finding in findings:
        # A field that is missing has no place of its own but its key.
        path = finding.field.replace("fields", place, 1) if finding.field.startswith("fields[") else place
        unknown = finding.reason == "FIELD_UNKNOWN"
        rule = "is no field of the data service; GetDataService lists them" if unknown else finding.en
        violations.append(FieldViolation(path, rule))
    if violations:
        named = "; ".join(f"{item.field}: {item.description}" for item in violations[:5])
        raise InvalidArgument("QUERY_FIELD_INVALID", named, {"data_service": service.name}, violations=violations)


def _rules(code: str, schema: _Fields) -> NodeSchema:
    rules = {
        field.key: PayloadFieldRule(
            key=field.key,
            zh=field.title_zh,
            en=field.title_en,
            subject=field.subject,
            type=_TYPES[field.type],
            role=field.code_role,
            number=field.number_kind,
            pattern=None,
            minimum=field.minimum if field.HasField("minimum") else None,
            maximum=field.maximum if field.HasField("maximum") else None,
            repeated=field.repeated,
            per_party=False,
        )
        for field in schema
    }
    required = tuple(field.key for field in schema if field.required)
    return NodeSchema(node=code, subjects=(), fields=MappingProxyType(rules), required=required, expected=())


def _schema_violations(place: str, schema: _Fields) -> Iterator[FieldViolation]:
    yield from _duplicates(place, "key", [field.key for field in schema])
    for index, field in enumerate(schema):
        path = f"{place}[{index}]"
        if _KEY.fullmatch(field.key) is None:
            yield FieldViolation(f"{path}.key", "must be in lower snake case, at most 64 characters")
        if not (field.title_zh and field.title_en):
            yield FieldViolation(f"{path}.title_zh", "must be set in both languages")
        if field.type not in _TYPES:
            yield FieldViolation(f"{path}.type", "must be set")
        if bool(field.code_role) != (field.type == collaboration_node_pb2.PAYLOAD_FIELD_TYPE_CODED):
            yield FieldViolation(f"{path}.code_role", "must be set for a coded field, and for no other")
        if field.number_kind and field.number_kind not in number_formats().kinds:
            yield FieldViolation(f"{path}.number_kind", f"must be one of {', '.join(number_formats().kinds)}")
        if field.per_party:
            yield FieldViolation(f"{path}.per_party", "must be unset: a question is about no party of a case")
        if field.pattern:
            # It would be matched against what others write, and some patterns never come to an end.
            yield FieldViolation(f"{path}.pattern", "must be unset; state a number_kind or a maximum")


def _asker_violations(service: data_service_pb2.DataService) -> Iterator[FieldViolation]:
    if not (service.organs or service.agencies):
        yield FieldViolation("organs", "must name a kind of organ, or `agencies` an agency, that may ask")
    known = {kind.code for kind in organ_kinds()}
    for index, organ in enumerate(service.organs):
        if organ not in known:
            yield FieldViolation(f"organs[{index}]", "must be a kind of organ, e.g. FY")


def _duplicates(place: str, field: str, values: Iterable[str]) -> Iterator[FieldViolation]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield FieldViolation(f"{place}[{index}].{field}", f"must be unique; {value} comes twice")
        seen.add(value)


def _within(prefix: str, violation: FieldViolation) -> FieldViolation:
    return FieldViolation(f"{prefix}.{violation.field}", violation.description)
