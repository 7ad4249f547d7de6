"""Base-128 numbers as protobuf writes them. Source: https://protobuf.dev/programming-guides/encoding/"""

from __future__ import annotations


def varint(value: int) -> bytes:
    """The shortest encoding of a number that is not negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
