"""A request that passes the field rules, for any RPC, made from its descriptors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.common.v1.field_rules_pb2 import rules as rules_option
from casemesh.core.ids import new_id
from casemesh.runtime.field_rules import _PATTERNS

_NUMBERS = (
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
)

# One of these has the form that any pattern of the contract asks for.
_TEXTS = ("A", "a", "GA", "0", "01", "QS001", "a/b", "1.0", "0" * 64, "a" * 64, "2026-01-01")


def any_request(kind: type[Message], named: dict[str, str]) -> Any:
    """Return a message with every REQUIRED field set; `named` says which resource stands where one of its type is
    asked for (`casemesh/Case`). What else is a name gets a random identifier."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        if field_behavior_pb2.REQUIRED not in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]:
            continue
        if field.is_repeated:
            make = _submessage if field.message_type is not None else _scalar
            for _ in range(max(1, field.GetOptions().Extensions[rules_option].min_items)):
                getattr(message, field.name).append(make(field, named))
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(_submessage(field, named))
        else:
            setattr(message, field.name, _scalar(field, named))
    return message


def set_path(message: Message, path: str, value: str) -> None:
    """Set the field at a dotted path; messages on the way that are not there yet are made as `any_request` does."""
    *parents, last = path.split(".")
    target: Any = message
    for parent in parents:
        inner = getattr(target, parent)
        if not target.HasField(parent):
            inner.CopyFrom(any_request(type(inner), {}))
        target = inner
    setattr(target, last, value)


def _submessage(field: FieldDescriptor, named: dict[str, str]) -> Message:
    assert field.message_type is not None
    if field.message_type.full_name == "google.protobuf.Timestamp":
        ahead = Timestamp()
        ahead.FromDatetime(datetime.now(UTC) + timedelta(days=1))
        return ahead
    return any_request(field.message_type._concrete_class, named)


def _scalar(field: FieldDescriptor, named: dict[str, str]) -> Any:
    options = field.GetOptions()
    rules = options.Extensions[rules_option]
    reference = options.Extensions[resource_pb2.resource_reference].type
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        return field.enum_type.values[1].number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes(max(1, rules.min_bytes))
    if field.type in _NUMBERS:
        return max(1, rules.minimum)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    assert field.type == FieldDescriptor.TYPE_STRING, field.full_name
    if reference:
        return named.get(reference) or _random_name(reference)
    if rules.pattern:
        return next(text for text in _TEXTS if re.fullmatch(rules.pattern, text))
    return new_id() if rules.uuid else "某" * max(1, rules.min_length)


def _random_name(reference: str) -> str:
    pattern = _PATTERNS[reference]
    while "{" in pattern:
        head, _, rest = pattern.partition("{")
        pattern = f"{head}{new_id()}{rest.partition('}')[2]}"
    return pattern
