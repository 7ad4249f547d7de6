"""Scanned pages as baseline JPEG, made without an image library: fast, and the same bytes on every machine.

A page is a grid of 8 x 8 blocks in grey. Paper carries a faint grain whose values are random bits; invented
characters, ruled lines and the patches of a photograph are coded once and placed anew on each page. Every row of
blocks is a restart interval and therefore whole bytes, so a page is one large random number, masked to the bits that
are free, with the fixed bits laid over it. That is why a gigabyte takes seconds in plain Python.

A coefficient of grain is one zero bit and three free bits, so that no byte of it can become 0xFF, which would start
a marker.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections import Counter
from functools import cache
from itertools import accumulate, cycle
from typing import NamedTuple

from casemesh.cli import jpeg_coding
from casemesh.cli.keystream import Keystream

MIN_PAGE_BYTES = 3_000
"""A smaller page would be mostly header."""
MAX_PAGE_BYTES = 4_000_000
"""A larger page would be finer than 600 dots per inch."""

_BYTES_PER_BLOCK = 6.5
_PAPER, _INK = 245, 40
_PAPER_LEVEL = jpeg_coding.quantised([[_PAPER] * 8] * 8)[0]
_GLYPHS, _GLYPH_BLOCKS, _LINES, _LINE_PITCH, _SHADES = 40, 3, 16, 8, 16
_RESTARTS = [bytes([0xFF, 0xD0 + number]) for number in range(8)]
_END_OF_IMAGE = b"\xff\xd9"
_GRAIN_FIXED = "0" * (jpeg_coding.GRAIN_CODE_BITS + jpeg_coding.GRAIN_VALUE_BITS)
_GRAIN_FREE = "0" * jpeg_coding.GRAIN_CODE_BITS + "1" * jpeg_coding.GRAIN_VALUE_BITS


class PageKind(enum.Enum):
    """What a page shows."""

    TEXT = "text"
    FORM = "form"
    PHOTOGRAPH = "photograph"


class _RowKind(NamedTuple):
    """One row of blocks: blank paper, a third of a line of characters, a ruled line or a stripe of a photograph."""

    what: str
    number: int = 0
    part: int = 0


class _Row(NamedTuple):
    """A row's bytes as numbers: `fixed` has zeros where bits are free, `free` has ones there."""

    size_bytes: int
    fixed: int
    free: int


_BLANK = _RowKind("blank")
_RULE = _RowKind("rule")


class PageScanner:
    """Makes pages. Two scanners at the same place of the same keystream make the same pages."""

    def __init__(self, keystream: Keystream) -> None:
        self._keystream = keystream
        self._lines = [[keystream.below(_GLYPHS) for _ in range(keystream.between(8, 200))] for _ in range(_LINES)]
        self._coders: dict[tuple[int, int], _RowCoder] = {}
        self._usual_grain = jpeg_coding.GRAIN_POSITIONS // 2

    def scan(self, kind: PageKind, size_bytes: int, *, exactly: bool = False) -> bytes:
        """Return one page as a JPEG of `size_bytes` or a little less, about 100 bytes at 230 kB.

        `exactly` fills the rest with a comment segment. `size_bytes` lies from MIN_PAGE_BYTES to MAX_PAGE_BYTES, else
        ValueError. The resolution follows from the size: about 150 dots per inch for 230 kB.
        """
        if not MIN_PAGE_BYTES <= size_bytes <= MAX_PAGE_BYTES:
            raise ValueError(f"a page has {MIN_PAGE_BYTES} to {MAX_PAGE_BYTES} bytes, not {size_bytes}")
        proportion = 0.75 if kind is PageKind.PHOTOGRAPH else 1.414
        width = int((size_bytes / _BYTES_PER_BLOCK / proportion) ** 0.5)
        width -= width % (32 if width >= 128 else 8)
        layout = self._layout(kind, width, int(width * proportion))
        shape = (8 * width, 8 * len(layout), width, round(8 * width / 8.27))
        frame = len(jpeg_coding.header(*shape, comment=b"" if exactly else None)) + len(_END_OF_IMAGE)
        image = self._image(self._fit(width, layout, size_bytes - frame))
        comment = bytes(size_bytes - frame - len(image)) if exactly else None
        return jpeg_coding.header(*shape, comment=comment) + image + _END_OF_IMAGE

    def _layout(self, kind: PageKind, width: int, height: int) -> list[_RowKind]:
        draw = self._keystream
        if kind is PageKind.PHOTOGRAPH:
            first, stripe = draw.below(_SHADES), draw.between(3, 9)
            return [_RowKind("shade", (first + row // stripe) % _SHADES) for row in range(height)]
        layout = [_BLANK] * height
        margin = max(1, height // 12)
        for top in range(margin, height - margin - _LINE_PITCH, _LINE_PITCH):
            if draw.below(12) == 0:
                continue
            line = draw.below(_LINES)
            for part in range(_GLYPH_BLOCKS):
                layout[top + part] = _RowKind("line", line, part)
            if kind is PageKind.FORM:
                layout[top + _GLYPH_BLOCKS + 1] = _RULE
        return layout

    def _fit(self, width: int, layout: list[_RowKind], size_bytes: int) -> list[_Row]:
        """Return the rows with as much grain as brings their bytes closest to `size_bytes` from below."""
        budget = size_bytes - 2 * (len(layout) - 1)
        grain, counts = self._usual_grain, Counter(layout)
        while grain and self._total(width, grain, counts) > budget:
            grain -= 1
        while grain + 1 < jpeg_coding.GRAIN_POSITIONS and self._total(width, grain + 1, counts) <= budget:
            grain += 1
        if grain:
            self._usual_grain = grain
        else:
            layout = self._shortened(width, layout, budget)
        coder, finer = self._coder(width, grain), self._coder(width, grain + 1)
        rows = [coder[kind] for kind in layout]
        fine_rows = [finer[kind] for kind in layout]
        gains = accumulate(fine.size_bytes - row.size_bytes for fine, row in zip(fine_rows, rows, strict=True))
        count = bisect_right(list(gains), budget - sum(row.size_bytes for row in rows))
        return fine_rows[:count] + rows[count:]

    def _shortened(self, width: int, layout: list[_RowKind], budget: int) -> list[_RowKind]:
        """Return the layout with lines taken from its end until it fits without grain."""
        for end in range(len(layout) - 1, 0, -1):
            if self._total(width, 0, Counter(layout)) <= budget:
                break
            if layout[end - 1] == _BLANK:
                layout = layout[:end] + [_BLANK] * (len(layout) - end)
        return layout

    def _total(self, width: int, grain: int, counts: Counter[_RowKind]) -> int:
        coder = self._coder(width, grain)
        return sum(coder[kind].size_bytes * count for kind, count in counts.items())

    def _coder(self, width: int, grain: int) -> _RowCoder:
        coder = self._coders.get((width, grain))
        if coder is None:
            coder = self._coders[width, grain] = _RowCoder(width, grain, self._lines)
        return coder

    def _image(self, rows: list[_Row]) -> bytes:
        grain = memoryview(self._keystream.take(sum(row.size_bytes for row in rows)))
        parts: list[bytes] = []
        start = 0
        for (size, fixed, free), marker in zip(rows, cycle(_RESTARTS)):
            drawn = int.from_bytes(grain[start : start + size], "little") & free
            parts += ((drawn | fixed).to_bytes(size, "little"), marker)
            start += size
        return b"".join(parts[:-1])


class _RowCoder(dict[_RowKind, _Row]):
    """Codes the rows of one width and one amount of grain, each when first asked for."""

    def __init__(self, width: int, grain: int, lines: list[list[int]]) -> None:
        super().__init__()
        self._width = width
        self._lines = lines
        end = jpeg_coding.END_OF_BLOCK
        self._grain = _GRAIN_FIXED * grain + end, _GRAIN_FREE * grain + "0" * len(end)

    def __missing__(self, kind: _RowKind) -> _Row:
        if kind.what == "line":
            parts = self._line(kind)
        elif kind.what == "rule":
            parts = self._rule()
        elif kind.what == "shade":
            parts = self._shade(kind.number)
        else:
            parts = self._paper(_PAPER_LEVEL, self._width)
        row = self[kind] = _whole_bytes("".join([fixed for fixed, _ in parts]), "".join([free for _, free in parts]))
        return row

    def _paper(self, difference: int, count: int) -> list[tuple[str, str]]:
        """Return blocks of grain of one level, which differs by `difference` from that of the block before them."""
        same = jpeg_coding.dc_bits(0)
        rest = (same + self._grain[0]) * (count - 1), ("0" * len(same) + self._grain[1]) * (count - 1)
        return [_all_fixed(jpeg_coding.dc_bits(difference)), self._grain, rest]

    def _line(self, kind: _RowKind) -> list[tuple[str, str]]:
        margin = max(1, self._width // 10)
        room = (self._width - 2 * margin) // (_GLYPH_BLOCKS + 1)
        glyphs = self._lines[kind.number][:room]
        parts = self._paper(_PAPER_LEVEL, margin)
        for glyph in glyphs[:-1]:
            bits, level = _glyph_bits(glyph, kind.part)
            parts += [_all_fixed(bits), *self._paper(_PAPER_LEVEL - level, 1)]
        bits, level = _glyph_bits(glyphs[-1], kind.part)
        left = self._width - margin - len(glyphs) * (_GLYPH_BLOCKS + 1) + 1
        return [*parts, _all_fixed(bits), *self._paper(_PAPER_LEVEL - level, left)]

    def _rule(self) -> list[tuple[str, str]]:
        rule = jpeg_coding.quantised([[_INK if 3 <= row <= 4 else _PAPER] * 8 for row in range(8)])
        shape = jpeg_coding.ac_bits(rule[1:])
        return [_all_fixed(jpeg_coding.dc_bits(rule[0]) + shape + (jpeg_coding.dc_bits(0) + shape) * (self._width - 1))]

    def _shade(self, number: int) -> list[tuple[str, str]]:
        parts: list[tuple[str, str]] = []
        before = 0
        for column in range(0, self._width, 2):
            level = 60 - 8 * number + abs((column + 3 * number) % 40 - 20)
            parts += self._paper(level - before, min(2, self._width - column))
            before = level
        return parts


def _all_fixed(bits: str) -> tuple[str, str]:
    return bits, "0" * len(bits)


def _whole_bytes(fixed: str, free: str) -> _Row:
    """Fill up with ones to whole bytes, and put the zero byte that the standard asks for after each byte 0xFF."""
    padding = -len(fixed) % 8
    fixed_bytes = int(fixed + "1" * padding, 2).to_bytes((len(fixed) + padding) // 8, "big")
    free_bytes = int(free + "0" * padding, 2).to_bytes(len(fixed_bytes), "big")
    stuffed_fixed, stuffed_free, start = bytearray(), bytearray(), 0
    while (found := fixed_bytes.find(0xFF, start)) >= 0:
        stuffed_fixed += fixed_bytes[start : found + 1] + b"\0"
        stuffed_free += free_bytes[start : found + 1] + b"\0"
        start = found + 1
    stuffed_fixed += fixed_bytes[start:]
    stuffed_free += free_bytes[start:]
    return _Row(len(stuffed_fixed), int.from_bytes(stuffed_fixed, "little"), int.from_bytes(stuffed_free, "little"))


@cache
def _glyph_bits(glyph: int, part: int) -> tuple[str, int]:
    """Return the code of one row of blocks of an invented character on paper, and the level of its last block."""
    pixels = _glyph(glyph)
    bits, before = [], _PAPER_LEVEL
    for column in range(_GLYPH_BLOCKS):
        block = [row[8 * column : 8 * column + 8] for row in pixels[8 * part : 8 * part + 8]]
        level, *rest = jpeg_coding.quantised(block)
        bits.append(jpeg_coding.dc_bits(level - before) + jpeg_coding.ac_bits(rest))
        before = level
    return "".join(bits), before


@cache
def _glyph(glyph: int) -> list[list[int]]:
    """Return an invented character of upright and level strokes, 24 x 24 pixels; it means nothing in any script."""
    draw = Keystream(glyph, "glyph")
    side = 8 * _GLYPH_BLOCKS
    pixels = [[_PAPER] * side for _ in range(side)]
    for _ in range(draw.between(2, 4)):
        top, left, right = draw.between(1, side - 4), draw.between(0, 8), draw.between(14, side - 1)
        for row in pixels[top : top + 2]:
            row[left:right] = [_INK] * (right - left)
    for _ in range(draw.between(1, 3)):
        left, top, bottom = draw.between(1, side - 4), draw.between(0, 8), draw.between(14, side - 1)
        for row in pixels[top:bottom]:
            row[left : left + 2] = [_INK] * 2
    return pixels
