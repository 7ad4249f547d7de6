"""Reads the title lines of a picture with Tesseract, where the machine has it with simplified Chinese (简体中文).

Only for a process with limits, which Tesseract inherits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from typing import Final

from casemesh.client.examining.findings import MAX_LINE_LENGTH, MAX_LINES, Line

_LANGUAGE: Final = "chi_sim"
OCR_SECONDS: Final = 60.0
"""Wall time for one picture."""


@cache
def tesseract() -> str | None:
    """The program, if it is on PATH and knows the language."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)
    return program if _LANGUAGE in listed.stdout.split() else None


def read_lines(program: str, path: str, picture: bytes | None = None) -> tuple[Line, ...]:
    """The first lines of the picture at ``path``, or of ``picture`` where it is given; none where it cannot be read."""
    # One thread: transfers share the machine.
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(
            [program, "stdin" if picture is not None else path, "stdout", "-l", _LANGUAGE, "--psm", "6"],
            input=picture, capture_output=True, timeout=OCR_SECONDS, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ()
    lines = (line.strip() for line in done.stdout.decode("utf-8", "ignore").splitlines())
    return tuple(Line(line[:MAX_LINE_LENGTH]) for line in lines if line)[:MAX_LINES]
