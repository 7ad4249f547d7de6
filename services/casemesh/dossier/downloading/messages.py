"""Puts documents' bytes into the messages of a download, encoded.

The generated class copies each chunk twice on its way to the wire. Here it is copied once, behind its few bytes of
framing; headers and finishes, which are small, are the generated class's work.

Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding/ (a message's encodings one after the other
are the encoding of the merged message).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from casemesh.core.varint import varint
from casemesh.dossier.downloading.content import ContentReader
from casemesh.dossier.downloading.selections import Part
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.dossier.version_store import Content
from casemesh.errors import DataLoss

_MAX_FRAMES: Final = 1000


@dataclass
class Sent:
    """What has been made ready to leave on a stream."""

    documents: int = 0
    size_bytes: int = 0


def download_messages(
    reader: ContentReader, parts: Iterable[tuple[Part, Content]], sent: Sent
) -> Iterator[bytes]:  # fmt: skip
    """Messages with at most 1 MiB of chunk bytes each, as full as they get. Counts in ``sent``.

    Raises DataLoss after everything that verified before it went out.
    """
    pieces: list[bytes] = []
    filled = frames = 0
    try:
        for part, content in parts:
            if frames >= _MAX_FRAMES:
                yield b"".join(pieces)
                pieces, filled, frames = [], 0, 0
            header = pb.DownloadHeader(
                document_index=part.index, offset_bytes=part.start, size_bytes=content.size_bytes
            )  # fmt: skip
            pieces.append(_encoded(pb.DownloadFrame(header=header)))
            frames += 1
            sent.documents += 1
            for data in reader.read(content, part.start, part.end):
                if filled + len(data) > MAX_CHUNK_BYTES or frames >= _MAX_FRAMES:
                    yield b"".join(pieces)
                    pieces, filled, frames = [], 0, 0
                pieces += (chunk_framing(len(data)), data)
                filled += len(data)
                frames += 1
                sent.size_bytes += len(data)
    except DataLoss:
        if pieces:
            yield b"".join(pieces)
        raise
    if pieces:
        yield b"".join(pieces)


def finish_message(sent: Sent) -> bytes:
    """The last message of a download that sent everything."""
    finish = pb.DownloadFinish(document_count=sent.documents, size_bytes=sent.size_bytes)
    return _encoded(pb.DownloadFrame(finish=finish))


def chunk_framing(length: int) -> bytes:
    """What stands before the bytes of a chunk that is a frame of its own: three fields, one in the other."""
    data = b"\x0a" + varint(length)
    chunk = b"\x12" + varint(len(data) + length) + data
    return b"\x0a" + varint(len(chunk) + length) + chunk


def _encoded(frame: pb.DownloadFrame) -> bytes:
    return pb.DownloadDocumentsResponse(frames=(frame,)).SerializeToString()
