"""Reading this service's own tables: exact columns, no ragged or repeated lines, errors that name file and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path


class TableError(ValueError):
    """A table breaks its own rules. The message names the file, the line and what it must be."""


def read_table(name: str, columns: Sequence[str], replacement: Path | None = None) -> list[dict[str, str]]:
    """Return the rows of a shipped table, or of the file a site put in its place.

    Raises TableError unless the header is exactly `columns`, every line has as many fields and no line comes twice.
    """
    path = str(replacement) if replacement is not None else name
    try:
        text = (replacement or files("casemesh.routing").joinpath(name)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read: {error}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    if next(reader, []) != list(columns):
        raise TableError(f"{path}:1: the header must be {','.join(columns)}")
    rows: list[dict[str, str]] = []
    for fields in reader:
        if len(fields) != len(columns):
            raise TableError(f"{path}:{reader.line_num}: {len(fields)} fields, expected {len(columns)}")
        row = dict(zip(columns, fields, strict=True))
        if row in rows:
            raise TableError(f"{path}:{reader.line_num}: the line comes twice")
        rows.append(row)
    return rows
