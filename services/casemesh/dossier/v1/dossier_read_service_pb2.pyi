from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.dossier.v1 import dossier_pb2 as _dossier_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DocumentChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOCUMENT_CHANGE_KIND_UNSPECIFIED: _ClassVar[DocumentChangeKind]
    DOCUMENT_CHANGE_KIND_ADDED: _ClassVar[DocumentChangeKind]
    DOCUMENT_CHANGE_KIND_REMOVED: _ClassVar[DocumentChangeKind]
    DOCUMENT_CHANGE_KIND_REPLACED: _ClassVar[DocumentChangeKind]
DOCUMENT_CHANGE_KIND_UNSPECIFIED: DocumentChangeKind
DOCUMENT_CHANGE_KIND_ADDED: DocumentChangeKind
DOCUMENT_CHANGE_KIND_REMOVED: DocumentChangeKind
DOCUMENT_CHANGE_KIND_REPLACED: DocumentChangeKind

class GetDossierRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetDossierResponse(_message.Message):
    __slots__ = ("dossier",)
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    dossier: _dossier_pb2.Dossier
    def __init__(self, dossier: _Optional[_Union[_dossier_pb2.Dossier, _Mapping]] = ...) -> None: ...

class GetDossierVersionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetDossierVersionResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: _dossier_pb2.DossierVersion
    def __init__(self, version: _Optional[_Union[_dossier_pb2.DossierVersion, _Mapping]] = ...) -> None: ...

class ListDossiersRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_token")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_token: str
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDossiersResponse(_message.Message):
    __slots__ = ("dossiers", "next_page_token")
    DOSSIERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dossiers: _containers.RepeatedCompositeFieldContainer[_dossier_pb2.Dossier]
    next_page_token: str
    def __init__(self, dossiers: _Optional[_Iterable[_Union[_dossier_pb2.Dossier, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DownloadManifestRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class DownloadManifestResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class DownloadDocumentsRequest(_message.Message):
    __slots__ = ("version", "first_document_index", "first_offset_bytes", "selections")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRST_DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    SELECTIONS_FIELD_NUMBER: _ClassVar[int]
    version: str
    first_document_index: int
    first_offset_bytes: int
    selections: _containers.RepeatedCompositeFieldContainer[DocumentSelection]
    def __init__(self, version: _Optional[str] = ..., first_document_index: _Optional[int] = ..., first_offset_bytes: _Optional[int] = ..., selections: _Optional[_Iterable[_Union[DocumentSelection, _Mapping]]] = ...) -> None: ...

class DocumentSelection(_message.Message):
    __slots__ = ("first_document_index", "last_document_index", "first_offset_bytes", "end_offset_bytes")
    FIRST_DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    LAST_DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    first_document_index: int
    last_document_index: int
    first_offset_bytes: int
    end_offset_bytes: int
    def __init__(self, first_document_index: _Optional[int] = ..., last_document_index: _Optional[int] = ..., first_offset_bytes: _Optional[int] = ..., end_offset_bytes: _Optional[int] = ...) -> None: ...

class DownloadDocumentsResponse(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[DownloadFrame]
    def __init__(self, frames: _Optional[_Iterable[_Union[DownloadFrame, _Mapping]]] = ...) -> None: ...

class DownloadFrame(_message.Message):
    __slots__ = ("header", "chunk", "finish")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    header: DownloadHeader
    chunk: DownloadChunk
    finish: DownloadFinish
    def __init__(self, header: _Optional[_Union[DownloadHeader, _Mapping]] = ..., chunk: _Optional[_Union[DownloadChunk, _Mapping]] = ..., finish: _Optional[_Union[DownloadFinish, _Mapping]] = ...) -> None: ...

class DownloadHeader(_message.Message):
    __slots__ = ("document_index", "offset_bytes", "size_bytes")
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    document_index: int
    offset_bytes: int
    size_bytes: int
    def __init__(self, document_index: _Optional[int] = ..., offset_bytes: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class DownloadChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class DownloadFinish(_message.Message):
    __slots__ = ("document_count", "size_bytes")
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    document_count: int
    size_bytes: int
    def __init__(self, document_count: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ReadDocumentRequest(_message.Message):
    __slots__ = ("version", "document_index", "offset_bytes", "length_bytes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    LENGTH_BYTES_FIELD_NUMBER: _ClassVar[int]
    version: str
    document_index: int
    offset_bytes: int
    length_bytes: int
    def __init__(self, version: _Optional[str] = ..., document_index: _Optional[int] = ..., offset_bytes: _Optional[int] = ..., length_bytes: _Optional[int] = ...) -> None: ...

class ReadDocumentResponse(_message.Message):
    __slots__ = ("data", "document")
    DATA_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    document: _dossier_pb2.Document
    def __init__(self, data: _Optional[bytes] = ..., document: _Optional[_Union[_dossier_pb2.Document, _Mapping]] = ...) -> None: ...

class DownloadArchiveRequest(_message.Message):
    __slots__ = ("version", "first_offset_bytes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    version: str
    first_offset_bytes: int
    def __init__(self, version: _Optional[str] = ..., first_offset_bytes: _Optional[int] = ...) -> None: ...

class DownloadArchiveResponse(_message.Message):
    __slots__ = ("data", "size_bytes")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    size_bytes: int
    def __init__(self, data: _Optional[bytes] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ListDocumentsRequest(_message.Message):
    __slots__ = ("version", "page_size", "page_token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: str
    page_size: int
    page_token: str
    def __init__(self, version: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDocumentsResponse(_message.Message):
    __slots__ = ("documents", "next_page_token")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[_dossier_pb2.Document]
    next_page_token: str
    def __init__(self, documents: _Optional[_Iterable[_Union[_dossier_pb2.Document, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListDossierVersionsRequest(_message.Message):
    __slots__ = ("dossier", "page_size", "page_token")
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dossier: str
    page_size: int
    page_token: str
    def __init__(self, dossier: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDossierVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[_dossier_pb2.DossierVersion]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[_dossier_pb2.DossierVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListVersionChangesRequest(_message.Message):
    __slots__ = ("version", "page_size", "page_token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: str
    page_size: int
    page_token: str
    def __init__(self, version: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVersionChangesResponse(_message.Message):
    __slots__ = ("changes", "next_page_token")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[DocumentChange]
    next_page_token: str
    def __init__(self, changes: _Optional[_Iterable[_Union[DocumentChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DocumentChange(_message.Message):
    __slots__ = ("kind", "before", "after")
    KIND_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    kind: DocumentChangeKind
    before: _dossier_pb2.Document
    after: _dossier_pb2.Document
    def __init__(self, kind: _Optional[_Union[DocumentChangeKind, str]] = ..., before: _Optional[_Union[_dossier_pb2.Document, _Mapping]] = ..., after: _Optional[_Union[_dossier_pb2.Document, _Mapping]] = ...) -> None: ...
