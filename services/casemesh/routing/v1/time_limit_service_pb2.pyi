import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import time_limit_pb2 as _time_limit_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListTimeLimitsRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class ListTimeLimitsResponse(_message.Message):
    __slots__ = ("time_limits",)
    TIME_LIMITS_FIELD_NUMBER: _ClassVar[int]
    time_limits: _containers.RepeatedCompositeFieldContainer[_time_limit_pb2.RunningTimeLimit]
    def __init__(self, time_limits: _Optional[_Iterable[_Union[_time_limit_pb2.RunningTimeLimit, _Mapping]]] = ...) -> None: ...

class ReckonTimeLimitRequest(_message.Message):
    __slots__ = ("limit", "start_time", "held", "adjustments")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    limit: str
    start_time: _timestamp_pb2.Timestamp
    held: bool
    adjustments: _containers.RepeatedCompositeFieldContainer[TimeLimitAdjustment]
    def __init__(self, limit: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., held: _Optional[bool] = ..., adjustments: _Optional[_Iterable[_Union[TimeLimitAdjustment, _Mapping]]] = ...) -> None: ...

class TimeLimitAdjustment(_message.Message):
    __slots__ = ("at_time", "extension", "pause", "restart_ground")
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    RESTART_GROUND_FIELD_NUMBER: _ClassVar[int]
    at_time: _timestamp_pb2.Timestamp
    extension: int
    pause: TimeLimitPause
    restart_ground: str
    def __init__(self, at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., extension: _Optional[int] = ..., pause: _Optional[_Union[TimeLimitPause, _Mapping]] = ..., restart_ground: _Optional[str] = ...) -> None: ...

class TimeLimitPause(_message.Message):
    __slots__ = ("until_time", "ground")
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    until_time: _timestamp_pb2.Timestamp
    ground: str
    def __init__(self, until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ground: _Optional[str] = ...) -> None: ...

class ReckonTimeLimitResponse(_message.Message):
    __slots__ = ("reckoning",)
    RECKONING_FIELD_NUMBER: _ClassVar[int]
    reckoning: _time_limit_pb2.TimeLimitReckoning
    def __init__(self, reckoning: _Optional[_Union[_time_limit_pb2.TimeLimitReckoning, _Mapping]] = ...) -> None: ...
