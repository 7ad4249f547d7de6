"""How tables that others publish are laid out, as data: a site loads what it holds, whatever its columns are called."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from casemesh.translation.v1.translation_admin_service_pb2 import PairColumns, TableColumns


@dataclass(frozen=True, slots=True)
class TableLayout:
    """One table: what it is called here, and its columns as an import request has them."""

    code_system: str
    display_name: str
    columns: TableColumns


@dataclass(frozen=True, slots=True)
class MapLayout:
    """One map: the file it stands in, what it joins, the rows that are its own, and its columns."""

    file: str
    concept_map: str
    source_code_system: str
    target_code_system: str
    direction: str
    columns: PairColumns


@cache
def table_layouts() -> Mapping[str, TableLayout]:
    """Return the layouts of tables by the name of their file without its ending."""
    return {name: _table(dict(entry)) for name, entry in _document()["table"].items()}


@cache
def map_layouts() -> Mapping[str, MapLayout]:
    """Return the layouts of maps by name; load their tables first."""
    return {name: _map(dict(entry)) for name, entry in _document()["map"].items()}


def _table(entry: dict[str, Any]) -> TableLayout:
    return TableLayout(entry.pop("code_system"), entry.pop("display_name"), TableColumns(**entry))


def _map(entry: dict[str, Any]) -> MapLayout:
    return MapLayout(
        file=entry.pop("file"),
        concept_map=entry.pop("concept_map"),
        source_code_system=entry.pop("source_code_system"),
        target_code_system=entry.pop("target_code_system"),
        direction=entry.pop("direction", ""),
        columns=PairColumns(**entry),
    )


def _document() -> dict[str, Any]:
    return tomllib.loads(files("casemesh.translation").joinpath("table_layouts.toml").read_text(encoding="utf-8"))
