import datetime

from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.translation.v1 import translation_pb2 as _translation_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExchangeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXCHANGE_STATE_UNSPECIFIED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_SUBMITTED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_DELIVERED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_ACCEPTED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_ANSWERED: _ClassVar[ExchangeState]
EXCHANGE_STATE_UNSPECIFIED: ExchangeState
EXCHANGE_STATE_SUBMITTED: ExchangeState
EXCHANGE_STATE_DELIVERED: ExchangeState
EXCHANGE_STATE_ACCEPTED: ExchangeState
EXCHANGE_STATE_ANSWERED: ExchangeState

class Exchange(_message.Message):
    __slots__ = ("name", "case", "node", "sender", "recipient", "parties", "fields", "translations", "dossier_version", "answers", "state", "submit_time", "deliver_time", "accept_time", "answer_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    DELIVER_TIME_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    case: str
    node: str
    sender: str
    recipient: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[PayloadField]
    translations: _containers.RepeatedCompositeFieldContainer[FieldTranslation]
    dossier_version: str
    answers: str
    state: ExchangeState
    submit_time: _timestamp_pb2.Timestamp
    deliver_time: _timestamp_pb2.Timestamp
    accept_time: _timestamp_pb2.Timestamp
    answer_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., node: _Optional[str] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[PayloadField, _Mapping]]] = ..., translations: _Optional[_Iterable[_Union[FieldTranslation, _Mapping]]] = ..., dossier_version: _Optional[str] = ..., answers: _Optional[str] = ..., state: _Optional[_Union[ExchangeState, str]] = ..., submit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deliver_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accept_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PayloadField(_message.Message):
    __slots__ = ("key", "text", "coded", "date", "integer", "flag")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CODED_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    key: str
    text: str
    coded: _coded_value_pb2.CodedValue
    date: _date_pb2.Date
    integer: int
    flag: bool
    def __init__(self, key: _Optional[str] = ..., text: _Optional[str] = ..., coded: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., integer: _Optional[int] = ..., flag: _Optional[bool] = ...) -> None: ...

class FieldTranslation(_message.Message):
    __slots__ = ("field", "translation")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_FIELD_NUMBER: _ClassVar[int]
    field: str
    translation: _translation_pb2.Translation
    def __init__(self, field: _Optional[str] = ..., translation: _Optional[_Union[_translation_pb2.Translation, _Mapping]] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("name", "exchange", "delivery_sequence", "attempt", "lease_expire_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    exchange: Exchange
    delivery_sequence: int
    attempt: int
    lease_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., exchange: _Optional[_Union[Exchange, _Mapping]] = ..., delivery_sequence: _Optional[int] = ..., attempt: _Optional[int] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
