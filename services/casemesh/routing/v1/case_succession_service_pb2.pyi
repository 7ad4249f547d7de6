from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import case_pb2 as _case_pb2
from casemesh.routing.v1 import succession_pb2 as _succession_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MergeCasesRequest(_message.Message):
    __slots__ = ("request_id", "case", "predecessors", "same_parties", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    PREDECESSORS_FIELD_NUMBER: _ClassVar[int]
    SAME_PARTIES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    predecessors: _containers.RepeatedScalarFieldContainer[str]
    same_parties: _containers.RepeatedCompositeFieldContainer[SameParty]
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., predecessors: _Optional[_Iterable[str]] = ..., same_parties: _Optional[_Iterable[_Union[SameParty, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class SameParty(_message.Message):
    __slots__ = ("predecessor", "successor")
    PREDECESSOR_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_FIELD_NUMBER: _ClassVar[int]
    predecessor: str
    successor: str
    def __init__(self, predecessor: _Optional[str] = ..., successor: _Optional[str] = ...) -> None: ...

class MergeCasesResponse(_message.Message):
    __slots__ = ("succession",)
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    succession: _succession_pb2.Succession
    def __init__(self, succession: _Optional[_Union[_succession_pb2.Succession, _Mapping]] = ...) -> None: ...

class SplitCaseRequest(_message.Message):
    __slots__ = ("request_id", "case", "parties", "title", "local_number", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    title: str
    local_number: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., title: _Optional[str] = ..., local_number: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SplitCaseResponse(_message.Message):
    __slots__ = ("succession", "case")
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    succession: _succession_pb2.Succession
    case: _case_pb2.Case
    def __init__(self, succession: _Optional[_Union[_succession_pb2.Succession, _Mapping]] = ..., case: _Optional[_Union[_case_pb2.Case, _Mapping]] = ...) -> None: ...

class MergePartiesRequest(_message.Message):
    __slots__ = ("request_id", "party", "predecessors", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    PREDECESSORS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    party: str
    predecessors: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., party: _Optional[str] = ..., predecessors: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class MergePartiesResponse(_message.Message):
    __slots__ = ("succession",)
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    succession: _succession_pb2.Succession
    def __init__(self, succession: _Optional[_Union[_succession_pb2.Succession, _Mapping]] = ...) -> None: ...

class SplitPartyRequest(_message.Message):
    __slots__ = ("request_id", "party", "display_names", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAMES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    party: str
    display_names: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., party: _Optional[str] = ..., display_names: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class SplitPartyResponse(_message.Message):
    __slots__ = ("succession", "parties")
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    succession: _succession_pb2.Succession
    parties: _containers.RepeatedCompositeFieldContainer[_case_pb2.Party]
    def __init__(self, succession: _Optional[_Union[_succession_pb2.Succession, _Mapping]] = ..., parties: _Optional[_Iterable[_Union[_case_pb2.Party, _Mapping]]] = ...) -> None: ...

class UndoSuccessionRequest(_message.Message):
    __slots__ = ("request_id", "succession", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    succession: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., succession: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UndoSuccessionResponse(_message.Message):
    __slots__ = ("succession",)
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    succession: _succession_pb2.Succession
    def __init__(self, succession: _Optional[_Union[_succession_pb2.Succession, _Mapping]] = ...) -> None: ...

class ListSuccessionsRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSuccessionsResponse(_message.Message):
    __slots__ = ("successions", "next_page_token")
    SUCCESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    successions: _containers.RepeatedCompositeFieldContainer[_succession_pb2.Succession]
    next_page_token: str
    def __init__(self, successions: _Optional[_Iterable[_Union[_succession_pb2.Succession, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
