"""A pack's bytes before its rows: compressed or not, and rows written as JSON instead of CSV."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from casemesh.client import canonical_json
from casemesh.client.canonical_json import CanonicalJsonError
from casemesh.translation.pack_problems import Problems

MAX_UNPACKED_BYTES = 64 << 20
_GZIP = 16 + zlib.MAX_WBITS


def unpacked(content: bytes, problems: Problems) -> bytes:
    """Return the content of gzip-compressed bytes, never more than 64 MiB of it.

    Raises PackInvalid for what is no gzip, is cut off, or holds more.
    """
    reader = zlib.decompressobj(_GZIP)
    try:
        plain = reader.decompress(content, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        problems.refuse(0, "file", f"not gzip ({error})", "compress it again or send it as it is")
    if reader.unconsumed_tail:
        problems.refuse(0, "file", f"over {MAX_UNPACKED_BYTES} bytes", "split the table")
    if not reader.eof or reader.unused_data:
        problems.refuse(0, "file", "not one whole gzip file", "compress it again")
    return plain


def json_rows(content: bytes, problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (number of the row, row) of `{"rows": [{"column": "text", ...}, ...]}`, rows counted from 1.

    Raises PackInvalid for anything else, and for a key that stands twice.
    """
    try:
        document = canonical_json.loads(content)
    except CanonicalJsonError as error:
        problems.refuse(0, "file", str(error), "send UTF-8 JSON whose values are strings")
    if not isinstance(document, dict) or set(document) != {"rows"} or not isinstance(document["rows"], list):
        problems.refuse(0, "rows", "not an object with the one key rows, a list", 'write {"rows": [...]}')
    for number, row in enumerate(document["rows"], start=1):
        if not isinstance(row, dict):
            problems.add(number, "line", "not an object", "write the row as an object of column and text")
            continue
        read: dict[str, str] = {}
        for column, value in row.items():
            if isinstance(value, str):
                read[column] = value
            else:
                problems.add(number, column, "not a string", "write every value as a string, codes above all")
        if len(read) == len(row):
            yield number, read
