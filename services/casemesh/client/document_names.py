"""Names of volumes and files, as senders give them.

A name is data for people. It is kept exactly as sent and never becomes part of a path; the rules keep a recipient's
machine safe when it writes the files out, and keep two documents from looking like one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from casemesh.errors import FieldViolation, InvalidArgument

MAX_NAME_BYTES: Final = 255
# Separators, C0 and C1 controls, DEL, line and paragraph separators, lone surrogates.
_REFUSED: Final = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_name(field: str, name: str, document_index: int) -> None:
    """Return if ``name`` may name a volume or a file.

    Raises InvalidArgument (DOCUMENT_NAME_INVALID) with the field and what is wrong with it, not the name itself: names
    of files hold names of persons.
    """
    fault = _fault(name)
    if fault is not None:
        raise InvalidArgument(
            "DOCUMENT_NAME_INVALID",
            f"{field} of document {document_index} {fault}",
            {"field": field, "document_index": document_index},
            [FieldViolation(field, fault)],
        )


def name_key(volume: str, file_name: str) -> tuple[str, str]:
    """What two documents of a dossier must not share: both names after Unicode normalisation (NFC)."""
    return unicodedata.normalize("NFC", volume), unicodedata.normalize("NFC", file_name)


def _fault(name: str) -> str | None:
    if not name:
        return "is empty"
    # Four bytes a character at most: only a long name has to be encoded to be measured.
    if len(name) * 4 > MAX_NAME_BYTES and len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes of UTF-8"
    if name in (".", ".."):
        return "is a reference to a folder"
    found = _REFUSED.search(name)
    if found is None:
        return None
    if name.startswith("/"):
        return "is an absolute path"
    if "/" in name or "\\" in name:
        return "holds a path separator"
    return "holds NUL" if "\x00" in name else "holds a control character"
