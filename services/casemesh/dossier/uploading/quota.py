"""How much an agency's dossiers may hold, whichever way documents come into them: sent, by reference, or taken over."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from casemesh.errors import ResourceExhausted
from casemesh.runtime.postgres import Database, Transaction

_ROOM = """
SELECT limits.limit_bytes - coalesce((
    SELECT sum(size_bytes) FROM blob WHERE blob_id IN (
        SELECT blob_id FROM document JOIN dossier USING (dossier_id) WHERE dossier.agency = $1)), 0)::bigint
FROM (SELECT coalesce((SELECT limit_bytes FROM agency_quota WHERE agency = $1), $2::bigint) AS limit_bytes) AS limits
WHERE limits.limit_bytes IS NOT NULL
"""
_NEW_TO_AGENCY = """
SELECT coalesce(sum(size_bytes), 0)::bigint FROM blob
WHERE blob_id = ANY($2::uuid[]) AND NOT EXISTS (
    SELECT FROM document JOIN dossier USING (dossier_id)
    WHERE document.blob_id = blob.blob_id AND dossier.agency = $1)
"""


async def room_of(database: Database | Transaction, agency: str, quota: int | None) -> int | None:
    """How many more bytes the agency's dossiers may take; None without a limit.

    ``quota`` is the limit where the agency has none of its own. Each content counts once. Two that ask at once may
    together go beyond.
    """
    room: int | None = await database.fetchval(_ROOM, agency, quota)
    return room


async def require_room(transaction: Transaction, agency: str, quota: int | None, blob_ids: Sequence[uuid.UUID]) -> None:
    """Return if the agency's dossiers may take these contents; those that they hold already cost nothing.

    Raises ResourceExhausted (QUOTA_EXCEEDED). ``quota`` and the bound's sharpness are as with `room_of`.
    """
    added: int = await transaction.fetchval(_NEW_TO_AGENCY, agency, blob_ids)
    room = await room_of(transaction, agency, quota) if added else None
    if room is not None and added > room:
        raise ResourceExhausted(
            "QUOTA_EXCEEDED", "the documents are more than the agency's dossiers may still take", {"limit": "agency"}
        )
