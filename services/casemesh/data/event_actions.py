"""What is audited: every action that the platform's events can state, as people read it, and whether its text may go.

Only events of reading may be shredded when their time is over: what they say beyond who and when is the reader's own
words of purpose. What changes a case, a right or the platform itself stays as long as the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from casemesh.data.tables import ShippedDataError, rows

_FILE = "event_actions.csv"
_COLUMNS = ["action", "name_zh", "name_en", "may_be_shredded"]
_ACTION = re.compile(r"[a-z_]+(\.[a-z_]+){1,3}")


@dataclass(frozen=True, slots=True)
class EventAction:
    """One action."""

    action: str
    name_zh: str
    name_en: str
    may_be_shredded: bool
    """Whether the text of such events may be shredded, once two administrators say so."""


@cache
def event_actions() -> Mapping[str, EventAction]:
    """Return all actions by their code, in the file's order. Every column is filled in."""
    found: dict[str, EventAction] = {}
    for line, row in rows(_FILE, _COLUMNS):
        action = row["action"]
        if not _ACTION.fullmatch(action) or action in found:
            raise ShippedDataError(_FILE, line, "action", f"malformed or repeated: {action!r}")
        for column in _COLUMNS:
            if not row[column]:
                raise ShippedDataError(_FILE, line, column, "empty")
        if row["may_be_shredded"] not in ("yes", "no"):
            raise ShippedDataError(_FILE, line, "may_be_shredded", "must be yes or no")
        found[action] = EventAction(action, row["name_zh"], row["name_en"], row["may_be_shredded"] == "yes")
    return MappingProxyType(found)
