"""Frames of a download, taken off the wire without copying the bytes of documents.

The generated class copies each chunk twice before it can be written. Here a chunk is a view into the message as it
came; headers and finishes, which are small, are the generated class's work, and so is a whole message in any form but
the one that protobuf writes itself. What is accepted, and what it means, is therefore what the generated class says.

Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub

if TYPE_CHECKING:
    import grpc.aio

    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub

Frame = pb.DownloadHeader | pb.DownloadFinish | memoryview

_DOWNLOAD: Final = "/casemesh.dossier.v1.DossierReadService/DownloadDocuments"
_FRAMES_TAG: Final = 1 << 3 | 2
_CHUNK_TAG: Final = 2 << 3 | 2
_DATA_TAG: Final = 1 << 3 | 2


def read_stub(channel: grpc.aio.Channel) -> DossierReadServiceAsyncStub:
    """The generated stub, but DownloadDocuments gives lists of frames."""
    stub: Any = DossierReadServiceStub(channel)
    stub.DownloadDocuments = channel.unary_stream(
        _DOWNLOAD, request_serializer=pb.DownloadDocumentsRequest.SerializeToString, response_deserializer=parse
    )
    reading: DossierReadServiceAsyncStub = stub
    return reading


def frames_of(message: Sequence[Frame] | pb.DownloadDocumentsResponse) -> Sequence[Frame]:
    """The frames of a message from this stub or from the generated one."""
    return _generated(message) if isinstance(message, pb.DownloadDocumentsResponse) else message


def parse(data: bytes) -> Sequence[Frame]:
    """The frames of a message in order, chunks as views into it. Raises DecodeError where the generated class does."""
    try:
        return _frames(memoryview(data))
    except (_NotPlain, IndexError):
        return _generated(pb.DownloadDocumentsResponse.FromString(data))


class _NotPlain(Exception):
    """The bytes are not in the form that protobuf writes, or not right at all: the generated class decides."""


def _frames(view: memoryview) -> list[Frame]:
    frames: list[Frame] = []
    position = 0
    while position < len(view):
        start, end = _field(view, position, len(view), _FRAMES_TAG)
        if view[start] == _CHUNK_TAG:
            inner = _field(view, start, end, _CHUNK_TAG)
            first, last = _field(view, *inner, _DATA_TAG)
            if inner[1] != end or last != end:
                raise _NotPlain
            frames.append(view[first:last])
        else:
            frames.extend(_generated(pb.DownloadDocumentsResponse.FromString(bytes(view[position:end]))))
        position = end
    return frames


def _field(view: memoryview, position: int, limit: int, tag: int) -> tuple[int, int]:
    """Where the field that begins at ``position`` has its first byte, and where it ends, within ``limit``."""
    if view[position] != tag:
        raise _NotPlain
    length = shift = 0
    while True:
        position += 1
        length |= (view[position] & 0x7F) << shift
        if view[position] < 0x80:
            break
        shift += 7
    start = position + 1
    if length == 0 or shift > 28 or start + length > limit:
        raise _NotPlain
    return start, start + length


def _generated(message: pb.DownloadDocumentsResponse) -> list[Frame]:
    frames: list[Frame] = []
    for frame in message.frames:
        match frame.WhichOneof("frame"):
            case "header":
                frames.append(frame.header)
            case "chunk":
                frames.append(memoryview(frame.chunk.data))
            case "finish":
                frames.append(frame.finish)
    return frames
