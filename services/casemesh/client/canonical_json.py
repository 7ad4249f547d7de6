"""Canonical JSON: one sequence of bytes for one value, so that it can be hashed and signed.

The subset CaseMesh signs is narrower than JSON: no floats and no integer beyond 2**53 - 1 (both read differently
in other languages), no key twice (readers disagree on which counts). Larger numbers are written as strings.

Source: RFC 8785 (JSON Canonicalization Scheme, JCS); RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
from typing import NoReturn, TypeAlias

import rfc8785

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 64

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class CanonicalJsonError(ValueError):
    """The value or text is outside the subset of JSON that CaseMesh signs."""


def dumps(value: Json) -> bytes:
    """Return the canonical UTF-8 bytes of `value`.

    Raises CanonicalJsonError for floats, integers beyond 2**53 - 1, keys that are not strings, lone surrogates,
    anything that is not JSON, and nesting deeper than 64.
    """
    _check(value, 0)
    text = _encode(value)
    if text.isascii():
        # The two orders of keys differ beyond ASCII alone, and this one is written in C: every event and receipt
        # passes here.
        return text.encode()
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise CanonicalJsonError(f"no canonical form: {error}") from error


def loads(data: bytes | str) -> Json:
    """Return the value of one JSON text, in any layout.

    Raises CanonicalJsonError for a key that occurs twice in one object, floats, NaN and infinities, integers
    beyond 2**53 - 1, invalid UTF-8, lone surrogates, and nesting deeper than 64.
    """
    try:
        text = data.decode("utf-8", "strict") if isinstance(data, bytes) else data
        value: Json = json.loads(
            text,
            object_pairs_hook=_object_without_repeats,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_bounded_integer,
        )
    except UnicodeDecodeError as error:
        raise CanonicalJsonError("not valid UTF-8") from error
    except json.JSONDecodeError as error:
        raise CanonicalJsonError(f"not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise CanonicalJsonError(f"nested deeper than {MAX_DEPTH}") from error
    _check(value, 0)
    return value


def loads_canonical(data: bytes) -> Json:
    """Return the value of `data` only if `data` is its canonical form, byte for byte.

    Raises CanonicalJsonError otherwise. What was signed is then what every reader sees.
    """
    value = loads(data)
    if dumps(value) != data:
        raise CanonicalJsonError("not in canonical form")
    return value


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise CanonicalJsonError(f"nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool():
            pass
        case str():
            if not value.isascii():
                _require_encodable(value)
        case int():
            if abs(value) > MAX_INTEGER:
                raise CanonicalJsonError("integers beyond 2**53 - 1 are written as strings")
        case dict():
            for key, member in value.items():
                if not isinstance(key, str):
                    raise CanonicalJsonError("object keys are strings")
                if not key.isascii():
                    _require_encodable(key)
                # Most of what is signed is plain text in one object; a call for each would be half of the cost.
                if type(member) is not str or not member.isascii() or depth == MAX_DEPTH:
                    _check(member, depth + 1)
        case list() | tuple():
            for item in value:
                _check(item, depth + 1)
        case float():
            raise CanonicalJsonError("floats are not signed; write a string or a scaled integer")
        case _:
            raise CanonicalJsonError(f"{type(value).__name__} is not JSON")


def _require_encodable(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CanonicalJsonError("a lone surrogate is not text") from error


def _object_without_repeats(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise CanonicalJsonError("a key occurs twice in one object")
    return members


def _refuse_number(literal: str) -> NoReturn:
    raise CanonicalJsonError("floats are not signed; write a string or a scaled integer")


def _bounded_integer(literal: str) -> int:
    # Checked before int() sees it: a literal of a million digits must not cost quadratic time.
    if len(literal) > len(str(-MAX_INTEGER)) or abs(int(literal)) > MAX_INTEGER:
        raise CanonicalJsonError("integers beyond 2**53 - 1 are written as strings")
    return int(literal)
