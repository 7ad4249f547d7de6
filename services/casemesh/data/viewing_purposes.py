"""Purposes for which dossiers and trails are viewed (查阅目的)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from casemesh.data.tables import ShippedDataError, rows

_FILE = "viewing_purposes.csv"
_COLUMNS = ["code", "name_zh", "name_en", "asks_for_text"]
_CODE = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class ViewingPurpose:
    """A kind of purpose. Where it asks for text, the code alone says too little."""

    code: str
    name_zh: str
    name_en: str
    asks_for_text: bool


@cache
def viewing_purposes() -> Mapping[str, ViewingPurpose]:
    """Return the kinds by their codes, in the order in which people choose. Raises ShippedDataError."""
    found: dict[str, ViewingPurpose] = {}
    for line, row in rows(_FILE, _COLUMNS):
        code, asks = row["code"], row["asks_for_text"]
        if _CODE.fullmatch(code) is None or code in found:
            raise ShippedDataError(_FILE, line, "code", f"{code!r} is no new code")
        if asks not in ("yes", "no"):
            raise ShippedDataError(_FILE, line, "asks_for_text", f"{asks!r} is neither yes nor no")
        found[code] = ViewingPurpose(code, row["name_zh"], row["name_en"], asks == "yes")
    return MappingProxyType(found)
