"""Base64 with one spelling for one value, for what is signed or hashed.

The standard decoder ignores bits left over in the last character, and by default any character outside the
alphabet: two texts then stand for the same signature.

Source: RFC 4648 sections 3.5 and 4.
"""

import base64
import binascii


def encode(data: bytes) -> str:
    """Return `data` in the standard alphabet, padded."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Return the bytes whose encoding is exactly `text`. Raises ValueError for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if encode(data) != text:
        raise ValueError("not canonical base64")
    return data
