"""`casemeshd token-keys`: what it makes, shows and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from casemesh.cli.daemon import app


def run(*arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, ["token-keys", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else result.stderr


def test_a_rotation_adds_a_key_that_waits_for_its_turn_beside_the_one_that_signs(tmp_path: Path) -> None:
    folder = str(tmp_path / "tokens")
    first, second = run("rotate", "--dir", folder)[1], run("rotate", "--dir", folder)[1]
    code, keys = run("status", "--dir", folder)
    assert (0, [(first["kid"], "signs"), (second["kid"], "next")]) == (code, [(key["kid"], key["use"]) for key in keys])
    assert Path(second["file"]).stat().st_mode & 0o777 == 0o600


def test_a_rotation_before_the_last_has_taken_its_turn_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "tokens")
    run("rotate", "--dir", folder)
    run("rotate", "--dir", folder)
    before = sorted((tmp_path / "tokens").iterdir())
    code, said = run("rotate", "--dir", folder)
    assert code == 4
    assert "wait for it" in said
    assert before == sorted((tmp_path / "tokens").iterdir())


def test_the_status_of_a_folder_without_keys_is_refused(tmp_path: Path) -> None:
    code, said = run("status", "--dir", str(tmp_path))
    assert code == 4
    assert "no token key" in said
