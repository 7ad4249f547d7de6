import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccessAlertRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_ALERT_RULE_UNSPECIFIED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_DECOY_LOOKED_AT: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_READS_NEARED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_READS_REACHED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_CASES_NEARED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_CASES_REACHED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_BYTES_NEARED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_BYTES_REACHED: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_REFUSALS: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_UNUSUAL_HOUR: _ClassVar[AccessAlertRule]
    ACCESS_ALERT_RULE_BREAK_GLASS: _ClassVar[AccessAlertRule]

class AccessAlertResolution(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_ALERT_RESOLUTION_UNSPECIFIED: _ClassVar[AccessAlertResolution]
    ACCESS_ALERT_RESOLUTION_EXPLAINED: _ClassVar[AccessAlertResolution]
    ACCESS_ALERT_RESOLUTION_MISUSE: _ClassVar[AccessAlertResolution]
ACCESS_ALERT_RULE_UNSPECIFIED: AccessAlertRule
ACCESS_ALERT_RULE_DECOY_LOOKED_AT: AccessAlertRule
ACCESS_ALERT_RULE_READS_NEARED: AccessAlertRule
ACCESS_ALERT_RULE_READS_REACHED: AccessAlertRule
ACCESS_ALERT_RULE_CASES_NEARED: AccessAlertRule
ACCESS_ALERT_RULE_CASES_REACHED: AccessAlertRule
ACCESS_ALERT_RULE_BYTES_NEARED: AccessAlertRule
ACCESS_ALERT_RULE_BYTES_REACHED: AccessAlertRule
ACCESS_ALERT_RULE_REFUSALS: AccessAlertRule
ACCESS_ALERT_RULE_UNUSUAL_HOUR: AccessAlertRule
ACCESS_ALERT_RULE_BREAK_GLASS: AccessAlertRule
ACCESS_ALERT_RESOLUTION_UNSPECIFIED: AccessAlertResolution
ACCESS_ALERT_RESOLUTION_EXPLAINED: AccessAlertResolution
ACCESS_ALERT_RESOLUTION_MISUSE: AccessAlertResolution

class AccessAlert(_message.Message):
    __slots__ = ("alert", "rule", "officer", "case", "observed_count", "limit_count", "create_time", "resolution", "resolved_by", "resolve_reason", "resolve_time")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_BY_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_REASON_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_TIME_FIELD_NUMBER: _ClassVar[int]
    alert: str
    rule: AccessAlertRule
    officer: str
    case: str
    observed_count: int
    limit_count: int
    create_time: _timestamp_pb2.Timestamp
    resolution: AccessAlertResolution
    resolved_by: str
    resolve_reason: str
    resolve_time: _timestamp_pb2.Timestamp
    def __init__(self, alert: _Optional[str] = ..., rule: _Optional[_Union[AccessAlertRule, str]] = ..., officer: _Optional[str] = ..., case: _Optional[str] = ..., observed_count: _Optional[int] = ..., limit_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolution: _Optional[_Union[AccessAlertResolution, str]] = ..., resolved_by: _Optional[str] = ..., resolve_reason: _Optional[str] = ..., resolve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Decoy(_message.Message):
    __slots__ = ("decoy", "case", "marked_by", "reason", "valid_from", "valid_until")
    DECOY_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    MARKED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    decoy: str
    case: str
    marked_by: str
    reason: str
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    def __init__(self, decoy: _Optional[str] = ..., case: _Optional[str] = ..., marked_by: _Optional[str] = ..., reason: _Optional[str] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAccessAlertsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "include_resolved")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_RESOLVED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    include_resolved: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_resolved: _Optional[bool] = ...) -> None: ...

class ListAccessAlertsResponse(_message.Message):
    __slots__ = ("alerts", "next_page_token")
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[AccessAlert]
    next_page_token: str
    def __init__(self, alerts: _Optional[_Iterable[_Union[AccessAlert, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResolveAccessAlertRequest(_message.Message):
    __slots__ = ("request_id", "alert", "resolution", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    alert: str
    resolution: AccessAlertResolution
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., alert: _Optional[str] = ..., resolution: _Optional[_Union[AccessAlertResolution, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class ResolveAccessAlertResponse(_message.Message):
    __slots__ = ("alert",)
    ALERT_FIELD_NUMBER: _ClassVar[int]
    alert: AccessAlert
    def __init__(self, alert: _Optional[_Union[AccessAlert, _Mapping]] = ...) -> None: ...

class MarkDecoyRequest(_message.Message):
    __slots__ = ("request_id", "case", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MarkDecoyResponse(_message.Message):
    __slots__ = ("decoy",)
    DECOY_FIELD_NUMBER: _ClassVar[int]
    decoy: Decoy
    def __init__(self, decoy: _Optional[_Union[Decoy, _Mapping]] = ...) -> None: ...

class UnmarkDecoyRequest(_message.Message):
    __slots__ = ("request_id", "case", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UnmarkDecoyResponse(_message.Message):
    __slots__ = ("decoy",)
    DECOY_FIELD_NUMBER: _ClassVar[int]
    decoy: Decoy
    def __init__(self, decoy: _Optional[_Union[Decoy, _Mapping]] = ...) -> None: ...

class ListDecoysRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDecoysResponse(_message.Message):
    __slots__ = ("decoys", "next_page_token")
    DECOYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decoys: _containers.RepeatedCompositeFieldContainer[Decoy]
    next_page_token: str
    def __init__(self, decoys: _Optional[_Iterable[_Union[Decoy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
