"""Irregularities that nothing on the platform can show, and which facts are missing for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from casemesh.data.tables import ShippedDataError, rows
from casemesh.supervision.rules.dictionary import fact_of

_FILE = "supervision/not_evaluable.csv"
_COLUMNS = ["check", "name_zh", "name_en", "has", "lacks", "why_zh", "why_en"]


@dataclass(frozen=True, slots=True)
class NotEvaluable:
    """A check without a rule. Of the facts it needs, `has` are those that exist and `lacks` those that do not."""

    check: str
    name_zh: str
    name_en: str
    has: tuple[str, ...]
    lacks: tuple[str, ...]
    why_zh: str
    why_en: str


@cache
def not_evaluable() -> tuple[NotEvaluable, ...]:
    """Return them in the file's order.

    Raises ShippedDataError unless what each lacks is absent from the dictionary, and what it has is in it.
    """
    found: dict[str, NotEvaluable] = {}
    for line, row in rows(_FILE, _COLUMNS):
        has, lacks = _list(row["has"]), _list(row["lacks"])
        if row["check"] in found or not lacks or not row["why_zh"] or not row["why_en"]:
            raise ShippedDataError(_FILE, line, "check", "repeated, or nothing said of what it lacks and why")
        for name, column, wanted in [*((n, "has", True) for n in has), *((n, "lacks", False) for n in lacks)]:
            root, _, member = name.partition(".")
            if (fact_of(root, member) is not None) is not wanted:
                raise ShippedDataError(_FILE, line, column, f"{name} is {'not ' if wanted else ''}in the dictionary")
        found[row["check"]] = NotEvaluable(
            row["check"], row["name_zh"], row["name_en"], has, lacks, row["why_zh"], row["why_en"]
        )
    return tuple(found.values())


def _list(field: str) -> tuple[str, ...]:
    return tuple(part for part in field.split(";") if part)
