"""What a security officer does with `casemesh access`, on a whole platform through its gateway."""

from __future__ import annotations

from typing import Any

import pytest

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
