"""What all commands share: options, an example in the help, exit codes, failures that name the trace."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from google.rpc import code_pb2
from typer.testing import CliRunner

from casemesh.cli import main
from casemesh.cli.exit_codes import ExitCode, exit_code_of
from casemesh.cli.failures import report
from casemesh.cli.invocation import Failure, Invocation, command
from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.client.profile import ProfileError
from casemesh.client.trace_context import TraceContext
from casemesh.client.trail import TrailError
from casemesh.errors import (
    CaseMeshError,
    Conflict,
    DataLoss,
    FieldViolation,
    InvalidArgument,
    ResourceExhausted,
    Unavailable,
    not_found,
)

runner = CliRunner()


def leaves(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, sub in getattr(found, "commands", {}).items():
        yield from leaves(sub, (*path, name))
    if not hasattr(found, "commands"):
        yield path, found


COMMANDS = dict(leaves(typer.main.get_command(main.app)))


def failing(error: BaseException, *arguments: str) -> Any:
    """Run a command that fails with `error` and changes something under a request id."""
    app = typer.Typer()

    @app.callback()
    def group() -> None:
        pass

    @command(app, "fail", example="casemesh fail")
    async def fail(run: Invocation) -> None:
        run.use_request_id("01900000-0000-7000-8000-000000000001")
        raise error

    return runner.invoke(app, ["fail", *arguments], env={"LANG": "C", "LC_ALL": ""})


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_takes_json_profile_and_language_and_shows_an_example(path: tuple[str, ...]) -> None:
    options = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    assert {"--json", "--profile", "--lang"} <= options
    assert f"casemesh {' '.join(path)}" in COMMANDS[path].epilog


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_and_command_is_explained_in_both_languages(path: tuple[str, ...]) -> None:
    chinese = re.compile("[\u4e00-\u9fff]|JSON|UUID")
    assert chinese.search(COMMANDS[path].help)
    assert [
        item.name for item in COMMANDS[path].params if not chinese.search(item.help or "") and item.name != "help"
    ] == []


@pytest.mark.parametrize(
    "wanted",
    [
        ("case", "register"), ("case", "show"), ("case", "list"), ("node", "list"), ("node", "show"),
        ("dossier", "send"), ("dossier", "get"), ("dossier", "verify"), ("dossier", "status"),
        ("exchange", "submit"), ("exchange", "show"), ("exchange", "list"), ("exchange", "accept"),
        ("exchange", "answer"), ("receive",), ("access", "list"), ("access", "assign"), ("access", "end"),
        ("translate",), ("trail", "show"), ("trail", "export"), ("trail", "verify"), ("trace", "show"),
        ("profile", "add"), ("profile", "list"), ("profile", "show"), ("demo",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_promised_commands_are_there(wanted: tuple[str, ...]) -> None:
    assert wanted in COMMANDS


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_stands_in_the_guide(path: tuple[str, ...]) -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
    assert f"`{' '.join(path)}`" in guide.read_text(encoding="utf-8")


def test_help_loads_neither_grpc_nor_protobuf() -> None:
    heavy = ("grpc", "google.protobuf", "cryptography", "asyncio")
    script = f"import sys, casemesh.cli.main; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [value for value in code_pb2.Code.values() if value])
def test_every_status_code_has_an_exit_code_other_than_success(number: int) -> None:
    classes = {cls.code: cls for cls in CaseMeshError.__subclasses__()}
    code = exit_code_of(classes.get(number, CaseMeshError)("R", "m"))
    assert code in set(ExitCode) - {ExitCode.OK, ExitCode.USAGE, ExitCode.INTERRUPTED}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (not_found(), 3),
        (InvalidArgument("FIELD_INVALID", "m"), 4),
        (Unavailable("SHUTTING_DOWN", "m"), 5),
        (Conflict("UPLOAD_LEASE_HELD", "m"), 5),
        (ResourceExhausted("LIMIT_EXCEEDED", "m", None, 3.0), 5),
        (ResourceExhausted("DOSSIER_TOO_LARGE", "m"), 4),
        (DataLoss("CONTENT_CORRUPT", "m"), 6),
        (TrailError("m"), 6),
        (ProfileError("m"), 2),
        (Failure(4, "folder.empty", path="p"), 4),
        (FileNotFoundError(2, "No such file", "p"), 4),
        (OSError(28, "No space left"), 1),
        (RuntimeError("m"), 1),
        (ExceptionGroup("g", [not_found()]), 3),
    ],
)
def test_a_failure_ends_with_its_exit_code_and_prints_to_stderr_alone(error: BaseException, code: int) -> None:
    result = failing(error)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("casemesh: ")


def test_an_interrupt_ends_with_130() -> None:
    output = Output(as_json=False, language=Language.ENGLISH)
    assert report(KeyboardInterrupt(), Invocation(output, "", TraceContext.new())) == 130


def test_a_refusal_names_reason_field_trace_and_a_safe_way_to_repeat() -> None:
    violations = [FieldViolation("parties[0].name", "must be set")]
    refused = failing(InvalidArgument("FIELD_INVALID", "a field is wrong", {"limit": 3}, violations))
    for said in (
        "a field breaks a rule (FIELD_INVALID)",
        "a field is wrong",
        "parties[0].name: must be set",
        "limit: 3",
    ):
        assert said in refused.stderr
    assert re.search(r"trace: [0-9a-f]{32}", refused.stderr)
    assert "--request-id" not in refused.stderr

    away = failing(Unavailable("DATABASE_UNAVAILABLE", "m"))
    assert "--request-id 01900000-0000-7000-8000-000000000001" in away.stderr


def test_a_refusal_as_json_is_one_line_on_stderr() -> None:
    result = failing(not_found(), "--json")
    said = json.loads(result.stderr)
    assert (said["error"], said["exit_code"], said["metadata"], said["fields"]) == ("NOT_FOUND", 3, {}, [])
    assert re.fullmatch("[0-9a-f]{32}", said["trace_id"])
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("option", "locale", "said"),
    [("zh", "C", "无权查看"), ("en", "zh_CN.UTF-8", "no access"), ("", "zh_CN.UTF-8", "无权查看")],
)
def test_the_language_is_that_of_the_option_or_else_of_the_locale(
    option: str, locale: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()

    @command(app, "fail", example="casemesh fail")
    async def fail(run: Invocation) -> None:
        raise not_found()

    result = runner.invoke(
        app, ["--lang", option] if option else [], env={"LANG": locale, "LC_ALL": "", "LC_MESSAGES": ""}
    )
    assert said in result.stderr


def test_a_request_id_that_is_none_is_wrong_use() -> None:
    result = runner.invoke(main.app, ["access", "end", "c", "o", "--request-id", "7"])
    assert result.exit_code == 2


def test_a_missing_profile_is_wrong_use(tmp_path: Path) -> None:
    result = runner.invoke(main.app, ["case", "list"], env={"CASEMESH_CONFIG": str(tmp_path)})
    assert result.exit_code == 2
    assert "casemesh profile add" in result.stderr


def test_a_profile_can_be_made_listed_and_shown(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate"
    certificate.mkdir()
    for name in ("tls.pem", "tls.key", "ca.pem"):
        (certificate / name).touch()
    environment = {"CASEMESH_CONFIG": str(tmp_path)}
    made = ["profile", "add", "police", "--gateway", "h:1", "--certificate", str(certificate)]

    assert runner.invoke(main.app, made, env=environment).exit_code == 0
    assert runner.invoke(main.app, made, env=environment).exit_code == 2
    listed = json.loads(runner.invoke(main.app, ["profile", "list", "--json"], env=environment).stdout)
    shown = json.loads(runner.invoke(main.app, ["profile", "show", "--json"], env=environment).stdout)

    assert listed == [{"profile": "police", "gateway": "h:1", "officer": ""}]
    assert shown["certificate"] == str(certificate)
