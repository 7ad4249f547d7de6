"""The commands of the operations pages, run as they stand there against one platform."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import blocks
from tests.support.platform import RunningPlatform

PAGES = Path(__file__).parents[2] / "docs" / "operations"
RUN = {
    f"{page.name}-{number}": block
    for page in sorted(PAGES.glob("*.md"))
    for number, block in enumerate(blocks(page, run=True), 1)
}


def test_most_pages_have_commands_to_run() -> None:
    assert {
        "README.md-1",
        "adding-an-agency.md-1",
        "backup-and-restore.md-1",
        "keys-and-cas.md-1",
        "keys-and-cas.md-2",
        "shutting-an-agency-out.md-1",
        "upgrading.md-1",
    } == set(RUN)


@pytest.mark.parametrize("block", RUN.values(), ids=RUN)
def test_every_command_that_a_page_marks_does_what_it_is_there_for(
    platform: RunningPlatform, tmp_path: Path, block: str
) -> None:
    (tmp_path / "data").symlink_to(Path(platform.addresses.pki).parent)
    script = f"set -eu\n{block}"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == ended.returncode, f"{script}\n{ended.stdout}\n{ended.stderr}"
