from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.routing.v1 import case_pb2 as _case_pb2
from casemesh.routing.v1 import case_service_pb2 as _case_service_pb2
from casemesh.routing.v1 import party_history_pb2 as _party_history_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkLocalNumberRequest(_message.Message):
    __slots__ = ("request_id", "case", "number")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    number: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., number: _Optional[str] = ...) -> None: ...

class NumberWarning(_message.Message):
    __slots__ = ("reason", "text_zh", "text_en")
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    TEXT_EN_FIELD_NUMBER: _ClassVar[int]
    reason: str
    text_zh: str
    text_en: str
    def __init__(self, reason: _Optional[str] = ..., text_zh: _Optional[str] = ..., text_en: _Optional[str] = ...) -> None: ...

class LinkLocalNumberResponse(_message.Message):
    __slots__ = ("local_number", "warnings")
    LOCAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    local_number: _case_pb2.LocalNumber
    warnings: _containers.RepeatedCompositeFieldContainer[NumberWarning]
    def __init__(self, local_number: _Optional[_Union[_case_pb2.LocalNumber, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[NumberWarning, _Mapping]]] = ...) -> None: ...

class UnlinkLocalNumberRequest(_message.Message):
    __slots__ = ("request_id", "case", "number", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    number: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., number: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UnlinkLocalNumberResponse(_message.Message):
    __slots__ = ("local_number",)
    LOCAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    local_number: _case_pb2.LocalNumber
    def __init__(self, local_number: _Optional[_Union[_case_pb2.LocalNumber, _Mapping]] = ...) -> None: ...

class ListLocalNumbersRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListLocalNumbersResponse(_message.Message):
    __slots__ = ("local_numbers", "next_page_token")
    LOCAL_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    local_numbers: _containers.RepeatedCompositeFieldContainer[_case_pb2.LocalNumber]
    next_page_token: str
    def __init__(self, local_numbers: _Optional[_Iterable[_Union[_case_pb2.LocalNumber, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FindCaseByNumberRequest(_message.Message):
    __slots__ = ("number", "page_size", "page_token")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    number: str
    page_size: int
    page_token: str
    def __init__(self, number: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class FoundCase(_message.Message):
    __slots__ = ("case", "local_number")
    CASE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    case: str
    local_number: _case_pb2.LocalNumber
    def __init__(self, case: _Optional[str] = ..., local_number: _Optional[_Union[_case_pb2.LocalNumber, _Mapping]] = ...) -> None: ...

class FindCaseByNumberResponse(_message.Message):
    __slots__ = ("found", "next_page_token")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    found: _containers.RepeatedCompositeFieldContainer[FoundCase]
    next_page_token: str
    def __init__(self, found: _Optional[_Iterable[_Union[FoundCase, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AddPartyRequest(_message.Message):
    __slots__ = ("request_id", "case", "party", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    party: _case_service_pb2.PartyDraft
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., party: _Optional[_Union[_case_service_pb2.PartyDraft, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class AddPartyResponse(_message.Message):
    __slots__ = ("party",)
    PARTY_FIELD_NUMBER: _ClassVar[int]
    party: _case_pb2.Party
    def __init__(self, party: _Optional[_Union[_case_pb2.Party, _Mapping]] = ...) -> None: ...

class CompleteIdentityRequest(_message.Message):
    __slots__ = ("request_id", "party", "display_name", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    party: str
    display_name: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., party: _Optional[str] = ..., display_name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CompleteIdentityResponse(_message.Message):
    __slots__ = ("party",)
    PARTY_FIELD_NUMBER: _ClassVar[int]
    party: _case_pb2.Party
    def __init__(self, party: _Optional[_Union[_case_pb2.Party, _Mapping]] = ...) -> None: ...

class ChangeChargesRequest(_message.Message):
    __slots__ = ("request_id", "party", "charges", "effective_date", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    party: str
    charges: _containers.RepeatedCompositeFieldContainer[_coded_value_pb2.CodedValue]
    effective_date: _date_pb2.Date
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., party: _Optional[str] = ..., charges: _Optional[_Iterable[_Union[_coded_value_pb2.CodedValue, _Mapping]]] = ..., effective_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ChangeChargesResponse(_message.Message):
    __slots__ = ("party",)
    PARTY_FIELD_NUMBER: _ClassVar[int]
    party: _case_pb2.Party
    def __init__(self, party: _Optional[_Union[_case_pb2.Party, _Mapping]] = ...) -> None: ...

class ListPartyHistoryRequest(_message.Message):
    __slots__ = ("party", "page_size", "page_token")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    party: str
    page_size: int
    page_token: str
    def __init__(self, party: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPartyHistoryResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_party_history_pb2.PartyHistoryEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_party_history_pb2.PartyHistoryEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
