"""Messages of an upload, encoded where the bytes of documents already lie.

The generated class copies each chunk twice on its way to the wire, into pages that are new each time; for a dossier
that costs more than hashing it. Here bytes are read straight into the message. Headers and finishes, which are small,
are the generated class's work.

Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding/ (a message's encodings one after the other
are the encoding of the merged message).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from casemesh.core.varint import varint
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceStub

if TYPE_CHECKING:
    import grpc.aio

    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub

MESSAGE_BYTES: Final = 1 << 20
MAX_FRAMES: Final = 4000
_UPLOAD: Final = "/casemesh.dossier.v1.DossierService/UploadDocuments"
# More than a header with the longest names takes, and more than what stands before a chunk's bytes.
_SMALL_FRAME_BYTES: Final = 2048
_ROOM_FOR_SMALL_FRAMES: Final = 256 << 10


def dossier_stub(channel: grpc.aio.Channel) -> DossierServiceAsyncStub:
    """The generated stub, but UploadDocuments takes encoded messages besides those of the generated class."""
    stub: Any = DossierServiceStub(channel)
    stub.UploadDocuments = channel.stream_stream(
        _UPLOAD, request_serializer=_encoded, response_deserializer=pb.UploadDocumentsResponse.FromString
    )
    uploading: DossierServiceAsyncStub = stub
    return uploading


def _encoded(message: bytes | pb.UploadDocumentsRequest) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


class MessageBuffer:
    """One message after another in the same memory. For one thread.

    The caller takes the message when it is ``full``.
    """

    def __init__(self) -> None:
        self._memory = memoryview(bytearray(MESSAGE_BYTES + _ROOM_FOR_SMALL_FRAMES))
        self._end = 0
        self._frames = 0
        self.chunk_bytes = 0

    @property
    def full(self) -> bool:
        """Whether nothing more may follow in this message."""
        return (
            self.chunk_bytes >= MESSAGE_BYTES
            or self._frames >= MAX_FRAMES
            or self._end > len(self._memory) - 2 * _SMALL_FRAME_BYTES - self.room
        )

    @property
    def room(self) -> int:
        """How many bytes of documents the message may still take."""
        return MESSAGE_BYTES - self.chunk_bytes

    def add(self, frame: pb.UploadFrame) -> None:
        """Add a frame that is no chunk."""
        encoded = pb.UploadDocumentsRequest(frames=(frame,)).SerializeToString()
        self._memory[self._end : self._end + len(encoded)] = encoded
        self._end += len(encoded)
        self._frames += 1

    def add_chunk(self, document_index: int, offset_bytes: int, length: int) -> memoryview:
        """Add a chunk of at most ``room`` bytes; the caller fills the memory returned, all of it."""
        fields = b"\x08%b\x10%b\x1a%b" % (varint(document_index), varint(offset_bytes), varint(length))
        chunk = b"\x12%b%b" % (varint(len(fields) + length), fields)
        prefix = b"\x12%b%b" % (varint(len(chunk) + length), chunk)
        start = self._end + len(prefix)
        self._memory[self._end : start] = prefix
        self._end = start + length
        self._frames += 1
        self.chunk_bytes += length
        return self._memory[start : self._end]

    def mark(self) -> tuple[int, int, int]:
        """Where the message stands, to go back to."""
        return self._end, self._frames, self.chunk_bytes

    def back_to(self, mark: tuple[int, int, int]) -> None:
        """Take out what came since."""
        self._end, self._frames, self.chunk_bytes = mark

    def take(self) -> tuple[bytes, int]:
        """The message and how many bytes of documents it holds; the next one begins."""
        taken = bytes(self._memory[: self._end]), self.chunk_bytes
        self._end = self._frames = self.chunk_bytes = 0
        return taken
