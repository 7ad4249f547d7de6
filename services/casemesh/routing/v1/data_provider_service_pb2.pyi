from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import data_service_pb2 as _data_service_pb2
from casemesh.routing.v1 import exchange_pb2 as _exchange_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublishDataServiceRequest(_message.Message):
    __slots__ = ("request_id", "data_service")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    data_service: _data_service_pb2.DataService
    def __init__(self, request_id: _Optional[str] = ..., data_service: _Optional[_Union[_data_service_pb2.DataService, _Mapping]] = ...) -> None: ...

class PublishDataServiceResponse(_message.Message):
    __slots__ = ("data_service",)
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    data_service: _data_service_pb2.DataService
    def __init__(self, data_service: _Optional[_Union[_data_service_pb2.DataService, _Mapping]] = ...) -> None: ...

class RetireDataServiceRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RetireDataServiceResponse(_message.Message):
    __slots__ = ("data_service",)
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    data_service: _data_service_pb2.DataService
    def __init__(self, data_service: _Optional[_Union[_data_service_pb2.DataService, _Mapping]] = ...) -> None: ...

class ServeQueriesRequest(_message.Message):
    __slots__ = ("open", "answer")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    open: ServeQueriesOpen
    answer: QueryAnswer
    def __init__(self, open: _Optional[_Union[ServeQueriesOpen, _Mapping]] = ..., answer: _Optional[_Union[QueryAnswer, _Mapping]] = ...) -> None: ...

class ServeQueriesOpen(_message.Message):
    __slots__ = ("max_outstanding",)
    MAX_OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    max_outstanding: int
    def __init__(self, max_outstanding: _Optional[int] = ...) -> None: ...

class QueryAnswer(_message.Message):
    __slots__ = ("query", "question_sha256", "outcome", "fields", "refusal")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    QUESTION_SHA256_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    query: str
    question_sha256: bytes
    outcome: _data_service_pb2.DataQueryOutcome
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    refusal: str
    def __init__(self, query: _Optional[str] = ..., question_sha256: _Optional[bytes] = ..., outcome: _Optional[_Union[_data_service_pb2.DataQueryOutcome, str]] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., refusal: _Optional[str] = ...) -> None: ...

class ServeQueriesResponse(_message.Message):
    __slots__ = ("query", "answered", "heartbeat")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    query: _data_service_pb2.DataQuery
    answered: str
    heartbeat: ServeQueriesHeartbeat
    def __init__(self, query: _Optional[_Union[_data_service_pb2.DataQuery, _Mapping]] = ..., answered: _Optional[str] = ..., heartbeat: _Optional[_Union[ServeQueriesHeartbeat, _Mapping]] = ...) -> None: ...

class ServeQueriesHeartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PullQueriesRequest(_message.Message):
    __slots__ = ("max_queries", "lease_seconds")
    MAX_QUERIES_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_queries: int
    lease_seconds: int
    def __init__(self, max_queries: _Optional[int] = ..., lease_seconds: _Optional[int] = ...) -> None: ...

class PullQueriesResponse(_message.Message):
    __slots__ = ("queries",)
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[_data_service_pb2.DataQuery]
    def __init__(self, queries: _Optional[_Iterable[_Union[_data_service_pb2.DataQuery, _Mapping]]] = ...) -> None: ...

class AnswerQueryRequest(_message.Message):
    __slots__ = ("request_id", "query", "question_sha256", "outcome", "fields", "refusal")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    QUESTION_SHA256_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    query: str
    question_sha256: bytes
    outcome: _data_service_pb2.DataQueryOutcome
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    refusal: str
    def __init__(self, request_id: _Optional[str] = ..., query: _Optional[str] = ..., question_sha256: _Optional[bytes] = ..., outcome: _Optional[_Union[_data_service_pb2.DataQueryOutcome, str]] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., refusal: _Optional[str] = ...) -> None: ...

class AnswerQueryResponse(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: str
    def __init__(self, query: _Optional[str] = ...) -> None: ...
