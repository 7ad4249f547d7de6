"""OFD (GB/T 33190-2016): a ZIP of XML. Read with bounds on every member and without entities.

Element and attribute names below are the standard's; namespaces are left aside, since the drafts before the standard
used others.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from xml.parsers import expat

from casemesh.client.examining.findings import MAX_LINE_LENGTH, MAX_LINES, Findings, Format, Line, UnreadableFile

_MAX_MEMBER_BYTES: Final = 16 << 20
_STEP_BYTES: Final = 1 << 16
_MAX_PAGES: Final = 100_000
# Pages looked at for text: a cover may be a picture.
_TEXT_PAGES: Final = 3
# Letters whose baselines are no further apart stand on one line, in parts of their size.
_SAME_LINE: Final = 0.6


def examine_ofd(file: BinaryIO) -> Findings:
    """Pages of all documents in the file, and the first lines of the first one.

    Raises UnreadableFile: a member that is missing, too large, no XML or with a document type declaration.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            pages = [page for root in _document_roots(archive) for page in _pages(archive, root)]
            lines: tuple[Line, ...] = ()
            for page in pages[:_TEXT_PAGES]:
                lines = _lines(archive, page)
                if lines:
                    break
    except (zipfile.BadZipFile, expat.ExpatError, ValueError, KeyError, EOFError, NotImplementedError) as error:
        raise UnreadableFile from error
    except RuntimeError as error:
        # What zipfile says of a member with a password.
        raise UnreadableFile from error
    return Findings(Format.OFD, len(pages), lines)


def _document_roots(archive: zipfile.ZipFile) -> list[str]:
    reader = _Reader()
    roots: list[str] = []
    reader.on_text["DocRoot"] = lambda text, _: roots.append(_resolve("", text))
    reader.read(archive, "OFD.xml")
    if not roots:
        raise UnreadableFile
    return roots


def _pages(archive: zipfile.ZipFile, root: str) -> list[str]:
    reader = _Reader()
    pages: list[str] = []

    def page(attributes: dict[str, str]) -> None:
        if len(pages) == _MAX_PAGES:
            raise UnreadableFile
        pages.append(_resolve(root, attributes["BaseLoc"]))

    reader.on_start["Page"] = page
    reader.read(archive, root)
    return pages


def _lines(archive: zipfile.ZipFile, page: str) -> tuple[Line, ...]:
    """The lines of a page from top to bottom, each from left to right."""
    reader = _Reader()
    pieces: list[tuple[float, float, float, str]] = []
    place = {"x": 0.0, "y": 0.0, "size": 0.0}

    def text_object(attributes: dict[str, str]) -> None:
        box = [float(number) for number in attributes.get("Boundary", "0 0 0 0").split()]
        place.update(x=box[0], y=box[1], size=float(attributes.get("Size", 0)))

    def text_code(text: str, attributes: dict[str, str]) -> None:
        x, y = place["x"] + float(attributes.get("X", 0)), place["y"] + float(attributes.get("Y", 0))
        if text.strip():
            pieces.append((y, x, place["size"], text.strip()))

    reader.on_start["TextObject"] = text_object
    reader.on_text["TextCode"] = text_code
    reader.read(archive, page)
    return tuple(_in_lines(sorted(pieces)))[:MAX_LINES]


def _in_lines(pieces: list[tuple[float, float, float, str]]) -> Iterator[Line]:
    line: list[tuple[float, float, float, str]] = []
    for piece in pieces:
        if line and piece[0] - line[0][0] > _SAME_LINE * max(line[0][2], 0.1):
            yield _line(line)
            line = []
        line.append(piece)
    if line:
        yield _line(line)


def _line(pieces: list[tuple[float, float, float, str]]) -> Line:
    text = "".join(text for _, _, _, text in sorted(pieces, key=lambda piece: piece[1]))
    return Line(text[:MAX_LINE_LENGTH], max(size for _, _, size, _ in pieces))


def _resolve(base: str, location: str) -> str:
    """A location in the archive: from its root where it begins with a slash, else from the folder of ``base``."""
    location = location.strip()
    if location.startswith("/"):
        return posixpath.normpath(location.lstrip("/"))
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), location))


class _Reader:
    """Reads one member, calling back at the start of elements and at the end of those whose text is wanted."""

    def __init__(self) -> None:
        self.on_start: dict[str, Any] = {}
        self.on_text: dict[str, Any] = {}
        self._open: tuple[str, dict[str, str]] | None = None
        self._text: list[str] = []

    def read(self, archive: zipfile.ZipFile, name: str) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        # Entities need a document type declaration, and no OFD has one.
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        left = _MAX_MEMBER_BYTES
        with archive.open(name) as member:
            # What the archive states of a member's size is not believed.
            while step := member.read(_STEP_BYTES):
                left -= len(step)
                if left < 0:
                    raise UnreadableFile
                parser.Parse(step, False)
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local in self.on_text:
            self._open = local, attributes
        self._text.clear()
        if local in self.on_start:
            self.on_start[local](attributes)

    def _end(self, name: str) -> None:
        if self._open is not None and name.rpartition(":")[2] == self._open[0]:
            self.on_text[self._open[0]]("".join(self._text), self._open[1])
            self._open = None


def _refuse(*_: object) -> None:
    raise UnreadableFile
