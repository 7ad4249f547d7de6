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

class ListDataServicesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDataServicesResponse(_message.Message):
    __slots__ = ("data_services", "next_page_token")
    DATA_SERVICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    data_services: _containers.RepeatedCompositeFieldContainer[_data_service_pb2.DataService]
    next_page_token: str
    def __init__(self, data_services: _Optional[_Iterable[_Union[_data_service_pb2.DataService, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetDataServiceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetDataServiceResponse(_message.Message):
    __slots__ = ("data_service",)
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    data_service: _data_service_pb2.DataService
    def __init__(self, data_service: _Optional[_Union[_data_service_pb2.DataService, _Mapping]] = ...) -> None: ...

class AskQueryRequest(_message.Message):
    __slots__ = ("request_id", "data_service", "case", "purpose", "question", "wait_seconds")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    data_service: str
    case: str
    purpose: str
    question: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    wait_seconds: int
    def __init__(self, request_id: _Optional[str] = ..., data_service: _Optional[str] = ..., case: _Optional[str] = ..., purpose: _Optional[str] = ..., question: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., wait_seconds: _Optional[int] = ...) -> None: ...

class AskQueryResponse(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: _data_service_pb2.DataQuery
    def __init__(self, query: _Optional[_Union[_data_service_pb2.DataQuery, _Mapping]] = ...) -> None: ...

class AskQueriesRequest(_message.Message):
    __slots__ = ("request_id", "data_service", "case", "purpose", "questions")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_SERVICE_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    data_service: str
    case: str
    purpose: str
    questions: _containers.RepeatedCompositeFieldContainer[Question]
    def __init__(self, request_id: _Optional[str] = ..., data_service: _Optional[str] = ..., case: _Optional[str] = ..., purpose: _Optional[str] = ..., questions: _Optional[_Iterable[_Union[Question, _Mapping]]] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("fields",)
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    def __init__(self, fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ...) -> None: ...

class AskQueriesResponse(_message.Message):
    __slots__ = ("queries",)
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[_data_service_pb2.DataQuery]
    def __init__(self, queries: _Optional[_Iterable[_Union[_data_service_pb2.DataQuery, _Mapping]]] = ...) -> None: ...

class GetQueryRequest(_message.Message):
    __slots__ = ("name", "wait_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    wait_seconds: int
    def __init__(self, name: _Optional[str] = ..., wait_seconds: _Optional[int] = ...) -> None: ...

class GetQueryResponse(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: _data_service_pb2.DataQuery
    def __init__(self, query: _Optional[_Union[_data_service_pb2.DataQuery, _Mapping]] = ...) -> None: ...

class ListQueriesRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListQueriesResponse(_message.Message):
    __slots__ = ("queries", "next_page_token")
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[_data_service_pb2.DataQuery]
    next_page_token: str
    def __init__(self, queries: _Optional[_Iterable[_Union[_data_service_pb2.DataQuery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
