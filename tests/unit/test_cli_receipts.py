"""`casemesh receipt verify`: offline, with the signing roots alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from casemesh.cli import main
from casemesh.cli.receive_command import store_delivery
from casemesh.client.receipts import exchange_digest
from casemesh.routing.v1 import exchange_pb2
from tests.unit.test_client_receipts import RECEIPT, ROOT, file_of

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "roots.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "receipt.json").write_text(json.dumps(file_of()))
    (tmp_path / "bare.json").write_text(json.dumps(file_of(logged=False)))
    return tmp_path


def verify(folder: Path, file: str, *options: str | Path) -> Any:
    roots = ["--signing-roots", str(folder / "roots.pem"), "--lang", "en"]
    return runner.invoke(main.app, ["receipt", "verify", str(folder / file), *map(str, options), *roots])


def test_what_holds_is_told_with_its_place_in_the_log(folder: Path) -> None:
    outcome = verify(folder, "receipt.json", "--require-log", "--json")
    assert 0 == outcome.exit_code, outcome.output
    told = json.loads(outcome.output)
    assert (True, 0, RECEIPT.exchange) == (told["verified"], told["log_index"], told["exchange"])
    assert "submission of exchanges/1" in verify(folder, "bare.json").output


def test_what_does_not_hold_fails_with_what_failed(folder: Path) -> None:
    assert 6 == verify(folder, "bare.json", "--require-log").exit_code
    fields = file_of()
    fields["receipt"]["signatures"][0]["sig"] = "A" * 86 + "=="
    (folder / "forged.json").write_text(json.dumps(fields))
    outcome = verify(folder, "forged.json")
    assert 6 == outcome.exit_code
    assert "the signature does not match" in outcome.output


def test_a_delivery_that_was_received_is_compared(folder: Path) -> None:
    delivery = exchange_pb2.Delivery(
        name="exchanges/1/deliveries/1", exchange=exchange_pb2.Exchange(name="exchanges/1")
    )
    stored = store_delivery(folder, delivery)
    assert exchange_digest(delivery.exchange).hex() == json.loads(stored.read_text())["exchange_sha256"]
    assert 6 == verify(folder, "receipt.json", "--delivery", stored).exit_code
    (folder / "mine.json").write_text(json.dumps({"exchange_sha256": RECEIPT.exchange_sha256.hex()}))
    assert 0 == verify(folder, "receipt.json", "--delivery", folder / "mine.json").exit_code
    assert 4 == verify(folder, "receipt.json", "--delivery", folder / "roots.pem").exit_code
