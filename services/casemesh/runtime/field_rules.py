"""One validator for all requests, driven by the options in the protos.

It reads `google.api.field_behavior` (REQUIRED), `google.api.resource_reference` (with the pattern of the resource)
and our own `casemesh.common.v1.rules` from the descriptors, once per message type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from casemesh.common.v1.field_rules_pb2 import FieldRules
from casemesh.common.v1.field_rules_pb2 import rules as rules_option
from casemesh.core.ids import is_uuid
from casemesh.core.names import (
    CASE,
    DATA_QUERY,
    DATA_SERVICE,
    NODE,
    PARTY,
    RECEIPT,
    SINGLE_TRACK,
    SUCCESSION,
    UNIT,
    WARNING,
    regex_of,
)
from casemesh.errors import FieldViolation, InvalidArgument

DEFAULT_MAX_LENGTH = 4096
DEFAULT_MAX_ITEMS = 1000

Check = Callable[[Any], str | None]
"""Returns what the value must be, or None when it is that."""

# Resources whose defining message lives in another domain than those that refer to it; domains meet by name only.
_PATTERNS = {
    "casemesh/Agency": "agencies/{agency}",
    "casemesh/Officer": "agencies/{agency}/officers/{officer}",
    "casemesh/Unit": UNIT.pattern,
    "casemesh/Case": CASE.pattern,
    "casemesh/Party": PARTY.pattern,
    "casemesh/Succession": SUCCESSION.pattern,
    "casemesh/Dossier": "dossiers/{dossier}",
    "casemesh/Document": "dossiers/{dossier}/documents/{document}",
    "casemesh/DossierVersion": "dossiers/{dossier}/versions/{version}",
    "casemesh/CollaborationNode": NODE.pattern,
    "casemesh/Exchange": "exchanges/{exchange}",
    "casemesh/DataService": DATA_SERVICE.pattern,
    "casemesh/DataQuery": DATA_QUERY.pattern,
    "casemesh/Receipt": RECEIPT.pattern,
    "casemesh/SingleTrack": SINGLE_TRACK.pattern,
    "casemesh/Warning": WARNING.pattern,
}


def validate(message: Message) -> None:
    """Check every field of `message` and the messages in it.

    Raises InvalidArgument with one violation per field at fault, its path and what it must be.
    """
    violations = list(_violations(message, ""))
    if violations:
        named = "; ".join(f"{item.field} {item.description}" for item in violations[:5])
        raise InvalidArgument("FIELD_INVALID", named, violations=violations)


def _violations(message: Message, prefix: str) -> Iterator[FieldViolation]:
    for field, required, max_items, min_items, check in _plan(message.DESCRIPTOR):
        path = prefix + field.name
        value = getattr(message, field.name)
        if field.is_repeated:
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            count = len(value)
            if (required and count == 0) or count < min_items:
                yield FieldViolation(path, f"must have at least {max(1, min_items)} items")
            if count > max_items:
                yield FieldViolation(path, f"must have at most {max_items} items, not {count}")
                continue
            for index, item in enumerate(value):
                yield from _check_one(item, field, f"{path}[{index}]", check)
        elif field.message_type is not None:
            if message.HasField(field.name):
                yield from _check_one(value, field, path, check)
            elif required:
                yield FieldViolation(path, "must be set")
        elif field.containing_oneof is not None and not message.HasField(field.name):
            continue
        elif required and value in ("", b"", 0):
            yield FieldViolation(path, "must be set")
        elif value not in ("", b"") or (check is not None and not required and _has_minimum(field)):
            yield from _check_one(value, field, path, check)


def _check_one(value: Any, field: FieldDescriptor, path: str, check: Check | None) -> Iterator[FieldViolation]:
    if field.message_type is not None:
        if not field.message_type.full_name.startswith("google."):
            yield from _violations(value, f"{path}.")
        return
    if check is not None and (complaint := check(value)) is not None:
        yield FieldViolation(path, complaint)


def _has_minimum(field: FieldDescriptor) -> bool:
    rules = _rules_of(field)
    return bool(rules.min_length or rules.min_bytes)


def _rules_of(field: FieldDescriptor) -> FieldRules:
    rules: FieldRules = field.GetOptions().Extensions[rules_option]  # type: ignore[index]
    return rules


@cache
def _plan(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, bool, int, int, Check | None], ...]:
    steps = []
    for field in descriptor.fields:
        options = field.GetOptions()
        rules = _rules_of(field)
        required = field_behavior_pb2.REQUIRED in options.Extensions[field_behavior_pb2.field_behavior]
        reference = options.Extensions[resource_pb2.resource_reference].type
        check = _check(field, rules, reference)
        if check is None and not required and not field.is_repeated and field.message_type is None:
            # Nothing to check: reading it would only copy it, and uploads are made of such fields.
            continue
        steps.append((field, required, rules.max_items or DEFAULT_MAX_ITEMS, rules.min_items, check))
    return tuple(steps)


def _check(field: FieldDescriptor, rules: FieldRules, reference: str) -> Check | None:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _string_check(rules, reference)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes_check(rules) if rules.min_bytes or rules.max_bytes else None
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        known = frozenset(field.enum_type.values_by_number)
        return lambda value: None if value in known else "must be a value of its enum"
    if field.type in (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_MESSAGE):
        return None
    return _number_check(rules)


def _string_check(rules: FieldRules, reference: str) -> Check:
    max_length = rules.max_length or DEFAULT_MAX_LENGTH
    pattern = re.compile(rules.pattern) if rules.pattern else None
    resource = _PATTERNS[reference] if reference else None
    name = re.compile(regex_of(resource)) if resource else None

    def check(value: str) -> str | None:
        if len(value) < rules.min_length:
            return f"must have at least {rules.min_length} characters"
        if len(value) > max_length:
            return f"must have at most {max_length} characters, not {len(value)}"
        if rules.max_bytes and len(value.encode()) > rules.max_bytes:
            return f"must have at most {rules.max_bytes} bytes in UTF-8"
        if rules.uuid and not is_uuid(value):
            return "must be a UUID in lowercase hexadecimal with hyphens"
        if pattern is not None and pattern.fullmatch(value) is None:
            return f"must match {rules.pattern}"
        if name is not None and name.fullmatch(value) is None:
            return f"must be a resource name of the form {resource}"
        if "\x00" in value:
            return "must not hold NUL"
        return None

    return check


def _bytes_check(rules: FieldRules) -> Check:
    def check(value: bytes) -> str | None:
        if len(value) < rules.min_bytes:
            return f"must have at least {rules.min_bytes} bytes, not {len(value)}"
        if rules.max_bytes and len(value) > rules.max_bytes:
            return f"must have at most {rules.max_bytes} bytes, not {len(value)}"
        return None

    return check


def _number_check(rules: FieldRules) -> Check | None:
    if not rules.HasField("minimum") and not rules.HasField("maximum"):
        return None

    def check(value: int) -> str | None:
        if rules.HasField("minimum") and value < rules.minimum:
            return f"must be at least {rules.minimum}, not {value}"
        if rules.HasField("maximum") and value > rules.maximum:
            return f"must be at most {rules.maximum}, not {value}"
        return None

    return check
