"""Warnings in PostgreSQL.

Every change of a warning takes the next number of one counter, whose row it locks until it commits: whoever reads by
numbers passes over none. Writes take the caller's transaction, in which the event is recorded as well.
"""

# ruff: noqa: S608 - statements are composed of this module's constants alone

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from casemesh.core.clock import CHINA
from casemesh.core.names import AGENCY, CASE, WARNING
from casemesh.runtime.postgres import Database, Row, Transaction
from casemesh.supervision.v1 import warning_pb2

_COLUMNS = (
    "warning_id", "case_id", "finding_key", "rule", "rule_version", "kind", "rank", "standing", "state", "subject",
    "title_zh", "title_en", "explanation_zh", "explanation_en", "legal_basis", "due_time", "concerned", "owner",
    "create_time", "update_time", "acknowledge_time", "escalate_at", "escalate_time", "close_time", "close_reason",
    "change_sequence",
)  # fmt: skip
_ALL = ", ".join(_COLUMNS)
_OF_CASE = f"SELECT {_ALL} FROM warning WHERE case_id = $1 ORDER BY warning_id FOR UPDATE"
_LOCK = f"SELECT {_ALL} FROM warning WHERE warning_id = $1 FOR UPDATE"
_GET = f"SELECT {_ALL} FROM warning WHERE warning_id = $1"
_CASE_OF = "SELECT case_id FROM warning WHERE warning_id = $1"
_KEEP = f"""
INSERT INTO warning ({_ALL}) VALUES ({", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))})
ON CONFLICT (warning_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])}
"""
_REWORD = "UPDATE warning SET explanation_zh = $2, explanation_en = $3 WHERE warning_id = $1"
_NEXT_SEQUENCE = "UPDATE warning_counter SET last_sequence = last_sequence + 1 RETURNING last_sequence"
_LAST_SEQUENCE = "SELECT last_sequence FROM warning_counter"
_MOVE = """
INSERT INTO warning_move (warning_id, move_time, state, kind, officer, reason) VALUES ($1, $2, $3, $4, $5, $6)
"""
_MOVES = """
SELECT move_time, state, kind, officer, reason FROM warning_move WHERE warning_id = $1 ORDER BY move_id LIMIT 1000
"""
_LIST = f"""
SELECT {_ALL} FROM warning
WHERE (rank, warning_id) <> ($1, $2) AND (rank < $1 OR (rank = $1 AND warning_id > $2))
    AND state = ANY($3::smallint[]) AND rank >= $4 AND ($5::uuid IS NULL OR case_id = $5)
    AND ($6 = '' OR rule = $6) AND ($7 = '' OR owner = $7) AND (NOT $8 OR escalate_time IS NOT NULL)
    AND ($9::uuid IS NULL OR $9 = ANY(concerned))
ORDER BY rank DESC, warning_id LIMIT $10
"""
_CHANGED = f"""
SELECT {_ALL} FROM warning
WHERE change_sequence > $1 AND ($2::bigint IS NULL OR (change_sequence <= $2 AND state IN (1, 2)))
    AND ($3::uuid IS NULL OR case_id = $3)
ORDER BY change_sequence LIMIT $4
"""
_TO_ESCALATE = f"""
SELECT {_ALL} FROM warning WHERE state = 1 AND escalate_time IS NULL AND escalate_at <= $1
ORDER BY escalate_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
GRAVEST_FIRST = (32767, "ffffffff-ffff-ffff-ffff-ffffffffffff")
"""Before the first warning of a list: what a page goes on after."""

OPEN, ACKNOWLEDGED, RESOLVED, NOT_APPLICABLE, SUPERSEDED = 1, 2, 3, 4, 5
"""The states by their numbers in the contract."""
TO_WORK = (OPEN, ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class StoredWarning:
    """One warning. Identifiers are UUIDs as text, `concerned` those of agencies; `subject` and `owner` are names."""

    warning_id: str
    case_id: str
    finding_key: str
    rule: str
    rule_version: str
    kind: str
    rank: int
    standing: int
    state: int
    subject: str
    title_zh: str
    title_en: str
    explanation_zh: str
    explanation_en: str
    legal_basis: str
    due_time: datetime | None
    concerned: tuple[str, ...]
    owner: str
    create_time: datetime
    update_time: datetime
    acknowledge_time: datetime | None
    escalate_at: datetime
    escalate_time: datetime | None
    close_time: datetime | None
    close_reason: str
    change_sequence: int = 0

    @property
    def name(self) -> str:
        """The resource name."""
        return WARNING.format(warning=self.warning_id)

    @property
    def case(self) -> str:
        """The case's resource name."""
        return CASE.format(case=self.case_id)

    def concerns(self, agency: str) -> bool:
        """Say whether an agency, by its resource name, is concerned."""
        return AGENCY.parse(agency)["agency"] in self.concerned

    def message(self, now: datetime) -> warning_pb2.Warning:
        """Return it as the contract has it, days left as of `now`."""
        message = warning_pb2.Warning(
            name=self.name,
            case=self.case,
            rule=self.rule,
            rule_version=self.rule_version,
            rank=warning_pb2.WarningRank.Name(self.rank),
            standing=warning_pb2.WarningStanding.Name(self.standing),
            state=warning_pb2.WarningState.Name(self.state),
            subject=self.subject,
            title_zh=self.title_zh,
            title_en=self.title_en,
            explanation_zh=self.explanation_zh,
            explanation_en=self.explanation_en,
            legal_basis=self.legal_basis,
            concerned=[AGENCY.format(agency=agency) for agency in self.concerned],
            owner=self.owner,
            close_reason=self.close_reason,
        )
        for field in ("due_time", "create_time", "update_time", "acknowledge_time", "escalate_time", "close_time"):
            if (moment := getattr(self, field)) is not None:
                getattr(message, field).FromDatetime(moment)
        if self.due_time is not None:
            message.days_left = days_left(self.due_time, now)
        return message


@dataclass(frozen=True, slots=True)
class WarningFilter:
    """What a list shows; None and "" leave a part open. `concerning` is an agency."""

    states: tuple[int, ...] = TO_WORK
    min_rank: int = 0
    case_id: str | None = None
    rule: str = ""
    owner: str = ""
    escalated: bool = False
    concerning: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A step of a warning's life: what kind, by which officer ("" for the platform itself), and what was said of it."""

    kind: str
    officer: str = ""
    reason: str = ""


class WarningStore:
    """Reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, warning_id: str) -> StoredWarning | None:
        """Return a warning, None when there is none."""
        row = await self._database.fetchrow(_GET, warning_id)
        return None if row is None else _warning(row)

    async def case_of(self, name: str) -> str | None:
        """Return the case of a warning by its resource name."""
        case_id = await self._database.fetchval(_CASE_OF, WARNING.parse(name)["warning"])
        return None if case_id is None else CASE.format(case=case_id)

    async def moves(self, warning_id: str) -> list[warning_pb2.WarningMove]:
        """Return its first 1,000 moves, oldest first."""
        return [_move(row) for row in await self._database.fetch(_MOVES, warning_id)]

    async def page(self, only: WarningFilter, after: tuple[int, str], limit: int) -> list[StoredWarning]:
        """Return up to `limit` warnings after the one of this rank and identifier, gravest first."""
        rows = await self._database.fetch(
            _LIST, *after, list(only.states), only.min_rank, only.case_id, only.rule, only.owner, only.escalated,
            only.concerning, limit,
        )  # fmt: skip
        return [_warning(row) for row in rows]

    async def last_sequence(self) -> int:
        """Return the number of the last change."""
        return int(await self._database.fetchval(_LAST_SEQUENCE))

    async def changed(self, after: int, open_until: int | None, case_id: str | None, limit: int) -> list[StoredWarning]:
        """Return up to `limit` warnings whose last change has a number above `after`, in that order; with `open_until`
        those alone that are open and not above it."""
        rows = await self._database.fetch(_CHANGED, after, open_until, case_id, limit)
        return [_warning(row) for row in rows]


async def lock_of_case(transaction: Transaction, case_id: str) -> list[StoredWarning]:
    """Return the warnings of a case and keep them from changing until the transaction ends."""
    return [_warning(row) for row in await transaction.fetch(_OF_CASE, case_id)]


async def lock(transaction: Transaction, warning_id: str) -> StoredWarning | None:
    """Return a warning and keep it from changing until the transaction ends."""
    row = await transaction.fetchrow(_LOCK, warning_id)
    return None if row is None else _warning(row)


async def lock_to_escalate(transaction: Transaction, now: datetime, limit: int) -> list[StoredWarning]:
    """Return warnings that nobody took up in time and no other process has in hand."""
    return [_warning(row) for row in await transaction.fetch(_TO_ESCALATE, now, limit)]


async def keep(transaction: Transaction, warning: StoredWarning, move: Move) -> StoredWarning:
    """Keep a warning as it is now, new or changed, with the move that made it so; return it with its new number."""
    warning = replace(warning, change_sequence=await transaction.fetchval(_NEXT_SEQUENCE))
    values = [getattr(warning, name) for name in _COLUMNS]
    await transaction.execute(_KEEP, *values)
    await transaction.execute(
        _MOVE, warning.warning_id, warning.update_time, warning.state, move.kind, move.officer, move.reason
    )
    return warning


async def reword(transaction: Transaction, warning: StoredWarning) -> None:
    """Keep the explanation alone, which names days that pass; nobody is told of it."""
    await transaction.execute(_REWORD, warning.warning_id, warning.explanation_zh, warning.explanation_en)


def days_left(due: datetime, now: datetime) -> int:
    """Return whole days from today to the last day, in Asia/Shanghai; `due` is the first moment too late."""
    last_day = due.astimezone(CHINA)
    # A limit that ends with a day is over at the midnight after it.
    back = 1 if (last_day.hour, last_day.minute, last_day.second) == (0, 0, 0) else 0
    return (last_day.date() - now.astimezone(CHINA).date()).days - back


def _warning(row: Row) -> StoredWarning:
    values = {name: row[name] for name in _COLUMNS}
    values |= {"warning_id": str(row["warning_id"]), "case_id": str(row["case_id"])}
    values["concerned"] = tuple(str(agency) for agency in row["concerned"])
    return StoredWarning(**values)


def _move(row: Row) -> warning_pb2.WarningMove:
    message = warning_pb2.WarningMove(
        state=warning_pb2.WarningState.Name(row["state"]),
        kind=row["kind"],
        officer=row["officer"],
        reason=row["reason"],
    )
    message.move_time.FromDatetime(row["move_time"])
    return message
