"""What an examination of a file finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

MAX_LINES = 16
"""Lines kept of the first page with text: a title stands among them or there is none."""
MAX_LINE_LENGTH = 80
"""Characters kept of a line; no title is longer."""


class Format(enum.StrEnum):
    """What the bytes are, whatever the name says."""

    PDF = "pdf"
    OFD = "ofd"
    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"
    TEXT = "text"
    UNRECOGNISED = "unrecognised"


class Problem(enum.StrEnum):
    """Why a person should look at a file."""

    EMPTY = "EMPTY"
    """No bytes, or no pages."""
    UNREADABLE = "UNREADABLE"
    """Not what it begins as, or not to be read within the limits."""
    ENCRYPTED = "ENCRYPTED"
    """Opens with a password only."""
    TOO_LARGE_TO_EXAMINE = "TOO_LARGE_TO_EXAMINE"
    """Larger than a reader may read at once."""


class Line(NamedTuple):
    """A line of text. ``size`` is the height of its letters in the format's own unit, 0 where that is not known."""

    text: str
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Findings:
    """``page_count`` is 0 where it is not known; ``lines`` are the first of the first page that has any."""

    format: Format
    page_count: int = 0
    lines: tuple[Line, ...] = ()
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "page_count": self.page_count,
            "lines": [list(line) for line in self.lines],
            "problems": list(self.problems),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Findings:
        """The findings again, with letters that can be shown alone: what a file says may hold any.

        Raises KeyError, TypeError or ValueError for anything else.
        """
        return cls(
            Format(value["format"]),
            int(value["page_count"]),
            tuple(Line(_shown(text), float(size)) for text, size in value["lines"][:MAX_LINES]),
            tuple(Problem(problem) for problem in value["problems"]),
        )


def _shown(text: str) -> str:
    text = text[:MAX_LINE_LENGTH]
    return text if text.isprintable() else "".join(letter for letter in text if letter.isprintable())


class UnreadableFile(Exception):
    """The file is not what it begins as."""
