"""What a security officer does with `casemesh access`, on a whole platform through its gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.e2e.test_cli import POLICE_THEFT, Casemesh
from tests.e2e.test_cli import casemesh as casemesh  # the fixture

pytestmark = pytest.mark.timeout(300)
LIN, CHIEF, SYSTEM = "procuratorate", "procuratorate-outsider", "procuratorate-system"


@pytest.fixture
def case(casemesh: Casemesh) -> str:
    party = f"嫌疑人乙(虚构);charge={POLICE_THEFT}"
    return str(casemesh.json(LIN, "case", "register", "虚构盗窃案", "--party", party)["name"])


@pytest.fixture
def chief(casemesh: Casemesh) -> str:
    """The supervisor's name."""
    officer = str(casemesh.json(CHIEF, "agency", "whoami")["subject"])
    casemesh.json(SYSTEM, "access", "supervise", officer, "--reason", "案件管理")
    return officer


def test_rights_are_passed_on_explained_and_taken_back(casemesh: Casemesh, case: str, chief: str) -> None:
    passed = casemesh.json(
        LIN, "access", "delegate", case, chief, "--may", "view_case", "--may", "view_dossier", "--days", "2",
        "--reason", "出差",
    )  # fmt: skip
    assert ["VIEW_CASE", "VIEW_DOSSIER"] == passed["permissions"]
    assert case == casemesh.json(CHIEF, "case", "show", case)["name"]
    explained = casemesh.json(CHIEF, "access", "explain", case, chief, "--may", "view_dossier")
    assert [("delegated", passed["fact"])] == [(item["rule"], item["fact"]["fact"]) for item in explained["grounds"]]
    assert "view_dossier" in casemesh.run(CHIEF, "access", "explain", case, chief, "--may", "view_dossier").stderr
    casemesh.json(LIN, "access", "end-delegation", case, passed["fact"])
    # The supervisor knows of the case, and sees no more of it than its progress.
    assert "PERMISSION_MISSING" == casemesh.refused(CHIEF, "case", "show", case)["error"]
    assert (
        2 == casemesh.refused(LIN, "access", "delegate", case, chief, "--may", "fly", "--reason", "出差")["exit_code"]
    )


def test_a_sealed_case_is_opened_in_an_emergency_by_two_and_reviewed(casemesh: Casemesh, case: str, chief: str) -> None:
    lin = casemesh.json(LIN, "agency", "whoami")["subject"]
    sealed = casemesh.json(CHIEF, "access", "seal", case, "--ground", "juvenile", "--reason", "依法封存")
    assert ("SEAL", "JUVENILE") == (sealed["kind"], sealed["seal_kind"])
    assert 3 == casemesh.refused(LIN, "case", "show", case)["exit_code"]

    use = casemesh.json(LIN, "access", "break-glass", case, "--reason", "人质处于危险, 须立即查看")["fact"]
    waiting = casemesh.run(CHIEF, "access", "emergencies", "--lang", "zh").stdout
    assert use in waiting
    assert "待批准" in waiting
    casemesh.json(CHIEF, "access", "approve", case, use)
    assert case == casemesh.json(LIN, "case", "show", case)["name"]
    reviewed = casemesh.json(CHIEF, "access", "review", case, use, "justified", "--reason", "情况属实")
    assert ("JUSTIFIED", chief) == (reviewed["outcome"], reviewed["reviewed_by"])
    assert 3 == casemesh.refused(LIN, "case", "show", case)["exit_code"]

    opened = casemesh.json(CHIEF, "access", "open-seal", case, lin, "--reason", "依法查询")
    assert "SEAL_OPENING" == opened["kind"]
    assert {"封存", "解封", "承办"} <= set(casemesh.run(LIN, "access", "list", case, "--lang", "zh").stdout.split())

    def who(*arguments: str) -> list[Any]:
        return [viewer.get("officer") for viewer in casemesh.json(CHIEF, "access", "viewers", case, *arguments)]

    assert lin in who()
    assert chief not in who()
    casemesh.json(CHIEF, "access", "lift-seal", case, "--ground", "juvenile", "--reason", "解除")
    assert {lin, chief} <= set(who())
    assert [] == who("--at", "2020-01-01")
    casemesh.json(SYSTEM, "access", "end-supervision", chief, "--reason", "调离")
    assert 3 == casemesh.refused(CHIEF, "access", "viewers", case)["exit_code"]


def test_access_is_asked_of_another_agency_and_given(casemesh: Casemesh, case: str) -> None:
    agency = casemesh.json(LIN, "agency", "whoami")["agency"]
    asked = casemesh.json(
        "court", "access", "request", case, "--agency", agency, "--may", "view_case", "--may", "view_progress",
        "--purpose", "hearing", "--reason", "庭前核对",
    )  # fmt: skip
    assert "FILED" == asked["state"]
    assert 3 == casemesh.refused("court", "case", "show", case)["exit_code"]
    assert asked["request"] in casemesh.run(LIN, "access", "pending").stdout
    given = casemesh.json(LIN, "access", "grant", asked["request"], "--days", "2")
    assert case == casemesh.json("court", "case", "show", case)["name"]
    own = casemesh.run("court", "access", "requests", "--lang", "zh").stdout
    assert {asked["request"], "已批准"} <= set(own.split())
    casemesh.json(LIN, "access", "end-grant", case, given["access"]["fact"], "--reason", "已查阅完毕")
    assert 3 == casemesh.refused("court", "case", "show", case)["exit_code"]
    again = casemesh.json(
        "court", "access", "request", case, "--agency", agency, "--may", "view_case", "--purpose", "hearing",
        "--reason", "庭前核对",
    )  # fmt: skip
    assert "REFUSED" == casemesh.json(LIN, "access", "refuse", again["request"], "--reason", "与本案无关")["state"]


def test_a_decoy_that_is_looked_at_is_told_to_the_supervisor(casemesh: Casemesh, case: str, chief: str) -> None:
    lin = casemesh.json(LIN, "agency", "whoami")["subject"]
    casemesh.json(CHIEF, "access", "decoy", case, "--reason", "例行检测")
    assert case in [decoy["case"] for decoy in casemesh.json(CHIEF, "access", "decoys")]
    casemesh.json(LIN, "case", "show", case)
    (alert,) = [one for one in casemesh.json(CHIEF, "access", "alerts") if one.get("case") == case]
    assert ("DECOY_LOOKED_AT", lin) == (alert["rule"], alert["officer"])
    assert "触碰诱饵案件" in casemesh.run(CHIEF, "access", "alerts", "--lang", "zh").stdout
    resolved = casemesh.json(CHIEF, "access", "resolve", alert["alert"], "misuse", "--reason", "无办案需要")
    assert "MISUSE" == resolved["resolution"]
    assert alert["alert"] not in [one["alert"] for one in casemesh.json(CHIEF, "access", "alerts")]
    assert alert["alert"] in [one["alert"] for one in casemesh.json(CHIEF, "access", "alerts", "--all")]
    casemesh.json(CHIEF, "access", "end-decoy", case, "--reason", "检测结束")
    assert [] == casemesh.json(LIN, "access", "alerts")


def test_a_marked_copy_leads_back_to_who_made_it(casemesh: Casemesh, case: str, tmp_path: Path) -> None:
    folder = tmp_path / "卷宗" / "证据卷一"
    folder.mkdir(parents=True)
    buffer = Canvas(str(folder / "笔录.pdf"))
    buffer.showPage()
    buffer.save()
    (folder / "说明.txt").write_text("说明", encoding="utf-8")
    version = casemesh.json(LIN, "dossier", "send", folder.parent, "--case", case)["name"]
    wrong = casemesh.refused(LIN, "dossier", "get", version, "--to", tmp_path / "got", "--purpose", "curiosity")
    assert (2, "usage.purpose") == (wrong["exit_code"], wrong["error"])
    got = casemesh.json(
        LIN, "dossier", "get", version, "--to", tmp_path / "got", "--marked", "--purpose", "other:领导交办核查"
    )
    marked = got["marked"]
    assert (1, 1, ["说明.txt"]) == (marked["copies"], marked["pages"], [Path(one).name for one in marked["unmarked"]])
    assert [Path(marked["folder"]) / "证据卷一" / "笔录.pdf.marked.pdf"] == [
        path for path in Path(marked["folder"]).rglob("*") if path.is_file()
    ]
    casemesh.json(LIN, "dossier", "verify", tmp_path / "got")
    found = casemesh.json(LIN, "access", "mark", marked["mark"])
    lin = casemesh.json(LIN, "agency", "whoami")["subject"]
    assert (lin, "other", version, case) == (found["officer"], found["purpose"], found["version"], found["case"])
    trail = casemesh.json(LIN, "trail", "show", case, "--purpose", "handling")
    (reading,) = [event for event in trail if event["event_id"] == found["reading"]]
    assert "领导交办核查" == reading["details"]["purpose_text"]
    assert 3 == casemesh.refused("court", "access", "mark", marked["mark"])["exit_code"]


def test_the_purposes_are_listed_without_a_connection(casemesh: Casemesh) -> None:
    listed = {one["code"]: one["asks_for_words"] for one in casemesh.json(LIN, "access", "purposes")}
    assert (False, True) == (listed["handling"], listed["other"])
