"""Tables and maps from the operator's commands to the officer's, on a whole platform through its gateway."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from casemesh.cli import daemon, main
from casemesh.client.profile import write_profile
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)
COLOURS = "code,name_zh,effective_until,replaced_by\n=1,红,,\nC2,深红,2020-12-31,=1\nC3,蓝,,\n"
PAINTS = "code,name_zh\nP1,红\nP2,天蓝\n"
PAIRS = "from_code,to_code,when,priority\n=1,P1,,5\nC2,P1,,\nC3,P2,light=day,\n"


class Machine:
    """Both programs beside a running platform."""

    def __init__(self, platform: RunningPlatform, folder: Path) -> None:
        self.folder = folder
        self.data = ["--data", str(Path(platform.addresses.pki).parent)]
        write_profile(folder / "config", platform.agencies["police"].officers[0])
        self.profile = platform.agencies["police"].officers[0].name

    def _run(self, app: Typer, *arguments: str) -> Result:
        environment = {**os.environ, "CASEMESH_CONFIG": str(self.folder / "config"), "LANG": "C.UTF-8", "LC_ALL": ""}
        return CliRunner().invoke(app, [*arguments, "--json"], env=environment)

    def operator(self, *arguments: str) -> Any:
        result = self._run(daemon.app, "codes", *arguments, *self.data)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def officer(self, *arguments: str, code: int = 0) -> Any:
        result = self._run(main.app, "code", *arguments, "--profile", self.profile)
        assert result.exit_code == code, result.stderr
        return json.loads(result.stdout)

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)


def test_a_table_and_a_map_go_from_a_file_to_an_officer(platform: RunningPlatform, tmp_path: Path) -> None:
    machine = Machine(platform, tmp_path)
    for name, content in (("colours", COLOURS), ("paints", PAINTS)):
        file = machine.file(f"{name}.csv", content)
        machine.operator("import", file, "--table", name, "--version", "1", "--unsigned", "--name", name)
    pairs = machine.file("pairs.csv", PAIRS)
    tables = ["--from", "colours", "--to", "paints"]
    machine.operator("import", pairs, "--map", "c-to-p", "--version", "1", *tables, "--unsigned", "--draft")
    preview = machine.operator("preview", "c-to-p", "1")
    activated = machine.operator("activate", "c-to-p", "1", "--from", "2026-01-01")

    assert (preview["newly_mapped"], len(preview["changes"])) == ({"code_count": 3}, 3)
    assert (activated["state"], activated["effective_from"]) == ("ACTIVE", "2026-01-01")
    exported = tmp_path / "folded.csv"
    coverage = machine.operator("coverage", "c-to-p", "--csv", str(exported), "--date", "2026-02-01")
    assert (coverage["source_count"], coverage["exact_count"], coverage["folded_source_count"]) == (3, 1, 2)
    assert ",=1" not in exported.read_text(encoding="utf-8-sig")
    assert [each["concept_map"]["state"] for each in machine.operator("versions", "c-to-p")] == ["ACTIVE"]
    assert machine.operator("queue", "--table", "colours") == []

    found = machine.officer("lookup", "colours:C2")
    assert [step["value"]["code"] for step in found["succession"]] == ["=1"]
    assert machine.officer("validate", "colours:=1", "--name", "红")["valid"]
    assert machine.officer("validate", "colours:C2", code=4)["successors"] == ["=1"]
    assert [each["value"]["code"] for each in machine.officer("list", "colours", "--contains", "红", "--active")] == [
        "=1"
    ]
    day = ["--to", "paints", "--date", "2026-02-01"]
    ruled, unruled = (
        machine.officer("translate", "colours:C3", *day, *field) for field in (["--field", "light=day"], [])
    )
    assert [target["value"]["code"] for target in ruled[0]["targets"]] == ["P2"]
    assert (unruled[0]["outcome"], unruled[0]["undecided_fields"]) == ("UNMAPPED", ["light"])
    early = machine.officer("translate", "colours:C2", "--to", "paints", "--date", "2025-12-31")
    assert early[0]["outcome"] == "UNMAPPED"
    assert machine.operator("retire", "c-to-p", "1")["state"] == "RETIRED"
