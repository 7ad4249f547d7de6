from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CheckStandingRequest(_message.Message):
    __slots__ = ("system", "officer", "certificate_sha256")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    system: str
    officer: str
    certificate_sha256: bytes
    def __init__(self, system: _Optional[str] = ..., officer: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class CheckStandingResponse(_message.Message):
    __slots__ = ("active", "inactive_part")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    INACTIVE_PART_FIELD_NUMBER: _ClassVar[int]
    active: bool
    inactive_part: str
    def __init__(self, active: _Optional[bool] = ..., inactive_part: _Optional[str] = ...) -> None: ...
