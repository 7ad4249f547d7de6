import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetCheckpointToCosignRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCheckpointToCosignResponse(_message.Message):
    __slots__ = ("note",)
    NOTE_FIELD_NUMBER: _ClassVar[int]
    note: str
    def __init__(self, note: _Optional[str] = ...) -> None: ...

class SubmitCosignatureRequest(_message.Message):
    __slots__ = ("tree_size", "signature_line")
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_LINE_FIELD_NUMBER: _ClassVar[int]
    tree_size: int
    signature_line: str
    def __init__(self, tree_size: _Optional[int] = ..., signature_line: _Optional[str] = ...) -> None: ...

class SubmitCosignatureResponse(_message.Message):
    __slots__ = ("cosignature_count", "witness_quorum")
    COSIGNATURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    WITNESS_QUORUM_FIELD_NUMBER: _ClassVar[int]
    cosignature_count: int
    witness_quorum: int
    def __init__(self, cosignature_count: _Optional[int] = ..., witness_quorum: _Optional[int] = ...) -> None: ...

class GetCosignedCheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCosignedCheckpointResponse(_message.Message):
    __slots__ = ("note", "witness_keys", "witness_quorum", "waiting_since_time", "quorum_lacking")
    NOTE_FIELD_NUMBER: _ClassVar[int]
    WITNESS_KEYS_FIELD_NUMBER: _ClassVar[int]
    WITNESS_QUORUM_FIELD_NUMBER: _ClassVar[int]
    WAITING_SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    QUORUM_LACKING_FIELD_NUMBER: _ClassVar[int]
    note: str
    witness_keys: _containers.RepeatedScalarFieldContainer[str]
    witness_quorum: int
    waiting_since_time: _timestamp_pb2.Timestamp
    quorum_lacking: bool
    def __init__(self, note: _Optional[str] = ..., witness_keys: _Optional[_Iterable[str]] = ..., witness_quorum: _Optional[int] = ..., waiting_since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quorum_lacking: _Optional[bool] = ...) -> None: ...
