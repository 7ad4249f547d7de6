import datetime

from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PartyKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTY_KIND_UNSPECIFIED: _ClassVar[PartyKind]
    PARTY_KIND_PERSON: _ClassVar[PartyKind]
    PARTY_KIND_ORGANIZATION: _ClassVar[PartyKind]

class ProcedureStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROCEDURE_STAGE_UNSPECIFIED: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_INVESTIGATION: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_PROSECUTION: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_FIRST_INSTANCE: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_SECOND_INSTANCE: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_DEATH_REVIEW: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_RETRIAL: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_EXECUTION: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_COMMUNITY_CORRECTION: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_CONCLUDED: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_SUPERVISORY_INVESTIGATION: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_CIVIL: _ClassVar[ProcedureStage]
    PROCEDURE_STAGE_ADMINISTRATIVE: _ClassVar[ProcedureStage]

class CustodyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CUSTODY_STATE_UNSPECIFIED: _ClassVar[CustodyState]
    CUSTODY_STATE_AT_LIBERTY: _ClassVar[CustodyState]
    CUSTODY_STATE_BAIL: _ClassVar[CustodyState]
    CUSTODY_STATE_RESIDENTIAL_SURVEILLANCE: _ClassVar[CustodyState]
    CUSTODY_STATE_DETAINED: _ClassVar[CustodyState]
    CUSTODY_STATE_ARRESTED: _ClassVar[CustodyState]
    CUSTODY_STATE_SERVING_SENTENCE: _ClassVar[CustodyState]
    CUSTODY_STATE_COMMUNITY_CORRECTION: _ClassVar[CustodyState]
    CUSTODY_STATE_DRUG_REHABILITATION: _ClassVar[CustodyState]
    CUSTODY_STATE_COMPULSORY_TREATMENT: _ClassVar[CustodyState]
    CUSTODY_STATE_SUPERVISORY_DETENTION: _ClassVar[CustodyState]
    CUSTODY_STATE_JUDICIAL_DETENTION: _ClassVar[CustodyState]
PARTY_KIND_UNSPECIFIED: PartyKind
PARTY_KIND_PERSON: PartyKind
PARTY_KIND_ORGANIZATION: PartyKind
PROCEDURE_STAGE_UNSPECIFIED: ProcedureStage
PROCEDURE_STAGE_INVESTIGATION: ProcedureStage
PROCEDURE_STAGE_PROSECUTION: ProcedureStage
PROCEDURE_STAGE_FIRST_INSTANCE: ProcedureStage
PROCEDURE_STAGE_SECOND_INSTANCE: ProcedureStage
PROCEDURE_STAGE_DEATH_REVIEW: ProcedureStage
PROCEDURE_STAGE_RETRIAL: ProcedureStage
PROCEDURE_STAGE_EXECUTION: ProcedureStage
PROCEDURE_STAGE_COMMUNITY_CORRECTION: ProcedureStage
PROCEDURE_STAGE_CONCLUDED: ProcedureStage
PROCEDURE_STAGE_SUPERVISORY_INVESTIGATION: ProcedureStage
PROCEDURE_STAGE_CIVIL: ProcedureStage
PROCEDURE_STAGE_ADMINISTRATIVE: ProcedureStage
CUSTODY_STATE_UNSPECIFIED: CustodyState
CUSTODY_STATE_AT_LIBERTY: CustodyState
CUSTODY_STATE_BAIL: CustodyState
CUSTODY_STATE_RESIDENTIAL_SURVEILLANCE: CustodyState
CUSTODY_STATE_DETAINED: CustodyState
CUSTODY_STATE_ARRESTED: CustodyState
CUSTODY_STATE_SERVING_SENTENCE: CustodyState
CUSTODY_STATE_COMMUNITY_CORRECTION: CustodyState
CUSTODY_STATE_DRUG_REHABILITATION: CustodyState
CUSTODY_STATE_COMPULSORY_TREATMENT: CustodyState
CUSTODY_STATE_SUPERVISORY_DETENTION: CustodyState
CUSTODY_STATE_JUDICIAL_DETENTION: CustodyState

class Case(_message.Message):
    __slots__ = ("name", "title", "agency", "parties", "local_numbers", "create_time", "predecessors", "successors", "closed")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    LOCAL_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PREDECESSORS_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    agency: str
    parties: _containers.RepeatedCompositeFieldContainer[Party]
    local_numbers: _containers.RepeatedCompositeFieldContainer[LocalNumber]
    create_time: _timestamp_pb2.Timestamp
    predecessors: _containers.RepeatedScalarFieldContainer[str]
    successors: _containers.RepeatedScalarFieldContainer[str]
    closed: bool
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., agency: _Optional[str] = ..., parties: _Optional[_Iterable[_Union[Party, _Mapping]]] = ..., local_numbers: _Optional[_Iterable[_Union[LocalNumber, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., predecessors: _Optional[_Iterable[str]] = ..., successors: _Optional[_Iterable[str]] = ..., closed: _Optional[bool] = ...) -> None: ...

class LocalNumber(_message.Message):
    __slots__ = ("agency", "number", "format", "link_time", "unlink_time")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LINK_TIME_FIELD_NUMBER: _ClassVar[int]
    UNLINK_TIME_FIELD_NUMBER: _ClassVar[int]
    agency: str
    number: str
    format: str
    link_time: _timestamp_pb2.Timestamp
    unlink_time: _timestamp_pb2.Timestamp
    def __init__(self, agency: _Optional[str] = ..., number: _Optional[str] = ..., format: _Optional[str] = ..., link_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unlink_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Custody(_message.Message):
    __slots__ = ("state", "since", "place")
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    state: CustodyState
    since: _date_pb2.Date
    place: str
    def __init__(self, state: _Optional[_Union[CustodyState, str]] = ..., since: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., place: _Optional[str] = ...) -> None: ...

class Party(_message.Message):
    __slots__ = ("name", "kind", "display_name", "charges", "custody", "stage", "identity_unknown", "predecessors", "successors")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    PREDECESSORS_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: PartyKind
    display_name: str
    charges: _containers.RepeatedCompositeFieldContainer[_coded_value_pb2.CodedValue]
    custody: Custody
    stage: ProcedureStage
    identity_unknown: bool
    predecessors: _containers.RepeatedScalarFieldContainer[str]
    successors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[PartyKind, str]] = ..., display_name: _Optional[str] = ..., charges: _Optional[_Iterable[_Union[_coded_value_pb2.CodedValue, _Mapping]]] = ..., custody: _Optional[_Union[Custody, _Mapping]] = ..., stage: _Optional[_Union[ProcedureStage, str]] = ..., identity_unknown: _Optional[bool] = ..., predecessors: _Optional[_Iterable[str]] = ..., successors: _Optional[_Iterable[str]] = ...) -> None: ...
