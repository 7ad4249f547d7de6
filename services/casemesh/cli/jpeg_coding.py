"""The part of baseline JPEG that scanned pages need: tables, codes, blocks and the header of a grey image.

Bits are handled as strings of 0 and 1 here: this runs once for each kind of row, never for each page.

Source: ITU-T T.81, annexes A (blocks), B (markers), C and F (Huffman codes); JFIF 1.02.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

GRAIN_POSITIONS = 24
"""Coefficients 1 to 24 in zigzag order may carry grain; their quantiser is 1, so that the grain stays faint."""
DC_QUANTISER, FINE_QUANTISER, COARSE_QUANTISER = 8, 1, 12
GRAIN_CODE_BITS, GRAIN_VALUE_BITS = 1, 3
END_OF_BLOCK = "10"

_ZIGZAG = sorted(
    ((v, h) for v in range(8) for h in range(8)),
    key=lambda at: (at[0] + at[1], at[0] if (at[0] + at[1]) % 2 else at[1]),
)
_QUANTISERS = [DC_QUANTISER] + [FINE_QUANTISER] * GRAIN_POSITIONS + [COARSE_QUANTISER] * (63 - GRAIN_POSITIONS)
_COSINES = [
    [round(16384 * math.cos((2 * n + 1) * k * math.pi / 16) * (math.sqrt(0.125) if k == 0 else 0.5)) for n in range(8)]
    for k in range(8)
]
_ZERO_RUN = 0xF0
_DROPPED_BELOW = 48
_GRAIN_SYMBOL = 0x03
_FREQUENT = [run << 4 | size for run in range(4) for size in range(4, 10)] + [run << 4 | 2 for run in range(7)]
_RARE = [
    symbol
    for symbol in [_ZERO_RUN, *(run << 4 | size for run in range(16) for size in range(1, 11))]
    if symbol not in (_GRAIN_SYMBOL, *_FREQUENT)
]
_DC_LENGTHS = {2: [0], 4: list(range(1, 12))}
_AC_LENGTHS = {1: [_GRAIN_SYMBOL], 2: [0x00], 8: _FREQUENT, 10: _RARE}


def _codes(lengths: dict[int, list[int]]) -> dict[int, str]:
    codes: dict[int, str] = {}
    code, width = 0, 0
    for length, symbols in sorted(lengths.items()):
        code <<= length - width
        width = length
        for symbol in symbols:
            codes[symbol] = format(code, f"0{length}b")
            code += 1
    return codes


_DC_CODES = _codes(_DC_LENGTHS)
_AC_CODES = _codes(_AC_LENGTHS)


def dc_bits(difference: int) -> str:
    """Return the code of a DC level that differs by `difference` from the block before it."""
    return _DC_CODES[abs(difference).bit_length()] + _magnitude(difference)


def ac_bits(coefficients: Sequence[int]) -> str:
    """Return the code of 63 quantised AC coefficients in zigzag order, with the end of the block."""
    bits: list[str] = []
    run = 0
    for value in coefficients:
        if value == 0:
            run += 1
            continue
        bits.append(_AC_CODES[_ZERO_RUN] * (run // 16))
        bits.append(_AC_CODES[run % 16 << 4 | abs(value).bit_length()] + _magnitude(value))
        run = 0
    if run:
        bits.append(END_OF_BLOCK)
    return "".join(bits)


def quantised(pixels: Sequence[Sequence[int]]) -> list[int]:
    """Return the 64 quantised coefficients, in zigzag order, of 8 x 8 grey pixels from 0 to 255.

    All in integers, so that every machine rounds alike. Small fine coefficients are dropped: characters need few.
    """
    rows = [[sum(_COSINES[k][n] * (row[n] - 128) for n in range(8)) >> 7 for k in range(8)] for row in pixels]
    block = [[sum(_COSINES[k][n] * rows[n][h] for n in range(8)) for h in range(8)] for k in range(8)]
    coefficients = []
    for position, ((v, h), quantiser) in enumerate(zip(_ZIGZAG, _QUANTISERS, strict=True)):
        value = (block[v][h] + (1 << 20)) >> 21
        level = (abs(value) + quantiser // 2) // quantiser
        if position and abs(value) < _DROPPED_BELOW:
            level = 0
        coefficients.append(level if value > 0 else -level)
    return coefficients


def _magnitude(value: int) -> str:
    size = abs(value).bit_length()
    return format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") if size else ""


def header(width: int, height: int, blocks_per_row: int, dots_per_inch: int, *, comment: bytes | None) -> bytes:
    """Return everything before the image data of a grey image with a restart after each row of blocks.

    `comment` becomes a COM segment, an empty one too; it has at most 65,533 bytes. None: no such segment.
    """
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x02\x01" + struct.pack(">HHBB", dots_per_inch, dots_per_inch, 0, 0)),
            b"" if comment is None else _segment(0xFE, comment),
            _segment(0xDB, bytes([0, *_QUANTISERS])),
            _segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0])),
            _segment(0xC4, _huffman_table(0x00, _DC_LENGTHS) + _huffman_table(0x10, _AC_LENGTHS)),
            _segment(0xDD, struct.pack(">H", blocks_per_row)),
            _segment(0xDA, bytes([1, 1, 0x00, 0, 63, 0])),
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _huffman_table(destination: int, lengths: dict[int, list[int]]) -> bytes:
    counts = bytes(len(lengths.get(length, ())) for length in range(1, 17))
    return bytes([destination]) + counts + bytes(symbol for _, symbols in sorted(lengths.items()) for symbol in symbols)
