"""Holding a payload to its node's schema: one pass over the fields, everything found at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from casemesh.core.names import NODE
from casemesh.data.number_formats import read_number
from casemesh.data.payload_schemas import NodeSchema, PayloadFieldRule
from casemesh.routing.findings import Finding, found
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.v1 import exchange_pb2


def payload_findings(
    schema: NodeSchema, fields: Sequence[exchange_pb2.PayloadField], parties: Sequence[str], tables: OrganTables
) -> list[Finding]:
    """Return what is at fault in `fields`, in their order, then what is missing.

    A field that the schema does not know is refused: it would reach the recipient unchecked and untranslated, and a
    mistyped key would pass as a value that nobody reads.
    """
    about = frozenset(parties)
    seen: set[tuple[str, str]] = set()
    findings: list[Finding] = []
    for index, field in enumerate(fields):
        place = f"fields[{index}]"
        rule = schema.fields.get(field.key)
        if rule is None:
            findings.append(_unknown(schema, field.key, place))
            continue
        key = (field.key, field.party)
        if key in seen and not rule.repeated:
            findings.append(_at_fault("FIELD_REPEATED", place, schema, rule))
        seen.add(key)
        if field.party and not (rule.per_party and field.party in about):
            findings.append(_at_fault("FIELD_PARTY_WRONG", place, schema, rule))
        findings += _value_findings(schema, rule, field, place, tables)
    present = {key for key, _ in seen}
    findings += (
        _at_fault("FIELD_MISSING", key, schema, schema.fields[key]) for key in schema.required if key not in present
    )
    findings += (
        _at_fault("FIELD_EXPECTED", key, schema, schema.fields[key]) for key in schema.expected if key not in present
    )
    return findings


def _value_findings(
    schema: NodeSchema, rule: PayloadFieldRule, field: exchange_pb2.PayloadField, place: str, tables: OrganTables
) -> Iterator[Finding]:
    kind = field.WhichOneof("value")
    if kind != rule.type:
        yield _at_fault("FIELD_TYPE_WRONG", place, schema, rule, type=rule.type)
    elif kind == "text":
        yield from _text_findings(schema, rule, field.text, place)
    elif kind == "integer":
        if (rule.minimum is not None and field.integer < rule.minimum) or (
            rule.maximum is not None and field.integer > rule.maximum
        ):
            bound = f"{'' if rule.minimum is None else rule.minimum}..{'' if rule.maximum is None else rule.maximum}"
            yield _at_fault("FIELD_OUT_OF_BOUNDS", place, schema, rule, bound=bound)
    elif kind == "coded":
        subject = tables.subject(field.coded.code_system)
        if subject not in ("", rule.role):
            yield _at_fault(
                "CODE_TABLE_WRONG", place, schema, rule, role=rule.role, code_system=field.coded.code_system
            )


def _text_findings(schema: NodeSchema, rule: PayloadFieldRule, text: str, place: str) -> Iterator[Finding]:
    if rule.maximum is not None and len(text) > rule.maximum:
        yield _at_fault("FIELD_OUT_OF_BOUNDS", place, schema, rule, bound=f"..{rule.maximum}")
    if rule.pattern is not None and rule.pattern.fullmatch(text) is None:
        yield _at_fault("FIELD_PATTERN_WRONG", place, schema, rule, pattern=rule.pattern.pattern)
    if rule.number:
        for finding in read_number(text, rule.number).findings:
            yield Finding(
                finding.reason,
                place,
                f"{rule.key}({rule.zh}):{finding.zh}",
                f"{rule.key}: {finding.en}",
                "PAYLOAD_INVALID" if finding.is_error else "",
                _metadata(schema, rule.key) if finding.is_error else {},
            )


def _unknown(schema: NodeSchema, key: str, place: str) -> Finding:
    close = get_close_matches(key, schema.fields, n=1)
    return found(
        "FIELD_UNKNOWN",
        f"{place}.key",
        _metadata(schema, key),
        node=schema.node,
        key=key,
        nearest_zh=f",是否为 {close[0]}" if close else "",
        nearest_en=f", perhaps {close[0]}" if close else "",
    )


def _at_fault(reason: str, place: str, schema: NodeSchema, rule: PayloadFieldRule, **words: object) -> Finding:
    metadata = _metadata(schema, rule.key)
    return found(reason, place, metadata, node=schema.node, key=rule.key, title_zh=rule.zh, **words)


def _metadata(schema: NodeSchema, key: str) -> dict[str, str]:
    return {"node": NODE.format(node=schema.node), "field": key}
