from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import exchange_pb2 as _exchange_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SaveExchangeDraftRequest(_message.Message):
    __slots__ = ("request_id", "case", "exchange", "node", "recipient", "parties", "fields", "dossier_version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    exchange: str
    node: str
    recipient: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    dossier_version: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., exchange: _Optional[str] = ..., node: _Optional[str] = ..., recipient: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., dossier_version: _Optional[str] = ...) -> None: ...

class SaveExchangeDraftResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class ListExchangeDraftsRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListExchangeDraftsResponse(_message.Message):
    __slots__ = ("exchanges", "next_page_token")
    EXCHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    exchanges: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.Exchange]
    next_page_token: str
    def __init__(self, exchanges: _Optional[_Iterable[_Union[_exchange_pb2.Exchange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SubmitExchangeDraftRequest(_message.Message):
    __slots__ = ("request_id", "exchange")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ...) -> None: ...

class SubmitExchangeDraftResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class DiscardExchangeDraftRequest(_message.Message):
    __slots__ = ("request_id", "exchange")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ...) -> None: ...

class DiscardExchangeDraftResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: str
    def __init__(self, exchange: _Optional[str] = ...) -> None: ...
