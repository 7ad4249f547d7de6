import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CasePermission(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CASE_PERMISSION_UNSPECIFIED: _ClassVar[CasePermission]
    CASE_PERMISSION_VIEW_CASE: _ClassVar[CasePermission]
    CASE_PERMISSION_VIEW_DOSSIER: _ClassVar[CasePermission]
    CASE_PERMISSION_CHANGE_DOSSIER: _ClassVar[CasePermission]
    CASE_PERMISSION_SUBMIT_EXCHANGE: _ClassVar[CasePermission]
    CASE_PERMISSION_RECEIVE_EXCHANGE: _ClassVar[CasePermission]
    CASE_PERMISSION_DECIDE_EXCHANGE: _ClassVar[CasePermission]
    CASE_PERMISSION_MANAGE_ACCESS: _ClassVar[CasePermission]
    CASE_PERMISSION_VIEW_TRAIL: _ClassVar[CasePermission]
CASE_PERMISSION_UNSPECIFIED: CasePermission
CASE_PERMISSION_VIEW_CASE: CasePermission
CASE_PERMISSION_VIEW_DOSSIER: CasePermission
CASE_PERMISSION_CHANGE_DOSSIER: CasePermission
CASE_PERMISSION_SUBMIT_EXCHANGE: CasePermission
CASE_PERMISSION_RECEIVE_EXCHANGE: CasePermission
CASE_PERMISSION_DECIDE_EXCHANGE: CasePermission
CASE_PERMISSION_MANAGE_ACCESS: CasePermission
CASE_PERMISSION_VIEW_TRAIL: CasePermission

class CaseAccess(_message.Message):
    __slots__ = ("case", "agency", "officer", "cause", "valid_from", "valid_until")
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    case: str
    agency: str
    officer: str
    cause: str
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    def __init__(self, case: _Optional[str] = ..., agency: _Optional[str] = ..., officer: _Optional[str] = ..., cause: _Optional[str] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
