"""Statutory time limits (法定期限) and the grounds on which they are extended."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import cache

from casemesh.data.tables import ShippedDataError, rows

_LIMITS = "time_limits.csv"
_EXTENSIONS = "time_limit_extensions.csv"
_LIMIT_COLUMNS = [
    "code",
    "name_zh",
    "name_en",
    "stage",
    "custody",
    "trigger",
    "end",
    "kind",
    "length",
    "unit",
    "extension",
    "approver",
    "legal_basis",
    "legal_basis_checked",
    "right_of",
    "note",
    "source",
    "review",
]
_EXTENSION_COLUMNS = ["limit", "ground_zh", "ground_en", "mode", "length", "unit", "at_most", "see"]
_CODE = re.compile(r"TL[0-9]{3}")
_NUMBER = re.compile(r"[0-9]+(\.5)?")
_HALF_A_MONTH_DAYS = 15


class LimitKind(enum.Enum):
    """What the length of a limit measures."""

    DEADLINE = "deadline"
    """Something must be done by its end."""
    BEFORE_EVENT = "before_event"
    """Something must be done at least so long before an event."""
    MEASURE_CAP = "measure_cap"
    """A measure may last no longer."""
    VALIDITY = "validity"
    """What was ordered lapses at its end unless renewed."""
    PROBATION_PERIOD = "probation_period"
    """Something may follow only after its end."""
    MIN_GAP = "min_gap"
    """The next may begin only after its end."""
    COUNT = "count"
    """It may happen only so often."""
    THRESHOLD = "threshold"
    """A remaining term up to this length is treated differently."""
    RULE = "rule"
    """A rule of reckoning, without a length of its own."""


class Unit(enum.Enum):
    """What a length is counted in."""

    HOUR = "hour"
    DAY = "day"
    WORKDAY = "workday"
    MONTH = "month"
    YEAR = "year"
    TIMES = "times"


class Held(enum.Enum):
    """Whom a limit is for: persons held, persons at liberty, or both."""

    ANY = "any"
    IN_CUSTODY = "in_custody"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Length:
    """A length as the law states it. `days` beside `unit` MONTH is the half month, always 15 days.

    Source: Interpretation of the Supreme People's Court on the Criminal Procedure Law, article 202.
    """

    count: int
    unit: Unit
    days: int = 0


@dataclass(frozen=True, slots=True)
class Extension:
    """A ground on which a limit is longer.

    `total` is the whole length instead of the limit's own; otherwise `length` comes on top. `at_most` says how often, 0
    without bound. `see` is the limit under which the law states the longer term, or empty.
    """

    ground_zh: str
    ground_en: str
    total: bool
    length: Length
    at_most: int
    see: str


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A statutory limit.

    `trigger` and `end` name what starts and what meets it, in the words of the law. `right_of_party` says that it is
    the time a party has, not an organ. `extension` is what the law says of longer terms, `extensions` what of it is
    ready for reckoning. `legal_basis_checked` and `review` say how far it was held against the text of the law.
    """

    code: str
    name_zh: str
    name_en: str
    stage: str
    custody: Held
    trigger: str
    end: str
    kind: LimitKind
    length: Length
    extension: str
    extensions: tuple[Extension, ...]
    approver: str
    legal_basis: str
    legal_basis_checked: str
    right_of_party: bool
    note: str
    source: str
    review: str


@cache
def time_limits() -> tuple[TimeLimit, ...]:
    """Return all limits in the file's order. Codes are unique; extensions belong to limits that exist."""
    extensions: dict[str, list[tuple[int, Extension]]] = {}
    for line, row in rows(_EXTENSIONS, _EXTENSION_COLUMNS):
        extensions.setdefault(row["limit"], []).append((line, _extension(line, row)))
    found: dict[str, TimeLimit] = {}
    for line, row in rows(_LIMITS, _LIMIT_COLUMNS):
        if _CODE.fullmatch(row["code"]) is None or row["code"] in found:
            raise ShippedDataError(_LIMITS, line, "code", f"not TL and three digits, or repeated: {row['code']!r}")
        own = tuple(extension for _, extension in extensions.pop(row["code"], []))
        found[row["code"]] = _limit(line, row, own)
    for code, orphans in extensions.items():
        raise ShippedDataError(_EXTENSIONS, orphans[0][0], "limit", f"not in {_LIMITS}: {code}")
    for limit in found.values():
        for extension in limit.extensions:
            if extension.see and extension.see not in found:
                raise ShippedDataError(_EXTENSIONS, 0, "see", f"not in {_LIMITS}: {extension.see}")
    return tuple(found.values())


def _limit(line: int, row: dict[str, str], extensions: tuple[Extension, ...]) -> TimeLimit:
    for field in ("name_zh", "name_en", "trigger", "end", "legal_basis", "source"):
        if not row[field]:
            raise ShippedDataError(_LIMITS, line, field, "empty")
    if row["right_of"] not in ("organ", "party"):
        raise ShippedDataError(_LIMITS, line, "right_of", f"organ or party, not {row['right_of']!r}")
    try:
        kind, custody = LimitKind(row["kind"]), Held(row["custody"])
    except ValueError as error:
        raise ShippedDataError(_LIMITS, line, "kind, custody", str(error)) from None
    return TimeLimit(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        stage=row["stage"],
        custody=custody,
        trigger=row["trigger"],
        end=row["end"],
        kind=kind,
        length=_length(_LIMITS, line, row),
        extension=row["extension"],
        extensions=extensions,
        approver=row["approver"],
        legal_basis=row["legal_basis"],
        legal_basis_checked=row["legal_basis_checked"],
        right_of_party=row["right_of"] == "party",
        note=row["note"],
        source=row["source"],
        review=row["review"],
    )


def _extension(line: int, row: dict[str, str]) -> Extension:
    if row["mode"] not in ("add", "total"):
        raise ShippedDataError(_EXTENSIONS, line, "mode", f"add or total, not {row['mode']!r}")
    if not row["at_most"].isdecimal():
        raise ShippedDataError(_EXTENSIONS, line, "at_most", "not a whole number")
    return Extension(
        ground_zh=row["ground_zh"],
        ground_en=row["ground_en"],
        total=row["mode"] == "total",
        length=_length(_EXTENSIONS, line, row),
        at_most=int(row["at_most"]),
        see=row["see"],
    )


def _length(file: str, line: int, row: dict[str, str]) -> Length:
    text = row["length"]
    try:
        unit = Unit(row["unit"])
    except ValueError as error:
        raise ShippedDataError(file, line, "unit", str(error)) from None
    if _NUMBER.fullmatch(text) is None or ("." in text and unit is not Unit.MONTH):
        raise ShippedDataError(file, line, "length", f"a whole number, or half a month more, not {text!r}")
    whole, _, half = text.partition(".")
    return Length(int(whole), unit, _HALF_A_MONTH_DAYS if half else 0)
