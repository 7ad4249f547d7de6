from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import directory_pb2 as _directory_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateAgencyRequest(_message.Message):
    __slots__ = ("request_id", "code", "display_name", "organ")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ORGAN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    display_name: str
    organ: str
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., display_name: _Optional[str] = ..., organ: _Optional[str] = ...) -> None: ...

class CreateAgencyResponse(_message.Message):
    __slots__ = ("agency",)
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    agency: _directory_pb2.Agency
    def __init__(self, agency: _Optional[_Union[_directory_pb2.Agency, _Mapping]] = ...) -> None: ...

class CreateSystemRequest(_message.Message):
    __slots__ = ("request_id", "parent", "display_name", "certificate_sha256")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    parent: str
    display_name: str
    certificate_sha256: bytes
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., display_name: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class CreateSystemResponse(_message.Message):
    __slots__ = ("system",)
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    system: _directory_pb2.System
    def __init__(self, system: _Optional[_Union[_directory_pb2.System, _Mapping]] = ...) -> None: ...

class CreateWorkstationRequest(_message.Message):
    __slots__ = ("request_id", "officer", "certificate_sha256")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    officer: str
    certificate_sha256: bytes
    def __init__(self, request_id: _Optional[str] = ..., officer: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class CreateWorkstationResponse(_message.Message):
    __slots__ = ("workstation",)
    WORKSTATION_FIELD_NUMBER: _ClassVar[int]
    workstation: _directory_pb2.Workstation
    def __init__(self, workstation: _Optional[_Union[_directory_pb2.Workstation, _Mapping]] = ...) -> None: ...

class CreateOfficerRequest(_message.Message):
    __slots__ = ("request_id", "parent", "display_name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    parent: str
    display_name: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class CreateOfficerResponse(_message.Message):
    __slots__ = ("officer",)
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    officer: _directory_pb2.Officer
    def __init__(self, officer: _Optional[_Union[_directory_pb2.Officer, _Mapping]] = ...) -> None: ...
