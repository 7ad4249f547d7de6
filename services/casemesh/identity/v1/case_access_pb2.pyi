import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
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
    CASE_PERMISSION_VIEW_PROGRESS: _ClassVar[CasePermission]
    CASE_PERMISSION_REVIEW_ACCESS: _ClassVar[CasePermission]
    CASE_PERMISSION_BREAK_GLASS: _ClassVar[CasePermission]

class CaseStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CASE_STAGE_UNSPECIFIED: _ClassVar[CaseStage]
    CASE_STAGE_INVESTIGATION: _ClassVar[CaseStage]
    CASE_STAGE_PROSECUTION: _ClassVar[CaseStage]
    CASE_STAGE_TRIAL: _ClassVar[CaseStage]
    CASE_STAGE_EXECUTION: _ClassVar[CaseStage]

class SealKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEAL_KIND_UNSPECIFIED: _ClassVar[SealKind]
    SEAL_KIND_JUVENILE: _ClassVar[SealKind]
    SEAL_KIND_STATE_SECRET: _ClassVar[SealKind]
    SEAL_KIND_PRIVACY: _ClassVar[SealKind]

class CaseAccessKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CASE_ACCESS_KIND_UNSPECIFIED: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_PARTICIPATION: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_ASSIGNMENT: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_SUPERVISION: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_DELEGATION: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_BREAK_GLASS: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_SEAL_OPENING: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_SEAL: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_UNIT_SUPERVISION: _ClassVar[CaseAccessKind]
    CASE_ACCESS_KIND_GRANT: _ClassVar[CaseAccessKind]
CASE_PERMISSION_UNSPECIFIED: CasePermission
CASE_PERMISSION_VIEW_CASE: CasePermission
CASE_PERMISSION_VIEW_DOSSIER: CasePermission
CASE_PERMISSION_CHANGE_DOSSIER: CasePermission
CASE_PERMISSION_SUBMIT_EXCHANGE: CasePermission
CASE_PERMISSION_RECEIVE_EXCHANGE: CasePermission
CASE_PERMISSION_DECIDE_EXCHANGE: CasePermission
CASE_PERMISSION_MANAGE_ACCESS: CasePermission
CASE_PERMISSION_VIEW_TRAIL: CasePermission
CASE_PERMISSION_VIEW_PROGRESS: CasePermission
CASE_PERMISSION_REVIEW_ACCESS: CasePermission
CASE_PERMISSION_BREAK_GLASS: CasePermission
CASE_STAGE_UNSPECIFIED: CaseStage
CASE_STAGE_INVESTIGATION: CaseStage
CASE_STAGE_PROSECUTION: CaseStage
CASE_STAGE_TRIAL: CaseStage
CASE_STAGE_EXECUTION: CaseStage
SEAL_KIND_UNSPECIFIED: SealKind
SEAL_KIND_JUVENILE: SealKind
SEAL_KIND_STATE_SECRET: SealKind
SEAL_KIND_PRIVACY: SealKind
CASE_ACCESS_KIND_UNSPECIFIED: CaseAccessKind
CASE_ACCESS_KIND_PARTICIPATION: CaseAccessKind
CASE_ACCESS_KIND_ASSIGNMENT: CaseAccessKind
CASE_ACCESS_KIND_SUPERVISION: CaseAccessKind
CASE_ACCESS_KIND_DELEGATION: CaseAccessKind
CASE_ACCESS_KIND_BREAK_GLASS: CaseAccessKind
CASE_ACCESS_KIND_SEAL_OPENING: CaseAccessKind
CASE_ACCESS_KIND_SEAL: CaseAccessKind
CASE_ACCESS_KIND_UNIT_SUPERVISION: CaseAccessKind
CASE_ACCESS_KIND_GRANT: CaseAccessKind

class CaseAccess(_message.Message):
    __slots__ = ("case", "agency", "officer", "cause", "valid_from", "valid_until", "kind", "fact", "permissions", "given_by", "stage", "seal_kind")
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FACT_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_BY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SEAL_KIND_FIELD_NUMBER: _ClassVar[int]
    case: str
    agency: str
    officer: str
    cause: str
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    kind: CaseAccessKind
    fact: str
    permissions: _containers.RepeatedScalarFieldContainer[CasePermission]
    given_by: str
    stage: CaseStage
    seal_kind: SealKind
    def __init__(self, case: _Optional[str] = ..., agency: _Optional[str] = ..., officer: _Optional[str] = ..., cause: _Optional[str] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[CaseAccessKind, str]] = ..., fact: _Optional[str] = ..., permissions: _Optional[_Iterable[_Union[CasePermission, str]]] = ..., given_by: _Optional[str] = ..., stage: _Optional[_Union[CaseStage, str]] = ..., seal_kind: _Optional[_Union[SealKind, str]] = ...) -> None: ...
