"""A folder on disk as a dossier: its sub-folders are the volumes, their files the documents."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemesh.cli.invocation import Failure

_MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".ofd": "application/ofd",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
}
_LEFT_BY_DESKTOPS = frozenset({"thumbs.db", "desktop.ini"})
_NUMBER = re.compile(r"([0-9]+|[〇零一二三四五六七八九十百]+)")
_DIGITS = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"零": 0}
_UNITS = {"十": 10, "百": 100}


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One file to send. `modified_ns` serves only to notice that it changed."""

    path: Path
    volume: str
    file_name: str
    media_type: str
    size_bytes: int
    modified_ns: int


def read_folder(root: Path) -> list[SourceDocument]:
    """Return the documents of `root` in the order they are sent: volumes by name, in each the documents by name.

    Numbers in names count as numbers, in Chinese numerals too: `9.jpg` comes before `10.jpg`, 证据卷二 before 证据卷三.
    Files beside the volumes form a volume with the folder's own name. Hidden files and what desktops leave behind are
    passed over. Raises Failure (exit code 4) for a folder without documents, folders within volumes, names that are
    not UTF-8 and what is neither file nor folder.
    """
    if not root.is_dir():
        raise Failure(4, "folder.none", path=root)
    documents: list[SourceDocument] = []
    volumes = [root, *sorted((entry for entry in _entries(root) if entry.is_dir()), key=_order)]
    for volume in volumes:
        name = _encodable(root.resolve().name if volume is root else volume.name, volume)
        for entry in sorted(_entries(volume), key=_order):
            if entry.is_dir():
                if volume is not root:
                    raise Failure(4, "folder.nested", path=entry)
                continue
            documents.append(_document(entry, name))
    if not documents:
        raise Failure(4, "folder.empty", path=root)
    return documents


def fingerprint(documents: Sequence[SourceDocument]) -> str:
    """Return a digest that changes when a file is added, removed, renamed or written to."""
    facts = [[item.volume, item.file_name, item.size_bytes, item.modified_ns] for item in documents]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _entries(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if not entry.name.startswith(".") and entry.name.lower() not in _LEFT_BY_DESKTOPS:
            yield entry


def _document(path: Path, volume: str) -> SourceDocument:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise Failure(4, "folder.not_a_file", path=path)
    return SourceDocument(
        path,
        volume,
        _encodable(path.name, path),
        _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        facts.st_size,
        facts.st_mtime_ns,
    )


def _encodable(name: str, path: Path) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Failure(4, "folder.not_utf8", path=repr(path)) from None
    return name


def _order(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = _NUMBER.split(path.name)
    return [(0, _number(part), "") if _NUMBER.fullmatch(part) else (1, 0, part) for part in parts if part], path.name


def _number(text: str) -> int:
    """Return what digits or Chinese numerals below a thousand say; digit by digit where there is no unit (二〇二六)."""
    if text.isascii():
        return int(text)
    total, pending = 0, 0
    for character in text:
        if character in _UNITS:
            total += (pending or 1) * _UNITS[character]
            pending = 0
        else:
            pending = pending * 10 + _DIGITS[character]
    return total + pending
