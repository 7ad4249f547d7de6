"""Signing at a shared terminal: the agency's check is run when an act asks for it, and not more often."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casemesh.cli.main import app
from casemesh.client.profile import Profile, write_profile
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)


class Terminal:
    """A terminal with one profile whose check leaves a mark each time it asks, and ends as told."""

    def __init__(self, folder: Path, officer: Profile) -> None:
        self._mark, self._status = folder / "asked", folder / "status"
        self._status.write_text("0")
        script = folder / "check.py"
        asks = f"open({str(self._mark)!r}, 'a').write('x')"
        answers = f"sys.exit(int(open({str(self._status)!r}).read()))"
        script.write_text(f"import sys\n{asks}\n{answers}\n")
        check = shlex.join([sys.executable, str(script)])
        write_profile(folder / "config", replace(officer, name="desk", login_check=check, login_level="two-factor"))
        self._environment = {**os.environ, "CASEMESH_CONFIG": str(folder / "config"), "LANG": "C.UTF-8", "LC_ALL": ""}

    @property
    def asked(self) -> int:
        return len(self._mark.read_text()) if self._mark.exists() else 0

    def refuse(self) -> None:
        self._status.write_text("1")

    def run(self, *words: str) -> tuple[int, Any]:
        """Run a command; returns its exit code and JSON."""
        done = CliRunner().invoke(app, [*words, "--profile", "desk", "--json"], env=self._environment)
        said = done.stdout if done.exit_code == 0 else done.stderr.splitlines()[-1]
        return done.exit_code, json.loads(said)


def test_the_officer_is_asked_at_the_act_that_binds_and_at_none_before_or_soon_after(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    officer = platform.agencies["police"].officers[0]
    terminal = Terminal(tmp_path, officer)
    _, case = terminal.run("case", "register", "某某盗窃案", "--party", "嫌疑人甲")
    assert terminal.asked == 0

    def assign() -> tuple[int, Any]:
        return terminal.run("access", "assign", case["name"], officer.officer)

    assert assign()[0] == 0
    assert terminal.asked == 1
    # The next command is a process of its own and remembers.
    assert assign()[0] == 0
    assert terminal.asked == 1

    code, login = terminal.run("login")
    assert (code, login["officer"], login["level"]) == (0, officer.officer, "two-factor")
    assert terminal.asked == 2

    # The officer leaves, and somebody else sits down.
    assert terminal.run("login", "--end")[0] == 0
    terminal.refuse()
    code, refused = assign()
    assert (code, "login failed" in refused["message"]) == (2, True)
    assert terminal.asked == 3
    # What binds nobody goes on.
    assert terminal.run("case", "show", case["name"])[0] == 0
