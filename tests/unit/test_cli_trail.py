"""A trail as people read it: times in China, what was done in their language, agencies by name."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casemesh.audit.v1.event_pb2 import LoggedEvent
from casemesh.cli import main, trail_commands
from casemesh.cli.invocation import Failure
from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.client import verify_trail

AGENCY = "agencies/019a0000-0000-7000-8000-000000000001"
EVENT: dict[str, Any] = {
    "case_sequence": 7,
    "occur_time": "2026-07-01T16:30:00.5Z",
    "action": "exchange.returned",
    "actor": {"agency": AGENCY, "system": f"{AGENCY}/systems/s", "officer": f"{AGENCY}/officers/lin"},
    "case": "cases/1",
    "resource": "exchanges/1",
    "basis": "assignment",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
}


def row(language: Language, **changes: Any) -> tuple[object, ...]:
    output = Output(as_json=False, language=language, stdout=io.StringIO())
    return trail_commands._row(EVENT | changes, {AGENCY: "北湖公安局"}, output)


@pytest.mark.parametrize(
    ("language", "what"), [(Language.CHINESE, "退回补正"), (Language.ENGLISH, "Returned for correction")]
)
def test_an_event_is_told_in_the_readers_language_and_in_chinas_time(language: Language, what: str) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    expected = (7, "2026-07-02 00:30:00", what, "北湖公安局 lin", "exchanges/1", "assignment", trace)
    assert expected == row(language)


def test_what_the_platform_did_itself_names_its_peer_and_an_unknown_action_stands_as_it_is() -> None:
    told = row(Language.CHINESE, actor={"peer": "service/routing"}, action="exchange.of_tomorrow", resource="cases/1")
    assert ("exchange.of_tomorrow", "service/routing", "") == told[2:5]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01", datetime(2026, 6, 30, 16, tzinfo=UTC)),
        ("2026-07-01T09:00", datetime(2026, 7, 1, 1, tzinfo=UTC)),
        ("2026-07-01T09:00Z", datetime(2026, 7, 1, 9, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_chinas(text: str, instant: datetime) -> None:
    assert instant == trail_commands._moment(text)


def test_what_is_no_time_is_refused_as_wrong_use() -> None:
    with pytest.raises(Failure) as refused:
        trail_commands._moment("yesterday")
    assert (2, "trail.time") == (refused.value.code, refused.value.key)


def test_a_shredded_event_keeps_its_place_in_the_list() -> None:
    logged = LoggedEvent(log_index=9, case_sequence=3, commitment=bytes(32))
    shown = trail_commands._shown(logged)
    assert {"case_sequence": 3, "log_index": 9, "shredded": True} == shown
    output = Output(as_json=False, language=Language.CHINESE, stdout=io.StringIO())
    assert (3, "", "内容已销毁", "", "", "", "") == trail_commands._row(shown, {}, output)


def test_the_verifier_given_out_is_the_shipped_script(tmp_path: Path) -> None:
    out = tmp_path / "verify_trail.py"
    told = CliRunner().invoke(main.app, ["trail", "verifier", "--out", str(out), "--json"])
    assert {"file": str(out)} == json.loads(told.stdout)
    assert Path(verify_trail.__file__).read_bytes() == out.read_bytes()
    printed = CliRunner().invoke(main.app, ["trail", "verifier"])
    assert out.read_text(encoding="utf-8") == printed.stdout
