"""A program answers a question; what it cannot answer stays a question."""

import json
import stat
from pathlib import Path

import pytest
from google.type.date_pb2 import Date

from casemesh.cli.data_service_file import read_data_service
from casemesh.cli.invocation import Failure
from casemesh.cli.query_program import answer_by, answer_of, question_json
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.data.tables import shipped_bytes
from casemesh.routing.data_services import require_publishable
from casemesh.routing.v1 import data_service_pb2 as pb
from casemesh.routing.v1.data_provider_service_pb2 import QueryAnswer
from casemesh.routing.v1.exchange_pb2 import PayloadField

CODE = CodedValue(code_system="criminal-charges", code="XZ101")


def question() -> pb.DataQuery:
    query = pb.DataQuery(
        name="dataQueries/0199e3f0-0000-7000-8000-000000000001",
        data_service="dataServices/0199e3f0-0000-7000-8000-000000000002",
        revision=3,
        asker="agencies/0199e3f0-0000-7000-8000-000000000003",
        purpose="case-filing",
        question=[
            PayloadField(key="full_name", text="某甲"),
            PayloadField(key="birth_date", date=Date(year=2000, month=1, day=1)),
            PayloadField(key="charge", coded=CODE),
        ],
    )
    query.expire_time.FromSeconds(1_800_000_000)
    return query


def fail(failure: Failure) -> None:
    raise failure


def program(folder: Path, body: str) -> Path:
    path = folder / "answer.py"
    path.write_text(f"#!/usr/bin/env python3\nimport json, sys\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_program_is_told_the_question_by_key() -> None:
    told = question_json(question())

    assert told["question"] == {
        "full_name": "某甲",
        "birth_date": "2000-01-01",
        "charge": {"code_system": "criminal-charges", "code": "XZ101"},
    }
    assert (told["purpose"], told["revision"]) == ("case-filing", 3)
    assert "case" not in told


def test_the_type_of_an_answers_field_follows_from_its_value() -> None:
    said = {
        "a": "text",
        "b": "2026-01-31",
        "c": 3,
        "d": True,
        "e": {"code_system": "criminal-charges", "code": "XZ101"},
    }

    answer = answer_of({"outcome": "FOUND", "fields": said})

    assert list(answer.fields) == [
        PayloadField(key="a", text="text"),
        PayloadField(key="b", date=Date(year=2026, month=1, day=31)),
        PayloadField(key="c", integer=3),
        PayloadField(key="d", flag=True),
        PayloadField(key="e", coded=CODE),
    ]
    assert answer.outcome == pb.DATA_QUERY_OUTCOME_FOUND


async def test_an_answer_comes_from_the_programs_output(tmp_path: Path) -> None:
    body = "asked = json.load(sys.stdin)\nprint(json.dumps({'outcome': 'FOUND', 'fields': asked['question']}))"

    answer = await answer_by(program(tmp_path, body), 20, fail)(question())

    assert answer is not None
    assert {field.key for field in answer.fields} == {"full_name", "birth_date", "charge"}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("sys.exit(3)", "query.program_failed"),
        ("print('no json')", "query.program_answer"),
        ("print('{}')", "query.program_answer"),
        ("print('[]')", "query.program_answer"),
        ("""print('{"outcome": "PERHAPS"}')""", "query.program_answer"),
        ("""print('{"outcome": "FOUND", "fields": {"a": null}}')""", "query.program_answer"),
        ("import time; time.sleep(60)", "query.program_slow"),
    ],
)
async def test_a_program_that_fails_answers_nothing_and_says_why(tmp_path: Path, body: str, key: str) -> None:
    failures: list[Failure] = []
    answer = answer_by(program(tmp_path, body), 0.5 if "sleep" in body else 20, failures.append)

    assert await answer(question()) is None
    assert [failure.key for failure in failures] == [key]


async def test_a_program_is_found_in_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "print(json.dumps({'outcome': 'NOT_FOUND'}))")
    monkeypatch.chdir(tmp_path)

    answer = await answer_by(Path("./answer.py"), 20, fail)(question())

    assert answer == QueryAnswer(outcome=pb.DATA_QUERY_OUTCOME_NOT_FOUND)


@pytest.mark.parametrize("name", ["identity-number", "company-record", "detention-status"])
def test_the_templates_can_be_published(tmp_path: Path, name: str) -> None:
    path = tmp_path / "service.toml"
    path.write_bytes(shipped_bytes(f"data_services/{name}.toml"))

    service = read_data_service(path)

    require_publishable(service)
    assert service.code == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("code = ", "Invalid value"),
        ('[[question]]\nkey = "a"\ntype = "number"', "question[0].type must be one of text"),
        ('colour = "red"', "colour"),
        ('answer_within = "soon"', "answer_within"),
    ],
)
def test_a_description_at_fault_names_the_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "service.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(Failure) as failure:
        read_data_service(path)

    assert failure.value.code == 4
    assert says in str(failure.value.values["why"])


def test_a_question_is_json_in_every_part() -> None:
    assert json.loads(json.dumps(question_json(question())))
