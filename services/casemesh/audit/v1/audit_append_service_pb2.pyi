from casemesh.audit.v1 import event_pb2 as _event_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AppendEventsRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class AppendEventsResponse(_message.Message):
    __slots__ = ("places",)
    PLACES_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedCompositeFieldContainer[LogPlace]
    def __init__(self, places: _Optional[_Iterable[_Union[LogPlace, _Mapping]]] = ...) -> None: ...

class LogPlace(_message.Message):
    __slots__ = ("event_id", "log_index", "case_sequence")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    CASE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    log_index: int
    case_sequence: int
    def __init__(self, event_id: _Optional[str] = ..., log_index: _Optional[int] = ..., case_sequence: _Optional[int] = ...) -> None: ...
