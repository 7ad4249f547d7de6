import datetime

from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuccessionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUCCESSION_KIND_UNSPECIFIED: _ClassVar[SuccessionKind]
    SUCCESSION_KIND_CASES_MERGED: _ClassVar[SuccessionKind]
    SUCCESSION_KIND_CASE_SPLIT: _ClassVar[SuccessionKind]
    SUCCESSION_KIND_PARTIES_MERGED: _ClassVar[SuccessionKind]
    SUCCESSION_KIND_PARTY_SPLIT: _ClassVar[SuccessionKind]
    SUCCESSION_KIND_UNDONE: _ClassVar[SuccessionKind]
SUCCESSION_KIND_UNSPECIFIED: SuccessionKind
SUCCESSION_KIND_CASES_MERGED: SuccessionKind
SUCCESSION_KIND_CASE_SPLIT: SuccessionKind
SUCCESSION_KIND_PARTIES_MERGED: SuccessionKind
SUCCESSION_KIND_PARTY_SPLIT: SuccessionKind
SUCCESSION_KIND_UNDONE: SuccessionKind

class Succession(_message.Message):
    __slots__ = ("name", "kind", "links", "agency", "reason", "create_time", "undoes", "undone_by")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNDOES_FIELD_NUMBER: _ClassVar[int]
    UNDONE_BY_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: SuccessionKind
    links: _containers.RepeatedCompositeFieldContainer[SuccessorLink]
    agency: str
    reason: str
    create_time: _timestamp_pb2.Timestamp
    undoes: str
    undone_by: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[SuccessionKind, str]] = ..., links: _Optional[_Iterable[_Union[SuccessorLink, _Mapping]]] = ..., agency: _Optional[str] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., undoes: _Optional[str] = ..., undone_by: _Optional[str] = ...) -> None: ...

class SuccessorLink(_message.Message):
    __slots__ = ("predecessor", "successor")
    PREDECESSOR_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_FIELD_NUMBER: _ClassVar[int]
    predecessor: str
    successor: str
    def __init__(self, predecessor: _Optional[str] = ..., successor: _Optional[str] = ...) -> None: ...
