"""Takes an upload's messages off the wire without copying the bytes of documents.

The generated class copies each chunk twice before it can be hashed. Here a chunk of some size becomes a view into the
message as it came; everything else is left to the generated class, and so is a large frame in any form but the one that
protobuf writes itself. What is accepted, and what it means, is therefore what the generated class says.

Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding/ (a message's encodings one after the other
are the encoding of the merged message).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from casemesh.dossier.v1.dossier_service_pb2 import UploadDocumentsRequest, UploadFrame

# Below this a copy is cheaper than taking a frame apart here.
_LARGE_FRAME_BYTES: Final = 32 << 10
_FRAMES_TAG: Final = 2 << 3 | 2
_CHUNK_TAG: Final = 2 << 3 | 2
_INDEX_TAG, _OFFSET_TAG, _DATA_TAG = 1 << 3, 2 << 3, 3 << 3 | 2
_INDEX_LIMIT, _OFFSET_LIMIT = 1 << 32, 1 << 63


class ChunkView(NamedTuple):
    """A DocumentChunk whose ``data`` lies in the message it came in."""

    document_index: int
    offset_bytes: int
    data: memoryview


class FrameViews(NamedTuple):
    """A message of frames and no ``open``."""

    frames: Sequence[UploadFrame | ChunkView]


UploadMessage = UploadDocumentsRequest | FrameViews


class _NotPlain(Exception):
    """The bytes are not in the form that protobuf writes, or not right at all: the generated class decides."""


def parse(data: bytes) -> UploadMessage:
    """The message, as views where it holds large chunks. Raises DecodeError where the generated class does."""
    try:
        frames = _frames(data)
    except (_NotPlain, IndexError):
        return UploadDocumentsRequest.FromString(data)
    return UploadDocumentsRequest.FromString(data) if frames is None else FrameViews(frames)


def _frames(data: bytes) -> list[UploadFrame | ChunkView] | None:
    """The frames, or None where none is large."""
    view, frames = memoryview(data), list[UploadFrame | ChunkView]()
    position = small_from = 0
    while position < len(data):
        start = position
        if data[position] != _FRAMES_TAG:
            raise _NotPlain
        length, position = _varint(data, position + 1)
        position += length
        if length >= _LARGE_FRAME_BYTES:
            chunk = _chunk(data, view, position - length, position)
            _append_small(frames, view[small_from:start])
            frames.append(chunk)
            small_from = position
    if position != len(data):
        raise _NotPlain
    if not frames:
        return None
    _append_small(frames, view[small_from:])
    return frames


def _append_small(frames: list[UploadFrame | ChunkView], encoded: memoryview) -> None:
    if encoded:
        frames.extend(UploadDocumentsRequest.FromString(bytes(encoded)).frames)


def _chunk(data: bytes, view: memoryview, position: int, end: int) -> ChunkView:
    """The frame's chunk, if that fills it and each field is there at most once, in order, and in range."""
    if data[position] != _CHUNK_TAG:
        raise _NotPlain
    length, position = _varint(data, position + 1)
    index = offset = 0
    if position + length == end:
        if data[position] == _INDEX_TAG:
            index, position = _varint(data, position + 1)
        if data[position] == _OFFSET_TAG:
            offset, position = _varint(data, position + 1)
        if data[position] == _DATA_TAG and index < _INDEX_LIMIT and offset < _OFFSET_LIMIT:
            length, position = _varint(data, position + 1)
            if position + length == end:
                return ChunkView(index, offset, view[position:end])
    raise _NotPlain


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it. Raises IndexError where the bytes end before."""
    value = shift = 0
    while (byte := data[position]) & 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        position += 1
        if shift > 63:
            raise _NotPlain
    return value | byte << shift, position + 1
