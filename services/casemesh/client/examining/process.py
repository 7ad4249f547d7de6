"""Examines files in a process of its own: a file may be made to take a reader's memory or time, and takes this one's.

Started by Examiner; reads one JSON list a line, what to do and the path of a file, and answers each with its findings,
or null where the file cannot be opened.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, BinaryIO, Final

from casemesh.client.examining.findings import Findings, Format, Problem, UnreadableFile
from casemesh.client.examining.formats import sniff

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMINE: Final = "examine"
READ_PICTURE: Final = "read picture"

MEMORY_BYTES: Final = 512 << 20
"""Address space of the process; a reader that asks for more gets none."""
_NICENESS: Final = 10
CPU_SECONDS: Final = 10
"""Processor time for one file."""


def examine(path: str) -> Findings:
    """What the file is and holds. Raises OSError where it cannot be opened."""
    with open(path, "rb") as file:
        if not file.read(1):
            return Findings(Format.UNRECOGNISED, problems=(Problem.EMPTY,))
        found = sniff(file)
        try:
            return _examine_as(found, path, file)
        except (UnreadableFile, MemoryError, RecursionError):
            return Findings(found, problems=(Problem.UNREADABLE,))


def read_picture(path: str) -> Findings:
    """The file with the lines that OCR finds on its first page; none without OCR on this machine. Raises OSError."""
    from casemesh.client.examining.ocr import read_lines, tesseract

    program = tesseract()
    with open(path, "rb") as file:
        found = sniff(file)
    if program is None:
        return Findings(found)
    try:
        match found:
            case Format.PDF:
                from casemesh.client.examining.pdf import draw_first_page

                return Findings(found, lines=read_lines(program, path, draw_first_page(path)))
            case Format.JPEG | Format.PNG | Format.TIFF:
                return Findings(found, lines=read_lines(program, path))
            case _:
                return Findings(found)
    except (UnreadableFile, MemoryError):
        return Findings(found, problems=(Problem.UNREADABLE,))


def _examine_as(found: Format, path: str, file: BinaryIO) -> Findings:
    # PDFium is large and most files of some dossiers are images: it is loaded when the first PDF comes.
    match found:
        case Format.PDF:
            from casemesh.client.examining.pdf import examine_pdf

            return examine_pdf(path)
        case Format.OFD:
            from casemesh.client.examining.ofd import examine_ofd

            return examine_ofd(file)
        case Format.TEXT:
            from casemesh.client.examining.plain_text import examine_text

            return examine_text(file)
        case Format.JPEG | Format.PNG | Format.TIFF:
            from casemesh.client.examining import images

            readers: dict[Format, Callable[[BinaryIO], Findings]] = {
                Format.JPEG: images.examine_jpeg,
                Format.PNG: images.examine_png,
                Format.TIFF: images.examine_tiff,
            }
            return readers[found](file)
        case Format.UNRECOGNISED:
            return Findings(found)


def _limit_process() -> Callable[[], None]:
    """Bound memory for good, and return what grants processor time for one more file."""
    try:
        import resource
    except ImportError:
        return lambda: None  # not a POSIX system: the parent's time limit per file holds nevertheless
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Whatever else this machine does for people comes first.
    os.nice(_NICENESS)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)

    def grant() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + CPU_SECONDS, hard))

    return grant


def main() -> None:
    """Answer until stdin ends."""
    grant = _limit_process()
    for line in iter(sys.stdin.readline, ""):
        grant()
        what, path = json.loads(line)
        try:
            answer = (read_picture if what == READ_PICTURE else examine)(path).to_json()
        except OSError:
            answer = None
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
