import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Actor(_message.Message):
    __slots__ = ("agency", "system", "officer", "peer")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    agency: str
    system: str
    officer: str
    peer: str
    def __init__(self, agency: _Optional[str] = ..., system: _Optional[str] = ..., officer: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("event_id", "source_sequence", "occur_time", "case", "action", "resource", "actor", "basis", "trace_id", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    source_sequence: int
    occur_time: _timestamp_pb2.Timestamp
    case: str
    action: str
    resource: str
    actor: Actor
    basis: str
    trace_id: str
    details: _containers.ScalarMap[str, str]
    def __init__(self, event_id: _Optional[str] = ..., source_sequence: _Optional[int] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., case: _Optional[str] = ..., action: _Optional[str] = ..., resource: _Optional[str] = ..., actor: _Optional[_Union[Actor, _Mapping]] = ..., basis: _Optional[str] = ..., trace_id: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class LoggedEvent(_message.Message):
    __slots__ = ("canonical_json", "salt", "log_index", "case_sequence", "commitment")
    CANONICAL_JSON_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    CASE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    canonical_json: bytes
    salt: bytes
    log_index: int
    case_sequence: int
    commitment: bytes
    def __init__(self, canonical_json: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., log_index: _Optional[int] = ..., case_sequence: _Optional[int] = ..., commitment: _Optional[bytes] = ...) -> None: ...
