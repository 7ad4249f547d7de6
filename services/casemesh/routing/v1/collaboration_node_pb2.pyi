from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CollaborationNode(_message.Message):
    __slots__ = ("name", "title_zh", "title_en", "stage", "kind", "from_organ", "to_organ", "answers_node", "feedback_nodes", "documents", "dossier_required", "legal_basis", "release_tier", "interim_nodes")
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
    def __init__(self, name: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., stage: _Optional[str] = ..., kind: _Optional[str] = ..., from_organ: _Optional[str] = ..., to_organ: _Optional[str] = ..., answers_node: _Optional[str] = ..., feedback_nodes: _Optional[_Iterable[str]] = ..., documents: _Optional[_Iterable[str]] = ..., dossier_required: _Optional[bool] = ..., legal_basis: _Optional[str] = ..., release_tier: _Optional[str] = ..., interim_nodes: _Optional[_Iterable[str]] = ...) -> None: ...
