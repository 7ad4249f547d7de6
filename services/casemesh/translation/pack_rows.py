"""The rows of a pack, from CSV or JSON: every problem is collected, and nothing is repaired.

A pack is UTF-8 (a byte order mark is allowed in CSV, which has a header line). Columns are found by name in any order;
columns nobody asked for are handed on.
"""

from __future__ import annotations

import csv
import enum
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from casemesh.translation.pack_content import json_rows
from casemesh.translation.pack_problems import Problems
from casemesh.translation.periods import Period, parse_day

MAX_ROWS = 200_000
MAX_CODE_LENGTH = 64
MAX_NAME_LENGTH = 200
MAX_FIELD_LENGTH = 2_000


class PackFormat(enum.Enum):
    """How a pack is written."""

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class PackFile:
    """The bytes of a pack, not compressed."""

    content: bytes
    format: PackFormat = PackFormat.CSV


def read_rows(pack: PackFile, required: tuple[str, ...], problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) of a pack.

    Lines of another length than the header, and control characters, are problems and their rows are left out. A
    file that is no UTF-8, has no rows, or lacks or repeats a column raises PackInvalid at once.
    """
    count = 0
    rows = _csv_rows(pack.content, required, problems)
    if pack.format is PackFormat.JSON:
        rows = _with_columns(json_rows(pack.content, problems), required, problems)
    for line, row in rows:
        count += 1
        if count > MAX_ROWS:
            problems.add(line, "line", f"more than {MAX_ROWS} rows", "split the table")
            break
        if _clean(line, row, problems):
            yield line, row
    if count == 0:
        problems.add(1, "line", "no rows", "send the table with its rows")
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


def _csv_rows(content: bytes, required: tuple[str, ...], problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(_decode(content, problems), newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, required, problems)
        for fields in reader:
            if len(fields) == len(header):
                yield reader.line_num, dict(zip(header, fields, strict=True))
            else:
                problems.add(
                    reader.line_num,
                    "line",
                    f"{len(fields)} fields, the header has {len(header)}",
                    "quote fields that hold a comma",
                )
    except csv.Error as error:
        problems.add(reader.line_num, "line", f"not CSV ({error})", "check the quotes of this line and the one before")


def _with_columns(
    rows: Iterator[tuple[int, dict[str, str]]], required: tuple[str, ...], problems: Problems
) -> Iterator[tuple[int, dict[str, str]]]:
    for number, row in rows:
        missing = [column for column in required if column not in row]
        for column in missing:
            problems.add(number, column, "missing", f"the row has {', '.join(row) or 'nothing'}")
        if not missing:
            yield number, row


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
