from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchGetVersionFactsRequest(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, versions: _Optional[_Iterable[str]] = ...) -> None: ...

class BatchGetVersionFactsResponse(_message.Message):
    __slots__ = ("facts",)
    FACTS_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[VersionFacts]
    def __init__(self, facts: _Optional[_Iterable[_Union[VersionFacts, _Mapping]]] = ...) -> None: ...

class VersionFacts(_message.Message):
    __slots__ = ("version", "page_count", "document_types", "volumes", "untyped_count")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    VOLUMES_FIELD_NUMBER: _ClassVar[int]
    UNTYPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    version: str
    page_count: int
    document_types: _containers.RepeatedScalarFieldContainer[str]
    volumes: _containers.RepeatedScalarFieldContainer[str]
    untyped_count: int
    def __init__(self, version: _Optional[str] = ..., page_count: _Optional[int] = ..., document_types: _Optional[_Iterable[str]] = ..., volumes: _Optional[_Iterable[str]] = ..., untyped_count: _Optional[int] = ...) -> None: ...
