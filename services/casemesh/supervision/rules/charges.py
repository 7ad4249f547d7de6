"""Which charges were in force when: what CaseMesh ships of the judicial interpretations that name them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType

from casemesh.data.tables import shipped_bytes

_FILE = "codes/criminal_charges.csv"


@cache
def charges() -> Mapping[str, date | None]:
    """Return the last day of each charge by its code, None for one in force."""
    text = shipped_bytes(_FILE).decode("utf-8")
    return MappingProxyType(
        {
            row["code"]: date.fromisoformat(row["effective_until"]) if row["effective_until"] else None
            for row in csv.DictReader(io.StringIO(text, newline=""))
        }
    )
