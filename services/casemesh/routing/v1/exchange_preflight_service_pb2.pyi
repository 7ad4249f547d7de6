from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
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

class PreflightExchangeRequest(_message.Message):
    __slots__ = ("case", "node", "recipient", "parties", "fields", "dossier_version", "paper")
    CASE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_VERSION_FIELD_NUMBER: _ClassVar[int]
    PAPER_FIELD_NUMBER: _ClassVar[int]
    case: str
    node: str
    recipient: str
    parties: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.PayloadField]
    dossier_version: str
    paper: _exchange_pb2.PaperRecord
    def __init__(self, case: _Optional[str] = ..., node: _Optional[str] = ..., recipient: _Optional[str] = ..., parties: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[_exchange_pb2.PayloadField, _Mapping]]] = ..., dossier_version: _Optional[str] = ..., paper: _Optional[_Union[_exchange_pb2.PaperRecord, _Mapping]] = ...) -> None: ...

class PreflightExchangeResponse(_message.Message):
    __slots__ = ("findings", "blocking_count", "translations")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[PreflightFinding]
    blocking_count: int
    translations: _containers.RepeatedCompositeFieldContainer[_exchange_pb2.FieldTranslation]
    def __init__(self, findings: _Optional[_Iterable[_Union[PreflightFinding, _Mapping]]] = ..., blocking_count: _Optional[int] = ..., translations: _Optional[_Iterable[_Union[_exchange_pb2.FieldTranslation, _Mapping]]] = ...) -> None: ...

class PreflightFinding(_message.Message):
    __slots__ = ("reason", "blocking", "field", "remedy_zh", "remedy_en", "error_reason")
    REASON_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REMEDY_ZH_FIELD_NUMBER: _ClassVar[int]
    REMEDY_EN_FIELD_NUMBER: _ClassVar[int]
    ERROR_REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    blocking: bool
    field: str
    remedy_zh: str
    remedy_en: str
    error_reason: str
    def __init__(self, reason: _Optional[str] = ..., blocking: _Optional[bool] = ..., field: _Optional[str] = ..., remedy_zh: _Optional[str] = ..., remedy_en: _Optional[str] = ..., error_reason: _Optional[str] = ...) -> None: ...
