from casemesh.audit.v1 import event_pb2 as _event_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FeedEventsRequest(_message.Message):
    __slots__ = ("first_index", "page_size")
    FIRST_INDEX_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    first_index: int
    page_size: int
    def __init__(self, first_index: _Optional[int] = ..., page_size: _Optional[int] = ...) -> None: ...

class FeedEventsResponse(_message.Message):
    __slots__ = ("events", "next_index", "log_size")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_INDEX_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[FedEvent]
    next_index: int
    log_size: int
    def __init__(self, events: _Optional[_Iterable[_Union[FedEvent, _Mapping]]] = ..., next_index: _Optional[int] = ..., log_size: _Optional[int] = ...) -> None: ...

class FedEvent(_message.Message):
    __slots__ = ("log_index", "source", "event")
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    log_index: int
    source: str
    event: _event_pb2.Event
    def __init__(self, log_index: _Optional[int] = ..., source: _Optional[str] = ..., event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ...) -> None: ...
