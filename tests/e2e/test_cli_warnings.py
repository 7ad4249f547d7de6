"""What an officer does with `casemesh warning`, on a whole platform through its gateway."""

from __future__ import annotations

import time

import pytest

from tests.e2e.test_cli import POLICE_THEFT, Casemesh
from tests.e2e.test_cli import casemesh as casemesh  # the fixture

pytestmark = pytest.mark.timeout(300)
LIN = "police"


def test_a_warning_is_listed_explained_and_taken_up_in_words(casemesh: Casemesh) -> None:
    party = f"甲(虚构);charge={POLICE_THEFT};custody=arrested@2026-03-01"
    case = casemesh.json(LIN, "case", "register", "虚构盗窃案", "--party", party)["name"]
    # An instrument with a day that is still to come.
    field = ("--field", "document_date:date=2099-01-01")
    casemesh.json(LIN, "exchange", "submit", "--case", case, "--node", "LA001", "--to", "beihu-procuratorate", *field)
    until = time.monotonic() + 60
    while not (found := casemesh.json(LIN, "warning", "list", "--case", case, "--rule", "CK074")):
        assert time.monotonic() < until, casemesh.json(LIN, "warning", "status")
    (warning,) = found
    assert ("OPEN", case) == (warning["state"], warning["case"])
    shown = casemesh.run(LIN, "warning", "show", warning["name"], "--lang", "zh").stdout
    assert {"待接手", "提出"} <= set(shown.split())
    assert warning["explanation_zh"][:10] in shown
    taken = casemesh.json(LIN, "warning", "acknowledge", warning["name"])
    assert "ACKNOWLEDGED" == taken["state"]
    assert taken["owner"]
    assert 3 == casemesh.refused(LIN, "warning", "show", "0199e3f0-0000-7000-8000-000000000000")["exit_code"]
