"""Results on stdout, the rest on stderr, and no character in the data that could do more than be read."""

from __future__ import annotations

import io
import json

import pytest

from casemesh.cli.messages import Language
from casemesh.cli.output import Output


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def output(*, as_json: bool = False, stdout: io.StringIO | None = None) -> Output:
    return Output(as_json=as_json, language=Language.ENGLISH, stdout=stdout or io.StringIO(), stderr=io.StringIO())


def text(stream: object) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_rows_without_a_terminal_are_lines_with_tabs() -> None:
    printed = output()
    printed.table([], ["A", "B"], [("x", 1), ("two words\nand a tab\t", 2)])
    assert text(printed.stdout) == "x\t1\ntwo words and a tab \t2\n"


def test_rows_on_a_terminal_stand_under_their_headings() -> None:
    printed = output(stdout=Screen())
    printed.table([], ["CASE", "TITLE"], [("cases/1", "[red]案件[/red]")])
    assert "CASE" in text(printed.stdout)
    assert "[red]案件[/red]" in text(printed.stdout)


@pytest.mark.parametrize("stdout", [io.StringIO, Screen])
def test_data_cannot_steer_the_terminal(stdout: type[io.StringIO]) -> None:
    hostile = "title\x1b]0;owned\x07\x9b31m\r"
    printed = output(stdout=stdout())
    printed.table([], ["A"], [(hostile,)])
    printed.result({}, hostile)
    printed.notice("case.registered", name=hostile)
    everything = text(printed.stdout) + text(printed.stderr)
    assert "\x1b]" not in everything
    assert not {"\x07", "\x9b", "\r"} & set(everything)


def test_json_results_are_one_value_on_stdout_and_notices_lines_on_stderr() -> None:
    printed = output(as_json=True)
    printed.notice("case.registered", name="cases/1")
    printed.table([{"name": "cases/1"}], ["A"], [("x",)])
    assert json.loads(text(printed.stdout)) == [{"name": "cases/1"}]
    assert json.loads(text(printed.stderr)) == {"event": "case.registered", "name": "cases/1"}


def test_fields_without_content_are_left_out() -> None:
    printed = output()
    printed.fields({}, [("a", "x"), ("b", ""), ("c", 0), ("d", None)])
    assert text(printed.stdout) == "a\tx\nc\t0\n"
