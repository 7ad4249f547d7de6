import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import collaboration_node_pb2 as _collaboration_node_pb2
from casemesh.routing.v1 import exchange_pb2 as _exchange_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataQueryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_QUERY_STATE_UNSPECIFIED: _ClassVar[DataQueryState]
    DATA_QUERY_STATE_PENDING: _ClassVar[DataQueryState]
    DATA_QUERY_STATE_ANSWERED: _ClassVar[DataQueryState]
    DATA_QUERY_STATE_EXPIRED: _ClassVar[DataQueryState]

class DataQueryOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_QUERY_OUTCOME_UNSPECIFIED: _ClassVar[DataQueryOutcome]
    DATA_QUERY_OUTCOME_FOUND: _ClassVar[DataQueryOutcome]
    DATA_QUERY_OUTCOME_NOT_FOUND: _ClassVar[DataQueryOutcome]
    DATA_QUERY_OUTCOME_AMBIGUOUS: _ClassVar[DataQueryOutcome]
    DATA_QUERY_OUTCOME_REFUSED: _ClassVar[DataQueryOutcome]
DATA_QUERY_STATE_UNSPECIFIED: DataQueryState
DATA_QUERY_STATE_PENDING: DataQueryState
DATA_QUERY_STATE_ANSWERED: DataQueryState
DATA_QUERY_STATE_EXPIRED: DataQueryState
DATA_QUERY_OUTCOME_UNSPECIFIED: DataQueryOutcome
DATA_QUERY_OUTCOME_FOUND: DataQueryOutcome
DATA_QUERY_OUTCOME_NOT_FOUND: DataQueryOutcome
DATA_QUERY_OUTCOME_AMBIGUOUS: DataQueryOutcome
DATA_QUERY_OUTCOME_REFUSED: DataQueryOutcome

class DataService(_message.Message):
    __slots__ = ("name", "provider", "code", "revision", "title_zh", "title_en", "question", "answer", "organs", "agencies", "purposes", "questions_per_day", "answer_within", "publish_time", "retired")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ORGANS_FIELD_NUMBER: _ClassVar[int]
    AGENCIES_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    ANSWER_WITHIN_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    RETIRED_FIELD_NUMBER: _ClassVar[int]
    name: str
    provider: str
    code: str
    revision: int
    title_zh: str
    title_en: str
    question: _containers.RepeatedCompositeFieldContainer[_collaboration_node_pb2.PayloadFieldSchema]
    answer: _containers.RepeatedCompositeFieldContainer[_collaboration_node_pb2.PayloadFieldSchema]
    organs: _containers.RepeatedScalarFieldContainer[str]
    agencies: _containers.RepeatedScalarFieldContainer[str]
    purposes: _containers.RepeatedCompositeFieldContainer[DataServicePurpose]
    questions_per_day: int
    answer_within: _duration_pb2.Duration
    publish_time: _timestamp_pb2.Timestamp
    retired: bool
    def __init__(self, name: _Optional[str] = ..., provider: _Optional[str] = ..., code: _Optional[str] = ..., revision: _Optional[int] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., question: _Optional[_Iterable[_Union[_collaboration_node_pb2.PayloadFieldSchema, _Mapping]]] = ..., answer: _Optional[_Iterable[_Union[_collaboration_node_pb2.PayloadFieldSchema, _Mapping]]] = ..., organs: _Optional[_Iterable[str]] = ..., agencies: _Optional[_Iterable[str]] = ..., purposes: _Optional[_Iterable[_Union[DataServicePurpose, _Mapping]]] = ..., questions_per_day: _Optional[int] = ..., answer_within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retired: _Optional[bool] = ...) -> None: ...

class DataServicePurpose(_message.Message):
    __slots__ = ("code", "title_zh", "title_en")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    code: str
    title_zh: str
    title_en: str
    def __init__(self, code: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ...) -> None: ...

class DataQuery(_message.Message):
    __slots__ = ("name", "data_service", "revision", "asker", "case", "purpose", "question", "translations", "question_sha256", "state", "outcome", "answer", "refusal", "ask_time", "expire_time", "answer_time", "answer_sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ASKER_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    QUESTION_SHA256_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    ASK_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    data_service: str
    revision: int
    asker: str
    case: str
    purpose: str
    question: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    translations: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.FieldTranslation]
    question_sha256: bytes
    state: DataQueryState
    outcome: DataQueryOutcome
    answer: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    refusal: str
    ask_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    answer_time: _timestamp_pb2.Timestamp
    answer_sha256: bytes
    def __init__(self, name: _Optional[str] = ..., data_service: _Optional[str] = ..., revision: _Optional[int] = ..., asker: _Optional[str] = ..., case: _Optional[str] = ..., purpose: _Optional[str] = ..., question: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., translations: _Optional[_Iterable[_Union[_exchange_pb2.FieldTranslation, _Mapping]]] = ..., question_sha256: _Optional[bytes] = ..., state: _Optional[_Union[DataQueryState, str]] = ..., outcome: _Optional[_Union[DataQueryOutcome, str]] = ..., answer: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., refusal: _Optional[str] = ..., ask_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_sha256: _Optional[bytes] = ...) -> None: ...
