import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import case_access_pb2 as _case_access_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssignOfficerRequest(_message.Message):
    __slots__ = ("request_id", "case", "officer", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    officer: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., officer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AssignOfficerResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class EndAssignmentRequest(_message.Message):
    __slots__ = ("request_id", "case", "officer", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    officer: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., officer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EndAssignmentResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class ListCaseAccessRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCaseAccessResponse(_message.Message):
    __slots__ = ("access", "next_page_token")
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access: _containers.RepeatedCompositeFieldContainer[_case_access_pb2.CaseAccess]
    next_page_token: str
    def __init__(self, access: _Optional[_Iterable[_Union[_case_access_pb2.CaseAccess, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DelegateAccessRequest(_message.Message):
    __slots__ = ("request_id", "case", "officer", "permissions", "expire_time", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    officer: str
    permissions: _containers.RepeatedScalarFieldContainer[_case_access_pb2.CasePermission]
    expire_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., officer: _Optional[str] = ..., permissions: _Optional[_Iterable[_Union[_case_access_pb2.CasePermission, str]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class DelegateAccessResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class EndDelegationRequest(_message.Message):
    __slots__ = ("request_id", "case", "fact", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    FACT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    fact: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., fact: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EndDelegationResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class ExplainAccessRequest(_message.Message):
    __slots__ = ("case", "officer", "permission")
    CASE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    case: str
    officer: str
    permission: _case_access_pb2.CasePermission
    def __init__(self, case: _Optional[str] = ..., officer: _Optional[str] = ..., permission: _Optional[_Union[_case_access_pb2.CasePermission, str]] = ...) -> None: ...

class ExplainAccessResponse(_message.Message):
    __slots__ = ("allowed", "grounds", "forbidden_by", "facts")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    FORBIDDEN_BY_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    grounds: _containers.RepeatedCompositeFieldContainer[AccessGround]
    forbidden_by: _containers.RepeatedScalarFieldContainer[str]
    facts: _containers.RepeatedCompositeFieldContainer[_case_access_pb2.CaseAccess]
    def __init__(self, allowed: _Optional[bool] = ..., grounds: _Optional[_Iterable[_Union[AccessGround, _Mapping]]] = ..., forbidden_by: _Optional[_Iterable[str]] = ..., facts: _Optional[_Iterable[_Union[_case_access_pb2.CaseAccess, _Mapping]]] = ...) -> None: ...

class AccessGround(_message.Message):
    __slots__ = ("rule", "fact")
    RULE_FIELD_NUMBER: _ClassVar[int]
    FACT_FIELD_NUMBER: _ClassVar[int]
    rule: str
    fact: _case_access_pb2.CaseAccess
    def __init__(self, rule: _Optional[str] = ..., fact: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...

class ListCaseViewersRequest(_message.Message):
    __slots__ = ("case", "time", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCaseViewersResponse(_message.Message):
    __slots__ = ("viewers", "next_page_token")
    VIEWERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    viewers: _containers.RepeatedCompositeFieldContainer[CaseViewer]
    next_page_token: str
    def __init__(self, viewers: _Optional[_Iterable[_Union[CaseViewer, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CaseViewer(_message.Message):
    __slots__ = ("agency", "officer", "permissions", "basis")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    agency: str
    officer: str
    permissions: _containers.RepeatedScalarFieldContainer[_case_access_pb2.CasePermission]
    basis: str
    def __init__(self, agency: _Optional[str] = ..., officer: _Optional[str] = ..., permissions: _Optional[_Iterable[_Union[_case_access_pb2.CasePermission, str]]] = ..., basis: _Optional[str] = ...) -> None: ...
