"""Messages of a download, taken off the wire by hand: what the generated class says, for every sequence of bytes."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client.download_frames import Frame, frames_of, parse
from casemesh.dossier.downloading.messages import chunk_framing
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb

HEADERS = st.builds(
    pb.DownloadHeader,
    document_index=st.integers(0, 2**32 - 1),
    offset_bytes=st.integers(0, 2**63 - 1),
    size_bytes=st.integers(0, 2**63 - 1),
)
FRAMES = st.one_of(
    st.builds(pb.DownloadFrame, header=HEADERS),
    st.builds(pb.DownloadFrame, chunk=st.builds(pb.DownloadChunk, data=st.binary(max_size=20_000))),
    st.builds(pb.DownloadFrame, finish=st.builds(pb.DownloadFinish, document_count=st.integers(0, 99))),
    st.just(pb.DownloadFrame()),
)
MESSAGES = st.builds(pb.DownloadDocumentsResponse, frames=st.lists(FRAMES, max_size=6))


def plain(frames: list[Frame]) -> list[object]:
    return [bytes(frame) if isinstance(frame, memoryview) else frame for frame in frames]


def agree(data: bytes) -> None:
    try:
        expected = plain(list(frames_of(pb.DownloadDocumentsResponse.FromString(data))))
    except DecodeError:
        with pytest.raises(DecodeError):
            parse(data)
        return
    assert expected == plain(list(parse(data)))


@given(MESSAGES)
def test_every_message_reads_as_the_generated_class_reads_it(message: pb.DownloadDocumentsResponse) -> None:
    agree(message.SerializeToString())


@given(MESSAGES, st.data())
def test_altered_bytes_are_refused_or_read_as_the_generated_class_does(
    message: pb.DownloadDocumentsResponse, data: st.DataObject
) -> None:
    encoded = bytearray(message.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(encoded)))
        match data.draw(st.sampled_from(["cut", "insert", "change"])):
            case "cut":
                del encoded[at : at + 2]
            case "insert":
                encoded[at:at] = data.draw(st.binary(min_size=1, max_size=3))
            case _ if at < len(encoded):
                encoded[at] = data.draw(st.integers(0, 255))
    agree(bytes(encoded))


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_read_as_the_generated_class_does(data: bytes) -> None:
    agree(data)


def test_a_chunk_is_a_view_into_the_message() -> None:
    chunk = pb.DownloadFrame(chunk=pb.DownloadChunk(data=bytes(1000)))
    data = pb.DownloadDocumentsResponse(frames=[chunk]).SerializeToString()
    (frame,) = parse(data)
    assert isinstance(frame, memoryview)
    assert frame.obj is data


@given(st.binary(min_size=1, max_size=40_000))
def test_the_framing_of_a_chunk_is_what_the_generated_class_writes(data: bytes) -> None:
    chunk = pb.DownloadFrame(chunk=pb.DownloadChunk(data=data))
    assert pb.DownloadDocumentsResponse(frames=[chunk]).SerializeToString() == chunk_framing(len(data)) + data
