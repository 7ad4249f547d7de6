"""The code packs CaseMesh ships, shaped as the translation service's import requests."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from casemesh.data.tables import ShippedDataError, shipped_bytes

_INDEX = "codes/packs.toml"


@dataclass(frozen=True, slots=True)
class CodeSystemPack:
    """One version of a table of codes, with its CSV bytes."""

    code_system: str
    version: str
    display_name: str
    source: str
    csv: bytes


@dataclass(frozen=True, slots=True)
class ConceptMapPack:
    """One version of a map between two shipped tables, with its CSV bytes."""

    concept_map: str
    version: str
    source_code_system: str
    target_code_system: str
    csv: bytes


def code_system_packs() -> tuple[CodeSystemPack, ...]:
    """Return the shipped code systems.

    Raises ShippedDataError for an unknown or missing key of the index.
    """
    keys = {"code_system", "version", "display_name", "source"}
    return tuple(CodeSystemPack(csv=csv, **entry) for entry, csv in _entries("code_system", keys))


def concept_map_packs() -> tuple[ConceptMapPack, ...]:
    """Return the shipped concept maps; import them after the code systems.

    Raises ShippedDataError for an unknown or missing key, or for a map between systems that do not ship.
    """
    keys = {"concept_map", "version", "source_code_system", "target_code_system"}
    packs = tuple(ConceptMapPack(csv=csv, **entry) for entry, csv in _entries("concept_map", keys))
    shipped = {pack.code_system for pack in code_system_packs()}
    for pack in packs:
        for system in (pack.source_code_system, pack.target_code_system):
            if system not in shipped:
                raise ShippedDataError(_INDEX, 0, pack.concept_map, f"code system {system} does not ship")
    return packs


def _entries(table: str, keys: set[str]) -> list[tuple[dict[str, str], bytes]]:
    found = []
    for entry in tomllib.loads(shipped_bytes(_INDEX).decode("utf-8")).get(table, []):
        if set(entry) != keys | {"file"}:
            expected = ", ".join(sorted(keys | {"file"}))
            raise ShippedDataError(_INDEX, 0, entry.get(table, table), f"keys must be {expected}")
        fields = {key: entry[key] for key in keys}
        found.append((fields, shipped_bytes(f"codes/{entry['file']}")))
    return found
