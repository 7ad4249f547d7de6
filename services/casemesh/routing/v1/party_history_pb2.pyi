import datetime

from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PartyAspect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTY_ASPECT_UNSPECIFIED: _ClassVar[PartyAspect]
    PARTY_ASPECT_STAGE: _ClassVar[PartyAspect]
    PARTY_ASPECT_MEASURE: _ClassVar[PartyAspect]
    PARTY_ASPECT_CUSTODY: _ClassVar[PartyAspect]
    PARTY_ASPECT_CUSTODIAN: _ClassVar[PartyAspect]
    PARTY_ASPECT_AUTHORITY: _ClassVar[PartyAspect]
    PARTY_ASPECT_PLACE: _ClassVar[PartyAspect]
    PARTY_ASPECT_CHARGES: _ClassVar[PartyAspect]
    PARTY_ASPECT_IDENTITY: _ClassVar[PartyAspect]
PARTY_ASPECT_UNSPECIFIED: PartyAspect
PARTY_ASPECT_STAGE: PartyAspect
PARTY_ASPECT_MEASURE: PartyAspect
PARTY_ASPECT_CUSTODY: PartyAspect
PARTY_ASPECT_CUSTODIAN: PartyAspect
PARTY_ASPECT_AUTHORITY: PartyAspect
PARTY_ASPECT_PLACE: PartyAspect
PARTY_ASPECT_CHARGES: PartyAspect
PARTY_ASPECT_IDENTITY: PartyAspect

class PartyHistoryEntry(_message.Message):
    __slots__ = ("party", "aspect", "value", "charges", "effective_time", "record_time", "cause", "node", "agency", "reason")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    ASPECT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    party: str
    aspect: PartyAspect
    value: str
    charges: _containers.RepeatedCompositeFieldContainer[_coded_value_pb2.CodedValue]
    effective_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    cause: str
    node: str
    agency: str
    reason: str
    def __init__(self, party: _Optional[str] = ..., aspect: _Optional[_Union[PartyAspect, str]] = ..., value: _Optional[str] = ..., charges: _Optional[_Iterable[_Union[_coded_value_pb2.CodedValue, _Mapping]]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[str] = ..., node: _Optional[str] = ..., agency: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
