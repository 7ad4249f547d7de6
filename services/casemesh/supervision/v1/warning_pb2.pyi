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

class WarningState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WARNING_STATE_UNSPECIFIED: _ClassVar[WarningState]
    WARNING_STATE_OPEN: _ClassVar[WarningState]
    WARNING_STATE_ACKNOWLEDGED: _ClassVar[WarningState]
    WARNING_STATE_RESOLVED: _ClassVar[WarningState]
    WARNING_STATE_NOT_APPLICABLE: _ClassVar[WarningState]
    WARNING_STATE_SUPERSEDED: _ClassVar[WarningState]

class WarningRank(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WARNING_RANK_UNSPECIFIED: _ClassVar[WarningRank]
    WARNING_RANK_LOW: _ClassVar[WarningRank]
    WARNING_RANK_MEDIUM: _ClassVar[WarningRank]
    WARNING_RANK_HIGH: _ClassVar[WarningRank]
    WARNING_RANK_CRITICAL: _ClassVar[WarningRank]

class WarningStanding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WARNING_STANDING_UNSPECIFIED: _ClassVar[WarningStanding]
    WARNING_STANDING_FOUND: _ClassVar[WarningStanding]
    WARNING_STANDING_AHEAD: _ClassVar[WarningStanding]
    WARNING_STANDING_OVER: _ClassVar[WarningStanding]
    WARNING_STANDING_LATE: _ClassVar[WarningStanding]
WARNING_STATE_UNSPECIFIED: WarningState
WARNING_STATE_OPEN: WarningState
WARNING_STATE_ACKNOWLEDGED: WarningState
WARNING_STATE_RESOLVED: WarningState
WARNING_STATE_NOT_APPLICABLE: WarningState
WARNING_STATE_SUPERSEDED: WarningState
WARNING_RANK_UNSPECIFIED: WarningRank
WARNING_RANK_LOW: WarningRank
WARNING_RANK_MEDIUM: WarningRank
WARNING_RANK_HIGH: WarningRank
WARNING_RANK_CRITICAL: WarningRank
WARNING_STANDING_UNSPECIFIED: WarningStanding
WARNING_STANDING_FOUND: WarningStanding
WARNING_STANDING_AHEAD: WarningStanding
WARNING_STANDING_OVER: WarningStanding
WARNING_STANDING_LATE: WarningStanding

class WarningMove(_message.Message):
    __slots__ = ("move_time", "state", "kind", "officer", "reason")
    MOVE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    move_time: _timestamp_pb2.Timestamp
    state: WarningState
    kind: str
    officer: str
    reason: str
    def __init__(self, move_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[WarningState, str]] = ..., kind: _Optional[str] = ..., officer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Warning(_message.Message):
    __slots__ = ("name", "case", "rule", "rule_version", "rank", "state", "subject", "title_zh", "title_en", "explanation_zh", "explanation_en", "legal_basis", "due_time", "days_left", "concerned", "owner", "create_time", "update_time", "acknowledge_time", "escalate_time", "close_time", "close_reason", "moves", "standing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_ZH_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_EN_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    CONCERNED_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ESCALATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_REASON_FIELD_NUMBER: _ClassVar[int]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    rule: str
    rule_version: str
    rank: WarningRank
    state: WarningState
    subject: str
    title_zh: str
    title_en: str
    explanation_zh: str
    explanation_en: str
    legal_basis: str
    due_time: _timestamp_pb2.Timestamp
    days_left: int
    concerned: _containers.RepeatedScalarFieldContainer[str]
    owner: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    acknowledge_time: _timestamp_pb2.Timestamp
    escalate_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    close_reason: str
    moves: _containers.RepeatedCompositeFieldContainer[WarningMove]
    standing: WarningStanding
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., rule: _Optional[str] = ..., rule_version: _Optional[str] = ..., rank: _Optional[_Union[WarningRank, str]] = ..., state: _Optional[_Union[WarningState, str]] = ..., subject: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., explanation_zh: _Optional[str] = ..., explanation_en: _Optional[str] = ..., legal_basis: _Optional[str] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days_left: _Optional[int] = ..., concerned: _Optional[_Iterable[str]] = ..., owner: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., escalate_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_reason: _Optional[str] = ..., moves: _Optional[_Iterable[_Union[WarningMove, _Mapping]]] = ..., standing: _Optional[_Union[WarningStanding, str]] = ...) -> None: ...
