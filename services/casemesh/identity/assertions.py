"""Whom the holder of a certificate may speak for."""

from __future__ import annotations

from casemesh.core.names import OFFICER
from casemesh.errors import PermissionDenied
from casemesh.identity.directory_store import CertificateHolder
from casemesh.identity.subjects import Subject


def officer_id_of(name: str) -> str | None:
    """Return the identifier of the officer a token is asked for, or None when none is named."""
    return OFFICER.parse(name)["officer"] if name else None


def asserted_subject(holder: CertificateHolder, officer: str) -> Subject:
    """Return the subject of a token that `holder` asks for; `officer` is empty when it names none.

    A system speaks for itself or for any active officer of its agency, a workstation for its own active officer alone.
    `holder` must tell of the officer that is asked about.

    Raises PermissionDenied (OFFICER_NOT_ASSERTABLE), alike for an officer of another agency, a suspended one and one
    who does not exist.
    """
    if holder.kind == "system" and not officer:
        return Subject(holder.agency_id, holder.kind, holder.client_id, None)
    assertable = holder.assertable_officer_id
    if assertable is None or (officer and officer != OFFICER.format(agency=holder.agency_id, officer=assertable)):
        raise _not_assertable()
    if holder.kind == "workstation" and assertable != holder.own_officer_id:
        raise _not_assertable()
    return Subject(holder.agency_id, holder.kind, holder.client_id, assertable)


def _not_assertable() -> PermissionDenied:
    return PermissionDenied("OFFICER_NOT_ASSERTABLE", "officer is not one that this certificate may speak for")
