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

class ReturnExchangeRequest(_message.Message):
    __slots__ = ("request_id", "exchange", "defects")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    DEFECTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    defects: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.ExchangeDefect]
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ..., defects: _Optional[_Iterable[_Union[_exchange_pb2.ExchangeDefect, _Mapping]]] = ...) -> None: ...

class ReturnExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class SupplementExchangeRequest(_message.Message):
    __slots__ = ("request_id", "exchange", "parties", "fields", "dossier_version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    dossier_version: str
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., dossier_version: _Optional[str] = ...) -> None: ...

class SupplementExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class WithdrawExchangeRequest(_message.Message):
    __slots__ = ("request_id", "exchange", "ground")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    ground: str
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ..., ground: _Optional[str] = ...) -> None: ...

class WithdrawExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class ListExchangeRevisionsRequest(_message.Message):
    __slots__ = ("exchange", "page_size", "page_token")
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    exchange: str
    page_size: int
    page_token: str
    def __init__(self, exchange: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListExchangeRevisionsResponse(_message.Message):
    __slots__ = ("revisions", "next_page_token")
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revisions: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.Exchange]
    next_page_token: str
    def __init__(self, revisions: _Optional[_Iterable[_Union[_exchange_pb2.Exchange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListReturnReasonsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListReturnReasonsResponse(_message.Message):
    __slots__ = ("reasons",)
    REASONS_FIELD_NUMBER: _ClassVar[int]
    reasons: _containers.RepeatedCompositeFieldContainer[ReturnReason]
    def __init__(self, reasons: _Optional[_Iterable[_Union[ReturnReason, _Mapping]]] = ...) -> None: ...

class ReturnReason(_message.Message):
    __slots__ = ("code", "title_zh", "title_en", "remedy_zh", "remedy_en")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    REMEDY_ZH_FIELD_NUMBER: _ClassVar[int]
    REMEDY_EN_FIELD_NUMBER: _ClassVar[int]
    code: str
    title_zh: str
    title_en: str
    remedy_zh: str
    remedy_en: str
    def __init__(self, code: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., remedy_zh: _Optional[str] = ..., remedy_en: _Optional[str] = ...) -> None: ...
