"""Tables and maps in PostgreSQL. A version is written once and read whole."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from casemesh.runtime.postgres import Database, Row, Transaction
from casemesh.translation.catalogue import Catalogue, LoadedCodeSystem
from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Equivalence, MapPair
from casemesh.translation.conditions import parse_condition
from casemesh.translation.periods import Period
from casemesh.translation.version_state import VersionState

_REVISION = "SELECT revision FROM catalogue_revision"
# So that no import commits between the statements that read a catalogue, and none that still runs is waited for.
_ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_NEXT_REVISION = "UPDATE catalogue_revision SET revision = revision + 1 RETURNING revision"
_SYSTEMS_IN_FORCE = """
SELECT DISTINCT ON (code_system) code_system, version, display_name, source, signer
FROM code_system_version WHERE state = 'active' ORDER BY code_system, in_force_revision DESC
"""
_SYSTEM_IN_FORCE = """
SELECT code_system, version FROM code_system_version
WHERE code_system = $1 AND state = 'active' ORDER BY in_force_revision DESC LIMIT 1
"""
_CODES = """
SELECT code, name_zh, effective_from, effective_until, successors, properties
FROM code WHERE code_system = $1 AND version = $2 ORDER BY position
"""
_MAPS = """
SELECT concept_map, version, source_code_system, target_code_system, effective_from, effective_until, signer
FROM concept_map_version WHERE state = 'active' ORDER BY in_force_revision DESC
"""
_MAP = """
SELECT concept_map, version, source_code_system, target_code_system, effective_from, effective_until, signer
FROM concept_map_version WHERE concept_map = $1 AND version = $2
"""
_PAIRS = """
SELECT from_code, to_code, equivalence, effective_from, effective_until, note, priority, condition
FROM concept_map_pair WHERE concept_map = $1 AND version = $2 ORDER BY position
"""
_SYSTEM_CONTENT = "SELECT content_sha256 FROM code_system_version WHERE code_system = $1 AND version = $2"
_MAP_CONTENT = "SELECT content_sha256 FROM concept_map_version WHERE concept_map = $1 AND version = $2"
_MAP_TABLES = """
SELECT source_code_system, target_code_system FROM concept_map_version WHERE concept_map = $1 LIMIT 1
"""
_INSERT_SYSTEM = """
INSERT INTO code_system_version
(code_system, version, display_name, source, code_count, content_sha256, in_force_revision, state, loaded_by, signer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_INSERT_MAP = """
INSERT INTO concept_map_version
(concept_map, version, source_code_system, source_version, target_code_system, target_version, effective_from,
 effective_until, pair_count, content_sha256, in_force_revision, state, loaded_by, signer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_CODE_COLUMNS = (
    "code_system",
    "version",
    "position",
    "code",
    "name_zh",
    "effective_from",
    "effective_until",
    "successors",
    "properties",
)
_PAIR_COLUMNS = (
    "concept_map",
    "version",
    "position",
    "from_code",
    "to_code",
    "equivalence",
    "effective_from",
    "effective_until",
    "note",
    "priority",
    "condition",
)


@dataclass(frozen=True, slots=True)
class Loading:
    """How a version is written: the digest of its content, the revision it takes, its state, who loads it."""

    content_sha256: bytes
    revision: int
    state: VersionState
    loaded_by: str


@dataclass(frozen=True, slots=True)
class MapTables:
    """Which tables a map joins."""

    source_code_system: str
    target_code_system: str


class TranslationStore:
    """Reads the catalogue, and writes versions within a transaction of the caller."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def revision(self) -> int:
        """Return the number of the last import."""
        revision: int = await self.database.fetchval(_REVISION)
        return revision

    async def catalogue(self, known: Catalogue) -> Catalogue:
        """Return what is in force now. What is in `known` already is taken over."""
        async with self.database.transaction() as transaction:
            await transaction.execute(_ONE_SNAPSHOT)
            revision: int = await transaction.fetchval(_REVISION)
            tables = {each.table.code_system: each.table for each in known.code_systems.values()}
            code_systems: dict[str, LoadedCodeSystem] = {}
            for row in await transaction.fetch(_SYSTEMS_IN_FORCE):
                table = tables.get(row["code_system"])
                if table is None or table.version != row["version"]:
                    table = await self._table(transaction, row["code_system"], row["version"])
                code_systems[row["code_system"]] = LoadedCodeSystem(
                    table, row["display_name"], row["source"], row["signer"]
                )
            # The pairs of a version never change; the days on which it is used may.
            maps = {(each.concept_map, each.version, each.period): each for each in known.concept_maps}
            concept_maps = [
                maps.get((row["concept_map"], row["version"], _period(row))) or await self._map(transaction, row)
                for row in await transaction.fetch(_MAPS)
            ]
        return Catalogue(revision, code_systems, concept_maps)

    async def table_in_force(self, transaction: Transaction, code_system: str) -> CodeSystem | None:
        """Return the table in force, or None when none of the name is loaded."""
        row = await transaction.fetchrow(_SYSTEM_IN_FORCE, code_system)
        return None if row is None else await self._table(transaction, row["code_system"], row["version"])

    async def concept_map(self, source: Database | Transaction, concept_map: str, version: str) -> ConceptMap | None:
        """Return a version in whatever state, or None when it is not loaded."""
        row = await source.fetchrow(_MAP, concept_map, version)
        return None if row is None else await self._map(source, row)

    async def next_revision(self, transaction: Transaction) -> int:
        """Take the next revision. Imports wait for each other here until they commit."""
        revision: int = await transaction.fetchval(_NEXT_REVISION)
        return revision

    async def code_system_content(self, transaction: Transaction, code_system: str, version: str) -> bytes | None:
        """Return the digest of a version's content, or None when it is not loaded."""
        found: bytes | None = await transaction.fetchval(_SYSTEM_CONTENT, code_system, version)
        return found

    async def concept_map_content(self, transaction: Transaction, concept_map: str, version: str) -> bytes | None:
        """Return the digest of a version's content, or None when it is not loaded."""
        found: bytes | None = await transaction.fetchval(_MAP_CONTENT, concept_map, version)
        return found

    async def concept_map_tables(self, transaction: Transaction, concept_map: str) -> MapTables | None:
        """Return which tables the map of this name joins, or None when there is none."""
        row = await transaction.fetchrow(_MAP_TABLES, concept_map)
        return None if row is None else MapTables(row["source_code_system"], row["target_code_system"])

    async def add_code_system(self, transaction: Transaction, loaded: LoadedCodeSystem, loading: Loading) -> None:
        """Write a new version."""
        table = loaded.table
        await transaction.execute(
            _INSERT_SYSTEM,
            table.code_system,
            table.version,
            loaded.display_name,
            loaded.source,
            len(table),
            loading.content_sha256,
            loading.revision,
            loading.state.value,
            loading.loaded_by,
            loaded.signer,
        )
        await transaction.copy("code", _CODE_COLUMNS, await asyncio.to_thread(_code_rows, table))

    async def add_concept_map(
        self,
        transaction: Transaction,
        loaded: ConceptMap,
        tables: tuple[CodeSystem, CodeSystem],
        loading: Loading,
    ) -> None:
        """Write a new version; `tables` are source and target that its codes were checked with."""
        source, target = tables
        await transaction.execute(
            _INSERT_MAP,
            loaded.concept_map,
            loaded.version,
            source.code_system,
            source.version,
            target.code_system,
            target.version,
            loaded.period.first,
            loaded.period.last,
            len(loaded.pairs),
            loading.content_sha256,
            loading.revision,
            loading.state.value,
            loading.loaded_by,
            loaded.signer,
        )
        await transaction.copy("concept_map_pair", _PAIR_COLUMNS, await asyncio.to_thread(_pair_rows, loaded))

    async def _table(self, transaction: Transaction, code_system: str, version: str) -> CodeSystem:
        rows = await transaction.fetch(_CODES, code_system, version)
        return await asyncio.to_thread(lambda: CodeSystem(code_system, version, map(_entry, rows)))

    async def _map(self, source: Database | Transaction, row: Row) -> ConceptMap:
        pairs = await source.fetch(_PAIRS, row["concept_map"], row["version"])
        return await asyncio.to_thread(
            lambda: ConceptMap(
                row["concept_map"],
                row["version"],
                row["source_code_system"],
                row["target_code_system"],
                map(_pair, pairs),
                _period(row),
                signer=row["signer"],
            )
        )


def _entry(row: Row) -> CodeEntry:
    return CodeEntry(row["code"], row["name_zh"], _period(row), tuple(row["successors"]), json.loads(row["properties"]))


def _pair(row: Row) -> MapPair:
    return MapPair(
        row["from_code"],
        row["to_code"],
        Equivalence(row["equivalence"]),
        _period(row),
        row["note"],
        row["priority"],
        parse_condition(row["condition"]),
    )


def _period(row: Row) -> Period:
    return Period(row["effective_from"], row["effective_until"])


def _code_rows(table: CodeSystem) -> list[tuple[Any, ...]]:
    return [
        (
            table.code_system,
            table.version,
            position,
            entry.code,
            entry.name_zh,
            entry.period.first,
            entry.period.last,
            list(entry.successors),
            json.dumps(dict(entry.properties), ensure_ascii=False),
        )
        for position, entry in enumerate(table.entries)
    ]


def _pair_rows(loaded: ConceptMap) -> list[tuple[Any, ...]]:
    return [
        (
            loaded.concept_map,
            loaded.version,
            position,
            pair.from_code,
            pair.to_code,
            pair.equivalence.value,
            pair.period.first,
            pair.period.last,
            pair.note,
            pair.priority,
            pair.condition.text if pair.condition else "",
        )
        for position, pair in enumerate(loaded.pairs)
    ]
