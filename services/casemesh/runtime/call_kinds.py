"""What kind of call a method is, for metrics and objectives: a stream, a change, or a read."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from google.protobuf import descriptor_pool


class CallKind(StrEnum):
    """Objectives differ by these: a change waits for its commit, a stream lasts as long as there is something."""

    READ = "read"
    CHANGE = "change"
    STREAM = "stream"


@lru_cache(maxsize=4096)
def kind_of(method: str) -> CallKind:
    """Return the kind of `package.Service/Method`. A change is what takes a `request_id`; a method that nobody
    describes, such as health, is a read."""
    try:
        described = descriptor_pool.Default().FindMethodByName(method.replace("/", "."))
    except KeyError:
        return CallKind.READ
    if described.client_streaming or described.server_streaming:
        return CallKind.STREAM
    return CallKind.CHANGE if "request_id" in described.input_type.fields_by_name else CallKind.READ
