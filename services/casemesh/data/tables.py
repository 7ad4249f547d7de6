"""Reading a shipped CSV file: exact columns, no ragged lines, and errors that name the place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from importlib.resources import files


class ShippedDataError(Exception):
    """A shipped file breaks its own rules. The message names file, line and field."""

    def __init__(self, file: str, line: int, field: str, problem: str) -> None:
        super().__init__(f"{file}:{line}: {field}: {problem}")
        self.file = file
        self.line = line
        self.field = field


def shipped_bytes(name: str) -> bytes:
    """Return the bytes of one shipped file; `name` is relative to this folder."""
    return files("casemesh.data").joinpath(name).read_bytes()


def rows(name: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a shipped CSV file.

    Raises ShippedDataError unless the header is exactly `columns` and every line has as many fields.
    """
    yield from rows_of(name, shipped_bytes(name), columns)


def rows_of(name: str, data: bytes, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of the bytes of a CSV file in the same form as a shipped one; `name` is for errors.

    A spreadsheet's byte order mark is passed over. Raises ShippedDataError as `rows` does, and for bytes that are not
    UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ShippedDataError(name, data.count(b"\n", 0, error.start) + 1, "line", "not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, [])
    if header != list(columns):
        raise ShippedDataError(name, 1, "header", f"expected {','.join(columns)}, found {','.join(header)}")
    for fields in reader:
        if len(fields) != len(columns):
            raise ShippedDataError(name, reader.line_num, "line", f"{len(fields)} fields, expected {len(columns)}")
        yield reader.line_num, dict(zip(columns, fields, strict=True))
