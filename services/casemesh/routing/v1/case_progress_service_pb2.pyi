from casemesh.routing.v1 import case_progress_pb2 as _case_progress_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetProgressRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class GetProgressResponse(_message.Message):
    __slots__ = ("progress",)
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    progress: _case_progress_pb2.CaseProgress
    def __init__(self, progress: _Optional[_Union[_case_progress_pb2.CaseProgress, _Mapping]] = ...) -> None: ...

class ListNextNodesRequest(_message.Message):
    __slots__ = ("party",)
    PARTY_FIELD_NUMBER: _ClassVar[int]
    party: str
    def __init__(self, party: _Optional[str] = ...) -> None: ...

class ListNextNodesResponse(_message.Message):
    __slots__ = ("next_nodes",)
    NEXT_NODES_FIELD_NUMBER: _ClassVar[int]
    next_nodes: _containers.RepeatedCompositeFieldContainer[_case_progress_pb2.NextNode]
    def __init__(self, next_nodes: _Optional[_Iterable[_Union[_case_progress_pb2.NextNode, _Mapping]]] = ...) -> None: ...
