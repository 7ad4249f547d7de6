"""How many pages a file has: a PDF's own count, one for everything else.

PDFs are parsed by a process of its own with limits, since a PDF may be made to take a reader's memory or time. The
count is what the sender states; a file that cannot be read still goes into the dossier, as one page.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_SECONDS_PER_FILE = 20.0
_MEMORY_BYTES = 2 << 30


class PageCounter:
    """Counts pages. To be used in a `with` statement, which ends the process it may have started."""

    def __init__(self, *, seconds_per_file: float = _SECONDS_PER_FILE) -> None:
        self._seconds_per_file = seconds_per_file
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self.unreadable: list[Path] = []
        """PDFs that were counted as one page because they could not be read."""

    def count(self, path: Path) -> int:
        """Return the number of pages of the file, at least 1."""
        if path.suffix.lower() != ".pdf":
            return 1
        pages = self._ask(path)
        if pages is None:
            self.unreadable.append(path)
            return 1
        return max(pages, 1)

    def __enter__(self) -> PageCounter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _ask(self, path: Path) -> int | None:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            print(json.dumps(str(path)), file=process.stdin, flush=True)
            answer = self._answers.get(timeout=self._seconds_per_file)
        except (OSError, queue.Empty):
            answer = ""
        if not answer:
            self._stop()
            return None
        pages = json.loads(answer)
        return pages if isinstance(pages, int) else None

    def _start(self) -> subprocess.Popen[str]:
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "casemesh.cli.page_counts"],
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

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()


def _pass_on(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            answers.put(line)
    answers.put("")


def _limit() -> None:
    try:
        import resource
    except ImportError:
        return  # not a POSIX system: the time limit per file holds nevertheless
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answers(lines: Iterator[str]) -> Iterator[int | str]:
    import pypdfium2

    for line in lines:
        try:
            document = pypdfium2.PdfDocument(json.loads(line))
        except (pypdfium2.PdfiumError, OSError, MemoryError) as error:
            yield str(error)
            continue
        yield len(document)
        document.close()


def main() -> None:
    """Answer each path on stdin, as a JSON string, with its number of pages or what is wrong with it."""
    _limit()
    for answer in _answers(iter(sys.stdin.readline, "")):
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
