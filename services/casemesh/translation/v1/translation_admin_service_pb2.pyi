from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.translation.v1 import translation_pb2 as _translation_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PackFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PACK_FORMAT_UNSPECIFIED: _ClassVar[PackFormat]
    PACK_FORMAT_CSV: _ClassVar[PackFormat]
    PACK_FORMAT_JSON: _ClassVar[PackFormat]
PACK_FORMAT_UNSPECIFIED: PackFormat
PACK_FORMAT_CSV: PackFormat
PACK_FORMAT_JSON: PackFormat

class PackSource(_message.Message):
    __slots__ = ("format", "gzip", "statement", "accept_unsigned", "draft")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    GZIP_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_UNSIGNED_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    format: PackFormat
    gzip: bool
    statement: bytes
    accept_unsigned: bool
    draft: bool
    def __init__(self, format: _Optional[_Union[PackFormat, str]] = ..., gzip: _Optional[bool] = ..., statement: _Optional[bytes] = ..., accept_unsigned: _Optional[bool] = ..., draft: _Optional[bool] = ...) -> None: ...

class TableColumns(_message.Message):
    __slots__ = ("code", "name", "code_is_name", "first_day", "last_day", "successors", "several_meanings", "open_last_day")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_IS_NAME_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_MEANINGS_FIELD_NUMBER: _ClassVar[int]
    OPEN_LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    code_is_name: bool
    first_day: str
    last_day: str
    successors: str
    several_meanings: bool
    open_last_day: str
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., code_is_name: _Optional[bool] = ..., first_day: _Optional[str] = ..., last_day: _Optional[str] = ..., successors: _Optional[str] = ..., several_meanings: _Optional[bool] = ..., open_last_day: _Optional[str] = ...) -> None: ...

class PairColumns(_message.Message):
    __slots__ = ("from_code", "to_code", "skip_without_target")
    FROM_CODE_FIELD_NUMBER: _ClassVar[int]
    TO_CODE_FIELD_NUMBER: _ClassVar[int]
    SKIP_WITHOUT_TARGET_FIELD_NUMBER: _ClassVar[int]
    from_code: str
    to_code: str
    skip_without_target: bool
    def __init__(self, from_code: _Optional[str] = ..., to_code: _Optional[str] = ..., skip_without_target: _Optional[bool] = ...) -> None: ...

class ImportCodeSystemRequest(_message.Message):
    __slots__ = ("request_id", "code_system", "version", "display_name", "source", "csv", "pack", "columns")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code_system: str
    version: str
    display_name: str
    source: str
    csv: bytes
    pack: PackSource
    columns: TableColumns
    def __init__(self, request_id: _Optional[str] = ..., code_system: _Optional[str] = ..., version: _Optional[str] = ..., display_name: _Optional[str] = ..., source: _Optional[str] = ..., csv: _Optional[bytes] = ..., pack: _Optional[_Union[PackSource, _Mapping]] = ..., columns: _Optional[_Union[TableColumns, _Mapping]] = ...) -> None: ...

class ImportCodeSystemResponse(_message.Message):
    __slots__ = ("code_system",)
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    code_system: _translation_pb2.CodeSystem
    def __init__(self, code_system: _Optional[_Union[_translation_pb2.CodeSystem, _Mapping]] = ...) -> None: ...

class ImportConceptMapRequest(_message.Message):
    __slots__ = ("request_id", "concept_map", "version", "source_code_system", "target_code_system", "effective_from", "effective_until", "csv", "direction", "pack", "columns")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    concept_map: str
    version: str
    source_code_system: str
    target_code_system: str
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    csv: bytes
    direction: str
    pack: PackSource
    columns: PairColumns
    def __init__(self, request_id: _Optional[str] = ..., concept_map: _Optional[str] = ..., version: _Optional[str] = ..., source_code_system: _Optional[str] = ..., target_code_system: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., csv: _Optional[bytes] = ..., direction: _Optional[str] = ..., pack: _Optional[_Union[PackSource, _Mapping]] = ..., columns: _Optional[_Union[PairColumns, _Mapping]] = ...) -> None: ...

class ImportConceptMapResponse(_message.Message):
    __slots__ = ("concept_map",)
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ...) -> None: ...

class ActivateCodeSystemRequest(_message.Message):
    __slots__ = ("request_id", "code_system", "version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code_system: str
    version: str
    def __init__(self, request_id: _Optional[str] = ..., code_system: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class ActivateCodeSystemResponse(_message.Message):
    __slots__ = ("code_system",)
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    code_system: _translation_pb2.CodeSystem
    def __init__(self, code_system: _Optional[_Union[_translation_pb2.CodeSystem, _Mapping]] = ...) -> None: ...

class RetireCodeSystemRequest(_message.Message):
    __slots__ = ("request_id", "code_system", "version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code_system: str
    version: str
    def __init__(self, request_id: _Optional[str] = ..., code_system: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class RetireCodeSystemResponse(_message.Message):
    __slots__ = ("code_system",)
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    code_system: _translation_pb2.CodeSystem
    def __init__(self, code_system: _Optional[_Union[_translation_pb2.CodeSystem, _Mapping]] = ...) -> None: ...

class ActivateConceptMapRequest(_message.Message):
    __slots__ = ("request_id", "concept_map", "version", "effective_from", "effective_until")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    concept_map: str
    version: str
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    def __init__(self, request_id: _Optional[str] = ..., concept_map: _Optional[str] = ..., version: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class ActivateConceptMapResponse(_message.Message):
    __slots__ = ("concept_map", "resolved_count", "catalogue_revision")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_REVISION_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    resolved_count: int
    catalogue_revision: int
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ..., resolved_count: _Optional[int] = ..., catalogue_revision: _Optional[int] = ...) -> None: ...

class RetireConceptMapRequest(_message.Message):
    __slots__ = ("request_id", "concept_map", "version", "last_day")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    concept_map: str
    version: str
    last_day: _date_pb2.Date
    def __init__(self, request_id: _Optional[str] = ..., concept_map: _Optional[str] = ..., version: _Optional[str] = ..., last_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class RetireConceptMapResponse(_message.Message):
    __slots__ = ("concept_map",)
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ("identifier", "page_size", "page_token")
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    identifier: str
    page_size: int
    page_token: str
    def __init__(self, identifier: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[LoadedVersion]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[LoadedVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LoadedVersion(_message.Message):
    __slots__ = ("code_system", "concept_map")
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    code_system: _translation_pb2.CodeSystem
    concept_map: _translation_pb2.ConceptMap
    def __init__(self, code_system: _Optional[_Union[_translation_pb2.CodeSystem, _Mapping]] = ..., concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ...) -> None: ...

class PreviewConceptMapRequest(_message.Message):
    __slots__ = ("concept_map", "version", "date", "traffic_since", "page_size", "page_token")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_SINCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    concept_map: str
    version: str
    date: _date_pb2.Date
    traffic_since: _date_pb2.Date
    page_size: int
    page_token: str
    def __init__(self, concept_map: _Optional[str] = ..., version: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., traffic_since: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class PreviewConceptMapResponse(_message.Message):
    __slots__ = ("unchanged", "newly_mapped", "remapped", "lost", "changes", "next_page_token")
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    NEWLY_MAPPED_FIELD_NUMBER: _ClassVar[int]
    REMAPPED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    unchanged: ChangeCount
    newly_mapped: ChangeCount
    remapped: ChangeCount
    lost: ChangeCount
    changes: _containers.RepeatedCompositeFieldContainer[CodeChange]
    next_page_token: str
    def __init__(self, unchanged: _Optional[_Union[ChangeCount, _Mapping]] = ..., newly_mapped: _Optional[_Union[ChangeCount, _Mapping]] = ..., remapped: _Optional[_Union[ChangeCount, _Mapping]] = ..., lost: _Optional[_Union[ChangeCount, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[CodeChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ChangeCount(_message.Message):
    __slots__ = ("code_count", "use_count")
    CODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    USE_COUNT_FIELD_NUMBER: _ClassVar[int]
    code_count: int
    use_count: int
    def __init__(self, code_count: _Optional[int] = ..., use_count: _Optional[int] = ...) -> None: ...

class CodeChange(_message.Message):
    __slots__ = ("value", "before", "after", "use_count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    USE_COUNT_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    before: _containers.RepeatedCompositeFieldContainer[_translation_pb2.TranslationTarget]
    after: _containers.RepeatedCompositeFieldContainer[_translation_pb2.TranslationTarget]
    use_count: int
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., before: _Optional[_Iterable[_Union[_translation_pb2.TranslationTarget, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[_translation_pb2.TranslationTarget, _Mapping]]] = ..., use_count: _Optional[int] = ...) -> None: ...

class DeriveReverseMapRequest(_message.Message):
    __slots__ = ("request_id", "concept_map", "version", "reverse_concept_map", "reverse_version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REVERSE_CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    REVERSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    concept_map: str
    version: str
    reverse_concept_map: str
    reverse_version: str
    def __init__(self, request_id: _Optional[str] = ..., concept_map: _Optional[str] = ..., version: _Optional[str] = ..., reverse_concept_map: _Optional[str] = ..., reverse_version: _Optional[str] = ...) -> None: ...

class DeriveReverseMapResponse(_message.Message):
    __slots__ = ("concept_map", "weakened_pair_count", "omitted_code_count", "folded_source_count", "folded")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    WEAKENED_PAIR_COUNT_FIELD_NUMBER: _ClassVar[int]
    OMITTED_CODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLDED_SOURCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLDED_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    weakened_pair_count: int
    omitted_code_count: int
    folded_source_count: int
    folded: _containers.RepeatedCompositeFieldContainer[FoldedCode]
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ..., weakened_pair_count: _Optional[int] = ..., omitted_code_count: _Optional[int] = ..., folded_source_count: _Optional[int] = ..., folded: _Optional[_Iterable[_Union[FoldedCode, _Mapping]]] = ...) -> None: ...

class FoldedCode(_message.Message):
    __slots__ = ("target", "sources")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    target: _coded_value_pb2.CodedValue
    sources: _containers.RepeatedCompositeFieldContainer[_coded_value_pb2.CodedValue]
    def __init__(self, target: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[_coded_value_pb2.CodedValue, _Mapping]]] = ...) -> None: ...

class DraftResolvedMapRequest(_message.Message):
    __slots__ = ("request_id", "concept_map", "version", "source_code_system", "target_code_system")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    concept_map: str
    version: str
    source_code_system: str
    target_code_system: str
    def __init__(self, request_id: _Optional[str] = ..., concept_map: _Optional[str] = ..., version: _Optional[str] = ..., source_code_system: _Optional[str] = ..., target_code_system: _Optional[str] = ...) -> None: ...

class DraftResolvedMapResponse(_message.Message):
    __slots__ = ("concept_map", "decision_count")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    DECISION_COUNT_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    decision_count: int
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ..., decision_count: _Optional[int] = ...) -> None: ...

class ListUnmappedCodesRequest(_message.Message):
    __slots__ = ("state", "code_system", "page_size", "page_token")
    STATE_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    state: _translation_pb2.UnmappedCodeState
    code_system: str
    page_size: int
    page_token: str
    def __init__(self, state: _Optional[_Union[_translation_pb2.UnmappedCodeState, str]] = ..., code_system: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUnmappedCodesResponse(_message.Message):
    __slots__ = ("unmapped_codes", "next_page_token")
    UNMAPPED_CODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    unmapped_codes: _containers.RepeatedCompositeFieldContainer[_translation_pb2.UnmappedCode]
    next_page_token: str
    def __init__(self, unmapped_codes: _Optional[_Iterable[_Union[_translation_pb2.UnmappedCode, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResolveUnmappedCodeRequest(_message.Message):
    __slots__ = ("request_id", "name", "target_code", "equivalence", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_FIELD_NUMBER: _ClassVar[int]
    EQUIVALENCE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    target_code: str
    equivalence: _translation_pb2.Equivalence
    note: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., target_code: _Optional[str] = ..., equivalence: _Optional[_Union[_translation_pb2.Equivalence, str]] = ..., note: _Optional[str] = ...) -> None: ...

class ResolveUnmappedCodeResponse(_message.Message):
    __slots__ = ("unmapped_code",)
    UNMAPPED_CODE_FIELD_NUMBER: _ClassVar[int]
    unmapped_code: _translation_pb2.UnmappedCode
    def __init__(self, unmapped_code: _Optional[_Union[_translation_pb2.UnmappedCode, _Mapping]] = ...) -> None: ...

class ListResolvedCodesRequest(_message.Message):
    __slots__ = ("after_revision", "page_size", "page_token")
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    after_revision: int
    page_size: int
    page_token: str
    def __init__(self, after_revision: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListResolvedCodesResponse(_message.Message):
    __slots__ = ("unmapped_codes", "next_page_token")
    UNMAPPED_CODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    unmapped_codes: _containers.RepeatedCompositeFieldContainer[_translation_pb2.UnmappedCode]
    next_page_token: str
    def __init__(self, unmapped_codes: _Optional[_Iterable[_Union[_translation_pb2.UnmappedCode, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetCoverageRequest(_message.Message):
    __slots__ = ("concept_map", "version", "date", "page_size", "page_token")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    concept_map: str
    version: str
    date: _date_pb2.Date
    page_size: int
    page_token: str
    def __init__(self, concept_map: _Optional[str] = ..., version: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetCoverageResponse(_message.Message):
    __slots__ = ("concept_map", "source_count", "exact_count", "broader_count", "narrower_count", "none_count", "unmapped_count", "target_count", "reached_target_count", "folded_target_count", "folded_source_count", "folded", "next_page_token")
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    SOURCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    BROADER_COUNT_FIELD_NUMBER: _ClassVar[int]
    NARROWER_COUNT_FIELD_NUMBER: _ClassVar[int]
    NONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNMAPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TARGET_COUNT_FIELD_NUMBER: _ClassVar[int]
    REACHED_TARGET_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLDED_TARGET_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLDED_SOURCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLDED_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    source_count: int
    exact_count: int
    broader_count: int
    narrower_count: int
    none_count: int
    unmapped_count: int
    target_count: int
    reached_target_count: int
    folded_target_count: int
    folded_source_count: int
    folded: _containers.RepeatedCompositeFieldContainer[FoldedCode]
    next_page_token: str
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ..., source_count: _Optional[int] = ..., exact_count: _Optional[int] = ..., broader_count: _Optional[int] = ..., narrower_count: _Optional[int] = ..., none_count: _Optional[int] = ..., unmapped_count: _Optional[int] = ..., target_count: _Optional[int] = ..., reached_target_count: _Optional[int] = ..., folded_target_count: _Optional[int] = ..., folded_source_count: _Optional[int] = ..., folded: _Optional[_Iterable[_Union[FoldedCode, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
