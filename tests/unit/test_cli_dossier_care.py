"""`casemeshd dossier` refuses what is not meant or not configured before it touches anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from casemesh.cli.daemon import app

CONFIG = """
store = "store"
signing = "signing"
wrapping_key = "absent.key"
[server]
listen = "127.0.0.1:0"
[tls]
directory = "tls"
[database]
dsn_file = "dsn"
[peers]
"""


def casemeshd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["dossier", *map(str, arguments)])


def test_a_salt_is_made_once_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "scrypt.json"
    made = casemeshd("make-salt", file, "--json")
    assert (made.exit_code, json.loads(made.stdout)["file"]) == (0, str(file))
    before = file.read_bytes()
    assert casemeshd("make-salt", file).exit_code == 4
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["fsck"], 4, "absent.key"),
        (["scrub", "--limit-rate", "fast"], 2, "--limit-rate"),
        (["scrub", "--limit-rate", "0MB"], 2, "--limit-rate"),
        (["move-store", "--limit-rate", "5 parsecs"], 2, "--limit-rate"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    (tmp_path / "dossier.toml").write_text(CONFIG)
    result = casemeshd(*arguments, "--config", tmp_path / "dossier.toml")
    assert (result.exit_code, said in result.stderr) == (code, True)


def test_a_configuration_without_a_wrapping_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dossier.toml").write_text(CONFIG.replace('wrapping_key = "absent.key"', ""))
    result = casemeshd("compact", "--config", tmp_path / "dossier.toml", "--lang", "zh")
    assert (result.exit_code, "配置有误" in result.stderr) == (4, True)


def test_an_erasure_that_nobody_confirmed_does_not_begin(tmp_path: Path) -> None:
    options: list[str | Path] = [
        "--reason",
        "x",
        "--config",
        tmp_path / "absent.toml",
        "--owner-dsn-file",
        tmp_path / "absent.dsn",
    ]
    case = "cases/01890000-0000-7000-8000-000000000001"
    assert casemeshd("erase-case", case, "--json", *options).exit_code == 2
    refused = CliRunner().invoke(app, ["dossier", "erase-case", case, *map(str, options)], input="n\n")
    assert (refused.exit_code, "nothing was erased" in refused.stderr) == (2, True)
