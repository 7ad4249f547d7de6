"""Events as they are committed to: the JSON of an event, and of its place in its case.

The names of the fields are those of `event.proto`; what is unset there is absent here. Audit adds `source` (from the
sender's certificate), `log_time`, and for events of a case `case_sequence` and `previous`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from casemesh.audit.v1 import event_pb2
from casemesh.client import canonical_json
from casemesh.client.canonical_json import Json
from casemesh.core.names import CASE
from casemesh.errors import FieldViolation, InvalidArgument

MAX_EVENT_BYTES = 65_535
"""The largest entry that tiled logs can carry (C2SP tlog-tiles, entry bundles)."""

_TEXTS = ("case", "action", "resource", "basis", "trace_id")
_ACTOR = ("agency", "system", "officer", "peer")


@dataclass(frozen=True, slots=True)
class Submitted:
    """One event as a source sent it, checked."""

    event_id: str
    case: str
    """Empty when it belongs to none."""
    fields: dict[str, Json]
    digest: bytes
    """SHA-256 of the canonical JSON of the fields: whether two events of one id are the same."""

    @property
    def source(self) -> str:
        """The service it came from."""
        return str(self.fields["source"])


def submitted(events: Sequence[event_pb2.Event], source: str) -> list[Submitted]:
    """Return the events of one request as they will be committed to, all from `source`.

    Raises InvalidArgument naming the field when a case is no case name, a time is out of range, or an event is too
    large or outside what can be signed. Field rules in the protos were checked before.
    """
    return [_submitted(event, source, f"events[{position}]") for position, event in enumerate(events)]


def _submitted(event: event_pb2.Event, source: str, path: str) -> Submitted:
    if event.case:
        try:
            CASE.parse(event.case)
        except ValueError as error:
            raise _invalid(f"{path}.case", f"must be of the form {CASE.pattern}") from error
    try:
        occur_time = event.occur_time.ToJsonString()
    except ValueError as error:
        raise _invalid(f"{path}.occur_time", "must be between the years 1 and 9999") from error
    fields: dict[str, Json] = {"event_id": event.event_id, "source": source, "occur_time": occur_time}
    if event.source_sequence:
        fields["source_sequence"] = event.source_sequence
    fields |= {name: value for name in _TEXTS if (value := getattr(event, name))}
    fields["actor"] = {name: value for name in _ACTOR if (value := getattr(event.actor, name))}
    if event.details:
        fields["details"] = dict(event.details)
    try:
        canonical = canonical_json.dumps(fields)
    except canonical_json.CanonicalJsonError as error:
        raise _invalid(path, f"cannot be committed to: {error}") from error
    if len(canonical) > MAX_EVENT_BYTES:
        raise _invalid(path, f"must have at most {MAX_EVENT_BYTES} bytes as canonical JSON, not {len(canonical)}")
    return Submitted(event.event_id, event.case, fields, sha256(canonical).digest())


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {description}", violations=[FieldViolation(field, description)])
