"""Publishing the directory: versions that are signed once and never change, each naming the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

from casemesh.client import canonical_json, statements
from casemesh.client.canonical_json import Json
from casemesh.client.signed_directory import FORMAT, PAYLOAD_TYPE
from casemesh.client.statements import SigningKey
from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY
from casemesh.errors import FailedPrecondition, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Row, Transaction

# Two keys, as all locks of a service's own; one version follows the other.
_LOCK = "SELECT pg_advisory_xact_lock(2, 0)"
_ENVELOPE = "SELECT envelope FROM directory_version WHERE version = $1"
_LAST = """
SELECT version, payload_sha256, content_sha256, envelope FROM directory_version ORDER BY version DESC LIMIT 1
"""
_AGENCIES = """
SELECT id, code, display_name, organ, trust_domain, state, level, parent_id, sha256(authority) AS authority_sha256
FROM agency ORDER BY code COLLATE "C"
"""
_INSERT = """
INSERT INTO directory_version (version, payload_sha256, content_sha256, envelope) VALUES ($1, $2, $3, $4)
"""


class DirectoryPublisher:
    """Gives versions of the signed directory. `signing` is None where identity has no document-signing key.

    It names agencies, and neither officers nor systems. A version is made when the newest is asked for and the
    directory has changed. `wake` is called when one was made.
    """

    def __init__(self, database: Database, clock: Clock, signing: SigningKey | None, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._signing = signing
        self._wake = wake

    async def envelope(self, call: Call, version: int) -> bytes:
        """Return a version, or the newest for 0.

        Raises NotFound; FailedPrecondition (DIRECTORY_NOT_SIGNED).
        """
        if self._signing is None:
            raise FailedPrecondition("DIRECTORY_NOT_SIGNED", "identity has no document-signing key")
        if version:
            envelope = await self._database.fetchval(_ENVELOPE, version)
            if envelope is None:
                raise not_found()
            return bytes(envelope)
        async with self._database.transaction() as transaction:
            await transaction.execute(_LOCK)
            last = await transaction.fetchrow(_LAST)
            agencies: list[Json] = [_agency(row) for row in await transaction.fetch(_AGENCIES)]
            content = hashlib.sha256(canonical_json.dumps(agencies)).digest()
            if last is not None and last["content_sha256"] == content:
                return bytes(last["envelope"])
            envelope = await self._publish(transaction, call, self._signing, last, agencies, content)
        self._wake()
        return envelope

    async def _publish(
        self,
        transaction: Transaction,
        call: Call,
        signing: SigningKey,
        last: Row | None,
        agencies: Sequence[Json],
        content: bytes,
    ) -> bytes:
        version = 1 if last is None else last["version"] + 1
        payload: Json = {
            "format": FORMAT,
            "version": version,
            "previous_sha256": "" if last is None else last["payload_sha256"].hex(),
            "issue_time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "agencies": list(agencies),
        }
        digest = hashlib.sha256(canonical_json.dumps(payload)).digest()
        envelope = json.dumps(statements.sign(payload, PAYLOAD_TYPE, signing)).encode()
        await transaction.execute(_INSERT, version, digest, content, envelope)
        details = {"version": str(version), "payload_sha256": digest.hex()}
        event = event_of(call, self._clock, "identity.directory.published", f"directory/{version}", details=details)
        await record(transaction, call, event)
        return envelope


def _agency(row: Row) -> dict[str, Json]:
    return {
        "name": AGENCY.format(agency=row["id"]),
        "code": row["code"],
        "display_name": row["display_name"],
        "organ": row["organ"],
        "trust_domain": row["trust_domain"],
        "state": row["state"],
        "level": row["level"] or "",
        "parent": AGENCY.format(agency=row["parent_id"]) if row["parent_id"] else "",
        "authority_sha256": row["authority_sha256"].hex() if row["authority_sha256"] else "",
    }
