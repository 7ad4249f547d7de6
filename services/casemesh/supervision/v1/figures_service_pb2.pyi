from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FigureKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIGURE_KIND_UNSPECIFIED: _ClassVar[FigureKind]
    FIGURE_KIND_EXCHANGES: _ClassVar[FigureKind]
    FIGURE_KIND_ONLINE_RATE: _ClassVar[FigureKind]
    FIGURE_KIND_TIMES: _ClassVar[FigureKind]
    FIGURE_KIND_RETURNS: _ClassVar[FigureKind]
    FIGURE_KIND_PAGES: _ClassVar[FigureKind]
    FIGURE_KIND_DEADLINES: _ClassVar[FigureKind]
    FIGURE_KIND_ANOMALIES: _ClassVar[FigureKind]

class FigureGrouping(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIGURE_GROUPING_UNSPECIFIED: _ClassVar[FigureGrouping]
    FIGURE_GROUPING_NODE: _ClassVar[FigureGrouping]
    FIGURE_GROUPING_AGENCY: _ClassVar[FigureGrouping]
    FIGURE_GROUPING_DAY: _ClassVar[FigureGrouping]
FIGURE_KIND_UNSPECIFIED: FigureKind
FIGURE_KIND_EXCHANGES: FigureKind
FIGURE_KIND_ONLINE_RATE: FigureKind
FIGURE_KIND_TIMES: FigureKind
FIGURE_KIND_RETURNS: FigureKind
FIGURE_KIND_PAGES: FigureKind
FIGURE_KIND_DEADLINES: FigureKind
FIGURE_KIND_ANOMALIES: FigureKind
FIGURE_GROUPING_UNSPECIFIED: FigureGrouping
FIGURE_GROUPING_NODE: FigureGrouping
FIGURE_GROUPING_AGENCY: FigureGrouping
FIGURE_GROUPING_DAY: FigureGrouping

class ListFiguresRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kind", "group_by", "first_day", "last_day", "agency")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kind: FigureKind
    group_by: FigureGrouping
    first_day: _date_pb2.Date
    last_day: _date_pb2.Date
    agency: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[_Union[FigureKind, str]] = ..., group_by: _Optional[_Union[FigureGrouping, str]] = ..., first_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., last_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., agency: _Optional[str] = ...) -> None: ...

class ListFiguresResponse(_message.Message):
    __slots__ = ("figures", "next_page_token")
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    next_page_token: str
    def __init__(self, figures: _Optional[_Iterable[_Union[Figure, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Figure(_message.Message):
    __slots__ = ("group", "measure", "detail", "count", "of_count", "amount")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    OF_COUNT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    group: str
    measure: str
    detail: str
    count: int
    of_count: int
    amount: int
    def __init__(self, group: _Optional[str] = ..., measure: _Optional[str] = ..., detail: _Optional[str] = ..., count: _Optional[int] = ..., of_count: _Optional[int] = ..., amount: _Optional[int] = ...) -> None: ...
