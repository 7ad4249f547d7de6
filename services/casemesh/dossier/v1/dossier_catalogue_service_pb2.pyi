import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecognitionSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECOGNITION_SOURCE_UNSPECIFIED: _ClassVar[RecognitionSource]
    RECOGNITION_SOURCE_NAME: _ClassVar[RecognitionSource]
    RECOGNITION_SOURCE_TEXT: _ClassVar[RecognitionSource]
    RECOGNITION_SOURCE_OCR: _ClassVar[RecognitionSource]
    RECOGNITION_SOURCE_RULE: _ClassVar[RecognitionSource]
    RECOGNITION_SOURCE_OFFICER: _ClassVar[RecognitionSource]

class FindingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_KIND_UNSPECIFIED: _ClassVar[FindingKind]
    FINDING_KIND_MISSING: _ClassVar[FindingKind]
    FINDING_KIND_DUPLICATE: _ClassVar[FindingKind]
    FINDING_KIND_UNREADABLE: _ClassVar[FindingKind]
    FINDING_KIND_EMPTY: _ClassVar[FindingKind]
    FINDING_KIND_OUT_OF_ORDER: _ClassVar[FindingKind]
    FINDING_KIND_NEVER_CROSSES: _ClassVar[FindingKind]
    FINDING_KIND_UNCLASSIFIED: _ClassVar[FindingKind]
    FINDING_KIND_PAGE_COUNT: _ClassVar[FindingKind]
    FINDING_KIND_NOT_EXAMINED: _ClassVar[FindingKind]
RECOGNITION_SOURCE_UNSPECIFIED: RecognitionSource
RECOGNITION_SOURCE_NAME: RecognitionSource
RECOGNITION_SOURCE_TEXT: RecognitionSource
RECOGNITION_SOURCE_OCR: RecognitionSource
RECOGNITION_SOURCE_RULE: RecognitionSource
RECOGNITION_SOURCE_OFFICER: RecognitionSource
FINDING_KIND_UNSPECIFIED: FindingKind
FINDING_KIND_MISSING: FindingKind
FINDING_KIND_DUPLICATE: FindingKind
FINDING_KIND_UNREADABLE: FindingKind
FINDING_KIND_EMPTY: FindingKind
FINDING_KIND_OUT_OF_ORDER: FindingKind
FINDING_KIND_NEVER_CROSSES: FindingKind
FINDING_KIND_UNCLASSIFIED: FindingKind
FINDING_KIND_PAGE_COUNT: FindingKind
FINDING_KIND_NOT_EXAMINED: FindingKind

class CatalogueEntry(_message.Message):
    __slots__ = ("document", "document_index", "volume", "file_name", "type_code", "type_name", "catalogue_volume", "confidence", "source", "reason", "format", "stated_page_count", "found_page_count", "first_page", "last_page", "problems", "examined", "parties")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_CODE_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VOLUME_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    STATED_PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOUND_PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_PAGE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    EXAMINED_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    document: str
    document_index: int
    volume: str
    file_name: str
    type_code: str
    type_name: str
    catalogue_volume: str
    confidence: float
    source: RecognitionSource
    reason: str
    format: str
    stated_page_count: int
    found_page_count: int
    first_page: int
    last_page: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    examined: bool
    parties: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, document: _Optional[str] = ..., document_index: _Optional[int] = ..., volume: _Optional[str] = ..., file_name: _Optional[str] = ..., type_code: _Optional[str] = ..., type_name: _Optional[str] = ..., catalogue_volume: _Optional[str] = ..., confidence: _Optional[float] = ..., source: _Optional[_Union[RecognitionSource, str]] = ..., reason: _Optional[str] = ..., format: _Optional[str] = ..., stated_page_count: _Optional[int] = ..., found_page_count: _Optional[int] = ..., first_page: _Optional[int] = ..., last_page: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ..., examined: _Optional[bool] = ..., parties: _Optional[_Iterable[str]] = ...) -> None: ...

class ListCatalogueEntriesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCatalogueEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token", "waiting_count")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[CatalogueEntry]
    next_page_token: str
    waiting_count: int
    def __init__(self, entries: _Optional[_Iterable[_Union[CatalogueEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., waiting_count: _Optional[int] = ...) -> None: ...

class CorrectDocumentRequest(_message.Message):
    __slots__ = ("request_id", "document", "type_code", "only_this")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_CODE_FIELD_NUMBER: _ClassVar[int]
    ONLY_THIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    document: str
    type_code: str
    only_this: bool
    def __init__(self, request_id: _Optional[str] = ..., document: _Optional[str] = ..., type_code: _Optional[str] = ..., only_this: _Optional[bool] = ...) -> None: ...

class CorrectDocumentResponse(_message.Message):
    __slots__ = ("entry", "rule")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    entry: CatalogueEntry
    rule: RecognitionRule
    def __init__(self, entry: _Optional[_Union[CatalogueEntry, _Mapping]] = ..., rule: _Optional[_Union[RecognitionRule, _Mapping]] = ...) -> None: ...

class RecognitionRule(_message.Message):
    __slots__ = ("rule_id", "title", "type_code", "create_time")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TYPE_CODE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    title: str
    type_code: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, rule_id: _Optional[str] = ..., title: _Optional[str] = ..., type_code: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRecognitionRulesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecognitionRulesResponse(_message.Message):
    __slots__ = ("rules", "next_page_token")
    RULES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[RecognitionRule]
    next_page_token: str
    def __init__(self, rules: _Optional[_Iterable[_Union[RecognitionRule, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ForgetRecognitionRuleRequest(_message.Message):
    __slots__ = ("request_id", "rule_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rule_id: str
    def __init__(self, request_id: _Optional[str] = ..., rule_id: _Optional[str] = ...) -> None: ...

class ForgetRecognitionRuleResponse(_message.Message):
    __slots__ = ("rule_id",)
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    def __init__(self, rule_id: _Optional[str] = ...) -> None: ...

class CheckCompletenessRequest(_message.Message):
    __slots__ = ("parent", "node", "parties")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    parent: str
    node: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, parent: _Optional[str] = ..., node: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("kind", "blocking", "document", "type_code", "type_name", "detail", "remedy", "party")
    KIND_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_CODE_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    kind: FindingKind
    blocking: bool
    document: str
    type_code: str
    type_name: str
    detail: str
    remedy: str
    party: str
    def __init__(self, kind: _Optional[_Union[FindingKind, str]] = ..., blocking: _Optional[bool] = ..., document: _Optional[str] = ..., type_code: _Optional[str] = ..., type_name: _Optional[str] = ..., detail: _Optional[str] = ..., remedy: _Optional[str] = ..., party: _Optional[str] = ...) -> None: ...

class CheckCompletenessResponse(_message.Message):
    __slots__ = ("findings", "finding_count", "blocking_count", "required_count")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    FINDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_COUNT_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_COUNT_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    finding_count: int
    blocking_count: int
    required_count: int
    def __init__(self, findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., finding_count: _Optional[int] = ..., blocking_count: _Optional[int] = ..., required_count: _Optional[int] = ...) -> None: ...
