import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import delivery_pb2 as _delivery_pb2
from casemesh.routing.v1 import exchange_pb2 as _exchange_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitExchangeRequest(_message.Message):
    __slots__ = ("request_id", "case", "node", "recipient", "parties", "fields", "dossier_version", "copies_to", "paper", "answer_by")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    COPIES_TO_FIELD_NUMBER: _ClassVar[int]
    PAPER_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    node: str
    recipient: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    dossier_version: str
    copies_to: _containers.RepeatedScalarFieldContainer[str]
    paper: _exchange_pb2.PaperRecord
    answer_by: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., node: _Optional[str] = ..., recipient: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., dossier_version: _Optional[str] = ..., copies_to: _Optional[_Iterable[str]] = ..., paper: _Optional[_Union[_exchange_pb2.PaperRecord, _Mapping]] = ..., answer_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubmitExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class GetExchangeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class ListExchangesRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListExchangesResponse(_message.Message):
    __slots__ = ("exchanges", "next_page_token")
    EXCHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    exchanges: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.Exchange]
    next_page_token: str
    def __init__(self, exchanges: _Optional[_Iterable[_Union[_exchange_pb2.Exchange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReceiveRequest(_message.Message):
    __slots__ = ("open", "acknowledge")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_FIELD_NUMBER: _ClassVar[int]
    open: ReceiveOpen
    acknowledge: str
    def __init__(self, open: _Optional[_Union[ReceiveOpen, _Mapping]] = ..., acknowledge: _Optional[str] = ...) -> None: ...

class ReceiveOpen(_message.Message):
    __slots__ = ("max_outstanding",)
    MAX_OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    max_outstanding: int
    def __init__(self, max_outstanding: _Optional[int] = ...) -> None: ...

class ReceiveResponse(_message.Message):
    __slots__ = ("delivery", "acknowledged", "heartbeat", "report")
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    delivery: _exchange_pb2.Delivery
    acknowledged: str
    heartbeat: ReceiveHeartbeat
    report: _delivery_pb2.DeliveryReport
    def __init__(self, delivery: _Optional[_Union[_exchange_pb2.Delivery, _Mapping]] = ..., acknowledged: _Optional[str] = ..., heartbeat: _Optional[_Union[ReceiveHeartbeat, _Mapping]] = ..., report: _Optional[_Union[_delivery_pb2.DeliveryReport, _Mapping]] = ...) -> None: ...

class ReceiveHeartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PullDeliveriesRequest(_message.Message):
    __slots__ = ("max_deliveries",)
    MAX_DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    max_deliveries: int
    def __init__(self, max_deliveries: _Optional[int] = ...) -> None: ...

class PullDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries", "reports")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.Delivery]
    reports: _containers.RepeatedCompositeFieldContainer[_delivery_pb2.DeliveryReport]
    def __init__(self, deliveries: _Optional[_Iterable[_Union[_exchange_pb2.Delivery, _Mapping]]] = ..., reports: _Optional[_Iterable[_Union[_delivery_pb2.DeliveryReport, _Mapping]]] = ...) -> None: ...

class AcknowledgeDeliveryRequest(_message.Message):
    __slots__ = ("request_id", "delivery")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    delivery: str
    def __init__(self, request_id: _Optional[str] = ..., delivery: _Optional[str] = ...) -> None: ...

class AcknowledgeDeliveryResponse(_message.Message):
    __slots__ = ("delivery",)
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    delivery: str
    def __init__(self, delivery: _Optional[str] = ...) -> None: ...

class AcceptExchangeRequest(_message.Message):
    __slots__ = ("request_id", "exchange", "local_number")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    local_number: str
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ..., local_number: _Optional[str] = ...) -> None: ...

class AcceptExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...

class AnswerExchangeRequest(_message.Message):
    __slots__ = ("request_id", "exchange", "node", "fields", "dossier_version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    exchange: str
    node: str
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    dossier_version: str
    def __init__(self, request_id: _Optional[str] = ..., exchange: _Optional[str] = ..., node: _Optional[str] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., dossier_version: _Optional[str] = ...) -> None: ...

class AnswerExchangeResponse(_message.Message):
    __slots__ = ("exchange",)
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    exchange: _exchange_pb2.Exchange
    def __init__(self, exchange: _Optional[_Union[_exchange_pb2.Exchange, _Mapping]] = ...) -> None: ...
