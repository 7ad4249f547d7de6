"""Coded reasons to return an exchange for correction (退回补正), composed for CaseMesh from what receivers check.

None of them is a ground of the law, and none has an effect on a clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from casemesh.data.tables import ShippedDataError, rows

_FILE = "return_reasons.csv"
_COLUMNS = ["code", "name_zh", "name_en", "remedy_zh", "remedy_en"]
_CODE = re.compile(r"[A-Z][A-Z_]{0,63}")

SEE_REMARK = "SEE_REMARK"
"""The reason that says nothing by itself: the remark beside it must."""


@dataclass(frozen=True, slots=True)
class ReturnReason:
    """One reason, and what the sender does about it."""

    code: str
    name_zh: str
    name_en: str
    remedy_zh: str
    remedy_en: str


@cache
def return_reasons() -> Mapping[str, ReturnReason]:
    """Return all reasons by code, in the file's order. Every column is filled in."""
    found: dict[str, ReturnReason] = {}
    for line, row in rows(_FILE, _COLUMNS):
        if not _CODE.fullmatch(row["code"]) or row["code"] in found:
            raise ShippedDataError(_FILE, line, "code", f"malformed or repeated: {row['code']!r}")
        for column in _COLUMNS:
            if not row[column]:
                raise ShippedDataError(_FILE, line, column, "empty")
        found[row["code"]] = ReturnReason(**row)
    return MappingProxyType(found)
