"""Copies for viewing that say on every page who made them, beside the documents, which stay as they are.

A mark deters and helps to find who passed a copy on. It can be removed by whoever holds the original, and nothing
forces a client to make one: it is no protection against an officer who means to leave no trace. That trace is the event
of the reading, which the platform writes before the first byte leaves.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Final

from casemesh.client.marking.process import PARTIAL as _PARTIAL
from casemesh.core.clock import CHINA

if TYPE_CHECKING:
    from casemesh.identity.v1.export_mark_service_pb2 import ExportMark

SECONDS_PER_FILE: Final = 120.0
"""Wall time for one file."""
_MOST_NAME_BYTES: Final = 255


@dataclass(frozen=True)
class MarkedCopies:
    """The marked copies that were made, and the documents of which there is none: neither PDF nor picture, protected,
    or too much for the limits."""

    copies: Sequence[Path]
    page_count: int
    unmarked: Sequence[Path]


def mark_lines(mark: ExportMark) -> list[str]:
    """Return what stands on a copy, first the line over the page: who, of which agency, when; then what leads back."""
    read_at = mark.reading_time.ToDatetime(tzinfo=CHINA)
    return [
        f"{mark.agency_display_name} {mark.officer_display_name} {read_at:%Y-%m-%d %H:%M}",
        f"水印 Mark {mark.mark}",
        f"阅卷记录 Reading {mark.reading}",
    ]


def make_copies(
    documents: Iterable[Path],
    source_root: Path,
    target_root: Path,
    lines: Sequence[str],
    *,
    seconds_per_file: float = SECONDS_PER_FILE,
    progress: Callable[[int], None] = lambda done: None,
) -> MarkedCopies:
    """Write `NAME.marked.pdf` for each document, in the same folders below `target_root` as it has below `source_root`.

    Documents are only read. What was marked before is written anew. `progress` is told how many bytes of documents are
    done. A file that ends its process ends no other's. Raises OSError where a folder cannot be made.
    """
    copies: list[Path] = []
    unmarked: list[Path] = []
    pages = done = 0
    with _Marker(seconds_per_file) as marker:
        for document in documents:
            relative = document.relative_to(source_root)
            target = target_root / relative.with_name(_copy_name(relative.name))
            target.parent.mkdir(parents=True, exist_ok=True)
            marked = marker.mark(document, target, lines)
            if marked is None:
                target.with_name(f"{target.name}{_PARTIAL}").unlink(missing_ok=True)
                unmarked.append(document)
            else:
                copies.append(target)
                pages += marked
            done += document.stat().st_size
            progress(done)
    return MarkedCopies(copies, pages, unmarked)


def _copy_name(name: str) -> str:
    copy = f"{name}.marked.pdf"
    if len(copy.encode()) + len(_PARTIAL) <= _MOST_NAME_BYTES:
        return copy
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.marked.pdf"


class _Marker:
    """The process, replaced when a file has ended it."""

    def __init__(self, seconds_per_file: float) -> None:
        self._seconds_per_file = seconds_per_file
        self._process: subprocess.Popen[str] | None = None

    def mark(self, document: Path, target: Path, lines: Sequence[str]) -> int | None:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        # Ends the wait for an answer, too: the pipe closes with the process.
        watchdog = Timer(self._seconds_per_file, process.kill)
        watchdog.start()
        try:
            print(json.dumps([str(document), str(target), list(lines)]), file=process.stdin, flush=True)
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            self.close()
            return None
        pages = json.loads(answer)
        return int(pages) if pages is not None else None

    def __enter__(self) -> _Marker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "casemesh.client.marking.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self._process
