"""One effect per request id.

Scope: (caller, method). The same id with the same body gives the first answer again, after permission was checked
again; the same id with another body is refused. Answers are kept for the life of the database.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

from google.protobuf.message import Message

from casemesh.errors import FailedPrecondition
from casemesh.runtime.call import Call
from casemesh.runtime.postgres import Database, Row, Taken, Transaction, Writes

M = TypeVar("M", bound=Message)

_CLAIM = """
INSERT INTO request (caller, method, request_id, body_sha256) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""
_KEEP = "INSERT INTO request (caller, method, request_id, body_sha256, response) VALUES ($1, $2, $3, $4, $5)"
_RECALL = "SELECT body_sha256, response FROM request WHERE caller = $1 AND method = $2 AND request_id = $3"
_REMEMBER = "UPDATE request SET response = $4 WHERE caller = $1 AND method = $2 AND request_id = $3"


async def first_answer(database: Database, call: Call, request: Message, answer: type[M]) -> M | None:
    """Return the first answer to the request's id without claiming it; None when there is none yet.

    For a mutation that asks other services before it commits: its repeat must not ask them again, and must not fail
    because the state has moved on. `recall` still decides. Raises FailedPrecondition (REQUEST_ID_REUSED).
    """
    caller, request_id, body = _key(call, request)
    row = await database.fetchrow(_RECALL, caller, call.method, request_id)
    return _answer(row, request_id, body, answer) if row is not None else None


async def recall(transaction: Transaction, call: Call, request: Message, answer: type[M]) -> M | None:
    """Claim the request's id, or return the first answer to it.

    Call it first in the transaction that has the effect: a concurrent repeat waits at the claim until that
    transaction ends. Raises FailedPrecondition (REQUEST_ID_REUSED) when the id came with another body.
    """
    caller, request_id, body = _key(call, request)
    if await transaction.fetchval(_CLAIM, caller, call.method, request_id, body):
        return None
    return _answer(await transaction.fetchrow(_RECALL, caller, call.method, request_id), request_id, body, answer)


def _answer(row: Row | None, request_id: str, body: bytes, answer: type[M]) -> M:
    if row is None or row["body_sha256"] != body:
        raise FailedPrecondition(
            "REQUEST_ID_REUSED",
            "request_id was used with another body; use a new one for a new request",
            {"request_id": request_id},
        )
    return answer.FromString(row["response"])


async def write_once(
    database: Database, call: Call, request: Message, response: M, writes: Writes, answer: str = "SELECT 1"
) -> tuple[M, Row | None]:
    """Carry out `writes` and keep `response` under the request's id, as one statement; return it with the row of
    `answer`. Return the first answer, and None, where the id was used already: then nothing is written.

    For a mutation whose answer is known before it commits. A concurrent repeat waits for the first to commit. Raises
    FailedPrecondition (REQUEST_ID_REUSED) when the id came with another body.
    """
    caller, request_id, body = _key(call, request)
    await writes.execute(_KEEP, caller, call.method, request_id, body, response.SerializeToString())
    try:
        return response, await database.write(writes, answer)
    except Taken as taken:
        if taken.constraint_name != "request_pkey":
            raise
    row = await database.fetchrow(_RECALL, caller, call.method, request_id)
    return _answer(row, request_id, body, type(response)), None


async def remember(transaction: Transaction, call: Call, request: Message, response: Message) -> None:
    """Keep the answer in the transaction that has the effect."""
    caller, request_id, _ = _key(call, request)
    await transaction.execute(_REMEMBER, caller, call.method, request_id, response.SerializeToString())


def _key(call: Call, request: Message) -> tuple[str, str, bytes]:
    caller = call.caller.system if call.caller is not None else call.peer_name or str(call.peer)
    request_id: str = request.request_id  # type: ignore[attr-defined]
    body = type(request)()
    body.CopyFrom(request)
    body.ClearField("request_id")
    return caller, request_id, hashlib.sha256(body.SerializeToString(deterministic=True)).digest()
