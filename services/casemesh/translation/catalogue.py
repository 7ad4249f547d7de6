"""What is loaded and in force: one immutable picture of all tables and maps, which calls read without waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from casemesh.errors import NotFound
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Translation, translate
from casemesh.translation.conditions import NO_RECORD, Record


@dataclass(frozen=True, slots=True)
class LoadedCodeSystem:
    """The version of a table that is in force, what its importer said of it, and who signed it."""

    table: CodeSystem
    display_name: str
    source: str
    signer: str = ""


@dataclass(frozen=True)
class Catalogue:
    """All tables in force, and all active maps, the one put in force last first. `revision` rises with every change."""

    revision: int
    code_systems: Mapping[str, LoadedCodeSystem]
    concept_maps: Sequence[ConceptMap]
    _joining: dict[tuple[str, str], list[ConceptMap]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        joining: dict[tuple[str, str], list[ConceptMap]] = {}
        for concept_map in self.concept_maps:
            tables = (concept_map.source_code_system, concept_map.target_code_system)
            joining.setdefault(tables, []).append(concept_map)
        object.__setattr__(self, "_joining", joining)

    def table(self, code_system: str) -> CodeSystem:
        """Return the table in force.

        Raises NotFound (CODE_SYSTEM_UNKNOWN).
        """
        loaded = self.code_systems.get(code_system)
        if loaded is None:
            raise NotFound(
                "CODE_SYSTEM_UNKNOWN",
                f"no code system {code_system} is loaded; list them with ListCodeSystems",
                {"code_system": code_system},
            )
        return loaded.table

    def translate(
        self, code_system: str, code: str, target_code_system: str, day: date, record: Record = NO_RECORD
    ) -> Translation:
        """Say what becomes of a code as of `day`, rules decided by `record`.

        Raises NotFound (CODE_SYSTEM_UNKNOWN) when one of the tables is not loaded; every other case is an answer.
        """
        source, target = self.table(code_system), self.table(target_code_system)
        maps = self._joining.get((code_system, target_code_system), ())
        return translate(code, source=source, target_code_system=target.code_system, maps=maps, day=day, record=record)

    def maps_in_force(self, day: date) -> dict[str, ConceptMap]:
        """Return by identifier the version of each map that is used on `day`."""
        found: dict[str, ConceptMap] = {}
        for concept_map in self.concept_maps:
            if concept_map.period.covers(day):
                found.setdefault(concept_map.concept_map, concept_map)
        return found


EMPTY = Catalogue(0, {}, ())
