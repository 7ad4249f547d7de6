import datetime

from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DossierState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOSSIER_STATE_UNSPECIFIED: _ClassVar[DossierState]
    DOSSIER_STATE_DRAFT: _ClassVar[DossierState]
    DOSSIER_STATE_FINAL: _ClassVar[DossierState]
DOSSIER_STATE_UNSPECIFIED: DossierState
DOSSIER_STATE_DRAFT: DossierState
DOSSIER_STATE_FINAL: DossierState

class Dossier(_message.Message):
    __slots__ = ("name", "case", "agency", "title", "state", "version", "document_count", "page_count", "size_bytes", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    agency: str
    title: str
    state: DossierState
    version: str
    document_count: int
    page_count: int
    size_bytes: int
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., agency: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[_Union[DossierState, str]] = ..., version: _Optional[str] = ..., document_count: _Optional[int] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DossierVersion(_message.Message):
    __slots__ = ("name", "case", "agency", "document_count", "page_count", "size_bytes", "root_hash", "finalize_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROOT_HASH_FIELD_NUMBER: _ClassVar[int]
    FINALIZE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    agency: str
    document_count: int
    page_count: int
    size_bytes: int
    root_hash: bytes
    finalize_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., agency: _Optional[str] = ..., document_count: _Optional[int] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., root_hash: _Optional[bytes] = ..., finalize_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("name", "document_index", "volume", "file_name", "media_type", "page_count", "size_bytes", "committed_bytes", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    document_index: int
    volume: str
    file_name: str
    media_type: str
    page_count: int
    size_bytes: int
    committed_bytes: int
    sha256: bytes
    def __init__(self, name: _Optional[str] = ..., document_index: _Optional[int] = ..., volume: _Optional[str] = ..., file_name: _Optional[str] = ..., media_type: _Optional[str] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., committed_bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ...) -> None: ...
