import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShreddingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHREDDING_STATE_UNSPECIFIED: _ClassVar[ShreddingState]
    SHREDDING_STATE_PROPOSED: _ClassVar[ShreddingState]
    SHREDDING_STATE_APPROVED: _ClassVar[ShreddingState]
    SHREDDING_STATE_DONE: _ClassVar[ShreddingState]
    SHREDDING_STATE_REJECTED: _ClassVar[ShreddingState]
SHREDDING_STATE_UNSPECIFIED: ShreddingState
SHREDDING_STATE_PROPOSED: ShreddingState
SHREDDING_STATE_APPROVED: ShreddingState
SHREDDING_STATE_DONE: ShreddingState
SHREDDING_STATE_REJECTED: ShreddingState

class EventSource(_message.Message):
    __slots__ = ("source", "last_sequence", "missing", "repeated_numbers", "append_time", "lag_millis")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REPEATED_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    APPEND_TIME_FIELD_NUMBER: _ClassVar[int]
    LAG_MILLIS_FIELD_NUMBER: _ClassVar[int]
    source: str
    last_sequence: int
    missing: _containers.RepeatedCompositeFieldContainer[NumberRun]
    repeated_numbers: _containers.RepeatedCompositeFieldContainer[NumberRun]
    append_time: _timestamp_pb2.Timestamp
    lag_millis: int
    def __init__(self, source: _Optional[str] = ..., last_sequence: _Optional[int] = ..., missing: _Optional[_Iterable[_Union[NumberRun, _Mapping]]] = ..., repeated_numbers: _Optional[_Iterable[_Union[NumberRun, _Mapping]]] = ..., append_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lag_millis: _Optional[int] = ...) -> None: ...

class NumberRun(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class Shredding(_message.Message):
    __slots__ = ("name", "case", "actions", "before_time", "reason", "state", "proposer", "propose_time", "decider", "decide_time", "event_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDER_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    actions: _containers.RepeatedScalarFieldContainer[str]
    before_time: _timestamp_pb2.Timestamp
    reason: str
    state: ShreddingState
    proposer: str
    propose_time: _timestamp_pb2.Timestamp
    decider: str
    decide_time: _timestamp_pb2.Timestamp
    event_count: int
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., actions: _Optional[_Iterable[str]] = ..., before_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., state: _Optional[_Union[ShreddingState, str]] = ..., proposer: _Optional[str] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decider: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_count: _Optional[int] = ...) -> None: ...

class ListEventSourcesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListEventSourcesResponse(_message.Message):
    __slots__ = ("sources",)
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[EventSource]
    def __init__(self, sources: _Optional[_Iterable[_Union[EventSource, _Mapping]]] = ...) -> None: ...

class ProposeShreddingRequest(_message.Message):
    __slots__ = ("request_id", "case", "actions", "before_time", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    actions: _containers.RepeatedScalarFieldContainer[str]
    before_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., actions: _Optional[_Iterable[str]] = ..., before_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ProposeShreddingResponse(_message.Message):
    __slots__ = ("shredding",)
    SHREDDING_FIELD_NUMBER: _ClassVar[int]
    shredding: Shredding
    def __init__(self, shredding: _Optional[_Union[Shredding, _Mapping]] = ...) -> None: ...

class ApproveShreddingRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ApproveShreddingResponse(_message.Message):
    __slots__ = ("shredding",)
    SHREDDING_FIELD_NUMBER: _ClassVar[int]
    shredding: Shredding
    def __init__(self, shredding: _Optional[_Union[Shredding, _Mapping]] = ...) -> None: ...

class RejectShreddingRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RejectShreddingResponse(_message.Message):
    __slots__ = ("shredding",)
    SHREDDING_FIELD_NUMBER: _ClassVar[int]
    shredding: Shredding
    def __init__(self, shredding: _Optional[_Union[Shredding, _Mapping]] = ...) -> None: ...

class ListShreddingsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListShreddingsResponse(_message.Message):
    __slots__ = ("shreddings", "next_page_token")
    SHREDDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    shreddings: _containers.RepeatedCompositeFieldContainer[Shredding]
    next_page_token: str
    def __init__(self, shreddings: _Optional[_Iterable[_Union[Shredding, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
