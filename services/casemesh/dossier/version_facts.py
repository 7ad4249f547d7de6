"""What versions hold, in codes and counts, for whoever watches the procedure: no names and no content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.core.names import DOSSIER_VERSION
from casemesh.data.dossier_catalogue import load
from casemesh.dossier.never_crosses import SURE_CONFIDENCE
from casemesh.runtime.postgres import Database

# An officer's word that a document is of no type of the catalogue settles it; a guess that found none does not.
_FACTS = """
SELECT version.dossier_id::text AS dossier_id, version.version_id::text AS version_id, version.page_count,
    array_remove(array_agg(DISTINCT type_code), NULL) AS types,
    array_remove(array_agg(DISTINCT type_code) FILTER (WHERE confidence >= $2), NULL) AS sure_types,
    count(*) FILTER (WHERE type_code IS NULL AND source IS DISTINCT FROM 'officer') AS untyped_count
FROM dossier_version AS version JOIN document USING (dossier_id, revision) LEFT JOIN classification USING (document_id)
WHERE version.version_id = ANY($1::uuid[]) GROUP BY version.version_id
"""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What a version holds. Codes of the catalogue, each once, in their order; `volumes` are those of documents whose
    type is sure, `untyped_count` counts documents of which nobody knows the type."""

    version: str
    page_count: int
    document_types: tuple[str, ...]
    volumes: tuple[str, ...]
    untyped_count: int


class VersionFactsStore:
    """Reads the facts of versions, whoever asks: the caller sees to that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, versions: Sequence[str]) -> list[VersionFacts]:
        """Facts by the types known now, in the order of `versions`; one that is not there is left out."""
        kinds = load().types
        ids = [DOSSIER_VERSION.parse(name)["version"] for name in versions]
        found: dict[str, VersionFacts] = {}
        for row in await self._database.fetch(_FACTS, ids, SURE_CONFIDENCE):
            name = DOSSIER_VERSION.format(dossier=row["dossier_id"], version=row["version_id"])
            volumes = {kinds[code].volume for code in row["sure_types"] or () if code in kinds}
            found[name] = VersionFacts(
                name, row["page_count"], tuple(row["types"]), tuple(sorted(volumes)), row["untyped_count"]
            )
        return [found[name] for name in versions if name in found]
