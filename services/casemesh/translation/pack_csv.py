"""Reading a pack's CSV: every problem is collected with its line, its field and the remedy, and nothing is repaired.

A pack is UTF-8 (a byte order mark is allowed) with a header line. Columns are found by name in any order; columns
nobody asked for are handed on.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.translation.periods import Period, parse_day

MAX_ROWS = 200_000
MAX_CODE_LENGTH = 64
MAX_NAME_LENGTH = 200
MAX_FIELD_LENGTH = 2_000
_MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class PackProblem:
    """What is wrong at one place of a pack, and what to do. `line` counts from 1, the header; 0 is the whole file."""

    line: int
    field: str
    problem: str
    remedy: str


class PackInvalid(InvalidArgument):
    """A pack that cannot be loaded. All problems found are listed, up to fifty; nothing of the pack is used."""

    def __init__(self, pack: str, problems: list[PackProblem]) -> None:
        first = problems[0]
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            "CODE_PACK_INVALID",
            f"{pack}, line {first.line}, {first.field}: {first.problem}; {first.remedy}{more}",
            {"line": first.line, "field": first.field},
            [FieldViolation("csv", f"line {p.line}, {p.field}: {p.problem}; {p.remedy}") for p in problems],
        )
        self.pack = pack
        self.problems = tuple(problems)


class Problems:
    """Collects the problems of one pack, and gives up once there are fifty."""

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._found: list[PackProblem] = []

    def add(self, line: int, field: str, problem: str, remedy: str) -> None:
        """Note one problem. Raises PackInvalid when it is the fiftieth."""
        self._found.append(PackProblem(line, field, problem, remedy))
        if len(self._found) >= _MAX_PROBLEMS:
            raise PackInvalid(self._pack, self._found)

    def refuse(self, line: int, field: str, problem: str, remedy: str) -> NoReturn:
        """Note one problem and raise PackInvalid: the rest cannot be read."""
        raise PackInvalid(self._pack, [*self._found, PackProblem(line, field, problem, remedy)])

    def raise_if_any(self) -> None:
        """Raise PackInvalid when a problem was noted."""
        if self._found:
            raise PackInvalid(self._pack, self._found)


def read_rows(content: bytes, required: tuple[str, ...], problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) of a pack.

    Lines of another length than the header, and control characters, are problems and their rows are left out. A
    file that is no UTF-8, has no rows, or lacks or repeats a column raises PackInvalid at once.
    """
    text = _decode(content, problems)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    count = 0
    try:
        header = next(reader, [])
        _check_header(header, required, problems)
        for fields in reader:
            count += 1
            if count > MAX_ROWS:
                problems.add(reader.line_num, "line", f"more than {MAX_ROWS} rows", "split the table")
                break
            if len(fields) != len(header):
                problems.add(
                    reader.line_num,
                    "line",
                    f"{len(fields)} fields, the header has {len(header)}",
                    "quote fields that hold a comma",
                )
                continue
            row = dict(zip(header, fields, strict=True))
            if _clean(reader.line_num, row, problems):
                yield reader.line_num, row
    except csv.Error as error:
        problems.add(reader.line_num, "line", f"not CSV ({error})", "check the quotes of this line and the one before")
    if count == 0:
        problems.add(1, "line", "no rows below the header", "send the table with its rows")
    problems.raise_if_any()


def read_code(line: int, field: str, value: str, problems: Problems) -> None:
    """Note a problem unless `value` can be a code: not empty, no space around it, at most 64 characters."""
    if not value:
        problems.add(line, field, "empty", "give the code or take the row out")
    elif value != value.strip():
        problems.add(line, field, f"space around {value!r}", "remove it; codes are compared exactly")
    elif len(value) > MAX_CODE_LENGTH:
        problems.add(line, field, f"{len(value)} characters", f"a code has at most {MAX_CODE_LENGTH}")


def read_period(line: int, first: tuple[str, str], last: tuple[str, str], problems: Problems) -> Period:
    """Return the period of a row from its (column, text) of the first and of the last day; empty text is open."""
    period = Period(_read_day(line, *first, problems), _read_day(line, *last, problems))
    if period.is_empty():
        problems.add(line, last[0], f"{last[1]} lies before {first[1]}", "swap the two days or correct one")
    return period


def _read_day(line: int, field: str, text: str, problems: Problems) -> date | None:
    try:
        return parse_day(text)
    except ValueError:
        problems.add(line, field, f"{text!r} is no day", "write YYYY-MM-DD, or YYYY-MM for the first of a month")
        return None


def _decode(content: bytes, problems: Problems) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.refuse(line, "file", "not UTF-8", "save the file as UTF-8 (it may be GB 18030 now)")


def _check_header(header: list[str], required: tuple[str, ...], problems: Problems) -> None:
    for column in required:
        if column not in header:
            problems.add(
                1, column, "column missing", f"the header must name it; it has {', '.join(header) or 'nothing'}"
            )
    for column in sorted({name for name in header if header.count(name) > 1}):
        problems.add(1, column, "column repeated", "name each column once")
    problems.raise_if_any()


def _clean(line: int, row: dict[str, str], problems: Problems) -> bool:
    clean = True
    for column, value in row.items():
        if len(value) > MAX_FIELD_LENGTH:
            problems.add(line, column, f"{len(value)} characters", f"a field has at most {MAX_FIELD_LENGTH}")
            clean = False
        elif not value.isprintable() and any(unicodedata.category(character) == "Cc" for character in value):
            problems.add(line, column, "control character or line break", "remove it")
            clean = False
    return clean
