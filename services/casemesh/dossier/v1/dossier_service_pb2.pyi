from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.dossier.v1 import dossier_pb2 as _dossier_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateDossierRequest(_message.Message):
    __slots__ = ("request_id", "case", "title")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case: str
    title: str
    def __init__(self, request_id: _Optional[str] = ..., case: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class CreateDossierResponse(_message.Message):
    __slots__ = ("dossier",)
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    dossier: _dossier_pb2.Dossier
    def __init__(self, dossier: _Optional[_Union[_dossier_pb2.Dossier, _Mapping]] = ...) -> None: ...

class UploadDocumentsRequest(_message.Message):
    __slots__ = ("open", "frames")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    open: UploadOpen
    frames: _containers.RepeatedCompositeFieldContainer[UploadFrame]
    def __init__(self, open: _Optional[_Union[UploadOpen, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[UploadFrame, _Mapping]]] = ...) -> None: ...

class UploadOpen(_message.Message):
    __slots__ = ("dossier", "upload_id", "attempt_id", "stream_count")
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_COUNT_FIELD_NUMBER: _ClassVar[int]
    dossier: str
    upload_id: str
    attempt_id: str
    stream_count: int
    def __init__(self, dossier: _Optional[str] = ..., upload_id: _Optional[str] = ..., attempt_id: _Optional[str] = ..., stream_count: _Optional[int] = ...) -> None: ...

class UploadFrame(_message.Message):
    __slots__ = ("header", "chunk", "document_finish", "upload_finish")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FINISH_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FINISH_FIELD_NUMBER: _ClassVar[int]
    header: DocumentHeader
    chunk: DocumentChunk
    document_finish: DocumentFinish
    upload_finish: UploadFinish
    def __init__(self, header: _Optional[_Union[DocumentHeader, _Mapping]] = ..., chunk: _Optional[_Union[DocumentChunk, _Mapping]] = ..., document_finish: _Optional[_Union[DocumentFinish, _Mapping]] = ..., upload_finish: _Optional[_Union[UploadFinish, _Mapping]] = ...) -> None: ...

class DocumentHeader(_message.Message):
    __slots__ = ("document_index", "volume", "file_name", "media_type", "page_count", "size_bytes", "offset_bytes")
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    document_index: int
    volume: str
    file_name: str
    media_type: str
    page_count: int
    size_bytes: int
    offset_bytes: int
    def __init__(self, document_index: _Optional[int] = ..., volume: _Optional[str] = ..., file_name: _Optional[str] = ..., media_type: _Optional[str] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., offset_bytes: _Optional[int] = ...) -> None: ...

class DocumentChunk(_message.Message):
    __slots__ = ("document_index", "offset_bytes", "data")
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    OFFSET_BYTES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    document_index: int
    offset_bytes: int
    data: bytes
    def __init__(self, document_index: _Optional[int] = ..., offset_bytes: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class DocumentFinish(_message.Message):
    __slots__ = ("document_index", "size_bytes", "sha256")
    DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    document_index: int
    size_bytes: int
    sha256: bytes
    def __init__(self, document_index: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class UploadFinish(_message.Message):
    __slots__ = ("document_count", "size_bytes", "tree_hash")
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TREE_HASH_FIELD_NUMBER: _ClassVar[int]
    document_count: int
    size_bytes: int
    tree_hash: bytes
    def __init__(self, document_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., tree_hash: _Optional[bytes] = ...) -> None: ...

class UploadDocumentsResponse(_message.Message):
    __slots__ = ("opened", "progress", "finished", "error")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    opened: UploadOpened
    progress: UploadProgress
    finished: UploadFinished
    error: _status_pb2.Status
    def __init__(self, opened: _Optional[_Union[UploadOpened, _Mapping]] = ..., progress: _Optional[_Union[UploadProgress, _Mapping]] = ..., finished: _Optional[_Union[UploadFinished, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class UploadOpened(_message.Message):
    __slots__ = ("window_bytes", "epoch")
    WINDOW_BYTES_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    window_bytes: int
    epoch: int
    def __init__(self, window_bytes: _Optional[int] = ..., epoch: _Optional[int] = ...) -> None: ...

class UploadProgress(_message.Message):
    __slots__ = ("received_bytes", "committed_bytes")
    RECEIVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    received_bytes: int
    committed_bytes: int
    def __init__(self, received_bytes: _Optional[int] = ..., committed_bytes: _Optional[int] = ...) -> None: ...

class UploadFinished(_message.Message):
    __slots__ = ("document_count", "page_count", "size_bytes")
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    document_count: int
    page_count: int
    size_bytes: int
    def __init__(self, document_count: _Optional[int] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class UploadDocumentRequest(_message.Message):
    __slots__ = ("request_id", "dossier", "upload_id", "header", "data", "finish", "finish_upload")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    FINISH_UPLOAD_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    upload_id: str
    header: DocumentHeader
    data: bytes
    finish: DocumentFinish
    finish_upload: UploadFinish
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ..., upload_id: _Optional[str] = ..., header: _Optional[_Union[DocumentHeader, _Mapping]] = ..., data: _Optional[bytes] = ..., finish: _Optional[_Union[DocumentFinish, _Mapping]] = ..., finish_upload: _Optional[_Union[UploadFinish, _Mapping]] = ...) -> None: ...

class UploadDocumentResponse(_message.Message):
    __slots__ = ("committed_bytes", "finished")
    COMMITTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    committed_bytes: int
    finished: bool
    def __init__(self, committed_bytes: _Optional[int] = ..., finished: _Optional[bool] = ...) -> None: ...

class ReferenceDocumentsRequest(_message.Message):
    __slots__ = ("request_id", "dossier", "upload_id", "documents")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    upload_id: str
    documents: _containers.RepeatedCompositeFieldContainer[ReferencedDocument]
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ..., upload_id: _Optional[str] = ..., documents: _Optional[_Iterable[_Union[ReferencedDocument, _Mapping]]] = ...) -> None: ...

class ReferencedDocument(_message.Message):
    __slots__ = ("header", "sha256")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    header: DocumentHeader
    sha256: bytes
    def __init__(self, header: _Optional[_Union[DocumentHeader, _Mapping]] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class ReferenceDocumentsResponse(_message.Message):
    __slots__ = ("document_indexes",)
    DOCUMENT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    document_indexes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, document_indexes: _Optional[_Iterable[int]] = ...) -> None: ...

class TakeDocumentsRequest(_message.Message):
    __slots__ = ("request_id", "dossier", "version", "document_indexes", "parties")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    version: str
    document_indexes: _containers.RepeatedScalarFieldContainer[int]
    parties: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ..., version: _Optional[str] = ..., document_indexes: _Optional[_Iterable[int]] = ..., parties: _Optional[_Iterable[str]] = ...) -> None: ...

class TakeDocumentsResponse(_message.Message):
    __slots__ = ("first_document_index", "document_count")
    FIRST_DOCUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    first_document_index: int
    document_count: int
    def __init__(self, first_document_index: _Optional[int] = ..., document_count: _Optional[int] = ...) -> None: ...

class RemoveDocumentsRequest(_message.Message):
    __slots__ = ("request_id", "dossier", "documents")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    documents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ..., documents: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveDocumentsResponse(_message.Message):
    __slots__ = ("document_count",)
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    document_count: int
    def __init__(self, document_count: _Optional[int] = ...) -> None: ...

class SetDocumentPartiesRequest(_message.Message):
    __slots__ = ("request_id", "dossier", "document_indexes", "parties")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    document_indexes: _containers.RepeatedScalarFieldContainer[int]
    parties: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ..., document_indexes: _Optional[_Iterable[int]] = ..., parties: _Optional[_Iterable[str]] = ...) -> None: ...

class SetDocumentPartiesResponse(_message.Message):
    __slots__ = ("document_count",)
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    document_count: int
    def __init__(self, document_count: _Optional[int] = ...) -> None: ...

class SupplementDossierRequest(_message.Message):
    __slots__ = ("request_id", "dossier")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ...) -> None: ...

class SupplementDossierResponse(_message.Message):
    __slots__ = ("dossier",)
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    dossier: _dossier_pb2.Dossier
    def __init__(self, dossier: _Optional[_Union[_dossier_pb2.Dossier, _Mapping]] = ...) -> None: ...

class AbandonDraftRequest(_message.Message):
    __slots__ = ("request_id", "dossier")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ...) -> None: ...

class AbandonDraftResponse(_message.Message):
    __slots__ = ("dossier",)
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    dossier: str
    def __init__(self, dossier: _Optional[str] = ...) -> None: ...

class QueryUploadRequest(_message.Message):
    __slots__ = ("dossier", "page_size", "page_token")
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dossier: str
    page_size: int
    page_token: str
    def __init__(self, dossier: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class QueryUploadResponse(_message.Message):
    __slots__ = ("documents", "finished", "next_page_token")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[_dossier_pb2.Document]
    finished: bool
    next_page_token: str
    def __init__(self, documents: _Optional[_Iterable[_Union[_dossier_pb2.Document, _Mapping]]] = ..., finished: _Optional[bool] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FinalizeDossierRequest(_message.Message):
    __slots__ = ("request_id", "dossier", "document_count", "page_count", "size_bytes", "root_hash", "internal")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOSSIER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROOT_HASH_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dossier: str
    document_count: int
    page_count: int
    size_bytes: int
    root_hash: bytes
    internal: bool
    def __init__(self, request_id: _Optional[str] = ..., dossier: _Optional[str] = ..., document_count: _Optional[int] = ..., page_count: _Optional[int] = ..., size_bytes: _Optional[int] = ..., root_hash: _Optional[bytes] = ..., internal: _Optional[bool] = ...) -> None: ...

class FinalizeDossierResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: _dossier_pb2.DossierVersion
    def __init__(self, version: _Optional[_Union[_dossier_pb2.DossierVersion, _Mapping]] = ...) -> None: ...
