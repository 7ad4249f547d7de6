"""The demo's steps as they are timed, and what is printed of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from casemesh.cli.output import Output
from casemesh.core.units import format_size

REPORTED_SECONDS = 360.0
REPORTED_BYTES = 1_200_000_000
"""What a provincial platform is reported to take for a case of 5,253 pages and 1.2 GB: six minutes."""


@dataclass
class Step:
    """One step: `key` names it in the catalogue, `size_bytes` and `detail` say on what."""

    key: str
    seconds: float = 0.0
    size_bytes: int = 0
    detail: str = ""


@dataclass
class DemoReport:
    """All that the demo found, for people and for programs."""

    steps: list[Step] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, key: str, done: Callable[[Step], None]) -> Iterator[Step]:
        """Time the body as a step, unless it sets the time itself; `done` is told of it when the body has succeeded."""
        step = Step(key)
        began = time.monotonic()
        yield step
        step.seconds = step.seconds or time.monotonic() - began
        self.steps.append(step)
        done(step)

    def seconds(self, *keys: str) -> float:
        """Return the sum of the named steps' times."""
        return sum(step.seconds for step in self.steps if step.key in keys)

    def as_json(self, output: Output) -> dict[str, Any]:
        """Return figures and steps as JSON values."""
        steps = [
            {
                "step": step.key,
                "title": output.text(f"demo.{step.key}"),
                "seconds": round(step.seconds, 4),
                "bytes": step.size_bytes,
                "detail": step.detail,
            }
            for step in self.steps
        ]
        return {**self.figures, "steps": steps}


def compare_with_report(size_bytes: int, seconds: float) -> float:
    """Return how many times faster than the report a transfer was, at the report's bytes a second."""
    return REPORTED_SECONDS * size_bytes / REPORTED_BYTES / max(seconds, 1e-9)


def print_report(report: DemoReport, output: Output) -> None:
    """Print the table of steps and what it comes to."""
    from rich.table import Table
    from rich.text import Text

    console = output.console()
    table = Table(title=output.text("demo.title"), title_justify="left")
    for key, justify in (("column_step", "left"), ("column_time", "right"), ("column_size", "right")):
        table.add_column(output.text(f"demo.{key}"), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column(output.text("demo.column_detail"), overflow="fold")
    for step in report.steps:
        table.add_row(
            output.text(f"demo.{step.key}"),
            format_seconds(step.seconds),
            format_size(step.size_bytes) if step.size_bytes else "",
            Text(step.detail),
        )
    console.print(table)
    figures = report.figures
    for key, holds in (("denied", figures["denied"]), ("trail", figures["trail_verified"])):
        style = "green" if holds else "bold red"
        console.print(
            Text(output.text(f"demo.result_{key}" if holds else f"demo.failed_{key}", **figures), style=style)
        )
    console.print(Text(output.text("demo.compared", **_spoken(figures)), style="bold"))
    console.print(Text(output.text("demo.disk_compared", **_spoken(figures))))
    console.print(Text(output.text("demo.trace_line", **figures)))


def format_seconds(seconds: float) -> str:
    """Return a time for people: milliseconds below a second."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _spoken(figures: dict[str, Any]) -> dict[str, str]:
    size = figures["bytes"]
    return {
        "pages": f"{figures['pages']:,}",
        "size": format_size(size),
        "end_to_end": format_seconds(figures["end_to_end_seconds"]),
        "reported": format_seconds(REPORTED_SECONDS * size / REPORTED_BYTES),
        "times": f"{figures['times_faster_than_reported']:.1f}",
        "upload": format_seconds(figures["upload_seconds"]),
        "disk": format_seconds(figures["disk_seconds"]),
        "upload_rate": format_size(size / max(figures["upload_seconds"], 1e-9)),
        "disk_rate": format_size(size / max(figures["disk_seconds"], 1e-9)),
    }
