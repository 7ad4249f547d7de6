"""`casemesh limit` shows what the reckoning did, in both languages and for programs."""

import json

import pytest
from typer.testing import CliRunner

from casemesh.cli import main

runner = CliRunner()

RECKON = ["limit", "reckon", "TL064", "--from", "2026-03-02", "--held", "--at", "2026-04-20"]
PAUSED = [*RECKON, "--pause", "2026-03-10..2026-03-20:精神病鉴定", "--extend", "0@2026-03-30"]


def test_each_step_and_the_days_left_are_shown() -> None:
    said = runner.invoke(main.app, [*PAUSED, "--lang", "zh"])

    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        "TL064 审查起诉(普通)\t2026-03-02 00:00",
        "开始的时、日不计入\t2026-03-02",
        "期间 1个月\t2026-04-02",
        "不计入期间: 精神病鉴定\t2026-04-12",
        "延长 15日: 重大、复杂\t2026-04-27",
        "2026-04-27 届满; 剩余 7 日",
    ]


def test_the_same_in_english() -> None:
    said = runner.invoke(main.app, [*RECKON, "--restart", "2026-04-15:补充侦查完毕", "--lang", "en"])

    assert "begins anew: 补充侦查完毕\t2026-04-15 00:00" in said.stdout
    assert "ends 2026-05-15; 25 days left" in said.stdout


def test_programs_get_the_steps_as_data() -> None:
    said = json.loads(runner.invoke(main.app, [*PAUSED, "--json"]).stdout)

    assert (said["last_day"], said["days_left"], said["provisional"]) == ("2026-04-27", 7, False)
    assert [step["rule"] for step in said["steps"]] == ["start_not_counted", "length", "paused", "extended"]
    assert said["steps"][3]["length"] == {"count": 15, "unit": "day", "days": 0}


def test_a_limit_that_is_paused_has_no_end() -> None:
    said = runner.invoke(main.app, [*RECKON, "--pause", "2026-03-10..:身份不明", "--lang", "en"])

    assert "it has no end yet" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["limit", "show", "TL999"], 3, "'TL999'"),
        (["limit", "reckon", "TL027", "--from", "2026-03-02"], 4, "TL027 is a rule"),
        ([*RECKON, "--extend", "5@2026-03-20"], 4, "adjustments[0].extension: TL064 has 1"),
        ([*RECKON, "--extend", "first"], 2, "N@TIME"),
        ([*RECKON, "--pause", "2026-03-20"], 2, "TIME..[TIME]:WHY"),
        (["limit", "reckon", "TL064", "--from", "yesterday"], 2, "--from yesterday"),
    ],
)
def test_bad_input_names_the_field_and_the_remedy(arguments: list[str], code: int, says: str) -> None:
    said = runner.invoke(main.app, [*arguments, "--lang", "en"])

    assert said.exit_code == code
    assert says in said.stderr


def test_every_limit_can_be_shown() -> None:
    listed = json.loads(runner.invoke(main.app, ["limit", "list", "--json"]).stdout)

    assert len(listed) == 206
    assert all(runner.invoke(main.app, ["limit", "show", limit["code"]]).exit_code == 0 for limit in listed)
