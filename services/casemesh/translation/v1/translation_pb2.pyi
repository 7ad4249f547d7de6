from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Equivalence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EQUIVALENCE_UNSPECIFIED: _ClassVar[Equivalence]
    EQUIVALENCE_EXACT: _ClassVar[Equivalence]
    EQUIVALENCE_BROADER: _ClassVar[Equivalence]
    EQUIVALENCE_NARROWER: _ClassVar[Equivalence]

class TranslationOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSLATION_OUTCOME_UNSPECIFIED: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_MAPPED: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_UNMAPPED: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_UNKNOWN_CODE: _ClassVar[TranslationOutcome]
    TRANSLATION_OUTCOME_SAME_SYSTEM: _ClassVar[TranslationOutcome]
EQUIVALENCE_UNSPECIFIED: Equivalence
EQUIVALENCE_EXACT: Equivalence
EQUIVALENCE_BROADER: Equivalence
EQUIVALENCE_NARROWER: Equivalence
TRANSLATION_OUTCOME_UNSPECIFIED: TranslationOutcome
TRANSLATION_OUTCOME_MAPPED: TranslationOutcome
TRANSLATION_OUTCOME_UNMAPPED: TranslationOutcome
TRANSLATION_OUTCOME_UNKNOWN_CODE: TranslationOutcome
TRANSLATION_OUTCOME_SAME_SYSTEM: TranslationOutcome

class CodeSystem(_message.Message):
    __slots__ = ("code_system", "version", "display_name", "code_count", "source")
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    code_system: str
    version: str
    display_name: str
    code_count: int
    source: str
    def __init__(self, code_system: _Optional[str] = ..., version: _Optional[str] = ..., display_name: _Optional[str] = ..., code_count: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class ConceptMap(_message.Message):
    __slots__ = ("concept_map", "version", "source_code_system", "target_code_system", "effective_from", "effective_until", "pair_count")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PAIR_COUNT_FIELD_NUMBER: _ClassVar[int]
    concept_map: str
    version: str
    source_code_system: str
    target_code_system: str
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    pair_count: int
    def __init__(self, concept_map: _Optional[str] = ..., version: _Optional[str] = ..., source_code_system: _Optional[str] = ..., target_code_system: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., pair_count: _Optional[int] = ...) -> None: ...

class TranslationTarget(_message.Message):
    __slots__ = ("value", "equivalence")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    equivalence: Equivalence
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., equivalence: _Optional[_Union[Equivalence, str]] = ...) -> None: ...

class Translation(_message.Message):
    __slots__ = ("original", "outcome", "targets", "concept_map", "concept_map_version")
    ORIGINAL_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_VERSION_FIELD_NUMBER: _ClassVar[int]
    original: _coded_value_pb2.CodedValue
    outcome: TranslationOutcome
    targets: _containers.RepeatedCompositeFieldContainer[TranslationTarget]
    concept_map: str
    concept_map_version: str
    def __init__(self, original: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., outcome: _Optional[_Union[TranslationOutcome, str]] = ..., targets: _Optional[_Iterable[_Union[TranslationTarget, _Mapping]]] = ..., concept_map: _Optional[str] = ..., concept_map_version: _Optional[str] = ...) -> None: ...
