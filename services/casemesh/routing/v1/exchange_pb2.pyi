import datetime

from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import delivery_pb2 as _delivery_pb2
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
    EXCHANGE_STATE_RETURNED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_SUPPLEMENTED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_WITHDRAWN: _ClassVar[ExchangeState]
    EXCHANGE_STATE_EXPIRED: _ClassVar[ExchangeState]
    EXCHANGE_STATE_DRAFT: _ClassVar[ExchangeState]
    EXCHANGE_STATE_HELD: _ClassVar[ExchangeState]
EXCHANGE_STATE_UNSPECIFIED: ExchangeState
EXCHANGE_STATE_SUBMITTED: ExchangeState
EXCHANGE_STATE_DELIVERED: ExchangeState
EXCHANGE_STATE_ACCEPTED: ExchangeState
EXCHANGE_STATE_ANSWERED: ExchangeState
EXCHANGE_STATE_RETURNED: ExchangeState
EXCHANGE_STATE_SUPPLEMENTED: ExchangeState
EXCHANGE_STATE_WITHDRAWN: ExchangeState
EXCHANGE_STATE_EXPIRED: ExchangeState
EXCHANGE_STATE_DRAFT: ExchangeState
EXCHANGE_STATE_HELD: ExchangeState

class Exchange(_message.Message):
    __slots__ = ("name", "case", "node", "sender", "recipient", "parties", "fields", "translations", "dossier_version", "answers", "state", "submit_time", "deliver_time", "accept_time", "answer_time", "copies_to", "catalogue_version", "single_track", "paper", "revision", "returned", "answer_by", "end_time", "withdraw_ground")
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
    COPIES_TO_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SINGLE_TRACK_FIELD_NUMBER: _ClassVar[int]
    PAPER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BY_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_GROUND_FIELD_NUMBER: _ClassVar[int]
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
    copies_to: _containers.RepeatedScalarFieldContainer[str]
    catalogue_version: str
    single_track: str
    paper: PaperRecord
    revision: int
    returned: ExchangeReturn
    answer_by: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    withdraw_ground: str
    def __init__(self, name: _Optional[str] = ..., case: _Optional[str] = ..., node: _Optional[str] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[PayloadField, _Mapping]]] = ..., translations: _Optional[_Iterable[_Union[FieldTranslation, _Mapping]]] = ..., dossier_version: _Optional[str] = ..., answers: _Optional[str] = ..., state: _Optional[_Union[ExchangeState, str]] = ..., submit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deliver_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accept_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., copies_to: _Optional[_Iterable[str]] = ..., catalogue_version: _Optional[str] = ..., single_track: _Optional[str] = ..., paper: _Optional[_Union[PaperRecord, _Mapping]] = ..., revision: _Optional[int] = ..., returned: _Optional[_Union[ExchangeReturn, _Mapping]] = ..., answer_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdraw_ground: _Optional[str] = ...) -> None: ...

class ExchangeReturn(_message.Message):
    __slots__ = ("defects", "return_time")
    DEFECTS_FIELD_NUMBER: _ClassVar[int]
    RETURN_TIME_FIELD_NUMBER: _ClassVar[int]
    defects: _containers.RepeatedCompositeFieldContainer[ExchangeDefect]
    return_time: _timestamp_pb2.Timestamp
    def __init__(self, defects: _Optional[_Iterable[_Union[ExchangeDefect, _Mapping]]] = ..., return_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExchangeDefect(_message.Message):
    __slots__ = ("code", "field", "mend")
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MEND_FIELD_NUMBER: _ClassVar[int]
    code: str
    field: str
    mend: str
    def __init__(self, code: _Optional[str] = ..., field: _Optional[str] = ..., mend: _Optional[str] = ...) -> None: ...

class PaperRecord(_message.Message):
    __slots__ = ("ground", "handed_over_on", "received_by", "kept_at")
    GROUND_FIELD_NUMBER: _ClassVar[int]
    HANDED_OVER_ON_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_BY_FIELD_NUMBER: _ClassVar[int]
    KEPT_AT_FIELD_NUMBER: _ClassVar[int]
    ground: str
    handed_over_on: _date_pb2.Date
    received_by: str
    kept_at: str
    def __init__(self, ground: _Optional[str] = ..., handed_over_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., received_by: _Optional[str] = ..., kept_at: _Optional[str] = ...) -> None: ...

class PayloadField(_message.Message):
    __slots__ = ("key", "text", "coded", "date", "integer", "flag", "party")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CODED_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    key: str
    text: str
    coded: _coded_value_pb2.CodedValue
    date: _date_pb2.Date
    integer: int
    flag: bool
    party: str
    def __init__(self, key: _Optional[str] = ..., text: _Optional[str] = ..., coded: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., integer: _Optional[int] = ..., flag: _Optional[bool] = ..., party: _Optional[str] = ...) -> None: ...

class FieldTranslation(_message.Message):
    __slots__ = ("field", "translation")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_FIELD_NUMBER: _ClassVar[int]
    field: str
    translation: _translation_pb2.Translation
    def __init__(self, field: _Optional[str] = ..., translation: _Optional[_Union[_translation_pb2.Translation, _Mapping]] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("name", "exchange", "delivery_sequence", "attempt", "lease_expire_time", "purpose")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    exchange: Exchange
    delivery_sequence: int
    attempt: int
    lease_expire_time: _timestamp_pb2.Timestamp
    purpose: _delivery_pb2.DeliveryPurpose
    def __init__(self, name: _Optional[str] = ..., exchange: _Optional[_Union[Exchange, _Mapping]] = ..., delivery_sequence: _Optional[int] = ..., attempt: _Optional[int] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purpose: _Optional[_Union[_delivery_pb2.DeliveryPurpose, str]] = ...) -> None: ...
