from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import case_pb2 as _case_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegisterCaseRequest(_message.Message):
    __slots__ = ("request_id", "title", "local_number", "parties")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    title: str
    local_number: str
    parties: _containers.RepeatedCompositeFieldContainer[PartyDraft]
    def __init__(self, request_id: _Optional[str] = ..., title: _Optional[str] = ..., local_number: _Optional[str] = ..., parties: _Optional[_Iterable[_Union[PartyDraft, _Mapping]]] = ...) -> None: ...

class PartyDraft(_message.Message):
    __slots__ = ("kind", "display_name", "charges", "custody", "stage", "identity_unknown")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    kind: _case_pb2.PartyKind
    display_name: str
    charges: _containers.RepeatedCompositeFieldContainer[_coded_value_pb2.CodedValue]
    custody: _case_pb2.Custody
    stage: _case_pb2.ProcedureStage
    identity_unknown: bool
    def __init__(self, kind: _Optional[_Union[_case_pb2.PartyKind, str]] = ..., display_name: _Optional[str] = ..., charges: _Optional[_Iterable[_Union[_coded_value_pb2.CodedValue, _Mapping]]] = ..., custody: _Optional[_Union[_case_pb2.Custody, _Mapping]] = ..., stage: _Optional[_Union[_case_pb2.ProcedureStage, str]] = ..., identity_unknown: _Optional[bool] = ...) -> None: ...

class RegisterCaseResponse(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: _case_pb2.Case
    def __init__(self, case: _Optional[_Union[_case_pb2.Case, _Mapping]] = ...) -> None: ...

class GetCaseRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCaseResponse(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: _case_pb2.Case
    def __init__(self, case: _Optional[_Union[_case_pb2.Case, _Mapping]] = ...) -> None: ...

class ListCasesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCasesResponse(_message.Message):
    __slots__ = ("cases", "next_page_token")
    CASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedCompositeFieldContainer[_case_pb2.Case]
    next_page_token: str
    def __init__(self, cases: _Optional[_Iterable[_Union[_case_pb2.Case, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
