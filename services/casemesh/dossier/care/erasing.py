"""Crypto-erase (密钥销毁): a case's data key is destroyed, and with it every byte sealed under it."""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.core.clock import Clock
from casemesh.core.names import CASE
from casemesh.dossier.care.operator import BY_OPERATOR, CASE_ERASED, record_care
from casemesh.errors import FailedPrecondition, InvalidArgument, not_found
from casemesh.runtime.postgres import Database

_KNOWN = """
SELECT EXISTS (SELECT FROM dossier WHERE case_name = $1) OR EXISTS (SELECT FROM case_key WHERE case_name = $1)
"""
_ERASE = """
INSERT INTO case_key (case_name, wrapped_key, erased_at, erased_by, erase_reason) VALUES ($1, NULL, now(), $2, $3)
ON CONFLICT (case_name) DO UPDATE
SET wrapped_key = NULL, erased_at = excluded.erased_at, erased_by = excluded.erased_by,
    erase_reason = excluded.erase_reason
WHERE case_key.wrapped_key IS NOT NULL
"""
_END_UPLOADS = """
UPDATE upload_lease SET epoch = epoch + 1, expires_at = now()
FROM dossier WHERE dossier.dossier_id = upload_lease.dossier_id AND dossier.case_name = $1
"""
# A line of a document's text, kept to say by what it was recognised.
_FORGET_TITLES = """
UPDATE recognition SET title = '' FROM blob WHERE blob.blob_id = recognition.blob_id AND blob.case_name = $1
"""
_HELD = """
SELECT count(DISTINCT blob_id) AS contents, coalesce(sum(size_bytes), 0)::bigint AS size_bytes
FROM blob WHERE case_name = $1
"""


@dataclass(frozen=True, slots=True)
class ErasedCase:
    """What cannot be read any more: ``contents`` contents of ``size_bytes`` bytes in all."""

    case: str
    contents: int
    size_bytes: int


async def erase_case(database: Database, clock: Clock, case: str, *, by: str, reason: str) -> ErasedCase:
    """Destroy a case's key for good; who, when and why stay, and no other key is ever made for the case.

    Uploads that run lose their lease. Downloads that run hold the key in memory until they end; a restart of the
    service ends them. Lines of text that documents were recognised by go, too; names of files, and what was finalised
    of them, stay. Then the tables are rewritten, so that nothing is left in dead rows either. The wrapped key may still
    be in the database's log files and in backups: those must be destroyed, too.

    ``database`` must be open as the owner. Raises InvalidArgument, NotFound for a case that nothing is held of,
    FailedPrecondition (CASE_ERASED) where it was erased before.
    """
    try:
        CASE.parse(case)
    except ValueError:
        raise InvalidArgument("FIELD_INVALID", "a case is named cases/ and its id") from None
    if not by.strip() or not reason.strip():
        raise InvalidArgument("FIELD_INVALID", "an erasure states who ordered it and why")
    async with database.transaction() as transaction:
        if not await transaction.fetchval(_KNOWN, case):
            raise not_found()
        if not await transaction.execute(_ERASE, case, by, reason):
            raise FailedPrecondition("CASE_ERASED", "the case's key was destroyed before")
        await transaction.execute(_END_UPLOADS, case)
        await transaction.execute(_FORGET_TITLES, case)
        held = await transaction.fetchrow(_HELD, case)
        assert held is not None
        details = {"ordered_by": by, "reason": reason, "size_bytes": str(held["size_bytes"])}
        await record_care(transaction, clock, BY_OPERATOR, CASE_ERASED, case, case, details)
    await database.execute("VACUUM FULL case_key")
    await database.execute("VACUUM FULL recognition")
    return ErasedCase(case, held["contents"], held["size_bytes"])
