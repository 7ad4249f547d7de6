"""Facts as rows and as messages. One shape for all kinds, so that they can be listed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.core.names import AGENCY, CASE, OFFICER
from casemesh.identity.v1.case_access_pb2 import CaseAccess, CaseAccessKind, CasePermission, CaseStage, SealKind
from casemesh.runtime.postgres import Row

# The columns of a fact in each table, all in one order and of the same types.
_FROM_OFFICER = "officer_id, cause, valid_from, valid_until"
_NO_GIVER = "NULL::uuid AS giver_agency_id, NULL::uuid AS giver_id"
_NO_RIGHTS = "ARRAY[]::smallint[] AS permissions"
_NO_STAGE, _NO_SEAL = "0::smallint AS stage", "0::smallint AS seal_kind"
PARTICIPATION = f"""id, case_id, agency_id, NULL::uuid AS officer_id, cause, valid_from, valid_until,
    1 AS kind, {_NO_RIGHTS}, {_NO_GIVER}, stage, {_NO_SEAL}"""
ASSIGNMENT = f"id, case_id, agency_id, {_FROM_OFFICER}, 2 AS kind, {_NO_RIGHTS}, {_NO_GIVER}, {_NO_STAGE}, {_NO_SEAL}"
SUPERVISION = f"""id, NULL::uuid AS case_id, agency_id, {_FROM_OFFICER},
    3 AS kind, {_NO_RIGHTS}, {_NO_GIVER}, {_NO_STAGE}, {_NO_SEAL}"""
UNIT_SUPERVISION = f"""id, NULL::uuid AS case_id, agency_id, officer_id,
    'agencies/' || agency_id || '/units/' || unit_id AS cause, valid_from, valid_until,
    8 AS kind, {_NO_RIGHTS}, {_NO_GIVER}, {_NO_STAGE}, {_NO_SEAL}"""
GRANT = f"""id, case_id, agency_id, officer_id, '' AS cause, valid_from, valid_until,
    CASE kind WHEN 'delegation' THEN 4 WHEN 'grant' THEN 9 ELSE 6 END AS kind, permissions, giver_agency_id, giver_id,
    {_NO_STAGE}, {_NO_SEAL}"""
BREAK_GLASS = f"""id, case_id, agency_id, officer_id, '' AS cause, valid_from, valid_until,
    5 AS kind, {_NO_RIGHTS}, agency_id AS giver_agency_id, approver_id AS giver_id, {_NO_STAGE}, {_NO_SEAL}"""
SEAL = f"""id, case_id, agency_id, NULL::uuid AS officer_id, sealed_by AS cause, valid_from, valid_until,
    7 AS kind, {_NO_RIGHTS}, {_NO_GIVER}, {_NO_STAGE}, kind AS seal_kind"""


@dataclass(frozen=True)
class Fact:
    """One fact. Identifiers are UUIDs as text."""

    fact_id: str
    kind: CaseAccessKind
    case_id: str | None
    """None for supervision, which is of all cases of an agency or a unit."""
    agency_id: str
    officer_id: str | None
    """None for what is of the agency: participation, a seal."""
    cause: str
    valid_from: datetime
    valid_until: datetime | None
    permissions: Sequence[CasePermission]
    given_by: str
    """Resource name of the officer who gave or approved it; empty where none did."""
    stage: CaseStage
    seal_kind: SealKind

    @classmethod
    def of(cls, row: Row) -> Fact:
        """Return the fact in a row of one of this module's lists of columns."""
        return cls(
            fact_id=str(row["id"]),
            kind=row["kind"],
            case_id=_text(row["case_id"]),
            agency_id=str(row["agency_id"]),
            officer_id=_text(row["officer_id"]),
            cause=row["cause"],
            valid_from=row["valid_from"],
            valid_until=row["valid_until"],
            permissions=row["permissions"],
            given_by=officer_name(row["giver_agency_id"], row["giver_id"]),
            stage=row["stage"],
            seal_kind=row["seal_kind"],
        )

    @property
    def kind_name(self) -> str:
        """The kind in lower case, as the log names it."""
        return CaseAccessKind.Name(self.kind).removeprefix("CASE_ACCESS_KIND_").lower()

    def message(self) -> CaseAccess:
        """Return it as the contract has it."""
        access = CaseAccess(
            case=CASE.format(case=self.case_id) if self.case_id else "",
            agency=AGENCY.format(agency=self.agency_id),
            officer=officer_name(self.agency_id, self.officer_id),
            cause=self.cause,
            kind=self.kind,
            fact=self.fact_id,
            permissions=self.permissions,
            given_by=self.given_by,
            stage=self.stage,
            seal_kind=self.seal_kind,
        )
        access.valid_from.FromDatetime(self.valid_from)
        if self.valid_until is not None:
            access.valid_until.FromDatetime(self.valid_until)
        return access


def officer_name(agency_id: object, officer_id: object | None) -> str:
    """Return the resource name of an officer, empty for none."""
    return "" if officer_id is None else OFFICER.format(agency=str(agency_id), officer=str(officer_id))


def _text(identifier: object | None) -> str | None:
    return None if identifier is None else str(identifier)
