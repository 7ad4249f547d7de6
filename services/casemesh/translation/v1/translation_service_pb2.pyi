from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.translation.v1 import translation_pb2 as _translation_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TranslateCodesRequest(_message.Message):
    __slots__ = ("items", "date")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TranslateCodesItem]
    date: _date_pb2.Date
    def __init__(self, items: _Optional[_Iterable[_Union[TranslateCodesItem, _Mapping]]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class TranslateCodesItem(_message.Message):
    __slots__ = ("value", "target_code_system")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    target_code_system: str
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., target_code_system: _Optional[str] = ...) -> None: ...

class TranslateCodesResponse(_message.Message):
    __slots__ = ("translations",)
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    translations: _containers.RepeatedCompositeFieldContainer[_translation_pb2.Translation]
    def __init__(self, translations: _Optional[_Iterable[_Union[_translation_pb2.Translation, _Mapping]]] = ...) -> None: ...

class LookUpCodeRequest(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ...) -> None: ...

class LookUpCodeResponse(_message.Message):
    __slots__ = ("value", "code_system_version", "active", "successors")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    code_system_version: str
    active: bool
    successors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., code_system_version: _Optional[str] = ..., active: _Optional[bool] = ..., successors: _Optional[_Iterable[str]] = ...) -> None: ...

class ListCodeSystemsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCodeSystemsResponse(_message.Message):
    __slots__ = ("code_systems", "next_page_token")
    CODE_SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    code_systems: _containers.RepeatedCompositeFieldContainer[_translation_pb2.CodeSystem]
    next_page_token: str
    def __init__(self, code_systems: _Optional[_Iterable[_Union[_translation_pb2.CodeSystem, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListConceptMapsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConceptMapsResponse(_message.Message):
    __slots__ = ("concept_maps", "next_page_token")
    CONCEPT_MAPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    concept_maps: _containers.RepeatedCompositeFieldContainer[_translation_pb2.ConceptMap]
    next_page_token: str
    def __init__(self, concept_maps: _Optional[_Iterable[_Union[_translation_pb2.ConceptMap, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
