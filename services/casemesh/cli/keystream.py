"""Reproducible bytes from a seed: the AES-128-CTR keystream, the same on every machine and Python version.

It is fast enough (gigabytes a second) to fill a dossier, which the generators of the standard library are not. It is
no source of secrets: whoever knows the seed knows the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

T = TypeVar("T")
_ZEROS = memoryview(bytes(1 << 19))
"""Kept, since a fresh block of zeros for each page costs as much as the cipher."""


class Keystream:
    """An endless row of bytes fixed by `seed` and `purpose`."""

    def __init__(self, seed: int, purpose: str) -> None:
        key = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()[:16]
        self._encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        return self._encryptor.update(_ZEROS[:count] if count <= len(_ZEROS) else bytes(count))

    def below(self, bound: int) -> int:
        """Return a number from 0 up to, not including, `bound`, near enough to evenly spread for a demo."""
        return int.from_bytes(self.take(8), "big") % bound

    def between(self, least: int, most: int) -> int:
        """Return a number from `least` to `most`, both included."""
        return least + self.below(most - least + 1)

    def choose(self, options: Sequence[T]) -> T:
        """Return one of `options`."""
        return options[self.below(len(options))]
