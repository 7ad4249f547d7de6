"""Uploads one piece of a document by a plain call: a short stream in itself, with all that a stream guarantees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from casemesh.dossier.packs.format import MAX_CHUNK_BYTES
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.uploading.wire import ChunkView, FrameViews
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.runtime.call import Call
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import first_answer, recall, remember


@dataclass(frozen=True)
class Pieces:
    """Carries out UploadDocument."""

    database: Database
    uploads: Uploads

    async def upload(self, request: pb.UploadDocumentRequest, call: Call) -> pb.UploadDocumentResponse:
        """Commit the piece; what of it is held already is not stored again.

        Raises what an upload's stream says. Bytes that were held are not compared: the document's digest is.
        """
        first = await first_answer(self.database, call, request, pb.UploadDocumentResponse)
        if first is not None:
            return first
        _require_header(request)
        response = await self._commit(request, call)
        # The upload's transactions come first: a repeat that finds no answer finds the bytes, and answers the same.
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.UploadDocumentResponse)
            if stored is not None:
                return stored
            await remember(transaction, call, request, response)
        return response

    async def _commit(self, request: pb.UploadDocumentRequest, call: Call) -> pb.UploadDocumentResponse:
        opening = pb.UploadOpen(dossier=request.dossier, upload_id=request.upload_id)
        stream = await self.uploads.open(opening, call)
        header, finished = request.header, False
        try:
            held = stream.held_bytes(header.document_index) if request.HasField("header") else 0
            end = header.offset_bytes + len(request.data)
            async with aclosing(stream.notices(_messages(request, held))) as notices:
                async for notice in notices:
                    finished = finished or notice.HasField("finished")
        finally:
            await stream.end()
        return pb.UploadDocumentResponse(committed_bytes=max(held, end), finished=finished)


async def _messages(request: pb.UploadDocumentRequest, held: int) -> AsyncIterator[FrameViews]:
    """The piece from where the store's bytes end, in messages as a stream has them."""
    header, index, data = request.header, request.header.document_index, memoryview(request.data)
    if request.HasField("header"):
        begin = max(header.offset_bytes, min(held, header.offset_bytes + len(data)))
        if held > begin:
            # All of the piece is there, and more: the header still has to agree.
            data, begin = data[len(data) :], held
        else:
            data = data[begin - header.offset_bytes :]
        resumed = pb.DocumentHeader()
        resumed.CopyFrom(header)
        resumed.offset_bytes = begin
        yield FrameViews([pb.UploadFrame(header=resumed)])
        for start in range(0, len(data), MAX_CHUNK_BYTES):
            yield FrameViews([ChunkView(index, begin + start, data[start : start + MAX_CHUNK_BYTES])])
    if request.HasField("finish"):
        yield FrameViews([pb.UploadFrame(document_finish=request.finish)])
    if request.HasField("finish_upload"):
        yield FrameViews([pb.UploadFrame(upload_finish=request.finish_upload)])


def _require_header(request: pb.UploadDocumentRequest) -> None:
    only_the_end = request.HasField("finish_upload") and not (request.data or request.HasField("finish"))
    if request.HasField("header") or only_the_end:
        return
    rule = "must be set, unless the request only ends the upload"
    raise InvalidArgument("FIELD_INVALID", f"header {rule}", {"field": "header"}, [FieldViolation("header", rule)])
