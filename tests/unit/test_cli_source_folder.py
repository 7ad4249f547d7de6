"""A folder becomes a dossier in one order, and what cannot be one is refused with its path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from casemesh.cli.invocation import Failure
from casemesh.cli.source_folder import fingerprint, read_folder


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_sub_folders_are_volumes_and_names_give_the_order(tmp_path: Path) -> None:
    root = tmp_path / "卷宗"
    make(root, "证据卷2/10.jpg", "证据卷2/9.jpg", "证据卷10/a.pdf", "b.txt", "诉讼文书卷/立案决定书.PDF")
    found = [(item.volume, item.file_name, item.media_type) for item in read_folder(root)]
    assert found == [
        ("卷宗", "b.txt", "text/plain"),
        ("证据卷2", "9.jpg", "image/jpeg"),
        ("证据卷2", "10.jpg", "image/jpeg"),
        ("证据卷10", "a.pdf", "application/pdf"),
        ("诉讼文书卷", "立案决定书.PDF", "application/pdf"),
    ]


def test_chinese_numerals_count_as_numbers(tmp_path: Path) -> None:
    volumes = ["证据卷一", "证据卷二", "证据卷三", "证据卷九", "证据卷十", "证据卷十一", "证据卷二十", "证据卷一百零三"]
    make(tmp_path, *(f"{volume}/a.jpg" for volume in reversed(volumes)))
    assert [item.volume for item in read_folder(tmp_path)] == volumes


def test_hidden_files_and_leavings_of_desktops_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "v/a.jpg", "v/.DS_Store", "v/Thumbs.db", ".git/config", "desktop.ini")
    assert [item.file_name for item in read_folder(tmp_path)] == ["a.jpg"]


def test_an_unknown_kind_of_file_is_sent_as_bytes(tmp_path: Path) -> None:
    make(tmp_path, "v/record.xyz")
    assert read_folder(tmp_path)[0].media_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("names", "key"),
    [([], "folder.empty"), (["v/.hidden"], "folder.empty"), (["v/w/a.jpg"], "folder.nested")],
)
def test_what_is_no_dossier_is_refused(tmp_path: Path, names: list[str], key: str) -> None:
    make(tmp_path, *names)
    with pytest.raises(Failure) as failure:
        read_folder(tmp_path)
    assert (failure.value.code, failure.value.key) == (4, key)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failure:
        read_folder(tmp_path / "none")
    assert failure.value.key == "folder.none"


def test_a_pipe_is_no_document(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Failure) as failure:
        read_folder(tmp_path)
    assert failure.value.key == "folder.not_a_file"


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xd6\xd0.pdf")).touch()
    with pytest.raises(Failure) as failure:
        read_folder(tmp_path)
    assert failure.value.key == "folder.not_utf8"
    str(failure.value.values["path"]).encode()


def test_the_fingerprint_follows_every_change_of_a_file(tmp_path: Path) -> None:
    make(tmp_path, "v/a.jpg", "v/b.jpg")
    before = fingerprint(read_folder(tmp_path))
    assert fingerprint(read_folder(tmp_path)) == before

    os.utime(tmp_path / "v/a.jpg", ns=(1, 1))
    touched = fingerprint(read_folder(tmp_path))
    (tmp_path / "v/b.jpg").rename(tmp_path / "v/c.jpg")
    renamed = fingerprint(read_folder(tmp_path))

    assert len({before, touched, renamed}) == 3
