from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.identity.v1 import directory_pb2 as _directory_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RenewCertificateRequest(_message.Message):
    __slots__ = ("request_id", "certificate_request", "certificate")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    certificate_request: bytes
    certificate: bytes
    def __init__(self, request_id: _Optional[str] = ..., certificate_request: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class RenewCertificateResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: _directory_pb2.Certificate
    def __init__(self, certificate: _Optional[_Union[_directory_pb2.Certificate, _Mapping]] = ...) -> None: ...
