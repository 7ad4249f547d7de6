"""Codes of a table in its own order, or those that a search finds."""

from __future__ import annotations

from datetime import date

from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.messages import listed_code_message
from casemesh.translation.v1 import translation_service_pb2 as read_pb2


def list_codes(table: CodeSystem, request: read_pb2.ListCodesRequest, day: date) -> read_pb2.ListCodesResponse:
    """Return a page of codes. Raises InvalidArgument for a token that is none, or of another version of the table."""
    start = _place(table, request.page_token)
    size = page_size_of(request.page_size)
    response = read_pb2.ListCodesResponse(code_system_version=table.version)
    for position in range(start, len(table.entries)):
        entry = table.entries[position]
        if not entry.code.startswith(request.code_prefix) or request.display_contains not in entry.name_zh:
            continue
        if request.active_only and not entry.active(day):
            continue
        if len(response.codes) == size:
            response.next_page_token = encode_token(f"{position} {table.version}")
            break
        response.codes.append(listed_code_message(table, entry, day))
    return response


def _place(table: CodeSystem, token: str) -> int:
    key = decode_token(token)
    if not key:
        return 0
    number, _, version = key.partition(" ")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise invalid_token()
    if version != table.version:
        rule = f"is of version {version}, and {table.version} is in force now; begin again"
        raise InvalidArgument("FIELD_INVALID", f"page_token {rule}", violations=[FieldViolation("page_token", rule)])
    return int(number)
