"""Numbers of cases, documents, persons and organisations: one form to compare, their parts, what is wrong with them.

    reading = read_number("（2024）闽0105刑初12号")
    reading.format, reading.parts["serial"], reading.findings

A number proves nothing by itself: a right check character says that it was typed as issued, not whose it is. A person
without a number, or of unknown identity, is lawful (刑事诉讼法 160), so no reader here ever asks for one.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

from casemesh.data.tables import ShippedDataError, shipped_bytes

_FILE = "number_formats.toml"
_BRACKETS = str.maketrans({**dict.fromkeys("([{〔【〖〈《「『", "("), **dict.fromkeys(")]}〕】〗〉》」』", ")")})
_KIND_KEYS = {"id", "name_zh", "name_en", "unknown", "opaque"}
_FORMAT_KEYS = {"id", "kind", "name_zh", "name_en", "shape", "pattern", "source", "examples"}
_FORMAT_OPTIONAL = {"checks", "finding", "note", "refused"}
_FINDING_KEYS = {"id", "zh", "en"}
_FORM_UNKNOWN = "NUMBER_FORM_UNKNOWN"

_GB11643_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_GB11643_CHECKS = "10X98765432"
_GB32100_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_GB11714_SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GB11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# First two digits of GB/T 2260; 81 to 83 stand on residence permits, 9 on the permanent residence card.
_PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9.")


@dataclass(frozen=True, slots=True)
class NumberKind:
    """What a number is the number of. `unknown_is_error` says whether one of no known form is refused. An opaque kind
    has no form of its own: it is recognised only where it is asked for, since anything would fit it."""

    id: str
    name_zh: str
    name_en: str
    unknown_is_error: bool
    opaque: bool


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One way in which numbers of a kind are written; `shape` is for people."""

    id: str
    kind: str
    name_zh: str
    name_en: str
    shape: str
    pattern: re.Pattern[str]
    checks: tuple[str, ...]
    finding: str
    """What every number of this form is told of; empty for nothing."""
    note: str
    source: str
    examples: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberFinding:
    """One thing about a number that a person should know, with its remedy in both languages."""

    reason: str
    is_error: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class NumberReading:
    """A number as read. `format` and `parts` are empty where no form fits."""

    original: str
    normalised: str
    kind: str
    format: str
    parts: Mapping[str, str]
    findings: tuple[NumberFinding, ...]

    @property
    def stands(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.is_error for finding in self.findings)


@dataclass(frozen=True, slots=True)
class NumberFormats:
    """The whole table."""

    kinds: Mapping[str, NumberKind]
    formats: tuple[NumberFormat, ...]
    findings: Mapping[str, NumberFinding]


def normalise(text: str) -> str:
    """Return the one form in which two ways of writing a number compare equal.

    Full-width characters become half-width, brackets of every shape round ones, Latin letters upper-case; blanks and
    invisible characters go. Doing it again changes nothing. For comparing and searching alone: the original is what the
    document says.
    """
    shown = "".join(
        character
        for character in unicodedata.normalize("NFKC", text)
        if not (character.isspace() or unicodedata.category(character) in ("Cf", "Cc"))
    )
    return unicodedata.normalize("NFKC", shown.translate(_BRACKETS).upper())


def read_number(text: str, kind: str = "") -> NumberReading:
    """Return what is known of a number: of one kind, or of whichever kind fits first.

    A number of no known form has the finding NUMBER_FORM_UNKNOWN, an error only where its kind says so; without `kind`
    it is a warning. Raises KeyError for a kind that does not exist.
    """
    table = number_formats()
    normalised = normalise(text)
    expected = table.kinds[kind] if kind else None
    for form in table.formats:
        if form.kind != kind if kind else table.kinds[form.kind].opaque:
            continue
        match = form.pattern.fullmatch(normalised)
        if match is not None:
            parts = {name: part for name, part in match.groupdict().items() if part is not None}
            reasons = [reason for check in form.checks if (reason := _CHECKS[check](normalised, parts))]
            if form.finding:
                reasons.append(form.finding)
            found = tuple(table.findings[reason] for reason in reasons)
            return NumberReading(text, normalised, form.kind, form.id, MappingProxyType(parts), found)
    told = table.findings[_FORM_UNKNOWN]
    is_error = expected is not None and expected.unknown_is_error
    finding = NumberFinding(told.reason, is_error, told.zh, told.en)
    return NumberReading(text, normalised, kind, "", MappingProxyType({}), (finding,))


@cache
def number_formats() -> NumberFormats:
    """Return the shipped formats, checked: every kind has one, and every kind, check and finding named exists.

    Raises ShippedDataError.
    """
    tables = tomllib.loads(shipped_bytes(_FILE).decode("utf-8"))
    kinds = {row["id"]: _kind(row) for row in tables["kind"]}
    findings = {row["id"]: _finding(row) for row in tables["finding"]}
    formats = tuple(_format(row, kinds, findings) for row in tables["format"])
    for kind in kinds:
        if all(form.kind != kind for form in formats):
            raise ShippedDataError(_FILE, 0, "kind", f"{kind} has no format")
    return NumberFormats(MappingProxyType(kinds), formats, MappingProxyType(findings))


def _kind(row: dict[str, Any]) -> NumberKind:
    if not _KIND_KEYS - {"opaque"} <= set(row) <= _KIND_KEYS or row["unknown"] not in ("warning", "error"):
        raise ShippedDataError(_FILE, 0, f"kind {row.get('id')}", f"keys must be {', '.join(sorted(_KIND_KEYS))}")
    return NumberKind(row["id"], row["name_zh"], row["name_en"], row["unknown"] == "error", bool(row.get("opaque")))


def _finding(row: dict[str, str]) -> NumberFinding:
    if not set(row) >= _FINDING_KEYS or row.get("weight", "warning") not in ("warning", "error"):
        raise ShippedDataError(_FILE, 0, f"finding {row.get('id')}", "needs id, zh, en and a weight")
    return NumberFinding(row["id"], row.get("weight") == "error", row["zh"], row["en"])


def _format(
    row: dict[str, object], kinds: Mapping[str, NumberKind], findings: Mapping[str, NumberFinding]
) -> NumberFormat:
    place = f"format {row.get('id')}"
    if not _FORMAT_KEYS <= set(row) <= _FORMAT_KEYS | _FORMAT_OPTIONAL:
        raise ShippedDataError(_FILE, 0, place, f"keys must be {', '.join(sorted(_FORMAT_KEYS))}")
    checks, finding = _texts(row.get("checks")), str(row.get("finding", ""))
    if row["kind"] not in kinds or not set(checks) <= set(_CHECKS) or (finding and finding not in findings):
        raise ShippedDataError(_FILE, 0, place, "names a kind, check or finding that does not exist")
    try:
        pattern = re.compile(str(row["pattern"]), re.ASCII)
    except re.error as error:
        raise ShippedDataError(_FILE, 0, place, f"pattern: {error}") from None
    return NumberFormat(
        id=str(row["id"]),
        kind=str(row["kind"]),
        name_zh=str(row["name_zh"]),
        name_en=str(row["name_en"]),
        shape=str(row["shape"]),
        pattern=pattern,
        checks=checks,
        finding=finding,
        note=str(row.get("note", "")),
        source=str(row["source"]),
        examples=_texts(row["examples"]),
        refused=_texts(row.get("refused")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _citizen_check(number: str, parts: Mapping[str, str]) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(number, _GB11643_WEIGHTS, strict=False))
    return "" if _GB11643_CHECKS[total % 11] == parts["check"] else "NUMBER_CHECK_WRONG"


def _credit_check(number: str, parts: Mapping[str, str]) -> str:
    total = sum(_GB32100_SYMBOLS.index(symbol) * pow(3, place, 31) for place, symbol in enumerate(number[:17]))
    return "" if _GB32100_SYMBOLS[-total % 31] == parts["check"] else "NUMBER_CHECK_WRONG"


def _organization_check(_: str, parts: Mapping[str, str]) -> str:
    body, check = parts["organization"][:-1], parts["organization"][-1]
    total = sum(_GB11714_SYMBOLS.index(symbol) * weight for symbol, weight in zip(body, _GB11714_WEIGHTS, strict=True))
    return "" if "0123456789X"[-total % 11] == check else "NUMBER_ORGANIZATION_CHECK_WRONG"


def _date_check(_: str, parts: Mapping[str, str]) -> str:
    digits = parts.get("date") or f"19{parts['short_date']}"
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return "NUMBER_DATE_IMPOSSIBLE"
    return ""


def _province_check(_: str, parts: Mapping[str, str]) -> str:
    return "" if _PROVINCES.match(parts["division"]) else "NUMBER_PROVINCE_UNKNOWN"


_CHECKS: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {
    "gb11643": _citizen_check,
    "gb32100": _credit_check,
    "gb11714": _organization_check,
    "date": _date_check,
    "province": _province_check,
}
"""Each returns the finding's reason, or nothing."""
