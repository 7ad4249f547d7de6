"""Data services and questions in the database. A question is closed by compare-and-set alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from casemesh.core.names import AGENCY, CASE, DATA_QUERY, DATA_SERVICE
from casemesh.routing.v1 import data_service_pb2
from casemesh.runtime.postgres import Database, Row, Transaction

_PUBLISH = """
INSERT INTO data_service AS service (service_id, provider, code, revision) VALUES ($1, $2, $3, 1)
ON CONFLICT (provider, code) DO UPDATE SET revision = service.revision + 1, retired = false
RETURNING service_id, revision
"""
_KEEP_REVISION = "INSERT INTO data_service_revision (service_id, revision, definition) VALUES ($1, $2, $3)"
_FORGET_ASKERS = "DELETE FROM data_service_asker WHERE service_id = $1"
_KEEP_ASKERS = "INSERT INTO data_service_asker (service_id, asker) SELECT $1, unnest($2::text[])"
_RETIRE = "UPDATE data_service SET retired = true WHERE service_id = $1 AND provider = $2 RETURNING revision"
_SERVICE = """
SELECT service.service_id, definition, retired
FROM data_service AS service JOIN data_service_revision USING (service_id)
WHERE service.service_id = $1 AND data_service_revision.revision = coalesce($2, service.revision)
"""
_MAY_ASK = "SELECT EXISTS (SELECT FROM data_service_asker WHERE service_id = $1 AND asker = ANY($2::text[]))"
_LIST = """
SELECT service.service_id, definition, retired FROM data_service AS service
JOIN data_service_revision USING (service_id, revision)
WHERE service.service_id > $1 AND (provider = $2 OR NOT retired AND EXISTS (
    SELECT FROM data_service_asker AS asker WHERE asker.service_id = service.service_id AND asker = ANY($3::text[])
))
ORDER BY service.service_id LIMIT $4
"""
_COUNT = """
SELECT count(*) FROM data_query WHERE service_id = $1 AND asker = $2 AND ask_time > $3
"""
# Calls of one asker to one data service wait for each other here: two cannot both take the last question of the day.
_LOCK_ASKER = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_ASK = """
INSERT INTO data_query (query_id, service_id, revision, provider, asker, case_id, purpose, question, question_sha256,
    ask_time, expire_time, due_at, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $12)
"""
_COLUMNS = """query_id, service_id, revision, provider, asker, case_id, purpose, question, answer, question_sha256,
    answer_sha256, state, ask_time, expire_time, answer_time"""
_GET = f"SELECT {_COLUMNS} FROM data_query WHERE query_id = $1"  # noqa: S608 - columns are a constant
_GET_ALL = f"SELECT {_COLUMNS} FROM data_query WHERE query_id = ANY($1::uuid[])"  # noqa: S608
_LOCK = f"{_GET} FOR UPDATE"
_CASE_OF = "SELECT case_id FROM data_query WHERE query_id = $1"
_OF_CASE = f"""
SELECT {_COLUMNS} FROM data_query WHERE case_id = $1 AND asker = $2 AND query_id > $3 ORDER BY query_id LIMIT $4
"""  # noqa: S608
_LEASE = f"""
WITH due AS (
    SELECT query_id FROM data_query
    WHERE provider = $1 AND state = 'PENDING' AND due_at <= clock_timestamp() AND expire_time > clock_timestamp()
    ORDER BY due_at, query_id LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE data_query SET due_at = clock_timestamp() + $3, lease_id = $4
FROM due WHERE data_query.query_id = due.query_id
RETURNING {", ".join(f"data_query.{column.strip()}" for column in _COLUMNS.split(","))}
"""  # noqa: S608
_END_LEASES = """
UPDATE data_query SET due_at = clock_timestamp()
WHERE query_id = ANY($1::uuid[]) AND lease_id = $2 AND state = 'PENDING' AND due_at > clock_timestamp()
"""
_ANSWER = """
UPDATE data_query SET state = 'ANSWERED', answer = $2, answer_sha256 = $3, answer_time = $4
WHERE query_id = $1 AND state = 'PENDING' AND expire_time > $4
"""
_EXPIRE = f"""
UPDATE data_query SET state = 'EXPIRED', answer_time = $1
WHERE query_id IN (
    SELECT query_id FROM data_query WHERE state = 'PENDING' AND expire_time <= $1
    ORDER BY expire_time LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING {_COLUMNS}
"""  # noqa: S608
_BLANK = """
UPDATE data_query SET question = NULL, answer = NULL
WHERE query_id IN (
    SELECT query_id FROM data_query
    WHERE question IS NOT NULL AND answer_time < $1 ORDER BY answer_time LIMIT $2
)
"""
_DUE_FOR = """
SELECT agency FROM unnest($1::uuid[]) AS agency WHERE EXISTS (
    SELECT FROM data_query WHERE provider = agency AND state = 'PENDING' AND due_at <= clock_timestamp()
)
"""
_CLOSED = "SELECT query_id FROM data_query WHERE query_id = ANY($1::uuid[]) AND state <> 'PENDING'"
_STATES = {
    "PENDING": data_service_pb2.DATA_QUERY_STATE_PENDING,
    "ANSWERED": data_service_pb2.DATA_QUERY_STATE_ANSWERED,
    "EXPIRED": data_service_pb2.DATA_QUERY_STATE_EXPIRED,
}
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class LockedQuery:
    """A question whose state nobody else moves before the transaction ends, and the agency that is asked."""

    query: data_service_pb2.DataQuery
    provider: str


@dataclass(frozen=True)
class ServicePage:
    """A page of data services; `more` says that others come after."""

    services: list[data_service_pb2.DataService]
    more: bool


@dataclass(frozen=True)
class QueryPage:
    """A page of questions; `more` says that others come after."""

    queries: list[data_service_pb2.DataQuery]
    more: bool


async def publish(transaction: Transaction, service: data_service_pb2.DataService, new_id: str) -> None:
    """Store the next revision of a data service and fill in its name and revision."""
    provider = AGENCY.parse(service.provider)["agency"]
    row = await transaction.fetchrow(_PUBLISH, new_id, provider, service.code)
    assert row is not None
    service_id = str(row["service_id"])
    service.name, service.revision = DATA_SERVICE.format(data_service=service_id), row["revision"]
    await transaction.execute(_KEEP_REVISION, service_id, service.revision, service.SerializeToString())
    await transaction.execute(_FORGET_ASKERS, service_id)
    await transaction.execute(_KEEP_ASKERS, service_id, sorted({*service.organs, *service.agencies}))


async def retire(transaction: Transaction, name: str, provider: str) -> data_service_pb2.DataService | None:
    """Take no more questions; None when the provider has no such data service."""
    service_id = DATA_SERVICE.parse(name)["data_service"]
    revision = await transaction.fetchval(_RETIRE, service_id, AGENCY.parse(provider)["agency"])
    if revision is None:
        return None
    row = await transaction.fetchrow(_SERVICE, service_id, revision)
    assert row is not None
    return _service_of(row)


async def asked_since(transaction: Transaction, name: str, asker: str, since: datetime) -> int:
    """Return how many questions `asker` has put to a data service since then, and let no other count meanwhile."""
    service_id, asker_id = DATA_SERVICE.parse(name)["data_service"], AGENCY.parse(asker)["agency"]
    await transaction.execute(_LOCK_ASKER, f"{service_id}/{asker_id}")
    return int(await transaction.fetchval(_COUNT, service_id, asker_id, since))


async def insert_queries(
    transaction: Transaction, queries: Sequence[data_service_pb2.DataQuery], provider: str, traceparent: str
) -> None:
    """Store new questions."""
    await transaction.executemany(
        _ASK,
        [
            (
                DATA_QUERY.parse(query.name)["data_query"],
                DATA_SERVICE.parse(query.data_service)["data_service"],
                query.revision,
                AGENCY.parse(provider)["agency"],
                AGENCY.parse(query.asker)["agency"],
                CASE.parse(query.case)["case"],
                query.purpose,
                data_service_pb2.DataQuery(
                    question=query.question, translations=query.translations
                ).SerializeToString(),
                query.question_sha256,
                query.ask_time.ToDatetime(tzinfo=UTC),
                query.expire_time.ToDatetime(tzinfo=UTC),
                traceparent,
            )
            for query in queries
        ],
    )


async def lock_query(transaction: Transaction, name: str) -> LockedQuery | None:
    """Lock a question; None when there is no such one."""
    row = await transaction.fetchrow(_LOCK, DATA_QUERY.parse(name)["data_query"])
    return LockedQuery(_query_of(row), AGENCY.format(agency=row["provider"])) if row is not None else None


async def keep_answer(transaction: Transaction, query: data_service_pb2.DataQuery) -> bool:
    """Move a question from PENDING to ANSWERED; False when it is not PENDING, or its time is over."""
    answer = data_service_pb2.DataQuery(
        outcome=query.outcome, answer=query.answer, refusal=query.refusal, translations=query.translations
    )
    touched = await transaction.execute(
        _ANSWER,
        DATA_QUERY.parse(query.name)["data_query"],
        answer.SerializeToString(),
        query.answer_sha256,
        query.answer_time.ToDatetime(tzinfo=UTC),
    )
    return touched == 1


async def expire(transaction: Transaction, now: datetime, most: int) -> list[data_service_pb2.DataQuery]:
    """Close questions whose time is over and return them."""
    return [_query_of(row) for row in await transaction.fetch(_EXPIRE, now, most)]


class DataServiceStore:
    """Reads data services and questions, and leases questions to their providers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def service(self, name: str, revision: int | None = None) -> data_service_pb2.DataService | None:
        """Return a data service in one revision or its newest, or None."""
        row = await self._database.fetchrow(_SERVICE, DATA_SERVICE.parse(name)["data_service"], revision)
        return _service_of(row) if row is not None else None

    async def may_ask(self, name: str, askers: Sequence[str]) -> bool:
        """Say whether one of `askers`, an agency or its kind of organ, may ask a data service."""
        return bool(await self._database.fetchval(_MAY_ASK, DATA_SERVICE.parse(name)["data_service"], list(askers)))

    async def services(self, agency: str, askers: Sequence[str], *, after: str, limit: int) -> ServicePage:
        """Return data services that `agency` provides, retired ones too, or that one of `askers` may ask."""
        rows = await self._database.fetch(
            _LIST, after or _FIRST, AGENCY.parse(agency)["agency"], list(askers), limit + 1
        )
        return ServicePage([_service_of(row) for row in rows[:limit]], more=len(rows) > limit)

    async def case_of(self, name: str) -> str | None:
        """Return the case of a question, or None when there is no such one."""
        case_id = await self._database.fetchval(_CASE_OF, DATA_QUERY.parse(name)["data_query"])
        return CASE.format(case=case_id) if case_id is not None else None

    async def get(self, name: str) -> data_service_pb2.DataQuery | None:
        """Return a question, or None."""
        row = await self._database.fetchrow(_GET, DATA_QUERY.parse(name)["data_query"])
        return _query_of(row) if row is not None else None

    async def get_all(self, names: Sequence[str]) -> list[data_service_pb2.DataQuery]:
        """Return questions in the order of their names, without those that there are not."""
        rows = await self._database.fetch(_GET_ALL, [DATA_QUERY.parse(name)["data_query"] for name in names])
        found = {query.name: query for query in map(_query_of, rows)}
        return [found[name] for name in names if name in found]

    async def of_case(self, case: str, asker: str, *, after: str, limit: int) -> QueryPage:
        """Return the questions that `asker` asked for a case, oldest first."""
        rows = await self._database.fetch(
            _OF_CASE, CASE.parse(case)["case"], AGENCY.parse(asker)["agency"], after or _FIRST, limit + 1
        )
        return QueryPage([_query_of(row) for row in rows[:limit]], more=len(rows) > limit)

    async def lease(self, provider: str, lease_id: str, seconds: float, limit: int) -> list[data_service_pb2.DataQuery]:
        """Take up to `limit` questions to `provider`, those longest due first, each for `seconds`; their case is left
        out."""
        rows = await self._database.fetch(
            _LEASE, AGENCY.parse(provider)["agency"], limit, timedelta(seconds=seconds), lease_id
        )
        queries = [_query_of(row) for row in sorted(rows, key=lambda row: row["query_id"])]
        for query in queries:
            query.ClearField("case")
        return queries

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        """Make questions due at once that are still under this lease."""
        await self._database.execute(_END_LEASES, [DATA_QUERY.parse(name)["data_query"] for name in names], lease_id)

    async def blank(self, before: datetime, most: int) -> int:
        """Forget what questions closed before then asked and were answered; their hashes stay. Return how many."""
        return await self._database.execute(_BLANK, before, most)

    async def due_for(self, agencies: Sequence[str]) -> list[str]:
        """Return those of `agencies` that have questions to answer."""
        rows = await self._database.fetch(_DUE_FOR, [AGENCY.parse(agency)["agency"] for agency in agencies])
        return [AGENCY.format(agency=row["agency"]) for row in rows]

    async def closed(self, names: Sequence[str]) -> list[str]:
        """Return those of the questions that wait no more."""
        rows = await self._database.fetch(_CLOSED, [DATA_QUERY.parse(name)["data_query"] for name in names])
        return [DATA_QUERY.format(data_query=row["query_id"]) for row in rows]


def _service_of(row: Row) -> data_service_pb2.DataService:
    service = data_service_pb2.DataService.FromString(row["definition"])
    service.retired = row["retired"]
    return service


def _query_of(row: Row) -> data_service_pb2.DataQuery:
    query = data_service_pb2.DataQuery.FromString(row["question"] or b"")
    if row["answer"] is not None:
        # The places of the question's translations would be taken for those of the answer.
        query.ClearField("translations")
        query.MergeFrom(data_service_pb2.DataQuery.FromString(row["answer"]))
    query.name = DATA_QUERY.format(data_query=row["query_id"])
    query.data_service = DATA_SERVICE.format(data_service=row["service_id"])
    query.revision = row["revision"]
    query.asker = AGENCY.format(agency=row["asker"])
    query.case = CASE.format(case=row["case_id"])
    query.purpose = row["purpose"]
    query.question_sha256 = row["question_sha256"]
    query.answer_sha256 = row["answer_sha256"] or b""
    query.state = _STATES[row["state"]]
    query.ask_time.FromDatetime(row["ask_time"])
    query.expire_time.FromDatetime(row["expire_time"])
    if row["answer_time"] is not None:
        query.answer_time.FromDatetime(row["answer_time"])
    return query
