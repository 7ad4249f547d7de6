import datetime

from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VersionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERSION_STATE_UNSPECIFIED: _ClassVar[VersionState]
    VERSION_STATE_DRAFT: _ClassVar[VersionState]
    VERSION_STATE_ACTIVE: _ClassVar[VersionState]
    VERSION_STATE_RETIRED: _ClassVar[VersionState]

class Equivalence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EQUIVALENCE_UNSPECIFIED: _ClassVar[Equivalence]
    EQUIVALENCE_EXACT: _ClassVar[Equivalence]
    EQUIVALENCE_BROADER: _ClassVar[Equivalence]
    EQUIVALENCE_NARROWER: _ClassVar[Equivalence]
    EQUIVALENCE_NONE: _ClassVar[Equivalence]

class TranslationOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSLATION_OUTCOME_UNSPECIFIED: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_MAPPED: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_UNMAPPED: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_UNKNOWN_CODE: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_SAME_SYSTEM: _ClassVar[TranslationOutcome]

class UnmappedCodeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNMAPPED_CODE_STATE_UNSPECIFIED: _ClassVar[UnmappedCodeState]
    UNMAPPED_CODE_STATE_OPEN: _ClassVar[UnmappedCodeState]
    UNMAPPED_CODE_STATE_DECIDED: _ClassVar[UnmappedCodeState]
    UNMAPPED_CODE_STATE_RESOLVED: _ClassVar[UnmappedCodeState]
VERSION_STATE_UNSPECIFIED: VersionState
VERSION_STATE_DRAFT: VersionState
VERSION_STATE_ACTIVE: VersionState
VERSION_STATE_RETIRED: VersionState
EQUIVALENCE_UNSPECIFIED: Equivalence
EQUIVALENCE_EXACT: Equivalence
EQUIVALENCE_BROADER: Equivalence
EQUIVALENCE_NARROWER: Equivalence
EQUIVALENCE_NONE: Equivalence
TRANSLATION_OUTCOME_UNSPECIFIED: TranslationOutcome
TRANSLATION_OUTCOME_MAPPED: TranslationOutcome
TRANSLATION_OUTCOME_UNMAPPED: TranslationOutcome
TRANSLATION_OUTCOME_UNKNOWN_CODE: TranslationOutcome
TRANSLATION_OUTCOME_SAME_SYSTEM: TranslationOutcome
UNMAPPED_CODE_STATE_UNSPECIFIED: UnmappedCodeState
UNMAPPED_CODE_STATE_OPEN: UnmappedCodeState
UNMAPPED_CODE_STATE_DECIDED: UnmappedCodeState
UNMAPPED_CODE_STATE_RESOLVED: UnmappedCodeState

class CodeSystem(_message.Message):
    __slots__ = ("code_system", "version", "display_name", "code_count", "source", "state", "signer")
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    code_system: str
    version: str
    display_name: str
    code_count: int
    source: str
    state: VersionState
    signer: str
    def __init__(self, code_system: _Optional[str] = ..., version: _Optional[str] = ..., display_name: _Optional[str] = ..., code_count: _Optional[int] = ..., source: _Optional[str] = ..., state: _Optional[_Union[VersionState, str]] = ..., signer: _Optional[str] = ...) -> None: ...

class ConceptMap(_message.Message):
    __slots__ = ("concept_map", "version", "source_code_system", "target_code_system", "effective_from", "effective_until", "pair_count", "state", "signer")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PAIR_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    concept_map: str
    version: str
    source_code_system: str
    target_code_system: str
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    pair_count: int
    state: VersionState
    signer: str
    def __init__(self, concept_map: _Optional[str] = ..., version: _Optional[str] = ..., source_code_system: _Optional[str] = ..., target_code_system: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., pair_count: _Optional[int] = ..., state: _Optional[_Union[VersionState, str]] = ..., signer: _Optional[str] = ...) -> None: ...

class TranslationTarget(_message.Message):
    __slots__ = ("value", "equivalence", "note", "condition")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    equivalence: Equivalence
    note: str
    condition: str
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., equivalence: _Optional[_Union[Equivalence, str]] = ..., note: _Optional[str] = ..., condition: _Optional[str] = ...) -> None: ...

class Translation(_message.Message):
    __slots__ = ("original", "outcome", "targets", "concept_map", "concept_map_version", "message", "undecided_fields", "successors", "no_counterpart")
    ORIGINAL_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    UNDECIDED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    NO_COUNTERPART_FIELD_NUMBER: _ClassVar[int]
    original: _coded_value_pb2.CodedValue
    outcome: TranslationOutcome
    targets: _containers.RepeatedCompositeFieldContainer[TranslationTarget]
    concept_map: str
    concept_map_version: str
    message: str
    undecided_fields: _containers.RepeatedScalarFieldContainer[str]
    successors: _containers.RepeatedScalarFieldContainer[str]
    no_counterpart: bool
    def __init__(self, original: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., outcome: _Optional[_Union[TranslationOutcome, str]] = ..., targets: _Optional[_Iterable[_Union[TranslationTarget, _Mapping]]] = ..., concept_map: _Optional[str] = ..., concept_map_version: _Optional[str] = ..., message: _Optional[str] = ..., undecided_fields: _Optional[_Iterable[str]] = ..., successors: _Optional[_Iterable[str]] = ..., no_counterpart: _Optional[bool] = ...) -> None: ...

class RecordValue(_message.Message):
    __slots__ = ("field", "coded", "text")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CODED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    field: str
    coded: _coded_value_pb2.CodedValue
    text: str
    def __init__(self, field: _Optional[str] = ..., coded: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class UnmappedCode(_message.Message):
    __slots__ = ("name", "value", "target_code_system", "state", "seen_count", "first_seen_time", "last_seen_time", "example", "decided_code", "decided_equivalence", "decision_note", "concept_map", "concept_map_version", "resolved_revision", "effective_from")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SEEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_CODE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_EQUIVALENCE_FIELD_NUMBER: _ClassVar[int]
    DECISION_NOTE_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_REVISION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: _coded_value_pb2.CodedValue
    target_code_system: str
    state: UnmappedCodeState
    seen_count: int
    first_seen_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    example: str
    decided_code: str
    decided_equivalence: Equivalence
    decision_note: str
    concept_map: str
    concept_map_version: str
    resolved_revision: int
    effective_from: _date_pb2.Date
    def __init__(self, name: _Optional[str] = ..., value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., target_code_system: _Optional[str] = ..., state: _Optional[_Union[UnmappedCodeState, str]] = ..., seen_count: _Optional[int] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., example: _Optional[str] = ..., decided_code: _Optional[str] = ..., decided_equivalence: _Optional[_Union[Equivalence, str]] = ..., decision_note: _Optional[str] = ..., concept_map: _Optional[str] = ..., concept_map_version: _Optional[str] = ..., resolved_revision: _Optional[int] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...
