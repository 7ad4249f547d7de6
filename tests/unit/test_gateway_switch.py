"""`casemeshd gateway`: the files it leaves, which are all that the gateway needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casemesh.cli.daemon import app
from casemesh.pki.authority import KeyChoice, Pki


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = Pki(tmp_path / "pki")
    made.create_mesh()
    for agency in ("beihu-police", "beihu-court"):
        made.add_agency(agency)
    return made


def run(pki: Pki, *arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, ["gateway", *arguments, "--dir", str(pki.layout.root), "--json"])
    return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else result.stderr


def trusted(pki: Pki) -> set[str]:
    return {name.partition(".")[0] for name in json.loads(pki.layout.bundle_map.read_text())["trust_domains"]}


def marked(pki: Pki) -> list[str]:
    return [path.name for path in pki.layout.shut_out.glob("*")]


def test_an_agency_that_is_shut_out_is_marked_and_not_trusted_any_more_and_others_are(pki: Pki) -> None:
    code, shown = run(pki, "shut-out", "beihu-police")
    assert (0, True, True) == (code, shown["shut_out"], shown["changed"])
    assert ["beihu-police.agency.casemesh"] == marked(pki)
    assert {"beihu-court"} == trusted(pki)
    assert [{"agency": "beihu-police", "since": shown["since"]}] == run(pki, "status")[1]


def test_lifting_leaves_everything_as_it_was(pki: Pki) -> None:
    before = pki.layout.bundle_map.read_bytes()
    run(pki, "shut-out", "beihu-police")
    assert {"agency": "beihu-police", "shut_out": False, "changed": True} == run(
        pki, "shut-out", "beihu-police", "--lift"
    )[1]
    assert before == pki.layout.bundle_map.read_bytes()
    assert ([], []) == (marked(pki), run(pki, "status")[1])


def test_doing_it_twice_keeps_the_first_time_and_says_that_nothing_changed(pki: Pki) -> None:
    first = run(pki, "shut-out", "beihu-police")[1]
    assert first | {"changed": False} == run(pki, "shut-out", "beihu-police")[1]
    run(pki, "shut-out", "beihu-police", "--lift")
    assert run(pki, "shut-out", "beihu-police", "--lift")[1]["changed"] is False


@pytest.mark.parametrize("agency", ["beihu-polcie", "../beihu-police", ""])
def test_a_slip_of_the_pen_is_refused(pki: Pki, agency: str) -> None:
    assert 4 == run(pki, "shut-out", agency)[0]
    assert [] == marked(pki)


def test_an_agency_that_comes_later_does_not_let_the_one_that_is_shut_out_in_again(pki: Pki) -> None:
    run(pki, "shut-out", "beihu-police")
    pki.add_agency("beihu-prison")
    pki.renew("agencies/beihu-police", key=KeyChoice.SAME)
    assert {"beihu-court", "beihu-prison"} == trusted(pki)


def test_all_may_be_shut_out_and_a_mark_made_by_hand_counts(pki: Pki) -> None:
    run(pki, "shut-out", "beihu-police")
    (pki.layout.shut_out / "beihu-court.agency.casemesh").touch()
    pki.add_agency("beihu-prison")
    run(pki, "shut-out", "beihu-prison")
    assert {"nobody"} == trusted(pki)
    assert ["beihu-court", "beihu-police", "beihu-prison"] == [row["agency"] for row in run(pki, "status")[1]]
