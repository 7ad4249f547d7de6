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

class AddParticipationRequest(_message.Message):
    __slots__ = ("request_id", "case", "agency", "officer", "cause", "stage")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    agency: str
    officer: str
    cause: str
    stage: _case_access_pb2.CaseStage
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., agency: _Optional[str] = ..., officer: _Optional[str] = ..., cause: _Optional[str] = ..., stage: _Optional[_Union[_case_access_pb2.CaseStage, str]] = ...) -> None: ...

class AddParticipationResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _containers.RepeatedCompositeFieldContainer[_case_access_pb2.CaseAccess]
    def __init__(self, access: _Optional[_Iterable[_Union[_case_access_pb2.CaseAccess, _Mapping]]] = ...) -> None: ...

class SetCaseStagesRequest(_message.Message):
    __slots__ = ("request_id", "case", "stages", "cause")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    stages: _containers.RepeatedScalarFieldContainer[_case_access_pb2.CaseStage]
    cause: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[_case_access_pb2.CaseStage, str]]] = ..., cause: _Optional[str] = ...) -> None: ...

class SetCaseStagesResponse(_message.Message):
    __slots__ = ("stages",)
    STAGES_FIELD_NUMBER: _ClassVar[int]
    stages: _containers.RepeatedScalarFieldContainer[_case_access_pb2.CaseStage]
    def __init__(self, stages: _Optional[_Iterable[_Union[_case_access_pb2.CaseStage, str]]] = ...) -> None: ...
