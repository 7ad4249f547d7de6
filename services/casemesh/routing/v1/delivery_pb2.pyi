import datetime

from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeliveryPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_PURPOSE_UNSPECIFIED: _ClassVar[DeliveryPurpose]
    DELIVERY_PURPOSE_HANDLE: _ClassVar[DeliveryPurpose]
    DELIVERY_PURPOSE_COPY: _ClassVar[DeliveryPurpose]
    DELIVERY_PURPOSE_CHANGE: _ClassVar[DeliveryPurpose]

class DeliveryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_STATE_UNSPECIFIED: _ClassVar[DeliveryState]
    DELIVERY_STATE_WAITING: _ClassVar[DeliveryState]
    DELIVERY_STATE_OFFERED: _ClassVar[DeliveryState]
    DELIVERY_STATE_ACKNOWLEDGED: _ClassVar[DeliveryState]
    DELIVERY_STATE_SET_ASIDE: _ClassVar[DeliveryState]
    DELIVERY_STATE_WITHHELD: _ClassVar[DeliveryState]

class UndeliveredReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNDELIVERED_REASON_UNSPECIFIED: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_ATTEMPTS_EXHAUSTED: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_OVERDUE: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_UNREADABLE: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_TOO_LARGE: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_NOT_ADDRESSEE: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_CODE_UNKNOWN: _ClassVar[UndeliveredReason]
    UNDELIVERED_REASON_CONTRADICTS_RECORD: _ClassVar[UndeliveredReason]
DELIVERY_PURPOSE_UNSPECIFIED: DeliveryPurpose
DELIVERY_PURPOSE_HANDLE: DeliveryPurpose
DELIVERY_PURPOSE_COPY: DeliveryPurpose
DELIVERY_PURPOSE_CHANGE: DeliveryPurpose
DELIVERY_STATE_UNSPECIFIED: DeliveryState
DELIVERY_STATE_WAITING: DeliveryState
DELIVERY_STATE_OFFERED: DeliveryState
DELIVERY_STATE_ACKNOWLEDGED: DeliveryState
DELIVERY_STATE_SET_ASIDE: DeliveryState
DELIVERY_STATE_WITHHELD: DeliveryState
UNDELIVERED_REASON_UNSPECIFIED: UndeliveredReason
UNDELIVERED_REASON_ATTEMPTS_EXHAUSTED: UndeliveredReason
UNDELIVERED_REASON_OVERDUE: UndeliveredReason
UNDELIVERED_REASON_UNREADABLE: UndeliveredReason
UNDELIVERED_REASON_TOO_LARGE: UndeliveredReason
UNDELIVERED_REASON_NOT_ADDRESSEE: UndeliveredReason
UNDELIVERED_REASON_CODE_UNKNOWN: UndeliveredReason
UNDELIVERED_REASON_CONTRADICTS_RECORD: UndeliveredReason

class DeliveryStatus(_message.Message):
    __slots__ = ("name", "case", "sender", "recipient", "purpose", "state", "delivery_sequence", "attempt", "reason", "detail", "next_attempt_time", "acknowledge_time", "set_aside_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    sender: str
    recipient: str
    purpose: DeliveryPurpose
    state: DeliveryState
    delivery_sequence: int
    attempt: int
    reason: UndeliveredReason
    detail: str
    next_attempt_time: _timestamp_pb2.Timestamp
    acknowledge_time: _timestamp_pb2.Timestamp
    set_aside_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., purpose: _Optional[_Union[DeliveryPurpose, str]] = ..., state: _Optional[_Union[DeliveryState, str]] = ..., delivery_sequence: _Optional[int] = ..., attempt: _Optional[int] = ..., reason: _Optional[_Union[UndeliveredReason, str]] = ..., detail: _Optional[str] = ..., next_attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., set_aside_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeliveryReport(_message.Message):
    __slots__ = ("name", "case", "delivery", "recipient", "reason", "detail", "report_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    delivery: str
    recipient: str
    reason: UndeliveredReason
    detail: str
    report_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., delivery: _Optional[str] = ..., recipient: _Optional[str] = ..., reason: _Optional[_Union[UndeliveredReason, str]] = ..., detail: _Optional[str] = ..., report_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
