"""States of versions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.runtime.postgres import Database, Row, Transaction
from casemesh.translation.periods import ALWAYS, Period
from casemesh.translation.version_state import VersionState

_SYSTEM = """
SELECT code_system AS identifier, version, state, loaded_by, signer, display_name, source, code_count AS count,
       in_force_revision
FROM code_system_version WHERE code_system = $1 AND version = $2
"""
_MAP = """
SELECT concept_map AS identifier, version, state, loaded_by, signer, source_code_system, target_code_system,
       effective_from, effective_until, pair_count AS count, in_force_revision
FROM concept_map_version WHERE concept_map = $1 AND version = $2
"""
_SYSTEM_STATE = """
UPDATE code_system_version SET state = $3, in_force_revision = $4, loaded_by = $5
WHERE code_system = $1 AND version = $2
"""
_MAP_STATE = """
UPDATE concept_map_version
SET state = $3, in_force_revision = $4, loaded_by = $5, effective_from = $6, effective_until = $7
WHERE concept_map = $1 AND version = $2
"""
_OTHER_ACTIVE = """
SELECT EXISTS (SELECT FROM code_system_version WHERE code_system = $1 AND version <> $2 AND state = 'active')
"""
_JOINING = """
SELECT concept_map FROM concept_map_version
WHERE state = 'active' AND $1 IN (source_code_system, target_code_system) ORDER BY concept_map LIMIT 1
"""
_CODES_GONE = """
SELECT pair.code FROM (
    SELECT from_code AS code, source_code_system AS code_system FROM concept_map_pair JOIN concept_map_version
    USING (concept_map, version) WHERE concept_map = $1 AND version = $2
    UNION
    SELECT to_code, target_code_system FROM concept_map_pair JOIN concept_map_version
    USING (concept_map, version) WHERE concept_map = $1 AND version = $2 AND to_code <> ''
) AS pair
LEFT JOIN LATERAL (
    SELECT version FROM code_system_version
    WHERE code_system_version.code_system = pair.code_system AND state = 'active'
    ORDER BY in_force_revision DESC LIMIT 1
) AS in_force ON true
WHERE NOT EXISTS (
    SELECT FROM code
    WHERE code.code_system = pair.code_system AND code.version = in_force.version AND code.code = pair.code
)
ORDER BY pair.code LIMIT 1
"""
_LIST = """
SELECT * FROM (
    SELECT 'code_system' AS kind, code_system AS identifier, version, state, signer, display_name, source,
           '' AS source_code_system, '' AS target_code_system,
           NULL::date AS effective_from, NULL::date AS effective_until,
           code_count AS count, in_force_revision
    FROM code_system_version
    UNION ALL
    SELECT 'concept_map', concept_map, version, state, signer, '', '', source_code_system, target_code_system,
           effective_from, effective_until, pair_count, in_force_revision
    FROM concept_map_version
) AS loaded
WHERE ($1 = '' OR identifier = $1) AND ($2::bigint IS NULL OR in_force_revision < $2)
ORDER BY in_force_revision DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Version:
    """What is known of a version besides its codes or pairs. The two tables and the period are a map's."""

    identifier: str
    version: str
    state: VersionState
    signer: str
    count: int
    revision: int
    loaded_by: str = ""
    display_name: str = ""
    source: str = ""
    source_code_system: str = ""
    target_code_system: str = ""
    period: Period = ALWAYS

    @property
    def is_map(self) -> bool:
        """Return whether it is a version of a map."""
        return bool(self.source_code_system)


class VersionStore:
    """Reads and changes states of versions."""

    async def code_system(self, transaction: Transaction, code_system: str, version: str) -> Version | None:
        """Return a version of a table, or None when it is not loaded."""
        row = await transaction.fetchrow(_SYSTEM, code_system, version)
        return None if row is None else _version(row)

    async def concept_map(self, transaction: Database | Transaction, concept_map: str, version: str) -> Version | None:
        """Return a version of a map, or None when it is not loaded."""
        row = await transaction.fetchrow(_MAP, concept_map, version)
        return None if row is None else _version(row)

    async def set_state(self, transaction: Transaction, version: Version) -> None:
        """Write state, revision, who loaded it and, for a map, the period that `version` has."""
        key = (version.identifier, version.version, version.state.value, version.revision, version.loaded_by)
        if version.is_map:
            await transaction.execute(_MAP_STATE, *key, version.period.first, version.period.last)
        else:
            await transaction.execute(_SYSTEM_STATE, *key)

    async def has_other_active(self, transaction: Transaction, code_system: str, version: str) -> bool:
        """Return whether another version of the table is active."""
        found: bool = await transaction.fetchval(_OTHER_ACTIVE, code_system, version)
        return found

    async def joining_map(self, transaction: Transaction, code_system: str) -> str | None:
        """Return an active map that joins the table, or None."""
        found: str | None = await transaction.fetchval(_JOINING, code_system)
        return found

    async def code_gone(self, transaction: Transaction, concept_map: str, version: str) -> str | None:
        """Return a code of the map that the tables in force lack, or None."""
        found: str | None = await transaction.fetchval(_CODES_GONE, concept_map, version)
        return found

    async def page(
        self, database: Database, identifier: str, before_revision: int | None, limit: int
    ) -> Sequence[Version]:
        """Return versions of one name, or of all for "", newest first, those before a revision."""
        return [_version(row) for row in await database.fetch(_LIST, identifier, before_revision, limit)]


def _version(row: Row) -> Version:
    fields = dict(row)
    period = Period(fields.get("effective_from"), fields.get("effective_until"))
    known = ("loaded_by", "display_name", "source", "source_code_system", "target_code_system")
    return Version(
        identifier=fields["identifier"],
        version=fields["version"],
        state=VersionState(fields["state"]),
        signer=fields["signer"],
        count=fields["count"],
        revision=fields["in_force_revision"],
        period=period,
        **{key: fields[key] for key in known if key in fields},
    )
