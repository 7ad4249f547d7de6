"""What a benchmark reports: one JSON object a line, names that stay, conditions beside every value."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "latest.jsonl"


@dataclass(frozen=True)
class Figure:
    """One figure. Where the name says `vs`, `value` is the ratio to `against`, measured in the same run."""

    name: str
    value: float
    unit: str
    against: str
    n: int
    conditions: str


@dataclass
class Report:
    """Collects figures and writes them as they come, so that a run that breaks keeps what it had."""

    path: Path = RESULTS
    figures: list[Figure] = field(default_factory=list)

    def start(self) -> None:
        """Begin a new file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("", encoding="utf-8")

    def add(self, name: str, value: float, unit: str, *, against: str = "", n: int = 1, conditions: str = "") -> None:
        """Keep a figure and write its line."""
        figure = Figure(name, round(value, 4), unit, against, n, f"{conditions}; {machine()}".lstrip("; "))
        self.figures.append(figure)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure), ensure_ascii=False) + "\n")


def machine() -> str:
    """Return what a reader needs to place a figure: cores, memory, kernel, Python, day."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}, "
        f"{datetime.now(UTC):%Y-%m-%d}"
    )
