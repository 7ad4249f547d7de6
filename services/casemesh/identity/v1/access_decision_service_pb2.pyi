import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import access_request_pb2 as _access_request_pb2
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

class ListPendingAccessRequestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPendingAccessRequestsResponse(_message.Message):
    __slots__ = ("access_requests", "next_page_token")
    ACCESS_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_requests: _containers.RepeatedCompositeFieldContainer[_access_request_pb2.AccessRequest]
    next_page_token: str
    def __init__(self, access_requests: _Optional[_Iterable[_Union[_access_request_pb2.AccessRequest, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApproveAccessRequestRequest(_message.Message):
    __slots__ = ("request_id", "access_request", "permissions", "until_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    access_request: str
    permissions: _containers.RepeatedScalarFieldContainer[_case_access_pb2.CasePermission]
    until_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., access_request: _Optional[str] = ..., permissions: _Optional[_Iterable[_Union[_case_access_pb2.CasePermission, str]]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ApproveAccessRequestResponse(_message.Message):
    __slots__ = ("access_request",)
    ACCESS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    access_request: _access_request_pb2.AccessRequest
    def __init__(self, access_request: _Optional[_Union[_access_request_pb2.AccessRequest, _Mapping]] = ...) -> None: ...

class RefuseAccessRequestRequest(_message.Message):
    __slots__ = ("request_id", "access_request", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCESS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    access_request: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., access_request: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RefuseAccessRequestResponse(_message.Message):
    __slots__ = ("access_request",)
    ACCESS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    access_request: _access_request_pb2.AccessRequest
    def __init__(self, access_request: _Optional[_Union[_access_request_pb2.AccessRequest, _Mapping]] = ...) -> None: ...

class EndAccessGrantRequest(_message.Message):
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

class EndAccessGrantResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _case_access_pb2.CaseAccess
    def __init__(self, access: _Optional[_Union[_case_access_pb2.CaseAccess, _Mapping]] = ...) -> None: ...
