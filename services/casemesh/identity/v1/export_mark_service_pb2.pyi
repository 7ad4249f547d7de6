import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportMark(_message.Message):
    __slots__ = ("mark", "reading", "case", "version", "officer", "officer_display_name", "agency_display_name", "purpose", "reading_time", "create_time")
    MARK_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    OFFICER_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    AGENCY_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    READING_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    mark: str
    reading: str
    case: str
    version: str
    officer: str
    officer_display_name: str
    agency_display_name: str
    purpose: str
    reading_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, mark: _Optional[str] = ..., reading: _Optional[str] = ..., case: _Optional[str] = ..., version: _Optional[str] = ..., officer: _Optional[str] = ..., officer_display_name: _Optional[str] = ..., agency_display_name: _Optional[str] = ..., purpose: _Optional[str] = ..., reading_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateExportMarkRequest(_message.Message):
    __slots__ = ("request_id", "case", "version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    version: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class CreateExportMarkResponse(_message.Message):
    __slots__ = ("mark",)
    MARK_FIELD_NUMBER: _ClassVar[int]
    mark: ExportMark
    def __init__(self, mark: _Optional[_Union[ExportMark, _Mapping]] = ...) -> None: ...

class GetExportMarkRequest(_message.Message):
    __slots__ = ("mark",)
    MARK_FIELD_NUMBER: _ClassVar[int]
    mark: str
    def __init__(self, mark: _Optional[str] = ...) -> None: ...

class GetExportMarkResponse(_message.Message):
    __slots__ = ("mark",)
    MARK_FIELD_NUMBER: _ClassVar[int]
    mark: ExportMark
    def __init__(self, mark: _Optional[_Union[ExportMark, _Mapping]] = ...) -> None: ...
