"""Rules of a map on other fields of the record: `field=value`, `field=one|other`, `field!=value`, joined by `&`.

Declarative and no more than that: a rule that needs more than equality is a decision for a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Record = Mapping[str, tuple[str, ...]]
"""Values by field: codes as written, text as written. A field with several values has them all."""

NO_RECORD: Record = {}
MAX_LENGTH = 500
_CLAUSE = re.compile(r"(?P<field>[^=!&|\s]{1,128})(?P<sign>!?=)(?P<values>[^=!&]+)")


class ConditionError(ValueError):
    """The text is no rule; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of one field."""

    field: str
    values: frozenset[str]
    negated: bool = False

    def holds(self, record: Record) -> bool | None:
        """Return whether one of the field's values is one of these, or for a negated clause none is.

        None when the record lacks the field: what is not known is not different.
        """
        found = record.get(self.field)
        if not found:
            return None
        return self.values.isdisjoint(found) if self.negated else not self.values.isdisjoint(found)


@dataclass(frozen=True, slots=True)
class Condition:
    """Clauses that must all hold. `text` is the rule as written."""

    text: str
    clauses: tuple[Clause, ...]

    def holds(self, record: Record) -> bool | None:
        """Return whether all clauses hold; None when none is broken and some cannot be decided."""
        decided = [clause.holds(record) for clause in self.clauses]
        if False in decided:
            return False
        return None if None in decided else True

    def missing(self, record: Record) -> frozenset[str]:
        """Return the fields it asks for that the record lacks."""
        return frozenset(clause.field for clause in self.clauses if not record.get(clause.field))


def parse_condition(text: str) -> Condition | None:
    """Return the rule that `text` writes; None for the empty text, which always holds.

    Raises ConditionError.
    """
    if not text:
        return None
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"{len(text)} characters; a rule has at most {MAX_LENGTH}")
    return Condition(text, tuple(_clause(part) for part in text.split("&")))


def _clause(text: str) -> Clause:
    match = _CLAUSE.fullmatch(text)
    values = match["values"].split("|") if match else []
    if match is None or not all(value and value == value.strip() for value in values):
        raise ConditionError(f"{text!r} is not of the form field=value, field=one|other or field!=value")
    return Clause(match["field"], frozenset(values), negated=match["sign"] == "!=")
