import datetime

from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
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

class PartyKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTY_KIND_UNSPECIFIED: _ClassVar[PartyKind]
    PARTY_KIND_PERSON: _ClassVar[PartyKind]
    PARTY_KIND_ORGANIZATION: _ClassVar[PartyKind]

class CustodyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CUSTODY_STATE_UNSPECIFIED: _ClassVar[CustodyState]
    CUSTODY_STATE_AT_LIBERTY: _ClassVar[CustodyState]
    CUSTODY_STATE_BAIL: _ClassVar[CustodyState]
    CUSTODY_STATE_RESIDENTIAL_SURVEILLANCE: _ClassVar[CustodyState]
    CUSTODY_STATE_DETAINED: _ClassVar[CustodyState]
    CUSTODY_STATE_ARRESTED: _ClassVar[CustodyState]
PARTY_KIND_UNSPECIFIED: PartyKind
PARTY_KIND_PERSON: PartyKind
PARTY_KIND_ORGANIZATION: PartyKind
CUSTODY_STATE_UNSPECIFIED: CustodyState
CUSTODY_STATE_AT_LIBERTY: CustodyState
CUSTODY_STATE_BAIL: CustodyState
CUSTODY_STATE_RESIDENTIAL_SURVEILLANCE: CustodyState
CUSTODY_STATE_DETAINED: CustodyState
CUSTODY_STATE_ARRESTED: CustodyState

class Case(_message.Message):
    __slots__ = ("name", "title", "agency", "parties", "local_numbers", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    LOCAL_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    agency: str
    parties: _containers.RepeatedCompositeFieldContainer[Party]
    local_numbers: _containers.RepeatedCompositeFieldContainer[LocalNumber]
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., agency: _Optional[str] = ..., parties: _Optional[_Iterable[_Union[Party, _Mapping]]] = ..., local_numbers: _Optional[_Iterable[_Union[LocalNumber, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LocalNumber(_message.Message):
    __slots__ = ("agency", "number")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    agency: str
    number: str
    def __init__(self, agency: _Optional[str] = ..., number: _Optional[str] = ...) -> None: ...

class Custody(_message.Message):
    __slots__ = ("state", "since", "place")
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    state: CustodyState
    since: _date_pb2.Date
    place: str
    def __init__(self, state: _Optional[_Union[CustodyState, str]] = ..., since: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., place: _Optional[str] = ...) -> None: ...

class Party(_message.Message):
    __slots__ = ("name", "kind", "display_name", "charges", "custody")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: PartyKind
    display_name: str
    charges: _containers.RepeatedCompositeFieldContainer[_coded_value_pb2.CodedValue]
    custody: Custody
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[PartyKind, str]] = ..., display_name: _Optional[str] = ..., charges: _Optional[_Iterable[_Union[_coded_value_pb2.CodedValue, _Mapping]]] = ..., custody: _Optional[_Union[Custody, _Mapping]] = ...) -> None: ...
