import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.supervision.v1 import warning_pb2 as _warning_pb2
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

class ListWarningsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "case", "states", "min_rank", "rule", "owner", "escalated")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    MIN_RANK_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    case: str
    states: _containers.RepeatedScalarFieldContainer[_warning_pb2.WarningState]
    min_rank: _warning_pb2.WarningRank
    rule: str
    owner: str
    escalated: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., case: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_warning_pb2.WarningState, str]]] = ..., min_rank: _Optional[_Union[_warning_pb2.WarningRank, str]] = ..., rule: _Optional[str] = ..., owner: _Optional[str] = ..., escalated: _Optional[bool] = ...) -> None: ...

class ListWarningsResponse(_message.Message):
    __slots__ = ("warnings", "next_page_token")
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    warnings: _containers.RepeatedCompositeFieldContainer[_warning_pb2.Warning]
    next_page_token: str
    def __init__(self, warnings: _Optional[_Iterable[_Union[_warning_pb2.Warning, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetWarningRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetWarningResponse(_message.Message):
    __slots__ = ("warning",)
    WARNING_FIELD_NUMBER: _ClassVar[int]
    warning: _warning_pb2.Warning
    def __init__(self, warning: _Optional[_Union[_warning_pb2.Warning, _Mapping]] = ...) -> None: ...

class WatchWarningsRequest(_message.Message):
    __slots__ = ("resume_token", "case")
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    case: str
    def __init__(self, resume_token: _Optional[str] = ..., case: _Optional[str] = ...) -> None: ...

class WatchWarningsResponse(_message.Message):
    __slots__ = ("warning", "resume_token")
    WARNING_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    warning: _warning_pb2.Warning
    resume_token: str
    def __init__(self, warning: _Optional[_Union[_warning_pb2.Warning, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class AcknowledgeWarningRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class AcknowledgeWarningResponse(_message.Message):
    __slots__ = ("warning",)
    WARNING_FIELD_NUMBER: _ClassVar[int]
    warning: _warning_pb2.Warning
    def __init__(self, warning: _Optional[_Union[_warning_pb2.Warning, _Mapping]] = ...) -> None: ...

class AssignWarningRequest(_message.Message):
    __slots__ = ("request_id", "name", "owner")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    owner: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class AssignWarningResponse(_message.Message):
    __slots__ = ("warning",)
    WARNING_FIELD_NUMBER: _ClassVar[int]
    warning: _warning_pb2.Warning
    def __init__(self, warning: _Optional[_Union[_warning_pb2.Warning, _Mapping]] = ...) -> None: ...

class ResolveWarningRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResolveWarningResponse(_message.Message):
    __slots__ = ("warning",)
    WARNING_FIELD_NUMBER: _ClassVar[int]
    warning: _warning_pb2.Warning
    def __init__(self, warning: _Optional[_Union[_warning_pb2.Warning, _Mapping]] = ...) -> None: ...

class MarkNotApplicableRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MarkNotApplicableResponse(_message.Message):
    __slots__ = ("warning",)
    WARNING_FIELD_NUMBER: _ClassVar[int]
    warning: _warning_pb2.Warning
    def __init__(self, warning: _Optional[_Union[_warning_pb2.Warning, _Mapping]] = ...) -> None: ...

class GetSupervisionStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSupervisionStatusResponse(_message.Message):
    __slots__ = ("followed_size", "log_size", "answer_time", "waiting_count", "waiting_since")
    FOLLOWED_SIZE_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    WAITING_SINCE_FIELD_NUMBER: _ClassVar[int]
    followed_size: int
    log_size: int
    answer_time: _timestamp_pb2.Timestamp
    waiting_count: int
    waiting_since: _timestamp_pb2.Timestamp
    def __init__(self, followed_size: _Optional[int] = ..., log_size: _Optional[int] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waiting_count: _Optional[int] = ..., waiting_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
