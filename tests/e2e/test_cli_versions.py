"""The next version of a dossier on the command line, through the gateway: from the supplement to its ZIP file."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from casemesh.client.profile import write_profile
from tests.e2e.test_cli import POLICE_THEFT, Casemesh
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def casemesh(platform: RunningPlatform, tmp_path: Path) -> Casemesh:
    write_profile(tmp_path / "config", replace(platform.agencies["police"].officers[0], name="police"))
    return Casemesh(tmp_path, Path(platform.addresses.pki).parent)


def sent(casemesh: Casemesh, case: str, folder: Path, sizes: list[int]) -> str:
    (folder / "证据卷一").mkdir(parents=True)
    for size in sizes:
        (folder / "证据卷一" / f"{size}.jpg").write_bytes(os.urandom(size))
    return str(casemesh.json("police", "dossier", "send", folder, "--case", case)["name"])


def test_a_dossier_is_supplemented_cut_finalised_and_taken_away_as_one_file(casemesh: Casemesh, tmp_path: Path) -> None:
    party = f"嫌疑人乙(虚构);charge={POLICE_THEFT};custody=detained@2026-03-01@某看守所"
    case = casemesh.json("police", "case", "register", "虚构盗窃案", "--number", "A2", "--party", party)["name"]
    first = sent(casemesh, case, tmp_path / "first", [10, 2_000_000, 30])
    more = sent(casemesh, case, tmp_path / "more", [40, 50])
    dossier = first.partition("/versions/")[0]

    assert 2 == casemesh.json("police", "dossier", "supplement", dossier)["revision"]
    assert 2 == casemesh.json("police", "dossier", "remove", dossier, "--document", "0")["document_count"]
    taken = casemesh.json("police", "dossier", "take", more, "--into", dossier, "--document", "1-1")
    assert (1, 2) == (taken["document_count"], taken["first_document_index"])
    second = casemesh.json("police", "dossier", "finalize", dossier)
    assert (first, 2, 3) == (second["parent"], second["revision"], second["document_count"])
    assert [first, second["name"]] == [item["name"] for item in casemesh.json("police", "dossier", "versions", dossier)]
    changes = casemesh.run("police", "dossier", "changes", second["name"], "--lang", "en").stdout.splitlines()
    assert ["removed\t证据卷一\t10.jpg", "added\t证据卷一\t50.jpg"] == changes

    assert 3 == casemesh.json("police", "dossier", "supplement", dossier)["revision"]
    assert dossier == casemesh.json("police", "dossier", "abandon", dossier)["dossier"]
    assert "FINAL" == casemesh.json("police", "dossier", "status", dossier)["state"]

    out = tmp_path / "dossier.zip"
    size = casemesh.json("police", "dossier", "archive", second["name"], "--out", out)["size_bytes"]
    assert size == out.stat().st_size
    with zipfile.ZipFile(out) as opened:
        assert opened.testzip() is None
        assert 4 == len(opened.namelist())

    got = casemesh.json("police", "dossier", "get", second["name"], "--to", tmp_path / "got", "--streams", "2")
    assert 3 == got["document_count"]
    (delivery,) = casemesh.json("police", "dossier", "deliveries", second["name"])
    assert (got["confirm_time"], "CONFIRMED") == (delivery["confirm_time"], delivery["state"])
    proof = tmp_path / "proof.json"
    proved = casemesh.json("police", "dossier", "prove-page", tmp_path / "got", "--page", "3", "--out", proof)
    assert (second["name"], 2, 1) == (proved["version"], proved["document_index"], proved["page"])
    assert casemesh.json("police", "dossier", "verify-page", proof)["verified"]
