"""How far a transfer is: a bar on a terminal, otherwise a line now and then; with --json, JSON lines.

All of it goes to stderr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from casemesh.cli.output import Output
from casemesh.core.units import format_size

_LINE_EVERY_SECONDS = 5.0

Advance = Callable[[int], None]
"""Takes the bytes done so far, of the whole; it may be called as often as one likes."""


@contextmanager
def transfer_progress(
    output: Output, key: str, total_bytes: int, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Advance]:
    """Show the progress of a transfer while the body runs, under the message `key`.

    What was there when the transfer began counts as done but not towards the rate.
    """
    if not output.as_json and output.stderr.isatty():
        with _bar(output, key, total_bytes) as advance:
            yield advance
    else:
        yield _Lines(output, key, total_bytes, clock).advance


@contextmanager
def _bar(output: Output, key: str, total_bytes: int) -> Iterator[Advance]:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=output.console(on_stderr=True)) as progress:
        task = progress.add_task(output.text(key), total=total_bytes)
        yield lambda done: progress.update(task, completed=done)


class _Lines:
    def __init__(self, output: Output, key: str, total_bytes: int, clock: Callable[[], float]) -> None:
        self._output = output
        self._key = key
        self._total = total_bytes
        self._clock = clock
        self._began = self._told = clock()
        self._found: int | None = None

    def advance(self, done: int) -> None:
        now = self._clock()
        if self._found is None:
            self._found = done
        if now - self._told < _LINE_EVERY_SECONDS and done < self._total:
            return
        self._told = now
        rate = (done - self._found) / max(now - self._began, 1e-9)
        left = (self._total - done) / rate if rate > 0 else None
        if self._output.as_json:
            self._output.event(
                {
                    "event": self._key,
                    "done_bytes": done,
                    "total_bytes": self._total,
                    "bytes_per_second": round(rate),
                    "seconds_left": None if left is None else round(left, 1),
                }
            )
        else:
            self._output.notice(
                "progress.line",
                what=self._output.text(self._key),
                done=format_size(done),
                total=format_size(self._total),
                rate=format_size(rate),
                left="?" if left is None else f"{left:.0f}",
            )
