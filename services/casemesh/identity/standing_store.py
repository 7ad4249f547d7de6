"""The states of agencies, officers, clients and certificates in PostgreSQL.

Reads take one statement. Writes take the caller's transaction, in which the request id was claimed and the event is
recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casemesh.core.names import CERTIFICATE, SYSTEM, WORKSTATION
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.directory_pb2 import Certificate, EnrolmentState, Standing
from casemesh.runtime.postgres import Database, Row, Transaction

STATES: Mapping[str, EnrolmentState] = {
    "registered": EnrolmentState.ENROLMENT_STATE_REGISTERED,
    "active": EnrolmentState.ENROLMENT_STATE_ACTIVE,
    "suspended": EnrolmentState.ENROLMENT_STATE_SUSPENDED,
    "revoked": EnrolmentState.ENROLMENT_STATE_REVOKED,
}

_STANDING = """
SELECT agency.state = 'active' AS agency_active,
    client.state = 'active' AND ($4::uuid IS NULL OR client.officer_id IS NULL OR client.officer_id = $4)
        AND ($4::uuid IS NOT NULL OR client.officer_id IS NULL) AS client_active,
    coalesce(client_certificate.state = 'active' AND coalesce(client_certificate.not_after > now(), true), false)
        AS certificate_active,
    $4::uuid IS NULL OR coalesce(officer.state = 'active', false) AS officer_active
FROM client JOIN agency ON agency.id = client.agency_id
    LEFT JOIN client_certificate ON client_certificate.sha256 = $5 AND client_certificate.client_id = client.id
    LEFT JOIN officer ON officer.agency_id = client.agency_id AND officer.id = $4
WHERE client.id = $1 AND client.agency_id = $2 AND client.kind = $3
"""
# The parameters are the segments of the resource's name, the agency first. Locked, so that two changes of one state
# follow each other.
_STATE: Mapping[str, str] = {
    "agency": "SELECT state FROM agency WHERE id = $1",
    "officer": "SELECT state FROM officer WHERE agency_id = $1 AND id = $2",
    "system": "SELECT state FROM client WHERE agency_id = $1 AND id = $2 AND kind = 'system'",
    "workstation": "SELECT state FROM client WHERE agency_id = $1 AND id = $2 AND kind = 'workstation'",
    "certificate": """
SELECT client_certificate.state FROM client_certificate JOIN client ON client.id = client_certificate.client_id
WHERE client.agency_id = $1 AND client_certificate.sha256 = decode($2, 'hex')
""",
}
_LOCKED: Mapping[str, str] = {
    kind: f"{sql.rstrip()} FOR NO KEY UPDATE" + (" OF client_certificate" if kind == "certificate" else "")
    for kind, sql in _STATE.items()
}
_SET_STATE: Mapping[str, str] = {
    "agency": "UPDATE agency SET state = $2 WHERE id = $1",
    "officer": "UPDATE officer SET state = $2 WHERE id = $1",
    "system": "UPDATE client SET state = $2 WHERE id = $1",
    "workstation": "UPDATE client SET state = $2 WHERE id = $1",
    "certificate": "UPDATE client_certificate SET state = $2 WHERE sha256 = decode($1, 'hex')",
}
_INSERT_CHANGE = """
INSERT INTO state_change (id, resource, state, reason, changed_by) VALUES ($1, $2, $3, $4, $5)
"""
_LAST_CHANGE = """
SELECT reason, changed_at FROM state_change WHERE resource = $1 ORDER BY changed_at DESC, id DESC LIMIT 1
"""
_CERTIFICATES = """
SELECT client.agency_id, client.kind, client.id, client_certificate.sha256, client_certificate.state,
    client_certificate.not_after, client_certificate.created_at
FROM client_certificate JOIN client ON client.id = client_certificate.client_id
WHERE client.agency_id = $1 AND client.id = $2 AND client.kind = $3
ORDER BY client_certificate.created_at, client_certificate.sha256 LIMIT 100
"""


@dataclass(frozen=True)
class Member:
    """What has a state: an agency, officer, system, workstation or certificate, by its name and the name's segments."""

    kind: str
    name: str
    agency_id: str
    own_id: str | None
    """None for an agency itself; for a certificate its SHA-256 in hexadecimal."""

    @property
    def key(self) -> tuple[str, ...]:
        """The name's segments, the agency first."""
        return (self.agency_id,) if self.own_id is None else (self.agency_id, self.own_id)


class StandingStore:
    """Reads. Identifiers are UUIDs as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def inactive_part(self, subject: Subject) -> str:
        """Return the first of agency, client, certificate and officer that is not active, or an empty string.

        `client` also stands for one that is not registered so, and for a workstation with another officer than its own.
        """
        row = await self._database.fetchrow(
            _STANDING,
            subject.client_id,
            subject.agency_id,
            subject.client_kind,
            subject.officer_id,
            subject.certificate,
        )
        if row is None:
            return "client"
        parts = ("agency", "client", "certificate", "officer")
        return next((part for part in parts if not row[f"{part}_active"]), "")

    async def standing(self, member: Member) -> Standing | None:
        """Return the state and its last change, or None when there is no such member."""
        state = await self._database.fetchval(_STATE[member.kind], *member.key)
        if state is None:
            return None
        return _standing(member, state, await self._database.fetchrow(_LAST_CHANGE, member.name))

    async def certificates(self, holder: Member) -> Sequence[Certificate]:
        """Return the certificates of a system or workstation, oldest first, at most 100."""
        rows = await self._database.fetch(_CERTIFICATES, holder.agency_id, holder.own_id, holder.kind)
        return [certificate_of(row) for row in rows]


async def lock_state(transaction: Transaction, member: Member) -> str | None:
    """Return the state, or None when there is no such member; it does not change until the transaction ends."""
    state: str | None = await transaction.fetchval(_LOCKED[member.kind], *member.key)
    return state


async def set_state(
    transaction: Transaction, member: Member, state: str, change_id: str, reason: str, changed_by: str
) -> None:
    """Set the state and keep the change. Needs the lock on the state."""
    await transaction.execute(_SET_STATE[member.kind], member.key[-1], state)
    await transaction.execute(_INSERT_CHANGE, change_id, member.name, state, reason, changed_by)


async def standing_in(transaction: Transaction, member: Member, state: str) -> Standing:
    """Return the standing with this state as the transaction sees it."""
    return _standing(member, state, await transaction.fetchrow(_LAST_CHANGE, member.name))


def _standing(member: Member, state: str, change: Row | None) -> Standing:
    standing = Standing(name=member.name, state=STATES[state])
    if change is not None:
        standing.reason = change["reason"]
        standing.change_time.FromDatetime(change["changed_at"])
    return standing


def certificate_of(row: Row) -> Certificate:
    """Return a row of a certificate and its client as the contract has it."""
    form = SYSTEM if row["kind"] == "system" else WORKSTATION
    certificate = Certificate(
        name=CERTIFICATE.format(agency=row["agency_id"], certificate=row["sha256"].hex()),
        holder=form.format(**{"agency": row["agency_id"], row["kind"]: row["id"]}),
        state=STATES[row["state"]],
    )
    certificate.create_time.FromDatetime(row["created_at"])
    if row["not_after"] is not None:
        certificate.expire_time.FromDatetime(row["not_after"])
    return certificate
