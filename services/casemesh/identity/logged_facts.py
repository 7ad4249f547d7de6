"""What identity's database holds that the log must tell of, and the readings it counted before bytes left."""

from __future__ import annotations

from typing import Final

from casemesh.runtime.logged_facts import FactKind

_CASE = "'cases/' || case_id AS case_name"
_OFFICER = "'agencies/' || agency_id || '/officers/' || officer_id AS resource"


def _fact(name: str, action: str, table: str, detail: str, resource: str, where: str = "true") -> FactKind:
    sql = f"SELECT {_CASE}, {resource}, id::text AS mark, valid_from AS at FROM {table} WHERE {where}"  # noqa: S608
    return FactKind(name, (action,), sql, mark=detail)


def _member(name: str, action: str, sql: str) -> FactKind:
    return FactKind(name, (action,), f"SELECT '' AS case_name, {sql}")


FACTS: Final = (
    _member(
        "agency created",
        "identity.agency.created",
        "'agencies/' || id AS resource, '' AS mark, created_at AS at FROM agency",
    ),
    _member(
        "officer created",
        "identity.officer.created",
        "'agencies/' || agency_id || '/officers/' || id AS resource, '' AS mark, created_at AS at FROM officer",
    ),
    _fact(
        "participation begun",
        "access.participation.added",
        "participation",
        "participation",
        "'agencies/' || agency_id AS resource",
    ),
    _fact("assignment begun", "access.assignment.added", "assignment", "assignment", _OFFICER),
    _fact(
        "rights delegated",
        "access.delegation.added",
        "officer_grant",
        "delegation",
        _OFFICER,
        "kind = 'delegation'",
    ),
    _fact("case sealed", "access.seal.added", "seal", "seal", "'agencies/' || agency_id AS resource"),
    FactKind(
        "emergency access",
        ("access.break_glass.opened", "access.break_glass.asked"),
        f"SELECT {_CASE}, {_OFFICER}, id::text AS mark, created_at AS at FROM break_glass",  # noqa: S608
        mark="break_glass",
    ),
)

TAKING_PART: Final = """
SELECT DISTINCT 'cases/' || case_id AS case_name, 'agencies/' || agency_id AS agency FROM participation
WHERE $1 = '' OR 'cases/' || case_id = $1
"""
"""The agencies that take or took part in cases."""

READINGS: Final = """
SELECT id::text AS reading, 'cases/' || case_id AS case_name,
    'agencies/' || agency_id || '/officers/' || officer_id AS officer, size_bytes, at
FROM reading WHERE at >= $1 AND at < $2 AND ($3 = '' OR 'cases/' || case_id = $3)
"""
"""What officers were let read, each under the identifier of its event, with the bytes that left."""
