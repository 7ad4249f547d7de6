"""What a sending has begun is remembered per folder, case and platform, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemesh.cli.invocation import Failure
from casemesh.cli.send_journal import SendJournal, journal_path, load, only_sender, save, state_folder


def journal() -> SendJournal:
    return SendJournal("/d", "cases/1", "案卷", "f")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    saved = journal()
    saved.dossier = "dossiers/1"
    save(tmp_path / "sends" / "j.json", saved)
    assert load(tmp_path / "sends" / "j.json") == saved
    assert [path.name for path in (tmp_path / "sends").iterdir()] == ["j.json"]


def test_each_sending_has_ids_of_its_own() -> None:
    first, second = journal(), journal()
    ids = [first.create_request_id, first.upload_id, first.finalize_request_id, second.create_request_id]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"folder": "/d"}', '{"unknown": 1}'])
def test_a_lost_or_damaged_journal_means_a_new_sending(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "j.json").write_text(content)
    assert load(tmp_path / "j.json") is None


def test_other_folders_cases_and_platforms_have_other_journals(tmp_path: Path) -> None:
    paths = {
        journal_path(tmp_path, gateway, case, tmp_path / folder)
        for gateway in ("a:1", "b:1")
        for case in ("cases/1", "cases/2")
        for folder in ("x", "y")
    }
    assert len(paths) == 8
    assert journal_path(tmp_path, "a:1", "cases/1", tmp_path / "x" / ".." / "x") in paths


def test_one_process_at_a_time_sends_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "sends" / "j.json"
    with only_sender(path):
        with pytest.raises(Failure) as failure, only_sender(path):
            pass
        assert failure.value.code == 5
    with only_sender(path):
        pass


def test_the_environment_moves_the_folder() -> None:
    assert state_folder({"CASEMESH_STATE": "/x"}) == Path("/x")
    assert state_folder({"XDG_STATE_HOME": "/y"}) == Path("/y/casemesh")
