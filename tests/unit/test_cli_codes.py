"""`casemeshd codes`: what it refuses before it calls anybody, what it signs, and files that spreadsheets open."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from casemesh.cli.codes_operator import pack_message
from casemesh.cli.daemon import app
from casemesh.cli.invocation import Failure
from casemesh.client.spreadsheet_csv import spreadsheet_csv
from casemesh.translation.pack_statements import PackEntry, TrustedSigners, digest_of

CODES = typer.main.get_command(app).commands["codes"].commands  # type: ignore[attr-defined]


def casemeshd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["codes", *map(str, arguments)], env={"LANG": "C", "LC_ALL": ""})


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_command_shows_an_example_and_speaks_both_languages(name: str) -> None:
    options = {option for parameter in CODES[name].params for option in parameter.opts}

    assert {"--json", "--lang"} <= options
    assert f"casemeshd codes {name}" in CODES[name].epilog
    assert not CODES[name].help.isascii()
    assert [each.name for each in CODES[name].params if each.name != "help" and (each.help or "").isascii()] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version", "1"], 2),
        (["--version", "1", "--table", "forms", "--map", "m"], 2),
        (["--version", "1", "--layout", "no-such-layout"], 2),
        (["--version", "1", "--table", "forms"], 4),
    ],
)
def test_an_import_that_cannot_be_meant_is_refused_with_a_stable_code(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    file = tmp_path / "forms.csv"
    file.write_text("code,name_zh\nB1,圆\n", encoding="utf-8")

    assert casemeshd("import", file, *arguments, "--data", tmp_path / "nothing").exit_code == code


def test_a_file_of_a_hundred_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as huge:
        huge.truncate(100 << 20)
    result = casemeshd("import", file, "--version", "1", "--table", "huge", "--unsigned")

    assert result.exit_code == 4
    assert str(100 << 20) in result.stderr


def test_what_does_not_fit_into_a_call_is_compressed_and_else_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    small, packed = pack_message(file, b"{}", None, unsigned=True, draft=False)
    large, compressed = pack_message(file, b"same" * (1 << 20), None, unsigned=True, draft=True)

    assert (small, packed.gzip) == (b"{}", False)
    assert compressed.gzip
    assert len(large) < 1 << 20
    noise = bytes(byte for number in range(1 << 17) for byte in digest_of(number.to_bytes(4, "big")).encode())
    with pytest.raises(Failure):
        pack_message(file, noise, None, unsigned=True, draft=False)


def test_a_signed_statement_is_trusted_for_its_pack_alone(mesh_pki: Any, tmp_path: Path) -> None:
    layout = mesh_pki.layout
    file, out = tmp_path / "forms.csv", tmp_path / "forms.sig"
    file.write_text("code,name_zh\nB1,圆\n", encoding="utf-8")
    signing = layout.root / "signing" / "dossier"
    result = casemeshd("sign", file, "--table", "forms", "--version", "1", "--signing", signing, "--out", out, "--json")
    entry = PackEntry("forms", "1", digest_of(file.read_bytes()))
    signers = TrustedSigners(layout.signing_trust, "spiffe://mesh.casemesh/signing/dossier")

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == entry.payload()
    assert signers.require(out.read_bytes(), entry, datetime.now(UTC)) == signers.signer
    others = [
        PackEntry("forms", "2", entry.sha256),
        PackEntry("forms", "1", "0" * 64),
        PackEntry("f", "1", entry.sha256),
    ]
    others.append(PackEntry("forms", "1", entry.sha256, "a", "b"))
    for other in others:
        with pytest.raises(Exception, match="CODE_PACK_SIGNATURE_INVALID"):
            signers.require(out.read_bytes(), other, datetime.now(UTC))
    for trusted in (TrustedSigners(), TrustedSigners(layout.signing_trust, "spiffe://mesh.casemesh/signing/audit")):
        with pytest.raises(Exception, match="CODE_PACK_SIGNATURE_INVALID"):
            trusted.require(out.read_bytes(), entry, datetime.now(UTC))


def test_no_cell_of_an_export_is_a_formula_and_all_of_them_come_back() -> None:
    cells = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "＝1+1",
        "＠SUM(A1)",
        "05000100",
        '=HYPERLINK("x","y")',
        "入户抢劫",
    ]
    written = spreadsheet_csv(["CODE", "COUNT"], [(cell, 3) for cell in cells])
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))

    assert [row[0].removeprefix("'") for row in rows[1:]] == cells
    assert [row[0] for row in rows[1:] if row[0][0] in "=+-@\t\r\n＝＋－＠"] == []
