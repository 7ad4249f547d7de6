import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetCaseFactsRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class GetCaseFactsResponse(_message.Message):
    __slots__ = ("facts",)
    FACTS_FIELD_NUMBER: _ClassVar[int]
    facts: CaseFacts
    def __init__(self, facts: _Optional[_Union[CaseFacts, _Mapping]] = ...) -> None: ...

class CaseFacts(_message.Message):
    __slots__ = ("case", "agency", "create_time", "closed", "superseded_by", "persons", "exchanges", "limits", "agencies")
    CASE_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    AGENCIES_FIELD_NUMBER: _ClassVar[int]
    case: str
    agency: str
    create_time: _timestamp_pb2.Timestamp
    closed: bool
    superseded_by: _containers.RepeatedScalarFieldContainer[str]
    persons: _containers.RepeatedCompositeFieldContainer[PersonFacts]
    exchanges: _containers.RepeatedCompositeFieldContainer[ExchangeFacts]
    limits: _containers.RepeatedCompositeFieldContainer[LimitFacts]
    agencies: _containers.RepeatedCompositeFieldContainer[AgencyFacts]
    def __init__(self, case: _Optional[str] = ..., agency: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed: _Optional[bool] = ..., superseded_by: _Optional[_Iterable[str]] = ..., persons: _Optional[_Iterable[_Union[PersonFacts, _Mapping]]] = ..., exchanges: _Optional[_Iterable[_Union[ExchangeFacts, _Mapping]]] = ..., limits: _Optional[_Iterable[_Union[LimitFacts, _Mapping]]] = ..., agencies: _Optional[_Iterable[_Union[AgencyFacts, _Mapping]]] = ...) -> None: ...

class AgencyFacts(_message.Message):
    __slots__ = ("agency", "organ")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    ORGAN_FIELD_NUMBER: _ClassVar[int]
    agency: str
    organ: str
    def __init__(self, agency: _Optional[str] = ..., organ: _Optional[str] = ...) -> None: ...

class PersonFacts(_message.Message):
    __slots__ = ("party", "statements", "charges", "identity_unknown", "age_at_offence_years")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    AGE_AT_OFFENCE_YEARS_FIELD_NUMBER: _ClassVar[int]
    party: str
    statements: _containers.RepeatedCompositeFieldContainer[PersonStatement]
    charges: _containers.RepeatedScalarFieldContainer[str]
    identity_unknown: bool
    age_at_offence_years: int
    def __init__(self, party: _Optional[str] = ..., statements: _Optional[_Iterable[_Union[PersonStatement, _Mapping]]] = ..., charges: _Optional[_Iterable[str]] = ..., identity_unknown: _Optional[bool] = ..., age_at_offence_years: _Optional[int] = ...) -> None: ...

class PersonStatement(_message.Message):
    __slots__ = ("aspect", "value", "effective_time", "record_time", "node", "exchange")
    ASPECT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    aspect: str
    value: str
    effective_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    node: str
    exchange: str
    def __init__(self, aspect: _Optional[str] = ..., value: _Optional[str] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., node: _Optional[str] = ..., exchange: _Optional[str] = ...) -> None: ...

class ExchangeFacts(_message.Message):
    __slots__ = ("exchange", "node", "sender", "recipient", "state", "parties", "answers", "submit_time", "deliver_time", "accept_time", "answer_time", "end_time", "answer_by", "return_time", "return_reasons", "revision", "dossier_version", "on_paper", "single_track", "payload", "undelivered", "unmapped_count", "delivery_attempts", "dossier")
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    DELIVER_TIME_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BY_FIELD_NUMBER: _ClassVar[int]
    RETURN_TIME_FIELD_NUMBER: _ClassVar[int]
    RETURN_REASONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    ON_PAPER_FIELD_NUMBER: _ClassVar[int]
    SINGLE_TRACK_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    UNDELIVERED_FIELD_NUMBER: _ClassVar[int]
    UNMAPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    exchange: str
    node: str
    sender: str
    recipient: str
    state: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    answers: str
    submit_time: _timestamp_pb2.Timestamp
    deliver_time: _timestamp_pb2.Timestamp
    accept_time: _timestamp_pb2.Timestamp
    answer_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    answer_by: _timestamp_pb2.Timestamp
    return_time: _timestamp_pb2.Timestamp
    return_reasons: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    dossier_version: str
    on_paper: bool
    single_track: bool
    payload: _containers.RepeatedCompositeFieldContainer[PayloadFact]
    undelivered: bool
    unmapped_count: int
    delivery_attempts: int
    dossier: DossierFacts
    def __init__(self, exchange: _Optional[str] = ..., node: _Optional[str] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., state: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., answers: _Optional[str] = ..., submit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deliver_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accept_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., return_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., return_reasons: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., dossier_version: _Optional[str] = ..., on_paper: _Optional[bool] = ..., single_track: _Optional[bool] = ..., payload: _Optional[_Iterable[_Union[PayloadFact, _Mapping]]] = ..., undelivered: _Optional[bool] = ..., unmapped_count: _Optional[int] = ..., delivery_attempts: _Optional[int] = ..., dossier: _Optional[_Union[DossierFacts, _Mapping]] = ...) -> None: ...

class DossierFacts(_message.Message):
    __slots__ = ("page_count", "document_types", "volumes", "untyped_count")
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    VOLUMES_FIELD_NUMBER: _ClassVar[int]
    UNTYPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    page_count: int
    document_types: _containers.RepeatedScalarFieldContainer[str]
    volumes: _containers.RepeatedScalarFieldContainer[str]
    untyped_count: int
    def __init__(self, page_count: _Optional[int] = ..., document_types: _Optional[_Iterable[str]] = ..., volumes: _Optional[_Iterable[str]] = ..., untyped_count: _Optional[int] = ...) -> None: ...

class LimitFacts(_message.Message):
    __slots__ = ("limit", "party", "exchange", "start_time", "over_time", "meet_time", "duty", "steps")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    OVER_TIME_FIELD_NUMBER: _ClassVar[int]
    MEET_TIME_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    limit: str
    party: str
    exchange: str
    start_time: _timestamp_pb2.Timestamp
    over_time: _timestamp_pb2.Timestamp
    meet_time: _timestamp_pb2.Timestamp
    duty: bool
    steps: _containers.RepeatedCompositeFieldContainer[LimitFactsStep]
    def __init__(self, limit: _Optional[str] = ..., party: _Optional[str] = ..., exchange: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., over_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., meet_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duty: _Optional[bool] = ..., steps: _Optional[_Iterable[_Union[LimitFactsStep, _Mapping]]] = ...) -> None: ...

class LimitFactsStep(_message.Message):
    __slots__ = ("rule", "until_time")
    RULE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    rule: str
    until_time: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[str] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PayloadFact(_message.Message):
    __slots__ = ("key", "party", "code", "date", "integer", "flag", "present")
    KEY_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    key: str
    party: str
    code: str
    date: _date_pb2.Date
    integer: int
    flag: bool
    present: bool
    def __init__(self, key: _Optional[str] = ..., party: _Optional[str] = ..., code: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., integer: _Optional[int] = ..., flag: _Optional[bool] = ..., present: _Optional[bool] = ...) -> None: ...
