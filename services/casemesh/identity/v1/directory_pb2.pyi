import datetime

from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnrolmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENROLMENT_STATE_UNSPECIFIED: _ClassVar[EnrolmentState]
    ENROLMENT_STATE_REGISTERED: _ClassVar[EnrolmentState]
    ENROLMENT_STATE_ACTIVE: _ClassVar[EnrolmentState]
    ENROLMENT_STATE_SUSPENDED: _ClassVar[EnrolmentState]
    ENROLMENT_STATE_REVOKED: _ClassVar[EnrolmentState]

class AgencyLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGENCY_LEVEL_UNSPECIFIED: _ClassVar[AgencyLevel]
    AGENCY_LEVEL_CENTRAL: _ClassVar[AgencyLevel]
    AGENCY_LEVEL_PROVINCE: _ClassVar[AgencyLevel]
    AGENCY_LEVEL_CITY: _ClassVar[AgencyLevel]
    AGENCY_LEVEL_COUNTY: _ClassVar[AgencyLevel]

class UnitRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_ROLE_UNSPECIFIED: _ClassVar[UnitRole]
    UNIT_ROLE_MEMBER: _ClassVar[UnitRole]
    UNIT_ROLE_SUPERVISOR: _ClassVar[UnitRole]
ENROLMENT_STATE_UNSPECIFIED: EnrolmentState
ENROLMENT_STATE_REGISTERED: EnrolmentState
ENROLMENT_STATE_ACTIVE: EnrolmentState
ENROLMENT_STATE_SUSPENDED: EnrolmentState
ENROLMENT_STATE_REVOKED: EnrolmentState
AGENCY_LEVEL_UNSPECIFIED: AgencyLevel
AGENCY_LEVEL_CENTRAL: AgencyLevel
AGENCY_LEVEL_PROVINCE: AgencyLevel
AGENCY_LEVEL_CITY: AgencyLevel
AGENCY_LEVEL_COUNTY: AgencyLevel
UNIT_ROLE_UNSPECIFIED: UnitRole
UNIT_ROLE_MEMBER: UnitRole
UNIT_ROLE_SUPERVISOR: UnitRole

class Agency(_message.Message):
    __slots__ = ("name", "code", "display_name", "organ", "trust_domain", "create_time", "state", "parent", "level")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ORGAN_FIELD_NUMBER: _ClassVar[int]
    TRUST_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    display_name: str
    organ: str
    trust_domain: str
    create_time: _timestamp_pb2.Timestamp
    state: EnrolmentState
    parent: str
    level: AgencyLevel
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., display_name: _Optional[str] = ..., organ: _Optional[str] = ..., trust_domain: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[EnrolmentState, str]] = ..., parent: _Optional[str] = ..., level: _Optional[_Union[AgencyLevel, str]] = ...) -> None: ...

class System(_message.Message):
    __slots__ = ("name", "display_name", "certificate_sha256", "create_time", "state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    certificate_sha256: bytes
    create_time: _timestamp_pb2.Timestamp
    state: EnrolmentState
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[EnrolmentState, str]] = ...) -> None: ...

class Workstation(_message.Message):
    __slots__ = ("name", "officer", "certificate_sha256", "create_time", "state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    officer: str
    certificate_sha256: bytes
    create_time: _timestamp_pb2.Timestamp
    state: EnrolmentState
    def __init__(self, name: _Optional[str] = ..., officer: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[EnrolmentState, str]] = ...) -> None: ...

class Officer(_message.Message):
    __slots__ = ("name", "display_name", "create_time", "state", "unit", "unit_role")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    UNIT_ROLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    create_time: _timestamp_pb2.Timestamp
    state: EnrolmentState
    unit: str
    unit_role: UnitRole
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[EnrolmentState, str]] = ..., unit: _Optional[str] = ..., unit_role: _Optional[_Union[UnitRole, str]] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("name", "holder", "state", "create_time", "expire_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    holder: str
    state: EnrolmentState
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., holder: _Optional[str] = ..., state: _Optional[_Union[EnrolmentState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Standing(_message.Message):
    __slots__ = ("name", "state", "reason", "change_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: EnrolmentState
    reason: str
    change_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[EnrolmentState, str]] = ..., reason: _Optional[str] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Unit(_message.Message):
    __slots__ = ("name", "display_name", "parent", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    parent: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., parent: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UnitPlacement(_message.Message):
    __slots__ = ("officer", "unit", "role", "valid_from", "valid_until")
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    officer: str
    unit: str
    role: UnitRole
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    def __init__(self, officer: _Optional[str] = ..., unit: _Optional[str] = ..., role: _Optional[_Union[UnitRole, str]] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
