from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import case_access_pb2 as _case_access_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckAccessRequest(_message.Message):
    __slots__ = ("case", "permission", "purpose")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    case: str
    permission: _case_access_pb2.CasePermission
    purpose: str
    def __init__(self, case: _Optional[str] = ..., permission: _Optional[_Union[_case_access_pb2.CasePermission, str]] = ..., purpose: _Optional[str] = ...) -> None: ...

class CheckAccessResponse(_message.Message):
    __slots__ = ("allowed", "visible", "basis", "reading", "through_agency")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    THROUGH_AGENCY_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    visible: bool
    basis: str
    reading: str
    through_agency: str
    def __init__(self, allowed: _Optional[bool] = ..., visible: _Optional[bool] = ..., basis: _Optional[str] = ..., reading: _Optional[str] = ..., through_agency: _Optional[str] = ...) -> None: ...

class RecheckAccessRequest(_message.Message):
    __slots__ = ("case", "permission", "system", "officer", "certificate_sha256")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    case: str
    permission: _case_access_pb2.CasePermission
    system: str
    officer: str
    certificate_sha256: bytes
    def __init__(self, case: _Optional[str] = ..., permission: _Optional[_Union[_case_access_pb2.CasePermission, str]] = ..., system: _Optional[str] = ..., officer: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class RecheckAccessResponse(_message.Message):
    __slots__ = ("allowed", "visible", "basis")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    visible: bool
    basis: str
    def __init__(self, allowed: _Optional[bool] = ..., visible: _Optional[bool] = ..., basis: _Optional[str] = ...) -> None: ...

class BatchCheckAccessRequest(_message.Message):
    __slots__ = ("checks",)
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    checks: _containers.RepeatedCompositeFieldContainer[CheckAccessRequest]
    def __init__(self, checks: _Optional[_Iterable[_Union[CheckAccessRequest, _Mapping]]] = ...) -> None: ...

class BatchCheckAccessResponse(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[CheckAccessResponse]
    def __init__(self, decisions: _Optional[_Iterable[_Union[CheckAccessResponse, _Mapping]]] = ...) -> None: ...

class RecordReadingSizeRequest(_message.Message):
    __slots__ = ("reading", "size_bytes")
    READING_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    reading: str
    size_bytes: int
    def __init__(self, reading: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class RecordReadingSizeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAccessibleCasesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "permission")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    permission: _case_access_pb2.CasePermission
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., permission: _Optional[_Union[_case_access_pb2.CasePermission, str]] = ...) -> None: ...

class ListAccessibleCasesResponse(_message.Message):
    __slots__ = ("cases", "next_page_token")
    CASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedScalarFieldContainer[str]
    next_page_token: str
    def __init__(self, cases: _Optional[_Iterable[str]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
