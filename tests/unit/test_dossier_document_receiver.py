"""What a recipient makes of a stream: only documents with the manifest's digests get their names."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from casemesh.client.document_receiver import DocumentReceiver
from casemesh.client.dossier_folder import DossierFolder
from casemesh.client.download_frames import Frame
from casemesh.client.held_documents import Missing
from casemesh.client.manifest import ManifestDocument, ManifestError
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import DataLoss, Unavailable

CONTENTS = [b"first", b"", b"the third document"]
DOCUMENTS = [
    ManifestDocument(index, "证据卷一", f"{index}.txt", "text/plain", 1, len(data), hashlib.sha256(data).digest())
    for index, data in enumerate(CONTENTS)
]


class Receiving:
    """A receiver of documents from given offsets on, and what it kept."""

    def __init__(self, root: Path, *wanted: tuple[int, int]) -> None:
        self.folder = DossierFolder(root)
        self.folder.partial_folder.mkdir(parents=True, exist_ok=True)
        self.kept: list[int] = []
        self.receiver = DocumentReceiver(
            self.folder,
            [Missing(DOCUMENTS[index], offset) for index, offset in wanted],
            lambda document, _: self.kept.append(document.document_index),
        )

    def take(self, *frames: Frame | bytes) -> None:
        self.receiver.take([memoryview(frame) if isinstance(frame, bytes) else frame for frame in frames])

    def content(self, index: int) -> bytes | None:
        path = self.folder.document_path(DOCUMENTS[index])
        return path.read_bytes() if path.exists() else None


def header(index: int, offset: int = 0) -> pb.DownloadHeader:
    return pb.DownloadHeader(document_index=index, offset_bytes=offset, size_bytes=len(CONTENTS[index]))


def test_documents_are_written_whether_in_one_chunk_or_in_many_or_without_any(tmp_path: Path) -> None:
    receiving = Receiving(tmp_path, (0, 0), (1, 0), (2, 0))
    receiving.take(header(0), CONTENTS[0], header(1), header(2), CONTENTS[2][:7])
    assert ([0, 1], None) == (receiving.kept, receiving.content(2))
    receiving.take(CONTENTS[2][7:], pb.DownloadFinish())
    assert CONTENTS == [receiving.content(index) for index in range(3)]
    assert ([0, 1, 2], True, sum(map(len, CONTENTS))) == (
        receiving.kept, receiving.receiver.finished, receiving.receiver.received_bytes,
    )  # fmt: skip
    assert not list(receiving.folder.partial_folder.iterdir())


@pytest.mark.parametrize("pieces", [[b"wrong"], [b"wr", b"ong"]])
def test_bytes_of_another_digest_get_no_name_and_are_not_kept(tmp_path: Path, pieces: list[bytes]) -> None:
    receiving = Receiving(tmp_path, (0, 0))
    with pytest.raises(DataLoss):
        receiving.take(header(0), *pieces)
    assert (None, []) == (receiving.content(0), receiving.kept)
    assert not list(receiving.folder.partial_folder.iterdir())


def test_a_document_is_gone_on_with_and_a_damaged_begin_is_fetched_anew(tmp_path: Path) -> None:
    for begin, right in ((CONTENTS[2][:5], True), (b"other", False)):
        receiving = Receiving(tmp_path / str(right), (2, 5))
        partial = receiving.folder.partial_path(DOCUMENTS[2])
        partial.write_bytes(begin + b"more than was asked for")
        if right:
            receiving.take(header(2, 5), CONTENTS[2][5:])
            assert CONTENTS[2] == receiving.content(2)
        else:
            with pytest.raises(Unavailable):
                receiving.take(header(2, 5), CONTENTS[2][5:])
            assert (None, False) == (receiving.content(2), partial.exists())


def test_a_file_that_has_the_name_already_is_replaced_whole(tmp_path: Path) -> None:
    receiving = Receiving(tmp_path, (0, 0))
    place = receiving.folder.document_path(DOCUMENTS[0])
    place.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"not ours")
    place.symlink_to(elsewhere)
    receiving.take(header(0), CONTENTS[0])
    assert (CONTENTS[0], False, b"not ours") == (place.read_bytes(), place.is_symlink(), elsewhere.read_bytes())


@pytest.mark.parametrize(
    "frames",
    [
        [header(1)],
        [header(0, 1)],
        [header(0), header(2)],
        [header(0), b"first and more"],
        [b"no header"],
        [header(0), b"first", header(2)],
    ],
)
def test_what_was_not_asked_for_is_refused(tmp_path: Path, frames: list[Frame | bytes]) -> None:
    with pytest.raises(ManifestError):
        Receiving(tmp_path, (0, 0)).take(*frames)


def test_a_finish_before_everything_has_come_is_none(tmp_path: Path) -> None:
    receiving = Receiving(tmp_path, (0, 0), (2, 0))
    receiving.take(header(0), CONTENTS[0], pb.DownloadFinish())
    assert not receiving.receiver.finished
