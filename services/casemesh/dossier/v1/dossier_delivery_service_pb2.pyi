from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.dossier.v1 import dossier_pb2 as _dossier_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConfirmDownloadRequest(_message.Message):
    __slots__ = ("request_id", "version", "root_hash")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROOT_HASH_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    version: str
    root_hash: bytes
    def __init__(self, request_id: _Optional[str] = ..., version: _Optional[str] = ..., root_hash: _Optional[bytes] = ...) -> None: ...

class ConfirmDownloadResponse(_message.Message):
    __slots__ = ("delivery",)
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    delivery: _dossier_pb2.VersionDelivery
    def __init__(self, delivery: _Optional[_Union[_dossier_pb2.VersionDelivery, _Mapping]] = ...) -> None: ...

class ListDeliveriesRequest(_message.Message):
    __slots__ = ("version", "page_size", "page_token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: str
    page_size: int
    page_token: str
    def __init__(self, version: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries", "next_page_token")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[_dossier_pb2.VersionDelivery]
    next_page_token: str
    def __init__(self, deliveries: _Optional[_Iterable[_Union[_dossier_pb2.VersionDelivery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
