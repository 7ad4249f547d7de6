"""Protobuf messages as plain JSON values for people's scripts.

Field names as in the contract. Unlike protobuf's own JSON: 64-bit integers are numbers, bytes are hexadecimal (they are
digests), enum values lose their prefix and dates read `2026-01-31`. Unset fields are left out, empty lists too.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message


def plain(message: Message) -> dict[str, Any]:
    """Return `message` as JSON values."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found[field.name] = dict(value)
        elif _is_repeated(field):
            found[field.name] = [_value(field, item) for item in value]
        else:
            found[field.name] = _value(field, value)
    return found


def _is_repeated(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return _message(field.message_type.full_name, value)
    if field.enum_type is not None:
        return enum_name(field.enum_type, value)
    return value.hex() if isinstance(value, bytes) else value


def _message(name: str, value: Any) -> Any:
    if name == "google.protobuf.Timestamp":
        return str(value.ToJsonString())
    if name == "google.type.Date":
        return f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    return plain(value)


def enum_name(enum: Any, number: int) -> str:
    """Return a value's name without the prefix all values share, e.g. DELIVERED for EXCHANGE_STATE_DELIVERED."""
    value = enum.values_by_number.get(number)
    if value is None:
        return str(number)
    prefix = str(enum.values_by_number[0].name).removesuffix("UNSPECIFIED")
    return str(value.name).removeprefix(prefix)
