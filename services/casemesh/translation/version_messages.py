"""Versions and entries of the queue as messages of the protos."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.translation.messages import date_message, equivalence_message, state_message
from casemesh.translation.unmapped_store import Unmapped
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.version_store import Version

_QUEUE_STATES = {
    "open": translation_pb2.UNMAPPED_CODE_STATE_OPEN,
    "decided": translation_pb2.UNMAPPED_CODE_STATE_DECIDED,
    "resolved": translation_pb2.UNMAPPED_CODE_STATE_RESOLVED,
}
QUEUE_STATE_NAMES = {number: name for name, number in _QUEUE_STATES.items()}
"""States of the queue by their number in the contract."""


def version_code_system(version: Version) -> translation_pb2.CodeSystem:
    """Return the description of a version of a table."""
    return translation_pb2.CodeSystem(
        code_system=version.identifier,
        version=version.version,
        display_name=version.display_name,
        code_count=version.count,
        source=version.source,
        state=state_message(version.state),
        signer=version.signer,
    )


def version_concept_map(version: Version) -> translation_pb2.ConceptMap:
    """Return the description of a version of a map."""
    return translation_pb2.ConceptMap(
        concept_map=version.identifier,
        version=version.version,
        source_code_system=version.source_code_system,
        target_code_system=version.target_code_system,
        effective_from=date_message(version.period.first),
        effective_until=date_message(version.period.last),
        pair_count=version.count,
        state=state_message(version.state),
        signer=version.signer,
    )


def loaded_version(version: Version) -> admin_pb2.LoadedVersion:
    """Return the description of a version of whichever kind."""
    if version.is_map:
        return admin_pb2.LoadedVersion(concept_map=version_concept_map(version))
    return admin_pb2.LoadedVersion(code_system=version_code_system(version))


def unmapped_message(entry: Unmapped, display: str) -> translation_pb2.UnmappedCode:
    """Return an entry of the queue; `display` is the table's name of the code."""
    message = translation_pb2.UnmappedCode(
        name=f"unmappedCodes/{entry.id}",
        value=CodedValue(code_system=entry.key.source_code_system, code=entry.key.code, display=display),
        target_code_system=entry.key.target_code_system,
        state=_QUEUE_STATES[entry.state],
        seen_count=entry.seen_count,
        first_seen_time=_instant(entry.first_seen_at),
        last_seen_time=_instant(entry.last_seen_at),
        example=entry.example,
    )
    if entry.state != "open" and entry.decided_equivalence is not None:
        message.decided_code = entry.decided_code
        message.decided_equivalence = equivalence_message(entry.decided_equivalence)
        message.decision_note = entry.decision_note
    if entry.resolved_revision is not None:
        message.concept_map = entry.concept_map
        message.concept_map_version = entry.concept_map_version
        message.resolved_revision = entry.resolved_revision
        if (day := date_message(entry.effective_from)) is not None:
            message.effective_from.CopyFrom(day)
    return message


def _instant(moment: datetime) -> Timestamp:
    written = Timestamp()
    written.FromDatetime(moment)
    return written
