import datetime

from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DossierState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOSSIER_STATE_UNSPECIFIED: _ClassVar[DossierState]
    DOSSIER_STATE_DRAFT: _ClassVar[DossierState]
    DOSSIER_STATE_FINAL: _ClassVar[DossierState]

class DeliveryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_STATE_UNSPECIFIED: _ClassVar[DeliveryState]
    DELIVERY_STATE_GRANTED: _ClassVar[DeliveryState]
    DELIVERY_STATE_STARTED: _ClassVar[DeliveryState]
    DELIVERY_STATE_CONFIRMED: _ClassVar[DeliveryState]
DOSSIER_STATE_UNSPECIFIED: DossierState
DOSSIER_STATE_DRAFT: DossierState
DOSSIER_STATE_FINAL: DossierState
DELIVERY_STATE_UNSPECIFIED: DeliveryState
DELIVERY_STATE_GRANTED: DeliveryState
DELIVERY_STATE_STARTED: DeliveryState
DELIVERY_STATE_CONFIRMED: DeliveryState

class Dossier(_message.Message):
    __slots__ = ("name", "case", "agency", "title", "state", "version", "document_count", "page_count", "size_bytes", "create_time", "revision", "expire_time")
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
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
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
    revision: int
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., agency: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[_Union[DossierState, str]] = ..., version: _Optional[str] = ..., document_count: _Optional[int] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DossierVersion(_message.Message):
    __slots__ = ("name", "case", "agency", "document_count", "page_count", "size_bytes", "root_hash", "finalize_time", "revision", "parent", "internal", "root_statement")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROOT_HASH_FIELD_NUMBER: _ClassVar[int]
    FINALIZE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    ROOT_STATEMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    agency: str
    document_count: int
    page_count: int
    size_bytes: int
    root_hash: bytes
    finalize_time: _timestamp_pb2.Timestamp
    revision: int
    parent: str
    internal: bool
    root_statement: bytes
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., agency: _Optional[str] = ..., document_count: _Optional[int] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., root_hash: _Optional[bytes] = ..., finalize_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., parent: _Optional[str] = ..., internal: _Optional[bool] = ..., root_statement: _Optional[bytes] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("name", "document_index", "volume", "file_name", "media_type", "page_count", "size_bytes", "committed_bytes", "sha256", "parties")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    document_index: int
    volume: str
    file_name: str
    media_type: str
    page_count: int
    size_bytes: int
    committed_bytes: int
    sha256: bytes
    parties: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., document_index: _Optional[int] = ..., volume: _Optional[str] = ..., file_name: _Optional[str] = ..., media_type: _Optional[str] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., committed_bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ..., parties: _Optional[_Iterable[str]] = ...) -> None: ...

class VersionDelivery(_message.Message):
    __slots__ = ("version", "recipient", "state", "grant_time", "start_time", "confirm_time", "confirmation")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GRANT_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    version: str
    recipient: str
    state: DeliveryState
    grant_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    confirm_time: _timestamp_pb2.Timestamp
    confirmation: bytes
    def __init__(self, version: _Optional[str] = ..., recipient: _Optional[str] = ..., state: _Optional[_Union[DeliveryState, str]] = ..., grant_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirmation: _Optional[bytes] = ...) -> None: ...
