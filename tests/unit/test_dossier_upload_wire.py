"""Messages of uploads on the wire: both hand-written sides mean exactly what the generated classes mean."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.client.upload_frames import MESSAGE_BYTES, MessageBuffer
from casemesh.dossier.uploading.wire import ChunkView, FrameViews, UploadMessage, parse
from casemesh.dossier.v1 import dossier_service_pb2 as pb

LARGE = bytes(range(256)) * 160

u32, i64 = st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1)
chunks = st.builds(
    pb.DocumentChunk, document_index=u32, offset_bytes=i64, data=st.sampled_from([b"", b"small", LARGE, LARGE * 2])
)
headers = st.builds(pb.DocumentHeader, document_index=u32, volume=st.text(), file_name=st.text(), size_bytes=i64)
finishes = st.builds(pb.DocumentFinish, document_index=u32, size_bytes=i64, sha256=st.binary(max_size=40))
upload_frames = st.one_of(
    chunks.map(lambda chunk: pb.UploadFrame(chunk=chunk)),
    headers.map(lambda header: pb.UploadFrame(header=header)),
    finishes.map(lambda finish: pb.UploadFrame(document_finish=finish)),
    st.just(pb.UploadFrame()),
)
messages = st.builds(
    pb.UploadDocumentsRequest,
    open=st.none() | st.builds(pb.UploadOpen, dossier=st.text()),
    frames=st.lists(upload_frames, max_size=6),
)


def as_generated(message: UploadMessage) -> pb.UploadDocumentsRequest:
    """What a message says, as an object of the generated class."""
    if not isinstance(message, FrameViews):
        return message
    whole = pb.UploadDocumentsRequest()
    for frame in message.frames:
        if isinstance(frame, ChunkView):
            frame = pb.UploadFrame(
                chunk=pb.DocumentChunk(
                    document_index=frame.document_index, offset_bytes=frame.offset_bytes, data=bytes(frame.data)
                )
            )
        whole.frames.append(frame)
    return whole


def require_same_meaning(data: bytes) -> None:
    try:
        expected = pb.UploadDocumentsRequest.FromString(data)
    except DecodeError:
        with pytest.raises(DecodeError):
            parse(data)
        return
    actual = as_generated(parse(data))
    # What this build does not know is kept by the generated class and used by nobody.
    expected.DiscardUnknownFields()
    actual.DiscardUnknownFields()
    assert expected == actual


@given(messages)
def test_what_the_generated_class_writes_is_read_as_it_reads_it(message: pb.UploadDocumentsRequest) -> None:
    require_same_meaning(message.SerializeToString())


@settings(max_examples=400)
@given(messages, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3), st.floats(0, 1))
def test_damaged_bytes_are_refused_or_read_as_the_generated_class_does(
    message: pb.UploadDocumentsRequest, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(message.SerializeToString())
    # Changes near the beginning of frames matter most: inside a large chunk they only change content.
    for place, value in changes:
        if data:
            data[int(place * (min(len(data), 80) - 1))] = value
    require_same_meaning(bytes(data))
    require_same_meaning(bytes(data[: int(cut * len(data))]))


@given(st.binary(max_size=60), st.sampled_from([b"", LARGE]))
def test_any_bytes_are_refused_or_read_as_the_generated_class_does(data: bytes, tail: bytes) -> None:
    require_same_meaning(data + tail)
    require_same_meaning(pb.UploadDocumentsRequest(frames=[pb.UploadFrame.FromString(b"")]).SerializeToString() + data)


@pytest.mark.parametrize(
    "fields",
    [
        b"\x10\x05\x08\x01\x1a%b",  # offset before index
        b"\x08\x01\x08\x02\x1a%b",  # index twice: the last one counts
        b"\x08\x81\x80\x00\x1a%b",  # a number longer than it need be
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a%b",  # beyond 32 bits: cut off
        b"\x1a\x01x\x1a%b",  # data twice
        b"\x1a%b\x20\x07",  # a field of a later contract
    ],
)
def test_other_forms_of_a_large_chunk_are_read_as_the_generated_class_does(fields: bytes) -> None:
    chunk = fields.replace(b"%b", varint(len(LARGE)) + LARGE)
    frame = b"\x12" + varint(len(chunk)) + chunk
    require_same_meaning(b"\x12" + varint(len(frame)) + frame)


def test_a_large_chunk_is_a_view_into_the_message_it_came_in() -> None:
    chunk = pb.DocumentChunk(document_index=3, offset_bytes=7, data=LARGE)
    data = pb.UploadDocumentsRequest(frames=[pb.UploadFrame(chunk=chunk)]).SerializeToString()
    message = parse(data)
    assert isinstance(message, FrameViews)
    (view,) = message.frames
    assert isinstance(view, ChunkView)
    assert view.data.obj is data


@given(st.lists(st.one_of(headers, finishes, st.tuples(u32, st.integers(0, 2**63 - 1), st.binary(min_size=1)))))
def test_an_encoded_message_says_what_was_put_into_it(parts: list[object]) -> None:
    buffer, expected = MessageBuffer(), pb.UploadDocumentsRequest()
    for part in parts:
        if isinstance(part, pb.DocumentHeader):
            frame = pb.UploadFrame(header=part)
            buffer.add(frame)
        elif isinstance(part, pb.DocumentFinish):
            frame = pb.UploadFrame(document_finish=part)
            buffer.add(frame)
        else:
            assert isinstance(part, tuple)
            index, offset, data = part
            buffer.add_chunk(index, offset, len(data))[:] = data
            frame = pb.UploadFrame(chunk=pb.DocumentChunk(document_index=index, offset_bytes=offset, data=data))
        expected.frames.append(frame)
    encoded, size = buffer.take()
    assert expected == pb.UploadDocumentsRequest.FromString(encoded)
    assert sum(len(frame.chunk.data) for frame in expected.frames) == size


def test_a_message_filled_to_the_brim_is_whole_and_holds_one_mebibyte_at_most() -> None:
    longest = pb.DocumentHeader(volume="长" * 85, file_name="长" * 85, media_type="m" * 100, document_index=99_999)
    for size in (1, 1000, 300_000):
        buffer = MessageBuffer()
        while not buffer.full:
            buffer.add(pb.UploadFrame(header=longest))
            chunk = buffer.add_chunk(99_999, 1 << 60, min(size, buffer.room))
            chunk[:] = bytes(len(chunk))
        encoded, held = buffer.take()
        message = pb.UploadDocumentsRequest.FromString(encoded)
        assert held == sum(len(frame.chunk.data) for frame in message.frames) <= MESSAGE_BYTES
        assert (b"", 0) == buffer.take()


def test_what_was_taken_back_is_not_sent() -> None:
    buffer = MessageBuffer()
    buffer.add(pb.UploadFrame(header=pb.DocumentHeader(document_index=1)))
    mark = buffer.mark()
    buffer.add_chunk(1, 0, 3)[:] = b"abc"
    buffer.back_to(mark)
    encoded, size = buffer.take()
    (frame,) = pb.UploadDocumentsRequest.FromString(encoded).frames
    assert (1, 0) == (frame.header.document_index, size)


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])
