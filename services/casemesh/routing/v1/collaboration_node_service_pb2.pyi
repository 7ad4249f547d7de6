from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import collaboration_node_pb2 as _collaboration_node_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetNodeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetNodeResponse(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: _collaboration_node_pb2.CollaborationNode
    def __init__(self, node: _Optional[_Union[_collaboration_node_pb2.CollaborationNode, _Mapping]] = ...) -> None: ...

class ListNodesRequest(_message.Message):
    __slots__ = ("stage", "from_organ", "to_organ", "page_size", "page_token", "external_code")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FROM_ORGAN_FIELD_NUMBER: _ClassVar[int]
    TO_ORGAN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_CODE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    from_organ: str
    to_organ: str
    page_size: int
    page_token: str
    external_code: str
    def __init__(self, stage: _Optional[str] = ..., from_organ: _Optional[str] = ..., to_organ: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., external_code: _Optional[str] = ...) -> None: ...

class ListNodesResponse(_message.Message):
    __slots__ = ("nodes", "next_page_token")
    NODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[_collaboration_node_pb2.CollaborationNode]
    next_page_token: str
    def __init__(self, nodes: _Optional[_Iterable[_Union[_collaboration_node_pb2.CollaborationNode, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetNodeSchemaRequest(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: str
    def __init__(self, node: _Optional[str] = ...) -> None: ...

class GetNodeSchemaResponse(_message.Message):
    __slots__ = ("schema",)
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    schema: _collaboration_node_pb2.NodeSchema
    def __init__(self, schema: _Optional[_Union[_collaboration_node_pb2.NodeSchema, _Mapping]] = ...) -> None: ...

class GetNodeChainRequest(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: str
    def __init__(self, node: _Optional[str] = ...) -> None: ...

class GetNodeChainResponse(_message.Message):
    __slots__ = ("nodes",)
    NODES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[_collaboration_node_pb2.CollaborationNode]
    def __init__(self, nodes: _Optional[_Iterable[_Union[_collaboration_node_pb2.CollaborationNode, _Mapping]]] = ...) -> None: ...
