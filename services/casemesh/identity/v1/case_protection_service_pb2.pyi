import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import case_access_pb2 as _case_access_pb2
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

class BreakGlassOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_GLASS_OUTCOME_UNSPECIFIED: _ClassVar[BreakGlassOutcome]
    BREAK_GLASS_OUTCOME_JUSTIFIED: _ClassVar[BreakGlassOutcome]
    BREAK_GLASS_OUTCOME_UNJUSTIFIED: _ClassVar[BreakGlassOutcome]
BREAK_GLASS_OUTCOME_UNSPECIFIED: BreakGlassOutcome
BREAK_GLASS_OUTCOME_JUSTIFIED: BreakGlassOutcome
BREAK_GLASS_OUTCOME_UNJUSTIFIED: BreakGlassOutcome

class BreakGlassUse(_message.Message):
    __slots__ = ("fact", "case", "officer", "reason", "create_time", "valid_from", "valid_until", "approved_by", "outcome", "reviewed_by")
    FACT_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_BY_FIELD_NUMBER: _ClassVar[int]
    fact: str
    case: str
    officer: str
    reason: str
    create_time: _timestamp_pb2.Timestamp
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    approved_by: str
    outcome: BreakGlassOutcome
    reviewed_by: str
    def __init__(self, fact: _Optional[str] = ..., case: _Optional[str] = ..., officer: _Optional[str] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., approved_by: _Optional[str] = ..., outcome: _Optional[_Union[BreakGlassOutcome, str]] = ..., reviewed_by: _Optional[str] = ...) -> None: ...

class AppointSupervisorRequest(_message.Message):
    __slots__ = ("request_id", "officer", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    officer: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., officer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AppointSupervisorResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class EndSupervisionRequest(_message.Message):
    __slots__ = ("request_id", "officer", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    officer: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., officer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EndSupervisionResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class SealCaseRequest(_message.Message):
    __slots__ = ("request_id", "case", "kind", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    kind: _case_access_pb2.SealKind
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., kind: _Optional[_Union[_case_access_pb2.SealKind, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SealCaseResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class OpenSealRequest(_message.Message):
    __slots__ = ("request_id", "case", "officer", "expire_time", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    officer: str
    expire_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., officer: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class OpenSealResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class LiftSealRequest(_message.Message):
    __slots__ = ("request_id", "case", "kind", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    kind: _case_access_pb2.SealKind
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., kind: _Optional[_Union[_case_access_pb2.SealKind, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class LiftSealResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class BreakGlassRequest(_message.Message):
    __slots__ = ("request_id", "case", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class BreakGlassResponse(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BreakGlassUse
    def __init__(self, use: _Optional[_Union[BreakGlassUse, _Mapping]] = ...) -> None: ...

class ApproveBreakGlassRequest(_message.Message):
    __slots__ = ("request_id", "case", "fact")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    FACT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    fact: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., fact: _Optional[str] = ...) -> None: ...

class ApproveBreakGlassResponse(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BreakGlassUse
    def __init__(self, use: _Optional[_Union[BreakGlassUse, _Mapping]] = ...) -> None: ...

class ListBreakGlassUsesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBreakGlassUsesResponse(_message.Message):
    __slots__ = ("uses", "next_page_token")
    USES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    uses: _containers.RepeatedCompositeFieldContainer[BreakGlassUse]
    next_page_token: str
    def __init__(self, uses: _Optional[_Iterable[_Union[BreakGlassUse, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReviewBreakGlassRequest(_message.Message):
    __slots__ = ("request_id", "case", "fact", "outcome", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    FACT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    fact: str
    outcome: BreakGlassOutcome
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., fact: _Optional[str] = ..., outcome: _Optional[_Union[BreakGlassOutcome, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class ReviewBreakGlassResponse(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BreakGlassUse
    def __init__(self, use: _Optional[_Union[BreakGlassUse, _Mapping]] = ...) -> None: ...
