import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NodeCatalogueState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_CATALOGUE_STATE_UNSPECIFIED: _ClassVar[NodeCatalogueState]
    NODE_CATALOGUE_STATE_PREVIEW: _ClassVar[NodeCatalogueState]
    NODE_CATALOGUE_STATE_ACTIVE: _ClassVar[NodeCatalogueState]

class NodeChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_CHANGE_KIND_UNSPECIFIED: _ClassVar[NodeChangeKind]
    NODE_CHANGE_KIND_ADDED: _ClassVar[NodeChangeKind]
    NODE_CHANGE_KIND_REMOVED: _ClassVar[NodeChangeKind]
    NODE_CHANGE_KIND_CHANGED: _ClassVar[NodeChangeKind]
NODE_CATALOGUE_STATE_UNSPECIFIED: NodeCatalogueState
NODE_CATALOGUE_STATE_PREVIEW: NodeCatalogueState
NODE_CATALOGUE_STATE_ACTIVE: NodeCatalogueState
NODE_CHANGE_KIND_UNSPECIFIED: NodeChangeKind
NODE_CHANGE_KIND_ADDED: NodeChangeKind
NODE_CHANGE_KIND_REMOVED: NodeChangeKind
NODE_CHANGE_KIND_CHANGED: NodeChangeKind

class NodeCatalogueVersion(_message.Message):
    __slots__ = ("version", "province", "effective_from", "state", "node_count", "sha256", "imported_by", "import_time", "activated_by", "activate_time", "note")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_BY_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_BY_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_TIME_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    version: str
    province: str
    effective_from: _date_pb2.Date
    state: NodeCatalogueState
    node_count: int
    sha256: bytes
    imported_by: str
    import_time: _timestamp_pb2.Timestamp
    activated_by: str
    activate_time: _timestamp_pb2.Timestamp
    note: str
    def __init__(self, version: _Optional[str] = ..., province: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., state: _Optional[_Union[NodeCatalogueState, str]] = ..., node_count: _Optional[int] = ..., sha256: _Optional[bytes] = ..., imported_by: _Optional[str] = ..., import_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., activated_by: _Optional[str] = ..., activate_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class NodeChange(_message.Message):
    __slots__ = ("node", "kind", "cells")
    NODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    node: str
    kind: NodeChangeKind
    cells: _containers.RepeatedCompositeFieldContainer[NodeCellChange]
    def __init__(self, node: _Optional[str] = ..., kind: _Optional[_Union[NodeChangeKind, str]] = ..., cells: _Optional[_Iterable[_Union[NodeCellChange, _Mapping]]] = ...) -> None: ...

class NodeCellChange(_message.Message):
    __slots__ = ("column", "before", "after")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    column: str
    before: str
    after: str
    def __init__(self, column: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class ImportNodeCatalogueRequest(_message.Message):
    __slots__ = ("request_id", "csv", "effective_from", "province", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    csv: bytes
    effective_from: _date_pb2.Date
    province: str
    note: str
    def __init__(self, request_id: _Optional[str] = ..., csv: _Optional[bytes] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., province: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class ImportNodeCatalogueResponse(_message.Message):
    __slots__ = ("version", "changes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    version: NodeCatalogueVersion
    changes: _containers.RepeatedCompositeFieldContainer[NodeChange]
    def __init__(self, version: _Optional[_Union[NodeCatalogueVersion, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[NodeChange, _Mapping]]] = ...) -> None: ...

class CompareNodeCatalogueRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class CompareNodeCatalogueResponse(_message.Message):
    __slots__ = ("version", "changes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    version: NodeCatalogueVersion
    changes: _containers.RepeatedCompositeFieldContainer[NodeChange]
    def __init__(self, version: _Optional[_Union[NodeCatalogueVersion, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[NodeChange, _Mapping]]] = ...) -> None: ...

class ActivateNodeCatalogueRequest(_message.Message):
    __slots__ = ("request_id", "version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    version: str
    def __init__(self, request_id: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class ActivateNodeCatalogueResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: NodeCatalogueVersion
    def __init__(self, version: _Optional[_Union[NodeCatalogueVersion, _Mapping]] = ...) -> None: ...

class ListNodeCataloguesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNodeCataloguesResponse(_message.Message):
    __slots__ = ("versions", "next_page_token", "shipped_version")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHIPPED_VERSION_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[NodeCatalogueVersion]
    next_page_token: str
    shipped_version: str
    def __init__(self, versions: _Optional[_Iterable[_Union[NodeCatalogueVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., shipped_version: _Optional[str] = ...) -> None: ...

class SetAgencyProvinceRequest(_message.Message):
    __slots__ = ("request_id", "agency", "province")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    agency: str
    province: str
    def __init__(self, request_id: _Optional[str] = ..., agency: _Optional[str] = ..., province: _Optional[str] = ...) -> None: ...

class SetAgencyProvinceResponse(_message.Message):
    __slots__ = ("agency", "province")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    agency: str
    province: str
    def __init__(self, agency: _Optional[str] = ..., province: _Optional[str] = ...) -> None: ...
