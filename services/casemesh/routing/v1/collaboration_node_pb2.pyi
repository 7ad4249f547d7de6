from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PayloadFieldType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYLOAD_FIELD_TYPE_UNSPECIFIED: _ClassVar[PayloadFieldType]
    PAYLOAD_FIELD_TYPE_TEXT: _ClassVar[PayloadFieldType]
    PAYLOAD_FIELD_TYPE_CODED: _ClassVar[PayloadFieldType]
    PAYLOAD_FIELD_TYPE_DATE: _ClassVar[PayloadFieldType]
    PAYLOAD_FIELD_TYPE_INTEGER: _ClassVar[PayloadFieldType]
    PAYLOAD_FIELD_TYPE_FLAG: _ClassVar[PayloadFieldType]
PAYLOAD_FIELD_TYPE_UNSPECIFIED: PayloadFieldType
PAYLOAD_FIELD_TYPE_TEXT: PayloadFieldType
PAYLOAD_FIELD_TYPE_CODED: PayloadFieldType
PAYLOAD_FIELD_TYPE_DATE: PayloadFieldType
PAYLOAD_FIELD_TYPE_INTEGER: PayloadFieldType
PAYLOAD_FIELD_TYPE_FLAG: PayloadFieldType

class CollaborationNode(_message.Message):
    __slots__ = ("name", "title_zh", "title_en", "stage", "kind", "from_organ", "to_organ", "answers_node", "feedback_nodes", "documents", "dossier_required", "legal_basis", "release_tier", "interim_nodes", "subject", "dossier", "custody_effect", "limit", "legal_basis_checked", "note", "source", "review", "catalogue_version", "external_code", "province", "from_organs", "to_organs")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_ORGAN_FIELD_NUMBER: _ClassVar[int]
    TO_ORGAN_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_NODE_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_NODES_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_TIER_FIELD_NUMBER: _ClassVar[int]
    INTERIM_NODES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_EFFECT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_CHECKED_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_CODE_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    FROM_ORGANS_FIELD_NUMBER: _ClassVar[int]
    TO_ORGANS_FIELD_NUMBER: _ClassVar[int]
    name: str
    title_zh: str
    title_en: str
    stage: str
    kind: str
    from_organ: str
    to_organ: str
    answers_node: str
    feedback_nodes: _containers.RepeatedScalarFieldContainer[str]
    documents: _containers.RepeatedScalarFieldContainer[str]
    dossier_required: bool
    legal_basis: str
    release_tier: str
    interim_nodes: _containers.RepeatedScalarFieldContainer[str]
    subject: str
    dossier: str
    custody_effect: str
    limit: NodeLimit
    legal_basis_checked: str
    note: str
    source: str
    review: str
    catalogue_version: str
    external_code: str
    province: str
    from_organs: _containers.RepeatedScalarFieldContainer[str]
    to_organs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., stage: _Optional[str] = ..., kind: _Optional[str] = ..., from_organ: _Optional[str] = ..., to_organ: _Optional[str] = ..., answers_node: _Optional[str] = ..., feedback_nodes: _Optional[_Iterable[str]] = ..., documents: _Optional[_Iterable[str]] = ..., dossier_required: _Optional[bool] = ..., legal_basis: _Optional[str] = ..., release_tier: _Optional[str] = ..., interim_nodes: _Optional[_Iterable[str]] = ..., subject: _Optional[str] = ..., dossier: _Optional[str] = ..., custody_effect: _Optional[str] = ..., limit: _Optional[_Union[NodeLimit, _Mapping]] = ..., legal_basis_checked: _Optional[str] = ..., note: _Optional[str] = ..., source: _Optional[str] = ..., review: _Optional[str] = ..., catalogue_version: _Optional[str] = ..., external_code: _Optional[str] = ..., province: _Optional[str] = ..., from_organs: _Optional[_Iterable[str]] = ..., to_organs: _Optional[_Iterable[str]] = ...) -> None: ...

class NodeLimit(_message.Message):
    __slots__ = ("limit_ids", "length", "unit", "trigger")
    LIMIT_IDS_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    limit_ids: _containers.RepeatedScalarFieldContainer[str]
    length: int
    unit: str
    trigger: str
    def __init__(self, limit_ids: _Optional[_Iterable[str]] = ..., length: _Optional[int] = ..., unit: _Optional[str] = ..., trigger: _Optional[str] = ...) -> None: ...

class PayloadFieldSchema(_message.Message):
    __slots__ = ("key", "title_zh", "title_en", "subject", "type", "required", "expected", "repeated", "per_party", "code_role", "number_kind", "pattern", "minimum", "maximum")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    PER_PARTY_FIELD_NUMBER: _ClassVar[int]
    CODE_ROLE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_KIND_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    key: str
    title_zh: str
    title_en: str
    subject: str
    type: PayloadFieldType
    required: bool
    expected: bool
    repeated: bool
    per_party: bool
    code_role: str
    number_kind: str
    pattern: str
    minimum: int
    maximum: int
    def __init__(self, key: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., subject: _Optional[str] = ..., type: _Optional[_Union[PayloadFieldType, str]] = ..., required: _Optional[bool] = ..., expected: _Optional[bool] = ..., repeated: _Optional[bool] = ..., per_party: _Optional[bool] = ..., code_role: _Optional[str] = ..., number_kind: _Optional[str] = ..., pattern: _Optional[str] = ..., minimum: _Optional[int] = ..., maximum: _Optional[int] = ...) -> None: ...

class NodeSchema(_message.Message):
    __slots__ = ("node", "subjects", "fields")
    NODE_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    node: str
    subjects: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[PayloadFieldSchema]
    def __init__(self, node: _Optional[str] = ..., subjects: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[PayloadFieldSchema, _Mapping]]] = ...) -> None: ...
