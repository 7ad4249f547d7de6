"""Log lines are JSON with the trace id, and hold no local values of a traceback."""

import json

import pytest
import structlog

from casemesh.runtime import logs


@pytest.fixture(autouse=True)
def _reset() -> object:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def failing(person: str) -> None:
    raise ValueError(f"row refused, {len(person)} characters")


def test_a_traceback_tells_where_and_not_with_which_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("dossier", "INFO")
    try:
        failing("an invented person")
    except ValueError:
        structlog.get_logger("test").exception("call.failed", incident="1")
    line = json.loads(capsys.readouterr().out)
    assert ("dossier", "call.failed", "1") == (line["service"], line["event"], line["incident"])
    assert "failing" in json.dumps(line["exception"])
    assert "an invented person" not in json.dumps(line)


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("dossier", "WARNING")
    structlog.get_logger("test").info("quiet")
    structlog.get_logger("test").warning("loud")
    assert ["loud"] == [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
