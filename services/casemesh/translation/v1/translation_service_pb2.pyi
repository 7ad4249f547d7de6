from casemesh.common.v1 import coded_value_pb2 as _coded_value_pb2
from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.translation.v1 import translation_pb2 as _translation_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UnmappedAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNMAPPED_ACTION_UNSPECIFIED: _ClassVar[UnmappedAction]
    UNMAPPED_ACTION_HOLD: _ClassVar[UnmappedAction]
    UNMAPPED_ACTION_PASS: _ClassVar[UnmappedAction]

class RecordAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_ACTION_UNSPECIFIED: _ClassVar[RecordAction]
    RECORD_ACTION_TRANSLATED: _ClassVar[RecordAction]
    RECORD_ACTION_PASSED: _ClassVar[RecordAction]
    RECORD_ACTION_HELD: _ClassVar[RecordAction]
UNMAPPED_ACTION_UNSPECIFIED: UnmappedAction
UNMAPPED_ACTION_HOLD: UnmappedAction
UNMAPPED_ACTION_PASS: UnmappedAction
RECORD_ACTION_UNSPECIFIED: RecordAction
RECORD_ACTION_TRANSLATED: RecordAction
RECORD_ACTION_PASSED: RecordAction
RECORD_ACTION_HELD: RecordAction

class TranslateCodesRequest(_message.Message):
    __slots__ = ("items", "date", "record")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TranslateCodesItem]
    date: _date_pb2.Date
    record: _containers.RepeatedCompositeFieldContainer[_translation_pb2.RecordValue]
    def __init__(self, items: _Optional[_Iterable[_Union[TranslateCodesItem, _Mapping]]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., record: _Optional[_Iterable[_Union[_translation_pb2.RecordValue, _Mapping]]] = ...) -> None: ...

class TranslateCodesItem(_message.Message):
    __slots__ = ("value", "target_code_system")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    target_code_system: str
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., target_code_system: _Optional[str] = ...) -> None: ...

class TranslateCodesResponse(_message.Message):
    __slots__ = ("translations", "catalogue_revision")
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_REVISION_FIELD_NUMBER: _ClassVar[int]
    translations: _containers.RepeatedCompositeFieldContainer[_translation_pb2.Translation]
    catalogue_revision: int
    def __init__(self, translations: _Optional[_Iterable[_Union[_translation_pb2.Translation, _Mapping]]] = ..., catalogue_revision: _Optional[int] = ...) -> None: ...

class TranslateBatchRequest(_message.Message):
    __slots__ = ("source_code_system", "target_code_system", "codes", "date")
    SOURCE_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    source_code_system: str
    target_code_system: str
    codes: _containers.RepeatedScalarFieldContainer[str]
    date: _date_pb2.Date
    def __init__(self, source_code_system: _Optional[str] = ..., target_code_system: _Optional[str] = ..., codes: _Optional[_Iterable[str]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class TranslateBatchResponse(_message.Message):
    __slots__ = ("translations", "translation_indexes", "catalogue_revision")
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_INDEXES_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_REVISION_FIELD_NUMBER: _ClassVar[int]
    translations: _containers.RepeatedCompositeFieldContainer[_translation_pb2.Translation]
    translation_indexes: _containers.RepeatedScalarFieldContainer[int]
    catalogue_revision: int
    def __init__(self, translations: _Optional[_Iterable[_Union[_translation_pb2.Translation, _Mapping]]] = ..., translation_indexes: _Optional[_Iterable[int]] = ..., catalogue_revision: _Optional[int] = ...) -> None: ...

class TranslateRecordRequest(_message.Message):
    __slots__ = ("schema", "record", "date", "resource")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    schema: _containers.RepeatedCompositeFieldContainer[CodedField]
    record: _containers.RepeatedCompositeFieldContainer[_translation_pb2.RecordValue]
    date: _date_pb2.Date
    resource: str
    def __init__(self, schema: _Optional[_Iterable[_Union[CodedField, _Mapping]]] = ..., record: _Optional[_Iterable[_Union[_translation_pb2.RecordValue, _Mapping]]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., resource: _Optional[str] = ...) -> None: ...

class CodedField(_message.Message):
    __slots__ = ("field", "target_code_system", "unmapped_action")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    UNMAPPED_ACTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    target_code_system: str
    unmapped_action: UnmappedAction
    def __init__(self, field: _Optional[str] = ..., target_code_system: _Optional[str] = ..., unmapped_action: _Optional[_Union[UnmappedAction, str]] = ...) -> None: ...

class TranslateRecordResponse(_message.Message):
    __slots__ = ("translations", "held", "catalogue_revision")
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_REVISION_FIELD_NUMBER: _ClassVar[int]
    translations: _containers.RepeatedCompositeFieldContainer[RecordTranslation]
    held: bool
    catalogue_revision: int
    def __init__(self, translations: _Optional[_Iterable[_Union[RecordTranslation, _Mapping]]] = ..., held: _Optional[bool] = ..., catalogue_revision: _Optional[int] = ...) -> None: ...

class RecordTranslation(_message.Message):
    __slots__ = ("field", "translation", "action")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    translation: _translation_pb2.Translation
    action: RecordAction
    def __init__(self, field: _Optional[str] = ..., translation: _Optional[_Union[_translation_pb2.Translation, _Mapping]] = ..., action: _Optional[_Union[RecordAction, str]] = ...) -> None: ...

class LookUpCodeRequest(_message.Message):
    __slots__ = ("value", "date")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    date: _date_pb2.Date
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class LookUpCodeResponse(_message.Message):
    __slots__ = ("value", "code_system_version", "active", "successors", "effective_from", "effective_until", "properties", "succession", "catalogue_revision")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    SUCCESSION_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_REVISION_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    code_system_version: str
    active: bool
    successors: _containers.RepeatedScalarFieldContainer[str]
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    properties: _containers.ScalarMap[str, str]
    succession: _containers.RepeatedCompositeFieldContainer[SuccessionStep]
    catalogue_revision: int
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., code_system_version: _Optional[str] = ..., active: _Optional[bool] = ..., successors: _Optional[_Iterable[str]] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., properties: _Optional[_Mapping[str, str]] = ..., succession: _Optional[_Iterable[_Union[SuccessionStep, _Mapping]]] = ..., catalogue_revision: _Optional[int] = ...) -> None: ...

class SuccessionStep(_message.Message):
    __slots__ = ("value", "replaces", "replaced_on", "active")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    REPLACED_ON_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    replaces: str
    replaced_on: _date_pb2.Date
    active: bool
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., replaces: _Optional[str] = ..., replaced_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., active: _Optional[bool] = ...) -> None: ...

class ValidateCodeRequest(_message.Message):
    __slots__ = ("value", "date")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    date: _date_pb2.Date
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class ValidateCodeResponse(_message.Message):
    __slots__ = ("valid", "message", "display", "active", "successors", "code_system_version")
    VALID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    message: str
    display: str
    active: bool
    successors: _containers.RepeatedScalarFieldContainer[str]
    code_system_version: str
    def __init__(self, valid: _Optional[bool] = ..., message: _Optional[str] = ..., display: _Optional[str] = ..., active: _Optional[bool] = ..., successors: _Optional[_Iterable[str]] = ..., code_system_version: _Optional[str] = ...) -> None: ...

class ListCodesRequest(_message.Message):
    __slots__ = ("code_system", "code_prefix", "display_contains", "active_only", "date", "page_size", "page_token")
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CODE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_CONTAINS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_ONLY_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    code_system: str
    code_prefix: str
    display_contains: str
    active_only: bool
    date: _date_pb2.Date
    page_size: int
    page_token: str
    def __init__(self, code_system: _Optional[str] = ..., code_prefix: _Optional[str] = ..., display_contains: _Optional[str] = ..., active_only: _Optional[bool] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCodesResponse(_message.Message):
    __slots__ = ("codes", "code_system_version", "next_page_token")
    CODES_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedCompositeFieldContainer[ListedCode]
    code_system_version: str
    next_page_token: str
    def __init__(self, codes: _Optional[_Iterable[_Union[ListedCode, _Mapping]]] = ..., code_system_version: _Optional[str] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListedCode(_message.Message):
    __slots__ = ("value", "active", "effective_from", "effective_until", "successors")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    value: _coded_value_pb2.CodedValue
    active: bool
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    successors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, value: _Optional[_Union[_coded_value_pb2.CodedValue, _Mapping]] = ..., active: _Optional[bool] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., successors: _Optional[_Iterable[str]] = ...) -> None: ...

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
