"""Examines files through a process with limits, which is replaced when a file has ended it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final

from casemesh.client.examining.findings import Findings
from casemesh.client.examining.ocr import OCR_SECONDS
from casemesh.client.examining.process import EXAMINE, READ_PICTURE

SECONDS_PER_FILE: Final = 20.0
"""Wall time for one file, the start of the process included."""


class ExaminationFailed(Exception):
    """The process gave no answer: it could not open the file, came to one of its limits, or was ended."""


class Examiner:
    """Examines one file after another, for one thread. Use it in a ``with`` statement, which ends its process.

    Guarantees an answer within the time limit, whatever the file holds, and that nothing but the process for a file
    reads it. Does not change the file.
    """

    def __init__(self, *, seconds_per_file: float = SECONDS_PER_FILE) -> None:
        self._seconds_per_file = seconds_per_file
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def examine(self, path: Path) -> Findings:
        """What the file is and holds. Raises ExaminationFailed."""
        return self._ask(EXAMINE, path, self._seconds_per_file)

    def read_picture(self, path: Path) -> Findings:
        """The lines that OCR finds on the first page, where this machine has it. Raises ExaminationFailed."""
        return self._ask(READ_PICTURE, path, self._seconds_per_file + OCR_SECONDS)

    def _ask(self, what: str, path: Path, seconds: float) -> Findings:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            print(json.dumps([what, str(path)]), file=process.stdin, flush=True)
            answer = self._answers.get(timeout=seconds)
        except (OSError, queue.Empty):
            answer = ""
        if not answer:
            self.close()
            raise ExaminationFailed
        try:
            found = json.loads(answer)
            if found is not None:
                return Findings.from_json(found)
        except (ValueError, KeyError, TypeError):
            self.close()
        raise ExaminationFailed

    def __enter__(self) -> Examiner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next file starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()

    def _start(self) -> subprocess.Popen[str]:
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "casemesh.client.examining.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        # A queue of its own for each process: what a killed one still said must not answer for another file.
        answers: queue.Queue[str] = queue.Queue()
        self._answers = answers
        threading.Thread(target=_pass_on, args=(process, answers), daemon=True).start()
        return process


def _pass_on(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            answers.put(line)
    answers.put("")
