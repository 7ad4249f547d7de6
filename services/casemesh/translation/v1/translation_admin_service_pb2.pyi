from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.translation.v1 import translation_pb2 as _translation_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportCodeSystemRequest(_message.Message):
    __slots__ = ("request_id", "code_system", "version", "display_name", "source", "csv")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code_system: str
    version: str
    display_name: str
    source: str
    csv: bytes
    def __init__(self, request_id: _Optional[str] = ..., code_system: _Optional[str] = ..., version: _Optional[str] = ..., display_name: _Optional[str] = ..., source: _Optional[str] = ..., csv: _Optional[bytes] = ...) -> None: ...

class ImportCodeSystemResponse(_message.Message):
    __slots__ = ("code_system",)
    CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    code_system: _translation_pb2.CodeSystem
    def __init__(self, code_system: _Optional[_Union[_translation_pb2.CodeSystem, _Mapping]] = ...) -> None: ...

class ImportConceptMapRequest(_message.Message):
    __slots__ = ("request_id", "concept_map", "version", "source_code_system", "target_code_system", "effective_from", "effective_until", "csv", "direction")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_CODE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    concept_map: str
    version: str
    source_code_system: str
    target_code_system: str
    effective_from: _date_pb2.Date
    effective_until: _date_pb2.Date
    csv: bytes
    direction: str
    def __init__(self, request_id: _Optional[str] = ..., concept_map: _Optional[str] = ..., version: _Optional[str] = ..., source_code_system: _Optional[str] = ..., target_code_system: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., effective_until: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., csv: _Optional[bytes] = ..., direction: _Optional[str] = ...) -> None: ...

class ImportConceptMapResponse(_message.Message):
    __slots__ = ("concept_map",)
    CONCEPT_MAP_FIELD_NUMBER: _ClassVar[int]
    concept_map: _translation_pb2.ConceptMap
    def __init__(self, concept_map: _Optional[_Union[_translation_pb2.ConceptMap, _Mapping]] = ...) -> None: ...
