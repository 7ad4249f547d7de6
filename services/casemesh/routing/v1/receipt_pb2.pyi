import datetime

from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReceiptKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECEIPT_KIND_UNSPECIFIED: _ClassVar[ReceiptKind]
    RECEIPT_KIND_SUBMISSION: _ClassVar[ReceiptKind]
    RECEIPT_KIND_DELIVERY: _ClassVar[ReceiptKind]
    RECEIPT_KIND_ACCEPTANCE: _ClassVar[ReceiptKind]
    RECEIPT_KIND_READING: _ClassVar[ReceiptKind]
RECEIPT_KIND_UNSPECIFIED: ReceiptKind
RECEIPT_KIND_SUBMISSION: ReceiptKind
RECEIPT_KIND_DELIVERY: ReceiptKind
RECEIPT_KIND_ACCEPTANCE: ReceiptKind
RECEIPT_KIND_READING: ReceiptKind

class Receipt(_message.Message):
    __slots__ = ("name", "kind", "agency", "issue_time", "event_id", "statement")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    ISSUE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: ReceiptKind
    agency: str
    issue_time: _timestamp_pb2.Timestamp
    event_id: str
    statement: bytes
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[ReceiptKind, str]] = ..., agency: _Optional[str] = ..., issue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ..., statement: _Optional[bytes] = ...) -> None: ...
