from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import directory_pb2 as _directory_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateAgencyRequest(_message.Message):
    __slots__ = ("request_id", "code", "display_name", "organ", "authority_certificate", "parent", "level")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ORGAN_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    display_name: str
    organ: str
    authority_certificate: bytes
    parent: str
    level: _directory_pb2.AgencyLevel
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., display_name: _Optional[str] = ..., organ: _Optional[str] = ..., authority_certificate: _Optional[bytes] = ..., parent: _Optional[str] = ..., level: _Optional[_Union[_directory_pb2.AgencyLevel, str]] = ...) -> None: ...

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

class CreateUnitRequest(_message.Message):
    __slots__ = ("request_id", "parent", "display_name", "parent_unit")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_UNIT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    parent: str
    display_name: str
    parent_unit: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., display_name: _Optional[str] = ..., parent_unit: _Optional[str] = ...) -> None: ...

class CreateUnitResponse(_message.Message):
    __slots__ = ("unit",)
    UNIT_FIELD_NUMBER: _ClassVar[int]
    unit: _directory_pb2.Unit
    def __init__(self, unit: _Optional[_Union[_directory_pb2.Unit, _Mapping]] = ...) -> None: ...

class PlaceOfficerRequest(_message.Message):
    __slots__ = ("request_id", "officer", "unit", "role")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    officer: str
    unit: str
    role: _directory_pb2.UnitRole
    def __init__(self, request_id: _Optional[str] = ..., officer: _Optional[str] = ..., unit: _Optional[str] = ..., role: _Optional[_Union[_directory_pb2.UnitRole, str]] = ...) -> None: ...

class PlaceOfficerResponse(_message.Message):
    __slots__ = ("placement",)
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    placement: _directory_pb2.UnitPlacement
    def __init__(self, placement: _Optional[_Union[_directory_pb2.UnitPlacement, _Mapping]] = ...) -> None: ...

class RegisterSystemRequest(_message.Message):
    __slots__ = ("request_id", "parent", "display_name", "certificate_request", "certificate")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    parent: str
    display_name: str
    certificate_request: bytes
    certificate: bytes
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., display_name: _Optional[str] = ..., certificate_request: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class RegisterSystemResponse(_message.Message):
    __slots__ = ("system",)
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    system: _directory_pb2.System
    def __init__(self, system: _Optional[_Union[_directory_pb2.System, _Mapping]] = ...) -> None: ...

class RegisterWorkstationRequest(_message.Message):
    __slots__ = ("request_id", "officer", "certificate_request", "certificate")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    officer: str
    certificate_request: bytes
    certificate: bytes
    def __init__(self, request_id: _Optional[str] = ..., officer: _Optional[str] = ..., certificate_request: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class RegisterWorkstationResponse(_message.Message):
    __slots__ = ("workstation",)
    WORKSTATION_FIELD_NUMBER: _ClassVar[int]
    workstation: _directory_pb2.Workstation
    def __init__(self, workstation: _Optional[_Union[_directory_pb2.Workstation, _Mapping]] = ...) -> None: ...

class ApproveEnrolmentRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ApproveEnrolmentResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _directory_pb2.Standing
    def __init__(self, standing: _Optional[_Union[_directory_pb2.Standing, _Mapping]] = ...) -> None: ...

class SuspendRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SuspendResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _directory_pb2.Standing
    def __init__(self, standing: _Optional[_Union[_directory_pb2.Standing, _Mapping]] = ...) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _directory_pb2.Standing
    def __init__(self, standing: _Optional[_Union[_directory_pb2.Standing, _Mapping]] = ...) -> None: ...

class RevokeRequest(_message.Message):
    __slots__ = ("request_id", "name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RevokeResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _directory_pb2.Standing
    def __init__(self, standing: _Optional[_Union[_directory_pb2.Standing, _Mapping]] = ...) -> None: ...

class GetStandingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetStandingResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _directory_pb2.Standing
    def __init__(self, standing: _Optional[_Union[_directory_pb2.Standing, _Mapping]] = ...) -> None: ...

class ListCertificatesRequest(_message.Message):
    __slots__ = ("holder",)
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    holder: str
    def __init__(self, holder: _Optional[str] = ...) -> None: ...

class ListCertificatesResponse(_message.Message):
    __slots__ = ("certificates",)
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedCompositeFieldContainer[_directory_pb2.Certificate]
    def __init__(self, certificates: _Optional[_Iterable[_Union[_directory_pb2.Certificate, _Mapping]]] = ...) -> None: ...
