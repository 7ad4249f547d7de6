"""Signed JSON in compact form, read strictly: one text of one meaning, or none.

What libraries leave open is closed here: padding, other spellings of the same bytes, duplicate keys, more or fewer than
three parts. Algorithms are PyJWT's; which one a key is for is fixed by the key, never by what was sent.

Source: RFC 7515 (JWS), sections 3 and 5.2; RFC 8725 (best practice), sections 3.1 to 3.3 and 3.8.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SIGNS = re.compile(r"[A-Za-z0-9_-]*")
_STANDARD_SIGNS = str.maketrans("-_", "+/")
_ALGORITHMS = {name: jwt.get_algorithm_by_name(name) for name in ("EdDSA", "ES256")}


class JwsError(ValueError):
    """The text is not of this form; the message says why and quotes none of it."""


@dataclass(frozen=True)
class CompactJws:
    """A text that has the form; nothing in it is to be believed before `is_signed_by`."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signing_input: bytes
    signature: bytes

    @classmethod
    def read(cls, text: str, most_characters: int) -> CompactJws:
        """Return the parts of `text`.

        Raises JwsError when it is longer, not three parts in base64url without padding, each spelt the one way its
        bytes are, or the first two are not JSON objects in UTF-8 without duplicate keys.
        """
        if len(text) > most_characters or _FORM.fullmatch(text) is None:
            raise JwsError("it is not three parts in base64url without padding")
        header, claims, signature = text.split(".")
        try:
            signed = decode_base64url(signature)
        except ValueError as error:
            raise JwsError("its signature is not base64url") from error
        return cls(_header(header), _object(claims), f"{header}.{claims}".encode(), signed)

    def is_signed_by(self, key: Any, algorithm: str) -> bool:
        """Say whether the signature is that of `key`, a public key of cryptography's, by the key's own algorithm."""
        verified: bool = _ALGORITHMS[algorithm].verify(self.signing_input, key, self.signature)
        return verified


def decode_base64url(text: str) -> bytes:
    """Return the bytes whose unpadded base64url is exactly `text`; the standard decoder skips what it does not know.

    Raises ValueError.
    """
    standard = text.translate(_STANDARD_SIGNS)
    data = binascii.a2b_base64(standard + "=" * (-len(text) % 4))
    if binascii.b2a_base64(data, newline=False).rstrip(b"=") != standard.encode() or not _SIGNS.fullmatch(text):
        raise ValueError("not the one base64url of its bytes")
    return data


# All tokens of one key have one header, and all assertions of one certificate.
@lru_cache(maxsize=256)
def _header(part: str) -> dict[str, Any]:
    return _object(part)


def _object(part: str) -> dict[str, Any]:
    try:
        decoded = _JSON.decode(decode_base64url(part).decode())
    except (ValueError, RecursionError) as error:
        raise JwsError("a part is not base64url of JSON without duplicate keys") from error
    if not isinstance(decoded, dict):
        raise JwsError("a part is not a JSON object")
    return decoded


def _pairs_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


_JSON = json.JSONDecoder(object_pairs_hook=_pairs_without_duplicates)
