import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TimeLimitState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_LIMIT_STATE_UNSPECIFIED: _ClassVar[TimeLimitState]
    TIME_LIMIT_STATE_RUNNING: _ClassVar[TimeLimitState]
    TIME_LIMIT_STATE_PAUSED: _ClassVar[TimeLimitState]
    TIME_LIMIT_STATE_MET: _ClassVar[TimeLimitState]
    TIME_LIMIT_STATE_MET_LATE: _ClassVar[TimeLimitState]
    TIME_LIMIT_STATE_OVER: _ClassVar[TimeLimitState]
    TIME_LIMIT_STATE_LAPSED: _ClassVar[TimeLimitState]

class TimeLimitRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_LIMIT_RULE_UNSPECIFIED: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_START_NOT_COUNTED: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_LENGTH: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_LAST_DAY_OF_MONTH: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_NO_SUCH_DAY: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_EXTENDED: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_EXTENDED_IN_ALL: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_PAUSED: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_STILL_PAUSED: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_RESTARTED: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_MOVED_TO_WORKING_DAY: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_NOT_MOVED_IN_CUSTODY: _ClassVar[TimeLimitRule]
    TIME_LIMIT_RULE_COUNTED_BACK: _ClassVar[TimeLimitRule]
TIME_LIMIT_STATE_UNSPECIFIED: TimeLimitState
TIME_LIMIT_STATE_RUNNING: TimeLimitState
TIME_LIMIT_STATE_PAUSED: TimeLimitState
TIME_LIMIT_STATE_MET: TimeLimitState
TIME_LIMIT_STATE_MET_LATE: TimeLimitState
TIME_LIMIT_STATE_OVER: TimeLimitState
TIME_LIMIT_STATE_LAPSED: TimeLimitState
TIME_LIMIT_RULE_UNSPECIFIED: TimeLimitRule
TIME_LIMIT_RULE_START_NOT_COUNTED: TimeLimitRule
TIME_LIMIT_RULE_LENGTH: TimeLimitRule
TIME_LIMIT_RULE_LAST_DAY_OF_MONTH: TimeLimitRule
TIME_LIMIT_RULE_NO_SUCH_DAY: TimeLimitRule
TIME_LIMIT_RULE_EXTENDED: TimeLimitRule
TIME_LIMIT_RULE_EXTENDED_IN_ALL: TimeLimitRule
TIME_LIMIT_RULE_PAUSED: TimeLimitRule
TIME_LIMIT_RULE_STILL_PAUSED: TimeLimitRule
TIME_LIMIT_RULE_RESTARTED: TimeLimitRule
TIME_LIMIT_RULE_MOVED_TO_WORKING_DAY: TimeLimitRule
TIME_LIMIT_RULE_NOT_MOVED_IN_CUSTODY: TimeLimitRule
TIME_LIMIT_RULE_COUNTED_BACK: TimeLimitRule

class TimeLimitStep(_message.Message):
    __slots__ = ("rule", "until_time", "length", "unit", "extra_days", "ground_zh", "ground_en")
    RULE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_DAYS_FIELD_NUMBER: _ClassVar[int]
    GROUND_ZH_FIELD_NUMBER: _ClassVar[int]
    GROUND_EN_FIELD_NUMBER: _ClassVar[int]
    rule: TimeLimitRule
    until_time: _timestamp_pb2.Timestamp
    length: int
    unit: str
    extra_days: int
    ground_zh: str
    ground_en: str
    def __init__(self, rule: _Optional[_Union[TimeLimitRule, str]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., length: _Optional[int] = ..., unit: _Optional[str] = ..., extra_days: _Optional[int] = ..., ground_zh: _Optional[str] = ..., ground_en: _Optional[str] = ...) -> None: ...

class TimeLimitReckoning(_message.Message):
    __slots__ = ("limit", "title_zh", "title_en", "legal_basis", "start_time", "over_time", "last_day", "days_left", "counted_back", "provisional", "steps")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    OVER_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    COUNTED_BACK_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    limit: str
    title_zh: str
    title_en: str
    legal_basis: str
    start_time: _timestamp_pb2.Timestamp
    over_time: _timestamp_pb2.Timestamp
    last_day: _date_pb2.Date
    days_left: int
    counted_back: bool
    provisional: bool
    steps: _containers.RepeatedCompositeFieldContainer[TimeLimitStep]
    def __init__(self, limit: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., legal_basis: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., over_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., days_left: _Optional[int] = ..., counted_back: _Optional[bool] = ..., provisional: _Optional[bool] = ..., steps: _Optional[_Iterable[_Union[TimeLimitStep, _Mapping]]] = ...) -> None: ...

class RunningTimeLimit(_message.Message):
    __slots__ = ("party", "exchange", "node", "state", "reckoning", "met_by_node", "meet_time", "unreckonable")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RECKONING_FIELD_NUMBER: _ClassVar[int]
    MET_BY_NODE_FIELD_NUMBER: _ClassVar[int]
    MEET_TIME_FIELD_NUMBER: _ClassVar[int]
    UNRECKONABLE_FIELD_NUMBER: _ClassVar[int]
    party: str
    exchange: str
    node: str
    state: TimeLimitState
    reckoning: TimeLimitReckoning
    met_by_node: str
    meet_time: _timestamp_pb2.Timestamp
    unreckonable: str
    def __init__(self, party: _Optional[str] = ..., exchange: _Optional[str] = ..., node: _Optional[str] = ..., state: _Optional[_Union[TimeLimitState, str]] = ..., reckoning: _Optional[_Union[TimeLimitReckoning, _Mapping]] = ..., met_by_node: _Optional[str] = ..., meet_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unreckonable: _Optional[str] = ...) -> None: ...
