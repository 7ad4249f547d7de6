"""What is in force between subjects and cases, read from PostgreSQL for decisions.

Every answer is one statement, so it is of one moment, and the clock is the database's.
"""

# ruff: noqa: S608 - statements are composed of this package's constants alone

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.identity import facts
from casemesh.identity.access_rules import CaseFacts, Grant
from casemesh.identity.facts import Fact
from casemesh.identity.subjects import Subject
from casemesh.runtime.postgres import Database, Row

_IN_FORCE = "valid_from <= {at} AND (valid_until IS NULL OR valid_until > {at})"
# The state of now is in the tables of the directory; that of another time follows from the changes kept.
_OFFICER_NOW = (
    "EXISTS (SELECT 1 FROM officer AS o WHERE o.agency_id = {agency} AND o.id = {officer} AND o.state = 'active')"
)
_ACTIVE_THEN = """coalesce((SELECT state_change.state FROM state_change
        WHERE resource = {resource} AND changed_at <= asked.at
        ORDER BY changed_at DESC LIMIT 1), 'active') = 'active'"""
_OFFICER_THEN = _ACTIVE_THEN.format(resource="'agencies/' || {agency} || '/officers/' || {officer}")
_AGENCY_THEN = _ACTIVE_THEN.format(resource="'agencies/' || asked.agency_id")
_CLIENT_NOW = """EXISTS (SELECT 1 FROM client JOIN agency ON agency.id = client.agency_id
        WHERE client.id = $5 AND agency.id = asked.agency_id AND client.kind = $6
            AND client.state = 'active' AND agency.state = 'active'
            AND (client.officer_id IS NULL OR client.officer_id = asked.officer_id)
            AND ($7::bytea IS NULL OR EXISTS (SELECT 1 FROM client_certificate
                WHERE sha256 = $7 AND client_id = client.id AND state = 'active'
                    AND (not_after IS NULL OR not_after > now()))))"""


# One question has a form of its own: for an array PostgreSQL expects ten, so that it would always plan anew for just
# one, and planning costs eight times the execution.
_ONE = "(SELECT $1::uuid AS agency_id, $2::uuid AS officer_id, $3::uuid AS case_id, 1 AS place)"
_MANY = "unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY"


def _of(table: str, at: str = "asked.at") -> str:
    return f"{table}.valid_from <= {at} AND ({table}.valid_until IS NULL OR {table}.valid_until > {at})"


def _slice(questions: str, client_active: str, officer_active: str) -> str:
    """Return the statement that reads everything between each asked agency, officer and case."""
    in_force = _IN_FORCE.format(at="asked.at")
    officer_case = (
        f"agency_id = asked.agency_id AND officer_id = asked.officer_id AND case_id = asked.case_id AND {in_force}"
    )
    giver_active = officer_active.format(agency="passed.giver_agency_id", officer="passed.giver_id")
    return f"""
SELECT asked.agency_id, asked.officer_id, asked.case_id,
    {client_active} AS client_active,
    asked.officer_id IS NOT NULL AND {officer_active.format(agency="asked.agency_id", officer="asked.officer_id")}
        AS officer_active,
    part.id AS participation_id,
    coalesce(part.at_stage, false) AS at_stage,
    (SELECT id FROM assignment WHERE {officer_case} ORDER BY id LIMIT 1) AS assignment_id,
    (SELECT id FROM supervision WHERE agency_id = asked.agency_id AND officer_id = asked.officer_id AND {in_force}
        ORDER BY id LIMIT 1) AS supervision_id,
    -- Members are who is of the unit at that time, whenever they were assigned.
    (SELECT head.id FROM unit_placement AS head WHERE head.role = 'supervisor' AND head.agency_id = asked.agency_id
        AND head.officer_id = asked.officer_id AND {_of("head")}
        AND EXISTS (SELECT 1 FROM assignment JOIN unit_placement AS member ON member.officer_id = assignment.officer_id
            WHERE assignment.case_id = asked.case_id AND assignment.agency_id = asked.agency_id AND {_of("assignment")}
                AND member.agency_id = asked.agency_id AND member.unit_id = head.unit_id AND {_of("member")})
        ORDER BY head.id LIMIT 1) AS unit_supervision_id,
    passed.ids AS passed_ids,
    passed.kinds AS passed_kinds,
    passed.givers AS passed_givers,
    passed.rights AS passed_rights,
    glass.id AS break_glass_id,
    coalesce(glass.approved, false) AS glass_approved,
    (SELECT id FROM seal WHERE case_id = asked.case_id AND {in_force} ORDER BY id LIMIT 1) AS seal_id,
    -- Each agency opens its own seals.
    (SELECT id FROM officer_grant WHERE kind = 'seal_opening' AND {officer_case}
        AND NOT EXISTS (SELECT 1 FROM seal WHERE case_id = asked.case_id AND {in_force}
            AND NOT EXISTS (SELECT 1 FROM officer_grant AS opening WHERE opening.kind = 'seal_opening'
                AND opening.agency_id = asked.agency_id AND opening.officer_id = asked.officer_id
                AND opening.case_id = asked.case_id AND opening.giver_agency_id = seal.agency_id
                AND opening.valid_from <= asked.at AND opening.valid_until > asked.at))
        ORDER BY id LIMIT 1) AS opening_id,
    -- Officers of an agency that takes part have reason to look; only that agency's own decoy is one to them.
    (SELECT array_agg(agency_id ORDER BY id) FROM decoy WHERE case_id = asked.case_id AND {in_force}
        AND (agency_id = asked.agency_id OR part.id IS NULL)) AS decoy_agency_ids
FROM (SELECT agency_id, officer_id, case_id, place, coalesce($4::timestamptz, now()) AS at
    FROM {questions} AS question (agency_id, officer_id, case_id, place)) AS asked
LEFT JOIN LATERAL (SELECT id, stage = 0 OR EXISTS (SELECT 1 FROM case_stage
        WHERE case_stage.case_id = asked.case_id AND case_stage.stage = participation.stage AND {in_force}) AS at_stage
    FROM participation WHERE agency_id = asked.agency_id AND case_id = asked.case_id AND {in_force}
    ORDER BY at_stage DESC, id LIMIT 1) AS part ON true
LEFT JOIN LATERAL (SELECT array_agg(passed.id ORDER BY passed.id, "right") AS ids,
        array_agg("right" ORDER BY passed.id, "right") AS rights,
        array_agg(passed.kind ORDER BY passed.id, "right") AS kinds,
        array_agg(passed.giver_agency_id ORDER BY passed.id, "right") AS givers
    FROM officer_grant AS passed, unnest(passed.permissions) AS "right"
    WHERE passed.agency_id = asked.agency_id AND passed.officer_id = asked.officer_id
        AND passed.case_id = asked.case_id AND passed.valid_from <= asked.at AND passed.valid_until > asked.at
        AND CASE passed.kind
            -- The very assignment it was passed on from: one given anew later does not bring it back.
            WHEN 'delegation' THEN {giver_active}
                AND EXISTS (SELECT 1 FROM assignment WHERE case_id = asked.case_id
                    AND agency_id = passed.giver_agency_id AND officer_id = passed.giver_id
                    AND assignment.valid_from <= passed.valid_from AND {in_force})
            -- The agency gave it, not a person: it holds while that agency takes part.
            WHEN 'grant' THEN EXISTS (SELECT 1 FROM participation WHERE case_id = asked.case_id
                AND agency_id = passed.giver_agency_id AND {in_force})
            ELSE false END
    ) AS passed ON true
LEFT JOIN LATERAL (SELECT id, approver_id IS NOT NULL AS approved FROM break_glass WHERE {officer_case}
    ORDER BY approved DESC, id LIMIT 1) AS glass ON true
ORDER BY asked.place
"""


_FACTS_OF_ONE = _slice(_ONE, _CLIENT_NOW, _OFFICER_NOW)
_FACTS = _slice(_MANY, _CLIENT_NOW, _OFFICER_NOW)
_FACTS_THEN = _slice(_MANY, _AGENCY_THEN, _OFFICER_THEN)

_NOW = _IN_FORCE.format(at="now()")
# The cases that any rule could open to the subject, newest first; the rules then decide.
_OFFICER_CASES = f"""
SELECT DISTINCT case_id FROM (
    (SELECT DISTINCT case_id FROM assignment WHERE officer_id = $2 AND agency_id = $1 AND case_id < $3 AND {_NOW}
        ORDER BY case_id DESC LIMIT $4)
    UNION ALL
    (SELECT DISTINCT case_id FROM officer_grant WHERE officer_id = $2 AND agency_id = $1 AND case_id < $3 AND {_NOW}
        ORDER BY case_id DESC LIMIT $4)
    UNION ALL
    (SELECT DISTINCT case_id FROM break_glass WHERE officer_id = $2 AND agency_id = $1 AND case_id < $3 AND {_NOW}
        ORDER BY case_id DESC LIMIT $4)
    UNION ALL
    (SELECT DISTINCT case_id FROM participation WHERE agency_id = $1 AND case_id < $3 AND {_NOW}
        AND $5 AND EXISTS (SELECT 1 FROM supervision WHERE officer_id = $2 AND agency_id = $1 AND {_NOW})
        ORDER BY case_id DESC LIMIT $4)
    UNION ALL
    (SELECT DISTINCT assignment.case_id FROM unit_placement AS head
        JOIN unit_placement AS member ON member.unit_id = head.unit_id AND {_of("member", "now()")}
        JOIN assignment ON assignment.officer_id = member.officer_id AND assignment.agency_id = $1
            AND assignment.case_id < $3 AND {_of("assignment", "now()")}
        WHERE $6 AND head.officer_id = $2 AND head.agency_id = $1 AND head.role = 'supervisor'
            AND {_of("head", "now()")}
        ORDER BY assignment.case_id DESC LIMIT $4)
) AS found ORDER BY case_id DESC LIMIT $4
"""
_SYSTEM_CASES = f"""
SELECT DISTINCT case_id FROM participation WHERE agency_id = $1 AND case_id < $2 AND {_NOW}
ORDER BY case_id DESC LIMIT $3
"""
_AT = _IN_FORCE.format(at="coalesce($3::timestamptz, now())")
# Everybody whom any fact of the time connects with the case: systems of all agencies, officers of one, and those whom
# that one let in.
_CONNECTED = f"""
SELECT DISTINCT agency_id, officer_id FROM (
    SELECT agency_id, NULL::uuid AS officer_id FROM participation WHERE case_id = $1 AND {_AT}
    UNION ALL
    SELECT agency_id, officer_id FROM assignment WHERE case_id = $1 AND agency_id = $2 AND {_AT}
    UNION ALL
    SELECT agency_id, officer_id FROM officer_grant
        WHERE case_id = $1 AND (agency_id = $2 OR (kind = 'grant' AND giver_agency_id = $2)) AND {_AT}
    UNION ALL
    SELECT agency_id, officer_id FROM break_glass WHERE case_id = $1 AND agency_id = $2 AND {_AT}
    UNION ALL
    SELECT agency_id, officer_id FROM supervision WHERE agency_id = $2 AND {_AT}
    UNION ALL
    SELECT agency_id, officer_id FROM unit_placement WHERE agency_id = $2 AND role = 'supervisor' AND {_AT}
) AS connected
WHERE (agency_id, coalesce(officer_id, '00000000-0000-0000-0000-000000000000')) > ($4::uuid, $5::uuid)
ORDER BY agency_id, officer_id NULLS FIRST LIMIT $6
"""
_CASE_ACCESS = f"""
SELECT * FROM (
    SELECT {facts.PARTICIPATION} FROM participation WHERE case_id = $1
    UNION ALL
    SELECT {facts.ASSIGNMENT} FROM assignment WHERE case_id = $1 AND agency_id = $2
    UNION ALL
    SELECT {facts.GRANT} FROM officer_grant WHERE case_id = $1 AND $2 IN (agency_id, giver_agency_id)
    UNION ALL
    SELECT {facts.BREAK_GLASS} FROM break_glass WHERE case_id = $1 AND agency_id = $2
    UNION ALL
    SELECT {facts.SEAL} FROM seal WHERE case_id = $1
) AS fact
WHERE id > $3 AND {_NOW} ORDER BY id LIMIT $4
"""
_SUBJECT_FACTS = f"""
SELECT * FROM (
    SELECT {facts.PARTICIPATION} FROM participation WHERE case_id = $1 AND agency_id = $2
    UNION ALL
    SELECT {facts.ASSIGNMENT} FROM assignment WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3
    UNION ALL
    SELECT {facts.SUPERVISION} FROM supervision WHERE agency_id = $2 AND officer_id = $3
    UNION ALL
    SELECT {facts.UNIT_SUPERVISION} FROM unit_placement
        WHERE agency_id = $2 AND officer_id = $3 AND role = 'supervisor'
    UNION ALL
    SELECT {facts.GRANT} FROM officer_grant WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3
    UNION ALL
    SELECT {facts.BREAK_GLASS} FROM break_glass WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3
    UNION ALL
    SELECT {facts.SEAL} FROM seal WHERE case_id = $1
) AS fact
WHERE {_NOW} ORDER BY id
"""


@dataclass(frozen=True)
class Connected:
    """An officer, or with None the systems, of an agency that has to do with a case."""

    agency_id: str
    officer_id: str | None

    @property
    def key(self) -> tuple[str, str]:
        """What lists are ordered by."""
        return self.agency_id, self.officer_id or "00000000-0000-0000-0000-000000000000"


class AccessStore:
    """Reads. Identifiers are UUIDs as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def case_facts(self, subject: Subject, case_ids: Sequence[str]) -> list[CaseFacts]:
        """Return what is in force now for each case, in their order; for a case that nobody knows, that nothing is."""
        client = (None, subject.client_id, subject.client_kind, subject.certificate)
        if len(case_ids) == 1:
            rows = await self._database.fetch(
                _FACTS_OF_ONE, subject.agency_id, subject.officer_id, case_ids[0], *client
            )
        else:
            agencies, officers = [subject.agency_id] * len(case_ids), [subject.officer_id] * len(case_ids)
            rows = await self._database.fetch(_FACTS, agencies, officers, case_ids, *client)
        return [_case_facts(row) for row in rows]

    async def facts_then(self, case_id: str, connected: Sequence[Connected], at: datetime | None) -> list[CaseFacts]:
        """Return what was in force at a time between each of them and the case; None is now.

        Which client was used is not asked: it stands for an active one.
        """
        count = len(connected)
        rows = await self._database.fetch(
            _FACTS_THEN,
            [one.agency_id for one in connected],
            [one.officer_id for one in connected],
            [case_id] * count,
            at,
        )
        return [_case_facts(row) for row in rows]

    async def open_cases(
        self, subject: Subject, before_id: str, limit: int, *, supervised: bool, unit_supervised: bool
    ) -> list[str]:
        """Return up to `limit` cases on which any fact in force concerns the subject, by falling identifier, those
        before `before_id`. `supervised` adds those of an agency that the officer supervises, `unit_supervised` those of
        a unit."""
        if subject.officer_id is None:
            rows = await self._database.fetch(_SYSTEM_CASES, subject.agency_id, before_id, limit)
        else:
            rows = await self._database.fetch(
                _OFFICER_CASES, subject.agency_id, subject.officer_id, before_id, limit, supervised, unit_supervised
            )
        return [str(row["case_id"]) for row in rows]

    async def connected(
        self, case_id: str, agency_id: str, at: datetime | None, after: tuple[str, str], limit: int
    ) -> list[Connected]:
        """Return up to `limit` of those whom a fact in force at a time connects with the case, agency by agency, those
        after `after`: systems of all agencies, officers of one and those whom it let in."""
        rows = await self._database.fetch(_CONNECTED, case_id, agency_id, at, *after, limit)
        return [Connected(str(row["agency_id"]), _text(row["officer_id"])) for row in rows]

    async def case_access(self, case_id: str, agency_id: str, after_id: str, limit: int) -> Sequence[Fact]:
        """Return up to `limit` facts in force, oldest first: all participations and seals, and what concerns the
        agency's own officers."""
        rows = await self._database.fetch(_CASE_ACCESS, case_id, agency_id, after_id, limit)
        return [Fact.of(row) for row in rows]

    async def subject_facts(self, case_id: str, agency_id: str, officer_id: str | None) -> Sequence[Fact]:
        """Return all facts in force between one officer, or the agency's systems, and a case, and its seals."""
        return [Fact.of(row) for row in await self._database.fetch(_SUBJECT_FACTS, case_id, agency_id, officer_id)]


def _case_facts(row: Row) -> CaseFacts:
    delegations: dict[int, str] = {}
    grants: dict[int, Grant] = {}
    for right, identifier, kind, giver in zip(
        *(row[column] or () for column in ("passed_rights", "passed_ids", "passed_kinds", "passed_givers")), strict=True
    ):
        if kind == "delegation":
            delegations.setdefault(right, str(identifier))
        else:
            grants.setdefault(right, Grant(str(identifier), str(giver)))
    return CaseFacts(
        case_id=str(row["case_id"]),
        is_officer=row["officer_id"] is not None,
        client_active=row["client_active"],
        officer_active=row["officer_active"],
        participation_id=_text(row["participation_id"]),
        at_stage=row["at_stage"],
        assignment_id=_text(row["assignment_id"]),
        supervision_id=_text(row["supervision_id"]),
        unit_supervision_id=_text(row["unit_supervision_id"]),
        delegations=delegations,  # type: ignore[arg-type] # the enum's values are plain integers at run time
        grants=grants,  # type: ignore[arg-type] # as above
        break_glass_id=_text(row["break_glass_id"]),
        glass_approved=row["glass_approved"],
        seal_id=_text(row["seal_id"]),
        opening_id=_text(row["opening_id"]),
        decoy_agency_ids=tuple(str(agency_id) for agency_id in row["decoy_agency_ids"] or ()),
    )


def _text(identifier: object | None) -> str | None:
    return None if identifier is None else str(identifier)
