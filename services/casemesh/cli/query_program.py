"""Answering a question by running a program once: the question as JSON on its stdin, the answer as JSON on its stdout.

    question  {"name": ..., "data_service": ..., "purpose": ..., "asker": ..., "question": {"full_name": "..."}}
    answer    {"outcome": "FOUND", "fields": {"identity_number": "..."}}
              {"outcome": "NOT_FOUND"}, {"outcome": "AMBIGUOUS"}, {"outcome": "REFUSED", "refusal": "..."}

Dates are written `2026-01-31`, codes {"code_system": ..., "code": ...}. The type of each field of an answer follows
from its value: a text that is a date is a date.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from casemesh.cli.invocation import Failure
from casemesh.cli.message_json import plain
from casemesh.cli.payload_fields import parse_date
from casemesh.client.answering import Answer
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.routing.v1.data_provider_service_pb2 import QueryAnswer
from casemesh.routing.v1.data_service_pb2 import DataQuery
from casemesh.routing.v1.exchange_pb2 import PayloadField

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def answer_by(program: Path, timeout: float, complain: Callable[[Failure], None]) -> Answer:
    """Return what answers questions by running `program`.

    When the program fails, takes more than `timeout` seconds, or prints no answer, `complain` is told, nothing is
    answered, and the question comes again: one that the program cannot bear does not keep others from their answers.
    It raises OSError when there is no such program.
    """
    # A name without a folder would be looked for on the PATH, and not here.
    program = program.absolute()

    async def answer(query: DataQuery) -> QueryAnswer | None:
        try:
            said = await _run(program, json.dumps(question_json(query), ensure_ascii=False).encode(), timeout)
            try:
                return answer_of(json.loads(said))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise Failure(1, "query.program_answer", program=program, why=error) from None
        except Failure as failure:
            complain(failure)
            return None

    return answer


def question_json(query: DataQuery) -> dict[str, Any]:
    """Return what the program is told of a question."""
    said = plain(query)
    return {
        **{key: said[key] for key in ("name", "data_service", "revision", "purpose", "asker", "expire_time")},
        "question": {field["key"]: _content(field) for field in said.get("question", [])},
    }


def answer_of(said: dict[str, Any]) -> QueryAnswer:
    """Return the answer that the program printed. Raises ValueError, TypeError or KeyError for what is none."""
    answer = QueryAnswer(outcome=f"DATA_QUERY_OUTCOME_{said['outcome']}", refusal=said.get("refusal", ""))
    answer.fields.extend(_field(key, value) for key, value in said.get("fields", {}).items())
    return answer


def _field(key: str, value: Any) -> PayloadField:
    match value:
        case bool():
            return PayloadField(key=key, flag=value)
        case int():
            return PayloadField(key=key, integer=value)
        case dict():
            return PayloadField(key=key, coded=CodedValue(**value))
        case str() if _DATE.fullmatch(value):
            return PayloadField(key=key, date=parse_date(value))
        case str():
            return PayloadField(key=key, text=value)
        case _:
            raise ValueError(f"{key}: neither text, date, number, flag nor code")


def _content(field: dict[str, Any]) -> Any:
    return next(value for key, value in field.items() if key not in ("key", "party"))


async def _run(program: Path, question: bytes, timeout: float) -> bytes:
    process = await asyncio.create_subprocess_exec(
        program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout):
            said, _ = await process.communicate(question)
    except TimeoutError:
        raise Failure(1, "query.program_slow", program=program, seconds=timeout) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Failure(1, "query.program_failed", program=program, code=process.returncode)
    return said
