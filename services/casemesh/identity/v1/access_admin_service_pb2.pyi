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
