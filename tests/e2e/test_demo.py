"""`casemesh demo` as a user runs it: the figures it promises, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

PAGES, SIZE_BYTES = 60, 3_000_000
DEMO = [sys.executable, "-m", "casemesh.cli.main", "demo", "--pages", str(PAGES), "--bytes", str(SIZE_BYTES)]


@pytest.mark.timeout(300)
def test_the_demo_in_a_scratch_folder_goes_through_and_cleans_up(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    figures_file = tmp_path / "figures.json"
    environment = {**os.environ, "LANG": "zh_CN.UTF-8", "LC_ALL": "", "TMPDIR": str(scratch)}
    environment["HOME"] = str(tmp_path / "empty")

    finished = subprocess.run([*DEMO, "--json", str(figures_file)], env=environment, capture_output=True, text=True)

    assert finished.returncode == 0, finished.stderr
    figures = json.loads(figures_file.read_text(encoding="utf-8"))
    assert (figures["pages"], figures["bytes"]) == (PAGES, SIZE_BYTES)
    assert figures["verified_pages"] == PAGES
    assert figures["denied"] is True
    assert set(figures["denied_attempts"].values()) == {"NOT_FOUND"}
    assert figures["trail_verified"] is True
    assert figures["trail_events"] >= 15
    assert figures["handover_copied_bytes"] == 0
    assert figures["trace_services"] == ["audit", "dossier", "gateway", "identity", "routing", "translation"]
    assert len(figures["trace_id"]) == 32
    for key in ("upload_seconds", "handover_seconds", "download_seconds", "disk_seconds"):
        assert figures[key] > 0, key
    assert [step["step"] for step in figures["steps"]] == [
        "make", "start", "enrol", "register", "count", "upload", "disk", "submit", "receive", "accept", "download",
        "verify", "prosecute", "court_receive", "judgment", "denied", "trail", "trace",
    ]  # fmt: skip
    assert "移送审查起诉" in finished.stdout
    assert figures["trace_id"] in finished.stdout
    assert list(scratch.iterdir()) == []
    assert [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(str(scratch) in argument for argument in process.info["cmdline"] or ())
    ] == []


def test_a_demo_that_cannot_have_room_says_so_and_makes_nothing(tmp_path: Path) -> None:
    arguments = ["--pages", "100000000", "--bytes", "200000GB", "--data", str(tmp_path / "data")]
    finished = subprocess.run([*DEMO, *arguments], capture_output=True, text=True)
    assert finished.returncode == 4
    assert list((tmp_path / "data").iterdir()) == []
