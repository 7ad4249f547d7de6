from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import delivery_pb2 as _delivery_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListDeliveriesRequest(_message.Message):
    __slots__ = ("exchange", "page_size", "page_token")
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    exchange: str
    page_size: int
    page_token: str
    def __init__(self, exchange: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries", "next_page_token")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[_delivery_pb2.DeliveryStatus]
    next_page_token: str
    def __init__(self, deliveries: _Optional[_Iterable[_Union[_delivery_pb2.DeliveryStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListUndeliveredRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUndeliveredResponse(_message.Message):
    __slots__ = ("deliveries", "next_page_token")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[_delivery_pb2.DeliveryStatus]
    next_page_token: str
    def __init__(self, deliveries: _Optional[_Iterable[_Union[_delivery_pb2.DeliveryStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RejectDeliveryRequest(_message.Message):
    __slots__ = ("request_id", "delivery", "reason", "detail")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    delivery: str
    reason: _delivery_pb2.UndeliveredReason
    detail: str
    def __init__(self, request_id: _Optional[str] = ..., delivery: _Optional[str] = ..., reason: _Optional[_Union[_delivery_pb2.UndeliveredReason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class RejectDeliveryResponse(_message.Message):
    __slots__ = ("delivery",)
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    delivery: _delivery_pb2.DeliveryStatus
    def __init__(self, delivery: _Optional[_Union[_delivery_pb2.DeliveryStatus, _Mapping]] = ...) -> None: ...

class RedriveDeliveryRequest(_message.Message):
    __slots__ = ("request_id", "delivery")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    delivery: str
    def __init__(self, request_id: _Optional[str] = ..., delivery: _Optional[str] = ...) -> None: ...

class RedriveDeliveryResponse(_message.Message):
    __slots__ = ("delivery",)
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    delivery: _delivery_pb2.DeliveryStatus
    def __init__(self, delivery: _Optional[_Union[_delivery_pb2.DeliveryStatus, _Mapping]] = ...) -> None: ...

class AcknowledgeReportRequest(_message.Message):
    __slots__ = ("request_id", "report")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    report: str
    def __init__(self, request_id: _Optional[str] = ..., report: _Optional[str] = ...) -> None: ...

class AcknowledgeReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: str
    def __init__(self, report: _Optional[str] = ...) -> None: ...
